//! Every mutant, on shuttle's samplers.

use std::process::ExitCode;

use antiphon_harness::Engine;
use antiphon_mutants_shuttle as mutants;
use antiphon_spec::Guarantee;
use platform::model::{self, FailureKind, Names};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

mod driver;

use driver::{Run, Suite};

/// The same samples each time, unless `MUTANTS_SEED` says otherwise.
const SEED: u64 = 1;

/// How many ordering constraints a bug may need for PCT to be likely to find it.
const DEPTH: usize = 3;

/// How many steps an execution may have.
const MAX_STEPS: usize = 100_000;

/// The size of a model thread's stack.
const STACK_BYTES: usize = 1 << 18;

fn main() -> ExitCode {
    driver::main(&Suite {
        engine: Engine::Shuttle,
        configurations: &["pct", "random"],
        mutants: mutants::mutants(),
        unseen: mutants::unseen(),
        control: mutants::unchanged(),
        install_unchanged: mutants::install_unchanged,
        explore,
    })
}

fn explore(configuration: &str, run: &'static Run) {
    let seed = std::env::var("MUTANTS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    let inner: Box<dyn Scheduler + Send> = match configuration {
        "pct" => Box::new(PctScheduler::new_from_seed(seed, DEPTH, run.at_most())),
        _ => Box::new(RandomScheduler::new_from_seed(seed, run.at_most())),
    };
    let mut config = Config::new();
    config.max_steps = MaxSteps::FailAfter(MAX_STEPS);
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    config.ungraceful_shutdown_config.immediately_return_on_panic = true;
    config.stack_size = STACK_BYTES;
    Runner::new(Timed { inner, run }, config).run(|| run.execute(execute));
}

/// One execution on the shuttle platform, which notes down what it finds itself.
fn execute(body: fn()) {
    model::begin(model::Engine::Shuttle, Names::new());
    body();
    platform::thread::join_all();
    let (shares, found, _) = model::end(|execution| execution.shares());
    if found.is_none() {
        antiphon_harness::check(shares == 0, Guarantee::NoLeak, || format!("{shares} shares are left"));
    }
    let Some(found) = found else { return };
    let broken = match found.kind {
        FailureKind::Race => Guarantee::RaceFreedom,
        FailureKind::Leak => Guarantee::NoLeak,
        FailureKind::Deadlock | FailureKind::Livelock => Guarantee::WakeUp,
        FailureKind::Panic | FailureKind::Check | FailureKind::Misuse => panic!("{found}"),
    };
    antiphon_harness::check(false, broken, || found.message);
}

/// Ends a sampler that would go on for ever.
struct Timed {
    inner: Box<dyn Scheduler + Send>,
    run: &'static Run,
}

impl Scheduler for Timed {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.run.left().is_zero() { None } else { self.inner.new_execution() }
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, yielding: bool) -> Option<TaskId> {
        self.inner.next_task(runnable, current, yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.inner.next_u64()
    }
}
