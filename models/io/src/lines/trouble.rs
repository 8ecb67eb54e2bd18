//! Writers that make trouble, beside one that makes none.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use antiphon::Node;
use antiphon::io::lines::{Input, Line};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use rustix::fs::OFlags;

use super::{Collect, Fifo, is};
use crate::parts::{LONG, kill_amid, on_a_node, own};
use crate::tally::{ask, fault};

/// What a writer does to whoever reads.
#[derive(Clone, Copy)]
pub(crate) enum Trouble {
    /// It goes in the middle of a line.
    Vanishes,
    /// It writes byte by byte.
    WritesByteByByte,
}

impl Trouble {
    /// Makes it once, with a line that has this number. An error says that nobody reads.
    fn make(self, path: &Path, number: usize) -> io::Result<()> {
        // Without waiting for somebody to read.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let mut writer = OpenOptions::new().write(true).custom_flags(flags).open(path)?;
        fault();
        match self {
            Self::Vanishes => write!(writer, "{number}")?,
            Self::WritesByteByByte => {
                let line = format!("{number}\n");
                line.bytes().try_for_each(|byte| writer.write_all(&[byte]))?;
            }
        }
        reached("trouble");
        Ok(())
    }
}

/// A pipe that is read, and written to without trouble.
struct Other {
    sink: io::PipeWriter,
    lines: Receiver<Line>,
}

impl Other {
    fn start(node: &Node) -> Self {
        let (source, sink) = io::pipe().expect("there are descriptors");
        let (tell, lines) = mpsc::channel();
        own(node, move |context| Ok(context.spawn_meta(Input::of(source)?, Collect(tell))?));
        Self { sink, lines }
    }

    fn exchange(&self, number: usize) {
        ask(|| {
            let written = writeln!(&self.sink, "{number}");
            let line = self.lines.recv_timeout(LONG);
            if is(&line, number) { Ok(()) } else { Err(format!("{line:?} instead of {number}, {written:?}")) }
        });
    }
}

/// `times` writers make trouble, one after the other; another writes as if there was none.
pub(crate) fn beside_another(trouble: Trouble, times: usize) {
    let fifo = Fifo::new();
    on_a_node(|node| {
        let other = Other::start(node);
        let (tell, lines) = mpsc::channel();
        let input = Input::fifo(&fifo.0).expect("it is a FIFO");
        own(node, move |context| Ok(context.spawn_meta(input, Collect(tell))?));
        for time in 0..times {
            trouble.make(&fifo.0, time).expect("it is read");
            other.exchange(time);
            super::expect(&lines, time);
        }
    });
}

/// The owner is killed while `writers` make trouble: then nobody reads any more.
pub(crate) fn while_the_owner_is_killed(trouble: Trouble, writers: usize) {
    let fifo = Fifo::new();
    on_a_node(|node| {
        let other = Other::start(node);
        // The lines may be mixed up: there are several who write.
        let (tell, _lines) = mpsc::channel();
        let input = Input::fifo(&fifo.0).expect("it is a FIFO");
        let (owner, _) = own(node, move |context| Ok(context.spawn_meta(input, Collect(tell))?));
        kill_amid(node, &owner, writers, || {
            // Others need the processor, and so does the one that kills.
            thread::sleep(Duration::from_millis(1));
            trouble.make(&fifo.0, 0)
        });
        other.exchange(0);
    });
}

/// FIFOs are removed while they are read: each Reader ends when its last writer goes, and no other does.
pub(crate) fn fifo_is_removed(times: usize) {
    on_a_node(|node| {
        let other = Other::start(node);
        for time in 0..times {
            let fifo = Fifo::new();
            let (tell, lines) = mpsc::channel();
            let input = Input::fifo(&fifo.0).expect("it is a FIFO");
            own(node, move |context| Ok(context.spawn_meta(input, Collect(tell))?));
            let mut writer = OpenOptions::new().write(true).open(&fifo.0).expect("it is read");
            fault();
            drop(fifo);
            writeln!(writer, "{time}").expect("it is read");
            super::expect(&lines, time);
            drop(writer);
            other.exchange(time);
            let end = lines.recv_timeout(LONG);
            check(matches!(end, Err(RecvTimeoutError::Disconnected)), Guarantee::CleanStop, || {
                format!("{end:?} instead of an end")
            });
        }
    });
}
