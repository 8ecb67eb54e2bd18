//! The engines: how each explores a scenario, what it claims, and what it can't see.

use std::any::Any;
use std::fmt;
use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use antiphon_harness::{Engine, Fault};
use antiphon_spec::Guarantee;

use crate::catalogue::{Run, Work};
use crate::child::Part;
use crate::outcome::{Failure, Outcome, Progress, Schedule};
use crate::panics;

mod bounds;
pub(crate) mod crosscheck;
pub(crate) mod explorer;
pub(crate) mod holes;
mod loom;
pub(crate) mod proof;
mod shuttle;
mod spec;
pub(crate) mod states;
pub(crate) mod threads;

pub(crate) use self::bounds::Bounds;
use self::proof::Proof;
pub(crate) use self::shuttle::Strategy;

/// An engine with its settings: what a verdict is worth depends on both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Configuration {
    /// loom, with at most so many preemptions in an execution, or any number.
    Loom { preemption_bound: Option<usize> },
    /// shuttle with one of its samplers.
    Shuttle(Strategy),
    /// The real build.
    Threads,
    /// The explorer; with `spurious`, each thread may wake up from waiting for no reason, once in an execution.
    Explorer { spurious: bool, bounds: Bounds },
    /// stateright, on the abstract machine of the specification.
    Spec,
    /// Coq and z3, on the abstract protocol.
    Proof(Proof),
    /// Two of them against each other.
    CrossCheck,
}

