//! The real build on real threads.

use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use antiphon_harness::Fault;

use super::{Breakdown, Task, Watch};
use crate::outcome::{Ended, Failure, Outcome, Schedule};

/// How long one execution may last while there is time. They last milliseconds.
const HANG: Duration = Duration::from_secs(10);

/// How long the last execution may last beyond the deadline.
const GRACE: Duration = Duration::from_secs(3);

/// Repeats the scenario until the time is over.
pub(crate) fn explore(task: &Task, body: fn()) -> Outcome {
    while Instant::now() < task.deadline {
        let execution = task.watch.execution();
        antiphon_harness::begin_shared();
        let ended = panic::catch_unwind(AssertUnwindSafe(body));
        let judged = antiphon_harness::finish(ended.is_ok());
        if let Err(fault) = judged {
            return failed(Failure::of_fault(&fault, execution, Schedule::None));
        }
        if let Err(payload) = ended {
            let message = Breakdown::new(payload.as_ref()).message;
            return failed(Failure::plain(None, message, execution, Schedule::None));
        }
    }
    Outcome::passed(Ended::Budget, &antiphon_harness::take())
}

/// Looks, from another thread, whether the current execution will never end; then says what is wrong.
///
/// By then nothing moves any more, so what still waits waits for ever.
pub(crate) fn hang(watch: &Watch, deadline: Instant) -> Option<Outcome> {
    let lasted = watch.current();
    let late = Instant::now() >= deadline + GRACE && lasted >= GRACE;
    if lasted < HANG && !late {
        return None;
    }
    let execution = watch.progress().executions;
    let failure = match antiphon_harness::finish(true) {
        Err(fault) => {
            let message = format!("{}; the execution did not end within {lasted:.0?}", fault.message);
            Failure::of_fault(&Fault { message, ..fault }, execution, Schedule::None)
        }
        Ok(()) => {
            let message = format!("the execution did not end within {lasted:.0?}");
            Failure::plain(None, message, execution, Schedule::None)
        }
    };
    Some(failed(failure))
}

fn failed(failure: Failure) -> Outcome {
    Outcome::failed(failure, &antiphon_harness::take())
}
