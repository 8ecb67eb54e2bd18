//! Traces of a sample of what a run does, for whoever wants to judge them otherwise.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use antiphon_harness::Recording;

use crate::trace;

/// How many executions with a fault are kept: to make the failure smaller, an engine repeats it many times.
const FAULTY: usize = 3;

/// An execution with more events is not kept.
const EVENTS: usize = 4_000;

static TAPE: Mutex<Option<Tape>> = Mutex::new(None);

/// The executions that were kept, until they are written down.
struct Tape {
    file: PathBuf,
    finished: u64,
    faulty: usize,
    kept: Vec<Recording>,
}

/// From now on, keeps a sample of the executions of this process for `file`.
///
/// # Panics
/// If it does so already.
pub(crate) fn record(file: &Path) {
    let tape = Tape { file: file.to_path_buf(), finished: 0, faulty: 0, kept: Vec::new() };
    *TAPE.lock().unwrap_or_else(PoisonError::into_inner) = Some(tape);
    antiphon_harness::witness(|recording| {
        if let Some(tape) = &mut *TAPE.lock().unwrap_or_else(PoisonError::into_inner) {
            tape.take(recording);
        }
    });
}

/// Writes down what was kept, if anything was to be; nothing is kept any more.
///
/// # Errors
/// If the file can't be written.
pub(crate) fn save() -> io::Result<()> {
    let tape = TAPE.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(Tape { file, kept, .. }) = tape else { return Ok(()) };
    let mut file = File::create(file)?;
    // The same trace twice is the same opinion twice.
    let traces: BTreeSet<Vec<u8>> =
        kept.iter().map(|execution| trace::of(&execution.events, execution.complete)).collect();
    traces.iter().try_for_each(|trace| file.write_all(trace))
}

impl Tape {
    /// Called on the stack of an execution, which may be small: it is written later.
    fn take(&mut self, recording: Recording) {
        self.finished += 1;
        let wanted = match recording.faulty {
            true => self.faulty < FAULTY,
            false => is_sampled(self.finished),
        };
        if wanted && recording.events.len() <= EVENTS {
            self.faulty += usize::from(recording.faulty);
            self.kept.push(recording);
        }
    }
}

/// The first executions, and then always fewer, so that the last are among them: where an engine explores in
/// an order, neighbours are alike. Of a million it is about a hundred.
fn is_sampled(number: u64) -> bool {
    const LEADING: u32 = 3;
    let low = u64::BITS.saturating_sub(number.leading_zeros() + LEADING);
    number & ((1 << low) - 1) == 0
}

#[cfg(test)]
mod tests {
    use super::is_sampled;

    #[test]
    fn the_sample_thins_out_and_does_not_end() {
        let sampled = |upto: u64| (1..=upto).filter(|number| is_sampled(*number)).count();
        assert_eq!(sampled(8), 8);
        assert_eq!(sampled(16), 12);
        assert_eq!(sampled(1 << 20), 76);
        assert!(is_sampled(1 << 63));
    }
}
