//! loom: small scenarios under C11 acquire/release.

use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

use super::{Breakdown, Judged, Task};
use crate::outcome::{Ended, Outcome, Schedule};
use crate::{child, panics};

/// How many choices one execution may have. More than the default: an activation that is passed around
/// is longer than the data structures loom was made for.
pub(crate) const MAX_BRANCHES: usize = 5_000;

/// Explores until loom has nothing left or the time is over.
///
/// loom returns in the same way in both cases; the clock tells them apart, and in doubt it is the time.
pub(crate) fn explore(task: &Task, body: fn(), preemption_bound: Option<usize>) -> Outcome {
    let judged = Judged::new(task, body);
    let each = judged.clone();
    let (found, watch) = (judged.clone(), task.watch.clone());
    panics::on_finding_of_loom(move |message| {
        let execution = watch.progress().executions;
        let breakdown = Breakdown::new(&message.to_string());
        let failure = found.failure(&breakdown, Schedule::Loom { preemption_bound, execution });
        child::conclude(Outcome::failed(failure, &antiphon_harness::take()));
    });
    match run(preemption_bound, task.deadline, move || each.run(|body| body())) {
        Ok(()) => {
            let complete = Instant::now() < task.deadline;
            let ended = if complete { Ended::Complete } else { Ended::Budget };
            Outcome::passed(ended, &antiphon_harness::take())
        }
        Err(breakdown) if breakdown.is_too_long() => Outcome::no_result(format!(
            "an execution has more than {MAX_BRANCHES} branches: it loops, or it is too large for loom"
        )),
        Err(breakdown) => {
            let execution = task.watch.progress().executions;
            let failure = judged.failure(&breakdown, Schedule::Loom { preemption_bound, execution });
            Outcome::failed(failure, &antiphon_harness::take())
        }
    }
}

/// Runs up to the execution `number` again and says what is wrong with it.
pub(crate) fn replay(task: &Task, body: fn(), preemption_bound: Option<usize>, number: u64) -> Outcome {
    let outcome = explore(task, body, preemption_bound);
    match &outcome.failure {
        Some(failure) if failure.execution != number => Outcome::no_result(format!(
            "execution {} fails, not {number}: the program is not the one that was recorded",
            failure.execution
        )),
        _ => outcome,
    }
}

fn run(
    preemption_bound: Option<usize>,
    deadline: Instant,
    body: impl Fn() + Send + Sync + 'static,
) -> Result<(), Breakdown> {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = MAX_BRANCHES;
    builder.preemption_bound = preemption_bound;
    builder.max_duration = Some(deadline.saturating_duration_since(Instant::now()));
    // It looks at the clock only this often.
    builder.checkpoint_interval = 1;
    panic::catch_unwind(AssertUnwindSafe(|| builder.check(body)))
        .map_err(|payload| Breakdown::new(payload.as_ref()))
}
