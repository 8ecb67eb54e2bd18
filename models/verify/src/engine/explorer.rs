//! The explorer: all interleavings of the real source, up to equivalence.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use antiphon_explorer::{DEPTH, Ending, Explorer, FailureKind, Found, Program, Schedule as Steps, Shard};
use antiphon_harness::{Fault, Observed};
use antiphon_spec::Guarantee;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Bounds, Task};
use crate::files;
use crate::outcome::{Ended, Failure, Outcome, Schedule};

/// After so many executions, a worker adds what it saw to what all saw.
const BATCH: u32 = 64;

/// How often what was seen is kept beside the checkpoint.
const SAVE: Duration = Duration::from_secs(1);

thread_local! {
    static SINCE: Cell<u32> = const { Cell::new(0) };
}

/// What all workers of an exploration saw.
#[derive(Default)]
struct Seen {
    observed: Mutex<Observed>,
    fault: Mutex<Option<Fault>>,
    /// What was seen before the checkpoint that this exploration goes on from.
    earlier: Occurred,
    /// Beside the checkpoint, the file in which it is kept.
    file: Option<PathBuf>,
    saved: Mutex<Option<Instant>>,
    /// Whether the execution that is played again ends where no thread can go on.
    stuck: AtomicBool,
}

/// What occurred, and how often.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Occurred {
    reached: BTreeMap<String, u64>,
    premises: BTreeMap<String, u64>,
}

impl Seen {
    /// Goes on from what was seen before the checkpoint. If that can't be read, nothing was: too little is
    /// noticed, too much would not be.
    fn beside(checkpoint: Option<&Path>) -> Self {
        let file = checkpoint.map(|path| path.with_extension("seen.json"));
        // Without the checkpoint, all is explored again.
        let there = checkpoint.is_some_and(Path::is_file);
        let text = file.as_ref().filter(|_| there).and_then(|path| fs::read_to_string(path).ok());
        let earlier = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Self { earlier, file, ..Self::default() }
    }

    fn add_earlier(&self, outcome: &mut Outcome) {
        for (label, count) in &self.earlier.reached {
            *outcome.reached.entry(label.clone()).or_default() += count;
        }
        for (guarantee, count) in &self.earlier.premises {
            *outcome.premises.entry(guarantee.clone()).or_default() += count;
        }
    }

    /// Keeps what was seen, for whoever goes on from the checkpoint.
    fn save(&self) {
        let Some(file) = &self.file else { return };
        let observed = self.observed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut outcome = Outcome::passed(Ended::Budget, &observed);
        self.add_earlier(&mut outcome);
        let occurred = Occurred { reached: outcome.reached, premises: outcome.premises };
        let text = serde_json::to_string(&occurred).expect("plain data");
        // Without it, what was seen before counts as not seen, which is noticed.
        let _ = files::replace(file, text.as_bytes());
    }

    /// What was seen so far will be seen again.
    fn forget(&self) {
        *self.observed.lock().unwrap_or_else(PoisonError::into_inner) = Observed::default();
    }

    fn flush(&self) {
        SINCE.set(0);
        self.observed.lock().unwrap_or_else(PoisonError::into_inner).merge(&antiphon_harness::take());
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        if saved.get_or_insert_with(Instant::now).elapsed() >= SAVE {
            *saved = Some(Instant::now());
            drop(saved);
            self.save();
        }
    }

    /// The last execution on this thread, if nobody asked about it: one that did not count, as those do not by which
    /// the parts of a search are found; or one in which the explorer itself has found something. Then the
    /// specification may have found something before.
    fn done(&self) {
        // Relaxed: set before the thread is started.
        if let Err(fault) = antiphon_harness::abandon(self.stuck.load(Ordering::Relaxed)) {
            self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
        }
        self.flush();
    }

