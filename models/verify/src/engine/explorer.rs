//! The explorer: all interleavings of the real source, up to equivalence.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use antiphon_explorer::{Ending, Explorer, FailureKind, Found, Program, Schedule as Steps, Shard};
use antiphon_harness::{Fault, Observed};
use antiphon_spec::Guarantee;
use serde_json::Value;

use super::Task;
use crate::outcome::{Ended, Failure, Outcome, Schedule};

/// After so many executions, a worker adds what it saw to what all saw.
const BATCH: u32 = 64;

thread_local! {
    static SINCE: Cell<u32> = const { Cell::new(0) };
}

/// What all workers of an exploration saw.
#[derive(Default)]
struct Seen {
    observed: Mutex<Observed>,
    fault: Mutex<Option<Fault>>,
}

impl Seen {
    fn flush(&self) {
        SINCE.set(0);
        self.observed.lock().unwrap_or_else(PoisonError::into_inner).merge(&antiphon_harness::take());
    }

    fn after(&self, ending: Ending) -> Result<(), String> {
        // Where no thread can go on, everything has come to rest, too.
        let judged = antiphon_harness::finish(matches!(ending, Ending::Complete | Ending::Stuck));
        SINCE.set(SINCE.get() + 1);
        if SINCE.get() >= BATCH {
            self.flush();
        }
        judged.map_err(|fault| {
            let message = fault.to_string();
            *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
            message
        })
    }
}

/// Explores everything, or until the time is over.
pub(crate) fn explore(task: &Task, body: fn(), install: fn()) -> Outcome {
    let seen = Arc::new(Seen::default());
    let program = program(task, body, install, &seen);
    let watch = task.watch.clone();
    let time = task.deadline.saturating_duration_since(Instant::now());
    let explorer = Explorer::new()
        .workers(1)
        .budget(Some(time))
        .shard(task.shard)
        .checkpoint(task.checkpoint.clone())
        .on_progress(move |progress| watch.report(progress.executions));
    let report = match explorer.run(&program) {
        Ok(report) => report,
        Err(error) => return Outcome::no_result(error.to_string()),
    };
    let observed = std::mem::take(&mut *seen.observed.lock().unwrap_or_else(PoisonError::into_inner));
    let ended = if report.complete { Ended::Complete } else { Ended::Budget };
    let outcome = Outcome { executions: report.executions, ..Outcome::passed(ended, &observed) };
    match report.failure {
        None => outcome,
        Some(found) if !found.reproducible => Outcome::no_result(format!(
            "the schedule does not determine the execution, so the exploration is worth nothing: {}",
            found.message
        )),
        Some(found) => {
            let failure = failure(&explorer, &program, &seen, &found, report.executions);
            Outcome { ended: Ended::Failure, failure: Some(failure), ..outcome }
        }
    }
}

/// Runs the one execution that `schedule` describes.
pub(crate) fn replay(task: &Task, body: fn(), install: fn(), schedule: &str) -> Outcome {
    let steps: Steps = match schedule.parse() {
        Ok(steps) => steps,
        Err(error) => return Outcome::no_result(format!("{error}")),
    };
    let seen = Arc::new(Seen::default());
    let program = program(task, body, install, &seen);
    let played = Explorer::new().workers(1).replay(&program, &steps);
    let observed = std::mem::take(&mut *seen.observed.lock().unwrap_or_else(PoisonError::into_inner));
    match played.failure {
        None => Outcome::passed(Ended::Complete, &observed),
        Some(failed) => {
            let failure =
                told(&seen, failed.kind, &failed.message, &played.operations, 1, schedule.to_string());
            Outcome::failed(failure, &observed)
        }
    }
}

fn program(task: &Task, body: fn(), install: fn(), seen: &Arc<Seen>) -> Program {
    let (after, done, keep) = (seen.clone(), seen.clone(), task.keep);
    Program::new(body)
        .before(move || {
            // The recorder belongs to the thread of the operating system; installed again, it is the same.
            install();
            antiphon_harness::begin_keeping(keep);
        })
        .after(move |ending| after.after(ending))
        .done(move || done.flush())
}

/// Plays the smallest failing schedule once more, to tell what the specification says of it.
fn failure(explorer: &Explorer, program: &Program, seen: &Seen, found: &Found, execution: u64) -> Failure {
    *seen.fault.lock().unwrap_or_else(PoisonError::into_inner) = None;
    let _ = explorer.replay(program, &found.minimised);
    let schedule = found.minimised.to_string();
    told(seen, found.kind, &found.message, &found.operations, execution, schedule)
}

/// A fault that the specification found is told with its events, any other with its operations.
fn told(
    seen: &Seen,
    kind: FailureKind,
    message: &str,
    operations: &[String],
    execution: u64,
    schedule: String,
) -> Failure {
    let schedule = Schedule::Explorer { schedule, operations: operations.to_vec() };
    let fault = seen.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let (FailureKind::Check, Some(fault)) = (kind, fault) {
        return Failure::of_fault(&fault, execution, schedule);
    }
    let broken = match kind {
        FailureKind::Race => Some(Guarantee::RaceFreedom),
        FailureKind::Leak => Some(Guarantee::NoLeak),
        FailureKind::Deadlock | FailureKind::Livelock => Some(Guarantee::WakeUp),
        FailureKind::Panic | FailureKind::Check | FailureKind::Misuse => None,
    };
    let history = operations.iter().map(|operation| Value::String(operation.clone())).collect();
    let message =
        format!("{}{message}", if broken.is_none() { format!("{kind:?}: ") } else { String::new() });
    Failure { history, ..Failure::plain(broken, message, execution, schedule) }
}

/// What a run explores when nobody asked for less.
pub(crate) const WHOLE: Shard = Shard::WHOLE;

/// Where the checkpoint of a run is.
pub(crate) fn checkpoint_of(directory: &std::path::Path, scenario: &str) -> PathBuf {
    directory.join(format!("{}.checkpoint.json", scenario.replace('/', "-")))
}