impl Configuration {
    /// The configurations in which an engine of this family explores each of its scenarios.
    pub(crate) fn of(family: Engine) -> &'static [Configuration] {
        match family {
            Engine::Loom => &[
                Configuration::Loom { preemption_bound: Some(2) },
                Configuration::Loom { preemption_bound: Some(3) },
                Configuration::Loom { preemption_bound: None },
            ],
            Engine::Shuttle => &[
                Configuration::Shuttle(Strategy::Random),
                Configuration::Shuttle(Strategy::Pct),
                Configuration::Shuttle(Strategy::Urw),
            ],
            Engine::Explorer => {
                const BOTH: &[Configuration] =
                    &[Configuration::explorer(false), Configuration::explorer(true)];
                BOTH
            }
            Engine::Threads => &[Configuration::Threads],
        }
    }

    /// Its name, on the command line and in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Configuration::Loom { preemption_bound: None } => "loom/unbounded",
            Configuration::Loom { preemption_bound: Some(2) } => "loom/preemptions-2",
            Configuration::Loom { preemption_bound: Some(_) } => "loom/preemptions-3",
            Configuration::Shuttle(Strategy::Random) => "shuttle/random",
            Configuration::Shuttle(Strategy::Pct) => "shuttle/pct",
            Configuration::Shuttle(Strategy::Urw) => "shuttle/urw",
            Configuration::Threads => "threads",
            Configuration::Spec => "spec",
            Configuration::CrossCheck => "crosscheck",
            Configuration::Proof(Proof::Theorems) => "proof/theorems",
            Configuration::Proof(Proof::Conditions) => "proof/conditions",
            Configuration::Proof(Proof::Oracles) => "proof/oracles",
            Configuration::Explorer { spurious: false, .. } => "explorer",
            Configuration::Explorer { spurious: true, .. } => "explorer/spurious",
        }
    }

    /// The memory model under which it explores.
    pub(crate) fn memory_model(self) -> &'static str {
        match self {
            Configuration::Loom { .. } => "C11 acquire/release, partly relaxed",
            Configuration::Shuttle(_) => "sequential consistency",
            Configuration::Threads => "the hardware's",
            Configuration::Explorer { .. } => "sequential consistency, data races by the written orderings",
            Configuration::Spec | Configuration::Proof(_) => {
                "none: the steps of the abstract machine are atomic"
            }
            Configuration::CrossCheck => "sequential consistency",
        }
    }

    /// Within which limits it explores, besides those of the scenario itself.
    pub(crate) fn bounds(self) -> String {
        match self {
            Configuration::Loom { preemption_bound: None } => {
                format!("any number of preemptions, {} branches per execution", loom::MAX_BRANCHES)
            }
            Configuration::Loom { preemption_bound: Some(bound) } => {
                format!("at most {bound} preemptions, {} branches per execution", loom::MAX_BRANCHES)
            }
            Configuration::Shuttle(Strategy::Pct) => {
                format!("sampled, depth {}, {} steps per execution", shuttle::PCT_DEPTH, shuttle::MAX_STEPS)
            }
            Configuration::Shuttle(_) => format!("sampled, {} steps per execution", shuttle::MAX_STEPS),
            Configuration::Threads => "sampled by this machine's scheduler".to_string(),
            Configuration::Explorer { spurious, bounds } => bounds.describe(spurious),
            Configuration::Spec => "all states within the scope of the instance".to_string(),
            Configuration::CrossCheck => {
                "all that is small enough to be searched without reduction".to_string()
            }
            Configuration::Proof(Proof::Theorems) => {
                "unbounded: any number of actors, meta-processes, senders and messages".to_string()
            }
            Configuration::Proof(Proof::Conditions) => {
                "unbounded: any number of threads, messages and children of one actor".to_string()
            }
            Configuration::Proof(Proof::Oracles) => {
                "sampled: traces of the source, simulated ones, and broken ones".to_string()
            }
        }
    }

    /// What it can't see; every verdict that rests on it says so.
    pub(crate) fn unseen(self) -> &'static str {
        match self {
            Configuration::Loom { .. } => {
                "Some interleavings, also without bounds: a thread's own load of an atomic hides an earlier \
                 concurrent access from the search (tokio-rs/loom#392), and the modification order is not \
                 always respected (tokio-rs/loom#282). No load buffering; sequentially consistent accesses \
                 count as acquire/release; a load sees at most the last seven stores; \
                 compare_exchange_weak never fails spuriously; timeouts never fire; a try_lock of a held lock waits \
                 (tokio-rs/loom#376)."
            }
            Configuration::Shuttle(_) => {
                "Every interleaving that was not sampled. Atomics are sequentially consistent: no load is \
                 ever stale; an ordering that is too weak shows only if plain memory is left unordered by it. \
                 No address is used twice in an execution (no ABA); leaks other than of what is shared."
            }
            Configuration::Threads => {
                "Every interleaving that this machine did not happen to produce, and every reordering that \
                 its processor does not make."
            }
            Configuration::Explorer { .. } => {
                "Values weaker than sequential consistency: no load is ever stale, though plain memory that is \
                 ordered by nothing else is reported as a race. No address is used twice in an execution (no \
                 ABA); no condition variable wakes up for no reason, but for once in each thread in explorer/spurious; no compare_exchange_weak fails for no reason. State that does not belong to the platform is invisible."
            }
            Configuration::CrossCheck => "What both ways that are compared get wrong in the same way.",
            Configuration::Proof(_) => {
                "The source: what is proved is the abstract protocol, which people have read against it \
                 (proofs/README.md), and whose executable form judges a sample of what the source does. No memory \
                 model, no time."
            }
            Configuration::Spec => {
                "The source: what is explored is the abstract protocol, for the few actors, senders and \
                 faults of each instance; no memory, no threads, no calls, monitors, links or names."
            }
        }
    }

    /// Whether it looks by itself, in every execution, for what breaks `guarantee`.
    ///
    /// The other guarantees are judged by the specification machine and by the scenarios, on every engine.
    pub(crate) fn watches(self, guarantee: Guarantee) -> bool {
        match self {
            // The platform of the samplers and the explorer follows the written orderings by vector clocks, and
            // counts what is shared.
            Configuration::Loom { .. } | Configuration::Explorer { .. } | Configuration::Shuttle(_) => {
                matches!(guarantee, Guarantee::RaceFreedom | Guarantee::Handover | Guarantee::NoLeak)
            }
            Configuration::Threads
            | Configuration::Spec
            | Configuration::Proof(_)
            | Configuration::CrossCheck => false,
        }
    }

    /// Whether it ends by itself when it has explored all that it can: its executions can be pinned.
    pub(crate) fn ends(self) -> bool {
        match self {
            Configuration::Loom { .. }
            | Configuration::Explorer { .. }
            | Configuration::Spec
            | Configuration::Proof(Proof::Theorems | Proof::Conditions)
            | Configuration::CrossCheck => true,
            Configuration::Shuttle(_) | Configuration::Threads | Configuration::Proof(Proof::Oracles) => {
                false
            }
        }
    }

    /// Whether it is made only where it is known to end, because its executions are pinned, or where it was
    /// asked for: where a systematic search is cut off, it has seen one corner, and its time is better spent
    /// on another run.
    pub(crate) fn is_deep(self) -> bool {
        match self {
            Configuration::Loom { preemption_bound } => preemption_bound != Some(2),
            // Where nobody waits, there is nothing to wake up from.
            Configuration::Explorer { spurious, .. } => spurious,
            Configuration::Shuttle(_)
            | Configuration::Threads
            | Configuration::Spec
            | Configuration::Proof(_)
            | Configuration::CrossCheck => false,
        }
    }

    /// Whether an exploration that ended by itself is complete within its bounds, so that it may be said
    /// to *hold*. loom's is not, whatever its bounds (see [`Configuration::unseen`]).
    pub(crate) fn exhaustive(self) -> bool {
        match self {
            Configuration::Explorer { .. }
            | Configuration::Spec
            | Configuration::Proof(Proof::Theorems | Proof::Conditions)
            | Configuration::CrossCheck => true,
            Configuration::Loom { .. }
            | Configuration::Shuttle(_)
            | Configuration::Threads
            | Configuration::Proof(Proof::Oracles) => false,
        }
    }

    /// Below how much time it comes to nothing.
    pub(crate) fn needs(self) -> Duration {
        match self {
            // Where nothing has changed, they take a moment.
            Configuration::Proof(_) => Duration::from_secs(60),
            // The largest instance has some 40,000 states.
            Configuration::Spec => Duration::from_secs(10),
            // All states of some scenarios, event by event; some ten seconds on an idle machine.
            Configuration::CrossCheck => Duration::from_secs(30),
            Configuration::Loom { .. }
            | Configuration::Explorer { .. }
            | Configuration::Shuttle(_)
            | Configuration::Threads => Duration::ZERO,
        }
    }

    /// Whether a run of it can be split into parts.
    pub(crate) fn has_parts(self) -> bool {
        matches!(self, Configuration::Explorer { .. })
    }

    /// Whether an execution that goes on for ever shows a fault: where the scheduler is fair, it does.
    pub(crate) fn fair(self) -> bool {
        match self {
            Configuration::Shuttle(Strategy::Random | Strategy::Urw) | Configuration::Threads => true,
            Configuration::Shuttle(Strategy::Pct)
            | Configuration::Loom { .. }
            | Configuration::Explorer { .. }
            | Configuration::Spec
            | Configuration::Proof(_)
            | Configuration::CrossCheck => false,
        }
    }
}