    fn after(&self, ending: Ending) -> Result<(), String> {
        if ending == Ending::Redundant {
            // It is seen in its equivalent; counted here, the parts of a search would see more than the whole.
            // To begin another is to forget it.
            antiphon_harness::begin();
            return Ok(());
        }
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
pub(crate) fn explore(task: &Task, body: fn(), install: fn(), spurious: bool, bounds: Bounds) -> Outcome {
    let seen = Arc::new(Seen::beside(task.part.checkpoint.as_deref()));
    let program = program(task, body, install, &seen);
    let watch = task.watch.clone();
    let time = task.deadline.saturating_duration_since(Instant::now());
    let explorer = Explorer::new()
        .spurious(u32::from(spurious))
        .depth(bounds.steps())
        .preemption_bound(bounds.preemptions.map(|most| most as usize))
        // In parts, another execution of a class may be the one that is made. The classes are as many; premises that
        // lie in the order of what commutes may differ a little.
        .workers(task.workers)
        .build(env!("ANTIPHON_SOURCES"))
        .budget(Some(time))
        .shard(task.part.shard.unwrap_or(Shard::WHOLE))
        .checkpoint(task.part.checkpoint.clone())
        .on_progress(move |progress| watch.explored(progress));
    let report = match explorer.run(&program) {
        Ok(report) => report,
        Err(error) => return Outcome::no_result(error.to_string()),
    };
    seen.save();
    let observed = std::mem::take(&mut *seen.observed.lock().unwrap_or_else(PoisonError::into_inner));
    let ended = match report.complete {
        true => Ended::Complete,
        false if report.cut.is_nothing() => Ended::Budget,
        false => Ended::Cut { cut: report.cut, late: report.stopped_by.is_some() },
    };
    let mut outcome = Outcome { executions: report.executions, ..Outcome::passed(ended, &observed) };
    seen.add_earlier(&mut outcome);
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
pub(crate) fn replay(task: &Task, body: fn(), install: fn(), spurious: bool, schedule: &str) -> Outcome {
    let steps: Steps = match schedule.parse() {
        Ok(steps) => steps,
        Err(error) => return Outcome::no_result(format!("{error}")),
    };
    let seen = Arc::new(Seen::default());
    let program = program(task, body, install, &seen);
    // It may have been found within a larger depth.
    let depth = DEPTH.max(2 * steps.len());
    let explorer = Explorer::new().workers(1).depth(depth).spurious(u32::from(spurious));
    let mut played = explorer.replay(&program, &steps);
    if played.failure.as_ref().is_some_and(|failed| matches!(failed.kind, FailureKind::Deadlock)) {
        // Once more, now that it is known that everything comes to rest.
        seen.stuck.store(true, Ordering::Relaxed);
        played = explorer.replay(&program, &steps);
    }
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
    let (after, done, forget, keep) = (seen.clone(), seen.clone(), seen.clone(), task.keep);
    Program::new(body)
        .before(move || {
            // The recorder belongs to the thread of the operating system; installed again, it is the same.
            install();
            antiphon_harness::begin_keeping(keep);
        })
        .after(move |ending| after.after(ending))
        .done(move || done.done())
        .forget(move || forget.forget())
}

/// Plays the smallest failing schedule once more, to tell what the specification says of it.
fn failure(explorer: &Explorer, program: &Program, seen: &Seen, found: &Found, execution: u64) -> Failure {
    *seen.fault.lock().unwrap_or_else(PoisonError::into_inner) = None;
    seen.stuck.store(matches!(found.kind, FailureKind::Deadlock), Ordering::Relaxed);
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
    if let Some(fault) = fault {
        return Failure::of_fault(&fault, execution, schedule);
    }
    let broken = match kind {
        FailureKind::Race => Some(Guarantee::RaceFreedom),
        FailureKind::Leak => Some(Guarantee::NoLeak),
        FailureKind::Deadlock | FailureKind::Livelock => Some(Guarantee::WakeUp),
        FailureKind::Panic => antiphon_harness::owner(message),
        FailureKind::Check | FailureKind::Misuse => None,
    };
    let history = operations.iter().map(|operation| Value::String(operation.clone())).collect();
    let message =
        format!("{}{message}", if broken.is_none() { format!("{kind:?}: ") } else { String::new() });
    Failure { history, ..Failure::plain(broken, message, execution, schedule) }
}
