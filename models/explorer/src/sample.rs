//! Sampling a program's schedules with shuttle's schedulers, for what is too large to be explored.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use platform::model::{self, Engine, FailureKind, Names};
use shuttle_engine::scheduler::{Schedule as ShuttleSchedule, Scheduler, Task, TaskId};
use shuttle_engine::{Config, FailurePersistence, MaxSteps};
use shuttle_schedulers::{PctScheduler, RandomScheduler, UrwRandomScheduler};

use crate::program::{Program, Runner, quiet};
use crate::report::Found;
use crate::schedule::{self, Schedule, on_own_thread};
use crate::search::Ending;

/// Which of shuttle's schedulers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sampler {
    /// Anybody at each point.
    Random,
    /// Priorities that change at so many random points: finds bugs of that depth with a known probability.
    Pct(usize),
    /// A uniform random walk: each interleaving about equally likely.
    Urw,
}

/// What sampling found out.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// How many executions there were. Equivalent ones count as often as they came up.
    pub executions: u64,
    /// Whether there were as many as were wanted; if not, the time ran out, or one failed.
    pub all: bool,
    /// What is wrong with the last one.
    pub failure: Option<Found>,
    /// How long it took.
    pub seconds: f64,
}

/// Ends a run from outside, and keeps count. shuttle's own time limit looks like success, and prints a failing seed.
struct Limited {
    inner: Box<dyn Scheduler>,
    until: Option<Instant>,
    stop: Rc<Cell<bool>>,
    begun: Rc<Cell<u64>>,
}

impl Scheduler for Limited {
    fn new_execution(&mut self) -> Option<ShuttleSchedule> {
        if self.stop.get() || self.until.is_some_and(|until| Instant::now() >= until) {
            return None;
        }
        let schedule = self.inner.new_execution()?;
        self.begun.set(self.begun.get() + 1);
        Some(schedule)
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        self.inner.next_task(runnable, current, is_yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.inner.next_u64()
    }
}

/// The most steps of a sampled execution; longer ones fail as livelocks.
const MOST_STEPS: usize = 100_000;

/// Runs `program` so many times, or until the time is over, or one execution fails.
///
/// # Panics
/// If `executions` is zero.
pub fn sample(
    program: &Program,
    sampler: Sampler,
    seed: u64,
    executions: usize,
    budget: Option<Duration>,
) -> Sampled {
    assert!(executions > 0, "a sample of nothing");
    quiet();
    on_own_thread(|| {
        let began = Instant::now();
        let result = sample_here(program, sampler, seed, executions, budget.map(|budget| began + budget));
        program.call_done();
        Sampled { seconds: began.elapsed().as_secs_f64(), ..result }
    })
}

fn sample_here(
    program: &Program,
    sampler: Sampler,
    seed: u64,
    executions: usize,
    until: Option<Instant>,
) -> Sampled {
    let inner: Box<dyn Scheduler> = match sampler {
        Sampler::Random => Box::new(RandomScheduler::new_from_seed(seed, executions)),
        Sampler::Pct(depth) => Box::new(PctScheduler::new_from_seed(seed, depth, executions)),
        Sampler::Urw => Box::new(UrwRandomScheduler::new_from_seed(seed, executions)),
    };
    let (stop, begun) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
    let limited = Limited { inner, until, stop: Rc::clone(&stop), begun: Rc::clone(&begun) };
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.stack_size = 1 << 18;
    config.max_steps = MaxSteps::FailAfter(MOST_STEPS);
    let shared = Handed { program: program.clone(), stop };
    let failed = catch_unwind(AssertUnwindSafe(|| {
        shuttle_engine::Runner::new(limited, config).run(move || shared.one());
    }));
    let failure = match failed {
        Ok(()) => FAILURE.take(),
        Err(payload) => {
            let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
            let kind = if text.starts_with("deadlock") {
                FailureKind::Deadlock
            } else if text.contains("exceeded max_steps") {
                FailureKind::Livelock
            } else {
                FailureKind::Panic
            };
            let schedule = model::with(|execution| Schedule::of(execution, execution.log.len()));
            model::discard();
            schedule.map(|schedule| (kind, text, schedule))
        }
    };
    let executions_done = begun.get();
    let failure = failure.map(|(kind, message, schedule)| explain(program, kind, message, schedule));
    let all = failure.is_none() && executions_done == executions as u64;
    Sampled { executions: executions_done, all, failure, seconds: 0.0 }
}

std::thread_local! {
    static FAILURE: Cell<Option<(FailureKind, String, Schedule)>> = const { Cell::new(None) };
}

struct Handed {
    program: Program,
    stop: Rc<Cell<bool>>,
}

// SAFETY: shuttle wants it, and runs everything on the operating-system thread that calls it.
#[allow(unsafe_code)]
unsafe impl Send for Handed {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Sync for Handed {}

impl Handed {
    /// One execution, on shuttle's main task.
    fn one(&self) {
        self.program.call_before();
        model::begin(Engine::Shuttle, Names::new());
        (self.program.body)();
        platform::thread::join_all();
        let (shares, failure, _) = model::end(|execution| execution.shares());
        let wrong = match failure {
            Some(failure) => Some((failure.kind, failure.message)),
            None => match self.program.call_after(Ending::Complete) {
                Err(message) => Some((FailureKind::Check, message)),
                Ok(()) if shares > 0 && self.program.leaks => {
                    Some((FailureKind::Leak, format!("{shares} shared objects were never given up by all")))
                }
                Ok(()) => None,
            },
        };
        if let Some((kind, message)) = wrong {
            let schedule = model::last(|execution| Schedule::of(execution, execution.log.len()));
            FAILURE.set(schedule.map(|schedule| (kind, message, schedule)));
            self.stop.set(true);
        }
    }
}

/// Plays the failing schedule on our own engine, and makes it smaller there.
fn explain(program: &Program, kind: FailureKind, message: String, schedule: Schedule) -> Found {
    let mut runner = Runner::new(program.clone(), Names::new(), 0);
    let again = schedule::play(&mut runner, &schedule, MOST_STEPS, false);
    let reproducible = again.failure.as_ref().is_some_and(|failure| failure.kind == kind);
    let smallest = if reproducible { schedule::minimise(&mut runner, again, MOST_STEPS) } else { again };
    let message = smallest.failure.map_or(message, |failure| failure.message);
    Found {
        kind,
        message,
        schedule,
        minimised: smallest.schedule,
        operations: smallest.operations,
        reproducible,
    }
}