impl Run {
    /// Explores until the time is over, everything is explored, or something is wrong.
    pub(crate) fn explore(&self, task: &Task) -> Outcome {
        let (body, install) = match self.work {
            Work::Scenario { body, install } => (body, install),
            Work::Spec(instance) => return spec::explore(instance, task),
            Work::Proof(check) => return check(task),
            Work::CrossCheck(check) => return check.run(task),
        };
        install();
        match self.engine {
            Configuration::Explorer { spurious, bounds } => {
                explorer::explore(task, body, install, spurious, bounds)
            }
            Configuration::Loom { preemption_bound } => loom::explore(task, body, preemption_bound),
            Configuration::Shuttle(strategy) => shuttle::explore(task, body, strategy),
            Configuration::Threads => threads::explore(task, body),
            Configuration::Spec | Configuration::Proof(_) | Configuration::CrossCheck => {
                unreachable!("what is not about the source has no scenarios")
            }
        }
    }

    /// Runs the one execution that `schedule` describes.
    pub(crate) fn replay(&self, task: &Task, schedule: &Schedule) -> Outcome {
        let (body, install) = match self.work {
            Work::Scenario { body, install } => (body, install),
            // It is explored again in a moment, and the path is in the failure itself.
            Work::Spec(instance) => return spec::explore(instance, task),
            Work::Proof(check) => return check(task),
            Work::CrossCheck(check) => return check.run(task),
        };
        install();
        match schedule {
            Schedule::Explorer { schedule, .. } => {
                let spurious = matches!(self.engine, Configuration::Explorer { spurious: true, .. });
                explorer::replay(task, body, install, spurious, schedule)
            }
            Schedule::Shuttle { encoded } => shuttle::replay(task, body, encoded),
            Schedule::Loom { preemption_bound, execution } => {
                loom::replay(task, body, *preemption_bound, *execution)
            }
            Schedule::Spec | Schedule::None => Outcome::no_result("nothing brings this execution back"),
        }
    }
}

/// Writes its name.
impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What an engine is asked to do.
pub(crate) struct Task {
    pub(crate) deadline: Instant,
    pub(crate) seed: u64,
    pub(crate) watch: Arc<Watch>,
    /// How many events a failing execution is told with.
    pub(crate) keep: usize,
    /// Which part of it, for an engine that can explore parts.
    pub(crate) part: Part,
    /// How many processors it may use, for an engine that can use several.
    pub(crate) workers: usize,
}

/// What the child's monitor sees of a running exploration.
pub(crate) struct Watch {
    zero: Instant,
    executions: AtomicU64,
    at_least: AtomicU64,
    begun: AtomicU64,
}

// All accesses of the counters are relaxed: they are for looking at, and order nothing.
impl Watch {
    pub(crate) fn new() -> Self {
        Self {
            zero: Instant::now(),
            executions: AtomicU64::new(0),
            at_least: AtomicU64::new(0),
            begun: AtomicU64::new(0),
        }
    }

