//! Running the programs on the engines, and comparing what they answer.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Instant;

use antiphon_explorer::{Agreement, Explorer, Mode, Program};
use shuttle::scheduler::DfsScheduler;
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use crate::catalogue::{Engine, Litmus, PROGRAMS};

/// How an answer compares with what C11 allows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// All of it and nothing else.
    Exact,
    /// What sequential consistency allows: the engine's memory model is stronger, as it says.
    StrongerModel,
    /// Something else, as is known and pinned.
    KnownHole,
    /// Something else, and not what is pinned: the engine, or this crate, has changed.
    Unexpected,
}

/// What one engine answers about one program: a row of the table.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Answer {
    /// The program's name.
    pub program: &'static str,
    /// Who answers.
    pub engine: Engine,
    /// The outcomes that it came across.
    pub outcomes: BTreeSet<String>,
    /// In how many executions.
    pub executions: u64,
    /// What sequential consistency allows.
    pub expected_sc: BTreeSet<&'static str>,
    /// What C11 allows.
    pub expected_c11: BTreeSet<&'static str>,
    /// How that compares.
    pub status: Status,
    /// Why there is a hole, with the public issue where there is one.
    pub because: Option<&'static str>,
    /// The bounds that cut something off, if any did.
    pub bounds: Option<String>,
    /// How long it took.
    pub seconds: f64,
}

/// How often each thread may wake up for no reason under the explorer.
const SPURIOUS: u32 = 1;

/// One run at a time: outcomes go into one place, from wherever an engine runs a program.
static RUN: Mutex<()> = Mutex::new(());
static OUTCOMES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Says what came out of the execution that ends.
pub(crate) fn tell(outcome: String) {
    OUTCOMES.lock().unwrap_or_else(PoisonError::into_inner).insert(outcome);
}

thread_local! {
    /// How many pieces of work are going on whose panics are caught.
    static CATCHING: Cell<u32> = const { Cell::new(0) };
}

/// What `work` gives; none if it panics, which prints nothing.
pub(crate) fn caught<R>(work: impl FnOnce() -> R) -> Option<R> {
    CATCHING.set(CATCHING.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(work)).ok();
    CATCHING.set(CATCHING.get() - 1);
    result
}

/// Lets panics that are caught print nothing. shuttle puts a hook of its own in front when it first runs, so it is
/// made to run first.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        search(DfsScheduler::new(Some(1), false), || ());
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() == 0 {
                before(info);
            }
        }));
    });
}

/// All programs.
pub fn programs() -> &'static [Litmus] {
    PROGRAMS
}

/// All answers.
///
/// # Panics
/// If a program fails on an engine that can run it.
pub fn table() -> impl Iterator<Item = Answer> {
    PROGRAMS.iter().flat_map(|program| Engine::ALL.map(|engine| answer(program, engine)))
}

/// Has one engine answer about one program.
///
/// # Panics
/// If the program fails on that engine.
pub fn answer(program: &Litmus, engine: Engine) -> Answer {
    let _one = RUN.lock().unwrap_or_else(PoisonError::into_inner);
    hush();
    OUTCOMES.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let began = Instant::now();
    let explored = match engine {
        Engine::Explorer => explore(program, Mode::Optimal),
        Engine::NaiveDfs => explore(program, Mode::Naive),
        Engine::Loom => loom(program),
        Engine::ShuttleDfs => shuttle(program),
    };
    let seconds = began.elapsed().as_secs_f64();
    let outcomes = std::mem::take(&mut *OUTCOMES.lock().unwrap_or_else(PoisonError::into_inner));
    let (status, because) = compare(program, engine, &outcomes);
    Answer {
        program: program.name,
        engine,
        outcomes,
        executions: explored.executions,
        expected_sc: program.sc.iter().copied().collect(),
        expected_c11: program.c11.iter().copied().collect(),
        status,
        because,
        bounds: explored.bounds,
        seconds,
    }
}

fn compare(program: &Litmus, engine: Engine, outcomes: &BTreeSet<String>) -> (Status, Option<&'static str>) {
    let are = |expected: &[&str]| {
        outcomes.len() == expected.len() && expected.iter().all(|outcome| outcomes.contains(*outcome))
    };
    match program.hole(engine) {
        Some(hole) if are(hole.outcomes) => (Status::KnownHole, Some(hole.because)),
        Some(_) => (Status::Unexpected, None),
        None if are(program.c11) => (Status::Exact, None),
        None if are(program.sc) && engine != Engine::Loom => (Status::StrongerModel, None),
        None => (Status::Unexpected, None),
    }
}

