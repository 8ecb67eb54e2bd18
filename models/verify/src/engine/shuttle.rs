//! shuttle's samplers: large scenarios under sequential consistency.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use antiphon_platform_shuttle as platform;
use antiphon_platform_shuttle::model::{self, Engine, FailureKind, Names};
use antiphon_spec::Guarantee;
use shuttle::scheduler::{
    PctScheduler, RandomScheduler, ReplayScheduler, Schedule as Steps, Scheduler, Task as Runnable, TaskId,
    UrwRandomScheduler,
};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use shuttle_engine::scheduler::serialization::{deserialize_schedule, serialize_schedule};

use super::{Breakdown, Configuration, Judged, Task};
use crate::outcome::{Ended, Outcome, Schedule};

/// How many ordering constraints a bug may need for PCT to be likely to find it.
pub(crate) const PCT_DEPTH: usize = 3;

/// The stack of each thread of a scenario.
const STACK_BYTES: usize = 1 << 18;

/// How many steps an execution may have.
pub(crate) const MAX_STEPS: usize = 100_000;

/// How the next task is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Strategy {
    /// Any runnable task, equally likely.
    Random,
    /// Probabilistic concurrency testing: random priorities, lowered at a few random steps (Burckhardt,
    /// Kothari, Musuvathi, Nagarakatte, ASPLOS 2010).
    Pct,
    /// A uniform random walk: tasks weighted by what they have left to do.
    Urw,
}

/// How many executions rest on one estimate of how much each task does.
const WALK: usize = 50;

/// Uniform random walks, one after the other. What a task has to do depends on how the execution went in which it was
/// counted: who is refused has little, and was then so seldom chosen that it would be refused again.
struct Walks {
    walk: UrwRandomScheduler,
    seed: u64,
    left: usize,
}

impl Walks {
    fn new(seed: u64) -> Self {
        Self { walk: UrwRandomScheduler::new_from_seed(seed, WALK), seed, left: WALK }
    }
}

impl Scheduler for Walks {
    fn new_execution(&mut self) -> Option<Steps> {
        if self.left == 0 {
            *self = Self::new(self.seed.wrapping_add(1));
        }
        self.left -= 1;
        self.walk.new_execution()
    }

    fn next_task(
        &mut self,
        runnable: &[&Runnable],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        self.walk.next_task(runnable, current, is_yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.walk.next_u64()
    }
}

/// Samples executions until the time is over.
pub(crate) fn explore(task: &Task, body: fn(), strategy: Strategy) -> Outcome {
    let inner: Box<dyn Scheduler + Send> = match strategy {
        Strategy::Random => Box::new(RandomScheduler::new_from_seed(task.seed, usize::MAX)),
        Strategy::Pct => Box::new(PctScheduler::new_from_seed(task.seed, PCT_DEPTH, usize::MAX)),
        Strategy::Urw => Box::new(Walks::new(task.seed)),
    };
    let steps = Rc::new(RefCell::new(Steps::default()));
    let scheduler = Recording { inner, steps: steps.clone(), deadline: task.deadline };
    let judged = Judged::new(task, body);
    match run(scheduler, &judged) {
        Ok(()) => Outcome::passed(Ended::Budget, &antiphon_harness::take()),
        // PCT notices after the first execution that there is no other.
        Err(breakdown) if breakdown.is_sequential() => {
            Outcome::passed(Ended::Complete, &antiphon_harness::take())
        }
        Err(breakdown) if breakdown.is_too_long() && !Configuration::Shuttle(strategy).fair() => {
            Outcome::no_result(format!(
                "an execution has more than {MAX_STEPS} steps, which an unfair scheduler can cause by itself"
            ))
        }
        Err(breakdown) => {
            let encoded = serialize_schedule(&steps.borrow());
            let failure = judged.failure(&breakdown, Schedule::Shuttle { encoded });
            Outcome::failed(failure, &antiphon_harness::take())
        }
    }
}

/// Runs the one execution that `encoded` describes.
pub(crate) fn replay(task: &Task, body: fn(), encoded: &str) -> Outcome {
    let Some(steps) = deserialize_schedule(encoded) else {
        return Outcome::no_result("the schedule is not one that shuttle wrote");
    };
    let mut scheduler = ReplayScheduler::new_from_schedule(steps);
    // The schedule ends where the execution failed.
    scheduler.set_allow_incomplete();
    let judged = Judged::new(task, body);
    let schedule = Schedule::Shuttle { encoded: encoded.to_string() };
    match run(scheduler, &judged) {
        Ok(()) => Outcome::passed(Ended::Complete, &antiphon_harness::take()),
        Err(breakdown) => {
            let failure = judged.failure(&breakdown, schedule);
            Outcome::failed(failure, &antiphon_harness::take())
        }
    }
}

fn run(scheduler: impl Scheduler + 'static, judged: &Arc<Judged>) -> Result<(), Breakdown> {
    let mut config = Config::new();
    config.max_steps = MaxSteps::FailAfter(MAX_STEPS);
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    // What runs after a failure would be judged too, and is not the runtime's doing any more.
    config.ungraceful_shutdown_config.immediately_return_on_panic = true;
    config.stack_size = STACK_BYTES;
    let body = judged.clone();
    panic::catch_unwind(AssertUnwindSafe(|| Runner::new(scheduler, config).run(move || body.run(execute))))
        .map(|_| ())
        .map_err(|payload| Breakdown::new(payload.as_ref()))
}

/// One execution on the shuttle platform, which notes down what it finds itself.
///
/// # Panics
/// If the scenario uses the platform in a way that it does not cover.
fn execute(scenario: fn()) {
    model::begin(Engine::Shuttle, Names::new());
    scenario();
    platform::thread::join_all();
    let (shares, found, _) = model::end(|execution| execution.shares());
    let Some(found) = found else {
        if shares > 0 {
            let message = || format!("{shares} shared objects were never given up by all");
            antiphon_harness::check(false, Guarantee::NoLeak, message);
        }
        return;
    };
    let broken = match found.kind {
        FailureKind::Race => Guarantee::RaceFreedom,
        FailureKind::Leak => Guarantee::NoLeak,
        FailureKind::Deadlock | FailureKind::Livelock => Guarantee::WakeUp,
        FailureKind::Panic | FailureKind::Check | FailureKind::Misuse => panic!("{found}"),
    };
    antiphon_harness::check(false, broken, || found.message);
}

/// Keeps the schedule of the current execution, and ends the run in time.
///
/// shuttle can print or write the schedule of a failure itself, but only through a panic hook of the whole
/// process, and it does so for a panic that the runtime contains as well.
struct Recording {
    inner: Box<dyn Scheduler + Send>,
    steps: Rc<RefCell<Steps>>,
    deadline: Instant,
}

impl Scheduler for Recording {
    fn new_execution(&mut self) -> Option<Steps> {
        if Instant::now() >= self.deadline {
            return None;
        }
        let steps = self.inner.new_execution()?;
        self.steps.replace(steps.clone());
        Some(steps)
    }

    fn next_task(
        &mut self,
        runnable: &[&Runnable],
        current: Option<TaskId>,
        yielding: bool,
    ) -> Option<TaskId> {
        let next = self.inner.next_task(runnable, current, yielding)?;
        self.steps.borrow_mut().push_task(next);
        Some(next)
    }

    fn next_u64(&mut self) -> u64 {
        self.steps.borrow_mut().push_random();
        self.inner.next_u64()
    }
}
