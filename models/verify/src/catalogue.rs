//! Everything that can be run: which scenario, on which engine, in which configuration.

use antiphon_harness::{Engine, Scenario};
use antiphon_spec::Guarantee;

use crate::engine::Configuration;
use crate::outcome::Outcome;
use crate::selftest;

/// The scenarios as one engine family compiled them.
pub(crate) struct Source {
    family: Engine,
    scenarios: &'static [Scenario],
    /// Connects the platform's recorder to the harness.
    install: fn(),
}

/// One run to be made.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pub(crate) scenario: &'static Scenario,
    pub(crate) engine: Configuration,
    /// Connects the platform's recorder to the harness.
    pub(crate) install: fn(),
}

/// What there is to run.
pub(crate) struct Catalogue {
    sources: Vec<Source>,
}

impl Catalogue {
    /// The product's own scenarios.
    pub(crate) fn product() -> Self {
        use antiphon_scenarios_threads as threads;
        use {antiphon_scenarios_loom as loom, antiphon_scenarios_shuttle as shuttle};
        Self {
            sources: vec![
                Source { family: Engine::Loom, scenarios: loom::scenarios(), install: loom::install },
                Source {
                    family: Engine::Shuttle,
                    scenarios: shuttle::scenarios(),
                    install: shuttle::install,
                },
                Source {
                    family: Engine::Threads,
                    scenarios: threads::scenarios(),
                    install: threads::install,
                },
            ],
        }
    }

    /// Small programs with known results, by which the command itself is tested.
    pub(crate) fn self_test() -> Self {
        let source = |family| Source { family, scenarios: selftest::SCENARIOS, install: || {} };
        Self { sources: vec![source(Engine::Loom), source(Engine::Shuttle), source(Engine::Threads)] }
    }

    /// All runs: first those that end by themselves, then those that take all the time they get.
    pub(crate) fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = self
            .sources
            .iter()
            .flat_map(|source| {
                let fits = |scenario: &&Scenario| scenario.engines.contains(&source.family);
                source.scenarios.iter().filter(fits).flat_map(|scenario| {
                    let configurations = Configuration::of(source.family);
                    configurations.iter().map(|engine| Run {
                        scenario,
                        engine: *engine,
                        install: source.install,
                    })
                })
            })
            .collect();
        runs.sort_by_key(|run| !run.engine.ends());
        runs
    }

    /// The run of this scenario on this engine, by their exact names.
    pub(crate) fn find(&self, scenario: &str, engine: &str) -> Option<Run> {
        self.runs().into_iter().find(|run| run.scenario.name == scenario && run.engine.name() == engine)
    }
}

/// What only an engine can see that follows every access to memory.
const OF_MEMORY: &[Guarantee] = &[Guarantee::RaceFreedom, Guarantee::Handover, Guarantee::NoLeak];

impl Run {
    /// Counts what the engine itself put to the test, in every execution.
    pub(crate) fn count_watched(&self, outcome: &mut Outcome) {
        for guarantee in self.scenario.guarantees {
            if self.engine.watches(*guarantee) {
                *outcome.premises.entry(guarantee.id().to_string()).or_default() += outcome.executions;
            }
        }
    }

    /// The guarantees that the run has to show. A scenario is written once for all engines; what an engine
    /// can't see is not its business, unless the scenario looked itself.
    pub(crate) fn claims<'a>(&self, outcome: &'a Outcome) -> impl Iterator<Item = Guarantee> + 'a {
        let engine = self.engine;
        let claimed = move |guarantee: &Guarantee| {
            engine.may_judge(*guarantee) || outcome.premises.contains_key(guarantee.id())
        };
        self.scenario.guarantees.iter().copied().filter(claimed)
    }
}

impl Configuration {
    /// Whether a run on this engine can be expected to judge `guarantee`.
    pub(crate) fn may_judge(self, guarantee: Guarantee) -> bool {
        self.watches(guarantee) || !OF_MEMORY.contains(&guarantee)
    }
}