    /// Says that another execution begins; returns its number, from 1.
    pub(crate) fn execution(&self) -> u64 {
        self.begun.store(self.zero.elapsed().as_millis() as u64, Ordering::Relaxed);
        self.executions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Says how many executions have been begun, for an engine that counts them itself.
    pub(crate) fn report(&self, executions: u64) {
        self.executions.store(executions, Ordering::Relaxed);
    }

    /// Says how far the explorer is.
    pub(crate) fn explored(&self, progress: &antiphon_explorer::Progress) {
        self.report(progress.executions);
        self.at_least.store(progress.at_least, Ordering::Relaxed);
    }

    /// How long the current execution has lasted, to a millisecond.
    pub(crate) fn current(&self) -> Duration {
        self.zero.elapsed().saturating_sub(Duration::from_millis(self.begun.load(Ordering::Relaxed)))
    }

    pub(crate) fn progress(&self) -> Progress {
        let at_least = self.at_least.load(Ordering::Relaxed);
        Progress {
            executions: self.executions.load(Ordering::Relaxed),
            at_least: (at_least > 0).then_some(at_least),
        }
    }
}

/// What a scenario's body becomes when an engine runs it: begun, finished, and stopped at the first fault.
pub(crate) struct Judged {
    body: fn(),
    watch: Arc<Watch>,
    keep: usize,
    fault: Mutex<Option<Fault>>,
}

impl Judged {
    pub(crate) fn new(task: &Task, body: fn()) -> Arc<Self> {
        let Task { watch, keep, .. } = task;
        Arc::new(Self { body, watch: watch.clone(), keep: *keep, fault: Mutex::new(None) })
    }

    /// One execution; `execute` runs the body as the engine wants it.
    ///
    /// # Panics
    /// After a fault, without a message: it is the only way to make an engine stop.
    pub(crate) fn run(&self, execute: impl FnOnce(fn())) {
        self.watch.execution();
        antiphon_harness::begin_keeping(self.keep);
        execute(self.body);
        if let Err(fault) = antiphon_harness::finish(true) {
            *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
            // Not `panic!`: there is nothing to print.
            panic::resume_unwind(Box::new(Stop));
        }
    }

    /// Why the execution that just stopped the engine is wrong.
    ///
    /// A fault that was recorded comes before the panic that may have followed it. At a deadlock nothing
    /// moves any more, so what still waits then waits for ever.
    pub(crate) fn failure(&self, panic: &Breakdown, schedule: Schedule) -> Failure {
        let found = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        let fault = found.or_else(|| antiphon_harness::finish(panic.is_deadlock()).err());
        let execution = self.watch.progress().executions;
        match fault {
            Some(fault) => Failure::of_fault(&fault, execution, schedule),
            None => Failure::plain(panic.guarantee(), panic.message.clone(), execution, schedule),
        }
    }
}

/// The payload with which a judged body stops its engine.
struct Stop;

/// How engines say that two accesses to plain memory race.
const RACES: [&str; 4] =
    ["causality violation", "data race", "currently writing to cell", "currently reading from cell"];

/// A panic that ended an exploration.
pub(crate) struct Breakdown {
    message: String,
}

impl Breakdown {
    pub(crate) fn new(payload: &(dyn Any + Send)) -> Self {
        let silent = "the execution ended with a panic that has no message";
        let message = panics::text(payload).unwrap_or(silent).to_string();
        match panics::location(&message) {
            Some(location) => Self { message: format!("{message} (at {location})") },
            None => Self { message },
        }
    }

    fn says(&self, what: &str) -> bool {
        self.message.to_ascii_lowercase().contains(what)
    }

    /// Whether nothing could move any more.
    fn is_deadlock(&self) -> bool {
        self.says("deadlock")
    }

    /// Whether the execution was longer than the engine allows.
    pub(crate) fn is_too_long(&self) -> bool {
        self.says("exceeded maximum number of branches") || self.says("exceeded max_steps")
    }

    /// Whether the scenario gives the engine nothing to choose.
    pub(crate) fn is_sequential(&self) -> bool {
        self.says("did not exercise any concurrency")
    }

    /// The guarantee that an engine's own finding belongs to.
    fn guarantee(&self) -> Option<Guarantee> {
        if self.is_deadlock() {
            Some(Guarantee::WakeUp)
        } else if RACES.iter().any(|race| self.says(race)) {
            Some(Guarantee::RaceFreedom)
        } else if self.says("leaked") {
            Some(Guarantee::NoLeak)
        } else {
            // A panic that a scenario provoked came out of the runtime.
            antiphon_harness::owner(&self.message)
        }
    }
}
