//! Seeded bugs: runs that must find something, so that those which find nothing mean something.
//!
//! Each mutant is run on each engine that can see it, in the same call and by the same code as the product's own
//! scenarios. It must be found, and be found to be what it is; otherwise the net has a hole, and the whole is not
//! green.

use std::time::Duration;

use antiphon_harness::{Engine, Mutant};
use antiphon_spec::Guarantee;
use serde::{Deserialize, Serialize};

use crate::catalogue::{Run, Work};
use crate::engine::{Configuration, Strategy};
use crate::outcome::{Ended, Outcome};

/// What became of one seeded bug on one engine.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct MutantReport {
    pub(crate) mutant: String,
    pub(crate) engine: String,
    pub(crate) scenario: String,
    /// The guarantee that it breaks.
    pub(crate) breaks: String,
    /// The guarantee that this engine has to name.
    pub(crate) shows: String,
    /// What is changed, and where.
    pub(crate) why: String,
    pub(crate) file: String,
    pub(crate) result: MutantResult,
    /// What the engine said: the guarantee, if it named one, and what happened.
    pub(crate) found: Option<String>,
    pub(crate) message: Option<String>,
    /// Executions until it was found, or all.
    pub(crate) executions: u64,
    pub(crate) seconds: f64,
}

/// A seeded bug as one engine has to find it.
#[derive(Clone, Copy)]
pub(crate) struct Seeded {
    mutant: &'static Mutant,
    /// The name of the scenario.
    scenario: &'static str,
    /// The guarantee to be named.
    shows: Guarantee,
}

/// Whether a seeded bug was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MutantResult {
    /// It was, under the right name.
    Caught,
    /// The run found nothing.
    Missed,
    /// The run found something else.
    Misnamed,
    /// The run came to nothing, for example because the time was over.
    Inconclusive,
}

/// The run that has to find `mutant`, in the configuration that finds most with least; none if no scenario of
/// it fits.
pub(crate) fn run(mutant: &'static Mutant, family: Engine) -> Option<Run> {
    let engine = match family {
        Engine::Loom => Configuration::Loom { preemption_bound: Some(2) },
        Engine::Shuttle => Configuration::Shuttle(Strategy::Pct),
        Engine::Explorer => Configuration::explorer(mutant.spurious),
        Engine::Threads => Configuration::Threads,
    };
    // Only the explorer has waits that end for no reason.
    if mutant.spurious && family != Engine::Explorer {
        return None;
    }
    let scenario = mutant.scenarios.iter().find(|scenario| scenario.engines.contains(&family))?;
    Some(Run {
        name: mutant.name,
        engine,
        guarantees: std::slice::from_ref(&mutant.breaks),
        reaches: &[],
        work: Work::Scenario { body: scenario.body, install: mutant.install },
        mutant: Some(Seeded { mutant, scenario: scenario.name, shows: (mutant.shows)(family) }),
    })
}

impl MutantReport {
    /// Says what `outcome` means for the mutant that `run` has to find.
    pub(crate) fn of(run: &Run, outcome: &Outcome, took: Duration) -> Option<Self> {
        let Seeded { mutant, scenario, shows } = run.mutant?;
        let failure = outcome.failure.as_ref();
        let found = failure.and_then(|failure| failure.guarantee.clone());
        let result = match (failure, &outcome.ended) {
            (Some(_), _) if found.as_deref() == Some(shows.id()) => MutantResult::Caught,
            (Some(_), _) => MutantResult::Misnamed,
            (None, Ended::NoResult(_)) => MutantResult::Inconclusive,
            (None, _) if outcome.executions == 0 => MutantResult::Inconclusive,
            (None, _) => MutantResult::Missed,
        };
        Some(Self {
            mutant: mutant.name.to_string(),
            engine: run.engine.name().to_string(),
            scenario: scenario.to_string(),
            breaks: mutant.breaks.id().to_string(),
            shows: shows.id().to_string(),
            why: mutant.why.to_string(),
            file: mutant.file.to_string(),
            result,
            found,
            message: failure.map(|failure| failure.message.clone()),
            executions: failure.map_or(outcome.executions, |failure| failure.execution),
            seconds: took.as_secs_f64(),
        })
    }

    /// Whether there is a hole in the net.
    pub(crate) fn is_green(&self) -> bool {
        matches!(self.result, MutantResult::Caught | MutantResult::Inconclusive)
    }

    /// What is the matter, if it was not caught.
    pub(crate) fn trouble(&self) -> Option<String> {
        match self.result {
            MutantResult::Caught => None,
            MutantResult::Missed => Some(format!("found nothing in {} executions", self.executions)),
            MutantResult::Misnamed => Some(format!(
                "{} was expected, found is {}: {}",
                self.shows,
                self.found.as_deref().unwrap_or("no guarantee"),
                self.message.as_deref().unwrap_or_default()
            )),
            MutantResult::Inconclusive => Some("came to no result".to_string()),
        }
    }
}

/// How many bugs that break `guarantee` were caught, of how many that were run; each on each engine.
pub(crate) fn caught(mutants: &[MutantReport], guarantee: Guarantee) -> (usize, usize) {
    let about = || mutants.iter().filter(move |mutant| mutant.breaks == guarantee.id());
    (about().filter(|mutant| mutant.result == MutantResult::Caught).count(), about().count())
}