/// What an engine did for its answer.
struct Explored {
    executions: u64,
    /// The bounds that cut something off.
    bounds: Option<String>,
}

fn explore(program: &Litmus, mode: Mode) -> Explored {
    let body = Program::new(program.on_explorer);
    let report =
        Explorer::new().mode(mode).workers(1).spurious(SPURIOUS).run(&body).expect("there are no shards");
    assert!(report.failure.is_none(), "{} fails: {:?}", program.name, report.failure);
    assert!(report.complete, "{} does not end", program.name);
    Explored { executions: report.executions, bounds: None }
}

fn loom(program: &Litmus) -> Explored {
    // std's: counted outside of the model.
    let executions = Arc::new(AtomicU64::new(0));
    let (counted, body) = (Arc::clone(&executions), program.on_loom);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = program.loom_preemptions;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.log = false;
    let ended = catch_unwind(AssertUnwindSafe(|| {
        builder.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            body();
        });
    }));
    assert!(ended.is_ok(), "{} fails under loom", program.name);
    let bounds = program.loom_preemptions.map(|bound| format!("at most {bound} preemptions"));
    Explored { executions: executions.load(Ordering::Relaxed), bounds }
}

/// The most executions of shuttle's search.
const SHUTTLE_EXECUTIONS: usize = 300_000;

/// The most steps of one of them: a parked thread may wake up for no reason, again and again.
const SHUTTLE_STEPS: usize = 60;

fn shuttle(program: &Litmus) -> Explored {
    let ended = Arc::new(AtomicU64::new(0));
    let (counted, body) = (Arc::clone(&ended), program.on_shuttle);
    let begun = search(DfsScheduler::new(Some(SHUTTLE_EXECUTIONS), false), move || {
        body();
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let executions = ended.load(Ordering::Relaxed);
    let mut bounds = Vec::new();
    if begun >= SHUTTLE_EXECUTIONS {
        bounds.push(format!("the first {SHUTTLE_EXECUTIONS} executions"));
    }
    if begun as u64 > executions {
        bounds.push(format!("{} executions cut off after {SHUTTLE_STEPS} steps", begun as u64 - executions));
    }
    Explored { executions, bounds: (!bounds.is_empty()).then(|| bounds.join(", ")) }
}

/// Runs shuttle's search; returns how many executions it began.
fn search(scheduler: DfsScheduler, body: impl Fn() + Send + Sync + 'static) -> usize {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::ContinueAfter(SHUTTLE_STEPS);
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(body)
}

/// Compares the explorer with a search without reduction; see [`antiphon_explorer::cross_check`].
///
/// # Errors
/// In what they differ.
pub fn cross_check(program: &Litmus, most: u64) -> Option<Result<Agreement, String>> {
    let _one = RUN.lock().unwrap_or_else(PoisonError::into_inner);
    hush();
    let outcome = || {
        let told = std::mem::take(&mut *OUTCOMES.lock().unwrap_or_else(PoisonError::into_inner));
        told.into_iter().collect()
    };
    outcome();
    antiphon_explorer::cross_check(&Program::new(program.on_explorer), most, outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Concern, Hole};

    fn named(name: &str) -> Litmus {
        *PROGRAMS.iter().find(|program| program.name == name).expect("a program")
    }

    #[test]
    fn an_answer_that_is_not_the_pinned_one_is_told() {
        let status = |program: Litmus, engine| answer(&program, engine).status;
        let healed = Litmus { holes: &[], ..named("load-then-store") };
        assert_eq!(status(healed, Engine::Loom), Status::Unexpected);
        let (because, concerns) = ("no reason", Concern::Load);
        let hole = Hole { engines: &Engine::ALL, outcomes: &["0"], because, concerns };
        let holes: &'static [Hole] = Box::leak(Box::new([hole]));
        let regressed = Litmus { holes, ..named("coherence-of-reads") };
        assert_eq!(status(regressed, Engine::Loom), Status::Unexpected);
        let other = Litmus { sc: &["00"], c11: &["00"], ..named("store-buffering") };
        assert_eq!(status(other, Engine::Explorer), Status::Unexpected);
    }

    #[test]
    fn names_are_unique_and_what_sequential_consistency_allows_c11_allows() {
        let names: BTreeSet<_> = PROGRAMS.iter().map(|program| program.name).collect();
        assert_eq!(names.len(), PROGRAMS.len());
        for program in PROGRAMS {
            assert!(program.sc.iter().all(|outcome| program.c11.contains(outcome)), "{}", program.name);
        }
    }
}
