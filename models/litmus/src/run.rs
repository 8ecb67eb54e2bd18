//! Running the programs on the engines, and comparing what they answer.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use antiphon_explorer::{Explorer, Mode, Program};

use crate::catalogue::{Litmus, Loom, PROGRAMS};

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// The explorer, with optimal reduction.
    Explorer,
    /// All schedules, one after the other.
    NaiveDfs,
    /// loom, without bounds.
    Loom,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Explorer, Self::NaiveDfs, Self::Loom];
}

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
    /// How long it took.
    pub seconds: f64,
}

/// One run at a time: outcomes go into one place, from wherever an engine runs a program.
static RUN: Mutex<()> = Mutex::new(());
static OUTCOMES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Says what came out of the execution that ends.
pub(crate) fn tell(outcome: String) {
    OUTCOMES.lock().unwrap_or_else(PoisonError::into_inner).insert(outcome);
}

/// All programs.
pub fn programs() -> &'static [Litmus] {
    PROGRAMS
}

/// All answers; none of loom where it would take too long.
///
/// # Panics
/// If a program fails on an engine that can run it.
pub fn table() -> Vec<Answer> {
    let all = PROGRAMS.iter().flat_map(|program| Engine::ALL.map(|engine| answer(program, engine)));
    all.flatten().collect()
}

/// Has one engine answer about one program; none if it would take too long.
///
/// # Panics
/// If the program fails on that engine, or does not end.
pub fn answer(program: &Litmus, engine: Engine) -> Option<Answer> {
    if engine == Engine::Loom && program.loom == Loom::TooLarge {
        return None;
    }
    let _one = RUN.lock().unwrap_or_else(PoisonError::into_inner);
    OUTCOMES.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let began = Instant::now();
    let executions = match engine {
        Engine::Explorer => explore(program, Mode::Optimal),
        Engine::NaiveDfs => explore(program, Mode::Naive),
        Engine::Loom => loom(program),
    };
    let seconds = began.elapsed().as_secs_f64();
    let outcomes = std::mem::take(&mut *OUTCOMES.lock().unwrap_or_else(PoisonError::into_inner));
    let expected_sc: BTreeSet<_> = program.sc.iter().copied().collect();
    let expected_c11: BTreeSet<_> = program.c11.iter().copied().collect();
    let is = |expected: &BTreeSet<&str>| outcomes.iter().map(String::as_str).eq(expected.iter().copied());
    let (status, because) = match (engine, program.loom) {
        (Engine::Loom, Loom::Exact) if is(&expected_c11) => (Status::Exact, None),
        (Engine::Loom, Loom::Hole { because, outcomes: pinned }) if is(&pinned.iter().copied().collect()) => {
            (Status::KnownHole, Some(because))
        }
        (Engine::Loom, _) => (Status::Unexpected, None),
        _ if is(&expected_c11) => (Status::Exact, None),
        _ if is(&expected_sc) => (Status::StrongerModel, None),
        _ => (Status::Unexpected, None),
    };
    let program = program.name;
    Some(Answer {
        program,
        engine,
        outcomes,
        executions,
        expected_sc,
        expected_c11,
        status,
        because,
        seconds,
    })
}

fn explore(program: &Litmus, mode: Mode) -> u64 {
    let body = Program::new(program.on_shuttle);
    let report = Explorer::new().mode(mode).workers(1).run(&body).expect("there are no shards");
    assert!(report.failure.is_none(), "{} fails: {:?}", program.name, report.failure);
    assert!(report.complete, "{} does not end", program.name);
    report.executions
}

fn loom(program: &Litmus) -> u64 {
    // std's: counted outside of the model.
    let executions = Arc::new(AtomicU64::new(0));
    let (counted, body) = (Arc::clone(&executions), program.on_loom);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = None;
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
    executions.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Litmus {
        *PROGRAMS.iter().find(|program| program.name == name).expect("a program")
    }

    #[test]
    fn an_answer_that_is_not_the_pinned_one_is_told() {
        let healed = Litmus { loom: Loom::Exact, ..named("load-then-store") };
        assert_eq!(answer(&healed, Engine::Loom).map(|answer| answer.status), Some(Status::Unexpected));
        let pinned = Loom::Hole { because: "no reason", outcomes: &["0"] };
        let regressed = Litmus { loom: pinned, ..named("coherence-of-reads") };
        assert_eq!(answer(&regressed, Engine::Loom).map(|answer| answer.status), Some(Status::Unexpected));
        let other = Litmus { sc: &["00"], c11: &["00"], ..named("store-buffering") };
        assert_eq!(answer(&other, Engine::Explorer).map(|answer| answer.status), Some(Status::Unexpected));
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
