//! The report: what `antiphon verify` writes, as `target/verify/report.json`.
//!
//! Its schema, version 1, is described in `REPORT.md` beside this package's manifest. Fields may be added
//! within a version; none changes its meaning or goes away.

use std::collections::BTreeMap;
use std::time::Duration;

use antiphon_explorer::Checkpoint;
use antiphon_spec::Guarantee;
use serde::{Deserialize, Serialize};

use crate::catalogue::Run;
use crate::engine::Bounds;
use crate::engine::holes::{self, Hole};
use crate::engine::states::Unreached;
use crate::judge::Judgement;
use crate::mutants::MutantReport;
use crate::outcome::{Ended, Failure, Outcome};
use crate::verdict::Verdict;

/// The name in each report's `format`.
pub(crate) const FORMAT: &str = "antiphon-report";

/// The version of the schema.
pub(crate) const VERSION: u32 = 1;

/// All that one `antiphon verify` has to say.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) format: String,
    pub(crate) version: u32,
    /// Which `antiphon` it was.
    pub(crate) antiphon: String,
    /// A digest of the sources and the compiler that it was built from and by.
    #[serde(default)]
    pub(crate) sources: String,
    /// The least that holds for every guarantee that was checked; none if nothing was.
    pub(crate) verdict: Option<Verdict>,
    /// Whether nothing is violated, no run has a defect and every seeded bug that was run is caught: the exit status is then 0 (or 3).
    pub(crate) green: bool,
    pub(crate) seconds: f64,
    pub(crate) budget_seconds: f64,
    pub(crate) jobs: usize,
    pub(crate) seed: u64,
    /// Which part of the whole this is, as `i/k`; none if it is the whole.
    pub(crate) shard: Option<String>,
    /// Within which bounds the explorer was asked to stay.
    #[serde(flatten)]
    pub(crate) bounds: Bounds,
    pub(crate) runs: Vec<RunReport>,
    pub(crate) guarantees: Vec<GuaranteeReport>,
    /// What became of the seeded bugs, which the runs must find.
    #[serde(default)]
    pub(crate) mutants: Vec<MutantReport>,
}

/// What a report says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) seconds: f64,
    pub(crate) budget_seconds: f64,
    pub(crate) jobs: usize,
    pub(crate) seed: u64,
    pub(crate) shard: Option<String>,
    pub(crate) bounds: Bounds,
}

/// One scenario on one engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunReport {
    pub(crate) scenario: String,
    pub(crate) engine: String,
    pub(crate) guarantees: Vec<String>,
    pub(crate) verdict: Verdict,
    pub(crate) memory_model: String,
    pub(crate) bounds: String,
    pub(crate) executions: u64,
    pub(crate) seconds: f64,
    pub(crate) unseen: String,
    /// The known holes of the engine that concern what the scenario does; `antiphon litmus` shows them.
    #[serde(default)]
    pub(crate) holes: Vec<Hole>,
    /// Of the cross-check of states: which of the specification's states the runtime never gets into, and why.
    #[serde(default)]
    pub(crate) unreached: Vec<Unreached>,
    /// Whether the engine had nothing left to explore.
    pub(crate) complete: bool,
    /// How much time it was given.
    pub(crate) limit_seconds: f64,
    /// The seed of this run alone.
    pub(crate) seed: u64,
    /// The expected number of executions of the complete run.
    pub(crate) pinned: Option<u64>,
    /// Why the run is worth nothing although it found nothing; such a run is not green.
    pub(crate) defect: Option<Defect>,
    /// What else there is to know about its verdict.
    pub(crate) note: Option<String>,
    /// In how many executions each situation occurred that the scenario exists for.
    pub(crate) reached: BTreeMap<String, u64>,
    /// How often the premise of each guarantee occurred.
    pub(crate) premises: BTreeMap<String, u64>,
    pub(crate) failure: Option<Failure>,
    /// The file that `antiphon replay` takes.
    pub(crate) failure_file: Option<String>,
    /// What the part of an exploration has done, for `antiphon merge`.
    pub(crate) checkpoint: Option<Checkpoint>,
}

/// A reason not to trust a run that found nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Defect {
    pub(crate) kind: DefectKind,
    pub(crate) message: String,
}

/// The ways to be worth nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DefectKind {
    /// It explored nothing, or less than is pinned.
    Collapsed,
    /// It explored more than is pinned.
    Changed,
    /// Something that it exists for never occurred.
    Vacuous,
}

/// What all runs together say of one guarantee.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct GuaranteeReport {
    pub(crate) id: String,
    pub(crate) statement: String,
    /// None if no run put it to the test.
    pub(crate) verdict: Option<Verdict>,
    /// The runs that its verdict rests on.
    pub(crate) runs: Vec<RunName>,
    /// How often its premise occurred in them.
    pub(crate) premises: u64,
}

/// A run, by the names of its scenario and engine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct RunName {
    pub(crate) scenario: String,
    pub(crate) engine: String,
}

impl RunReport {
    /// The report of a run that was made here. Who made it adds what only they know.
    pub(crate) fn of(
        run: &Run,
        outcome: Outcome,
        judgement: Judgement,
        pinned: Option<u64>,
        took: Duration,
    ) -> Self {
        Self {
            scenario: run.name.to_string(),
            engine: run.engine.name().to_string(),
            guarantees: run.claims(&outcome).map(|guarantee| guarantee.id().to_string()).collect(),
            verdict: judgement.verdict,
            memory_model: run.engine.memory_model().to_string(),
            bounds: run.engine.bounds(),
            executions: outcome.executions,
            seconds: took.as_secs_f64(),
            unseen: run.engine.unseen().to_string(),
            holes: holes::holes(run.engine, outcome.uses.as_ref()),
            unreached: outcome.unreached,
            complete: outcome.ended == Ended::Complete,
            limit_seconds: 0.0,
            seed: 0,
            pinned,
            defect: judgement.defect,
            note: judgement.note,
            reached: outcome.reached,
            premises: outcome.premises,
            failure: outcome.failure,
            failure_file: None,
            checkpoint: None,
        }
    }

    /// Whether it says anything of `guarantee`.
    ///
    /// A run that was stopped by a failure speaks of the guarantee that failed. If it can't be told which,
    /// it speaks against all that it exercises: none of them was shown.
    pub(crate) fn speaks_of(&self, guarantee: Guarantee) -> bool {
        let named = self.guarantees.iter().any(|id| id == guarantee.id());
        match &self.failure {
            Some(Failure { guarantee: Some(broken), .. }) => broken == guarantee.id(),
            Some(_) => named,
            None => named,
        }
    }

    /// Whether it is to be trusted in what it does not find.
    pub(crate) fn is_green(&self) -> bool {
        self.defect.is_none() && self.verdict != Verdict::Violated
    }
}

impl GuaranteeReport {
    /// Derives what `runs` say of `guarantee`.
    pub(crate) fn of(guarantee: Guarantee, runs: &[RunReport]) -> Self {
        let about: Vec<&RunReport> = runs.iter().filter(|run| run.speaks_of(guarantee)).collect();
        Self {
            id: guarantee.id().to_string(),
            statement: guarantee.statement().to_string(),
            verdict: Verdict::of_guarantee(about.iter().map(|run| run.verdict)),
            runs: about
                .iter()
                .map(|run| RunName { scenario: run.scenario.clone(), engine: run.engine.clone() })
                .collect(),
            premises: about.iter().filter_map(|run| run.premises.get(guarantee.id())).sum(),
        }
    }
}

impl Report {
    /// Draws up the whole from its runs.
    pub(crate) fn of(runs: Vec<RunReport>, mutants: Vec<MutantReport>, frame: Frame) -> Self {
        let guarantees: Vec<GuaranteeReport> =
            Guarantee::ALL.iter().map(|guarantee| GuaranteeReport::of(*guarantee, &runs)).collect();
        Self {
            format: FORMAT.to_string(),
            version: VERSION,
            antiphon: env!("CARGO_PKG_VERSION").to_string(),
            sources: env!("ANTIPHON_SOURCES").to_string(),
            verdict: Verdict::weakest(guarantees.iter().filter_map(|guarantee| guarantee.verdict)),
            green: runs.iter().all(RunReport::is_green) && mutants.iter().all(MutantReport::is_green),
            seconds: frame.seconds,
            budget_seconds: frame.budget_seconds,
            jobs: frame.jobs,
            seed: frame.seed,
            shard: frame.shard,
            bounds: frame.bounds,
            runs,
            guarantees,
            mutants,
        }
    }

    /// The exit status that says it all in one number.
    pub(crate) fn exit_status(&self, strict: bool) -> u8 {
        if !self.green {
            1
        } else if strict && self.runs.iter().any(|run| run.verdict == Verdict::Inconclusive) {
            3
        } else {
            0
        }
    }
}
