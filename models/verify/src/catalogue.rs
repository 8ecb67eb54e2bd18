//! Everything that can be run: which scenario, on which engine, in which configuration.

use antiphon_harness::{Engine, Mutant, Scenario};
use antiphon_spec::Guarantee;
use antiphon_spec_explore::Instance;

use crate::engine::crosscheck::CrossCheck;
use crate::engine::proof::{self, Proof};
use crate::engine::{Bounds, Configuration, Task};
use crate::mutants::{self, Seeded};
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
    /// The name of what is run: a scenario, an exploration of the specification.
    pub(crate) name: &'static str,
    pub(crate) engine: Configuration,
    /// The guarantees that it exercises.
    pub(crate) guarantees: &'static [Guarantee],
    /// The situations that it exists for.
    pub(crate) reaches: &'static [&'static str],
    pub(crate) work: Work,
    /// The seeded bug that it has to find.
    pub(crate) mutant: Option<Seeded>,
}

/// What a run consists of.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// A scenario, explored by an engine that runs its body.
    Scenario {
        body: fn(),
        /// Connects the platform's recorder to the harness.
        install: fn(),
    },
    /// An exploration of the abstract machine.
    Spec(&'static Instance),
    /// What the proofs are asked for.
    Proof(fn(&Task) -> Outcome),
    /// A comparison of what two ways find.
    CrossCheck(CrossCheck),
}

/// What there is to run.
pub(crate) struct Catalogue {
    sources: Vec<Source>,
    mutants: Vec<(Engine, &'static [Mutant])>,
    specification: &'static [Instance],
    /// Whether there are proofs and cross-checks.
    whole: bool,
}

impl Catalogue {
    /// The product's own scenarios.
    pub(crate) fn product() -> Self {
        use {antiphon_io_scenarios as io, antiphon_scenarios_threads as threads};
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
                    family: Engine::Explorer,
                    scenarios: shuttle::scenarios(),
                    install: shuttle::install,
                },
                Source {
                    family: Engine::Threads,
                    scenarios: threads::scenarios(),
                    install: threads::install,
                },
                Source { family: Engine::Threads, scenarios: io::scenarios(), install: io::install },
            ],
            mutants: vec![
                (Engine::Loom, antiphon_mutants_loom::mutants()),
                (Engine::Shuttle, antiphon_mutants_shuttle::mutants()),
                (Engine::Explorer, antiphon_mutants_shuttle::mutants()),
            ],
            specification: antiphon_spec_explore::INSTANCES,
            whole: true,
        }
    }

    /// Small programs with known results, by which the command itself is tested.
    pub(crate) fn self_test() -> Self {
        let source = |family| Source { family, scenarios: selftest::SCENARIOS, install: || {} };
        let families = [Engine::Loom, Engine::Shuttle, Engine::Explorer, Engine::Threads];
        let sources = families.map(source).into();
        Self { sources, mutants: Vec::new(), specification: &[], whole: false }
    }

    /// All runs: first those that end by themselves, then those that take all the time they get.
    pub(crate) fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = self.specification.iter().map(Run::of_instance).collect();
        if self.whole {
            runs.extend(Run::of_proofs());
            runs.extend(CrossCheck::ALL.map(Run::of_cross_check));
        }
        for Source { family, scenarios, install } in &self.sources {
            for scenario in scenarios.iter().filter(|scenario| scenario.engines.contains(family)) {
                let engines = Configuration::of(*family).iter();
                runs.extend(engines.map(|engine| Run::of_scenario(scenario, *engine, *install)));
            }
        }
        for (family, mutants) in &self.mutants {
            runs.extend(mutants.iter().filter_map(|mutant| mutants::run(mutant, *family)));
        }
        runs.sort_by_key(|run| !run.engine.ends());
        runs
    }

    /// The run of this scenario on this engine, by their exact names.
    pub(crate) fn find(&self, scenario: &str, engine: &str) -> Option<Run> {
        self.runs().into_iter().find(|run| run.name == scenario && run.engine.name() == engine)
    }
}

/// What only an engine can see that follows every access to memory.
const OF_MEMORY: &[Guarantee] = &[Guarantee::RaceFreedom, Guarantee::Handover, Guarantee::NoLeak];

impl Run {
    fn of_scenario(scenario: &Scenario, engine: Configuration, install: fn()) -> Self {
        let Scenario { name, guarantees, reaches, body, .. } = *scenario;
        Self { name, engine, guarantees, reaches, work: Work::Scenario { body, install }, mutant: None }
    }

    fn of_instance(instance: &'static Instance) -> Self {
        let Instance { name, guarantees, .. } = *instance;
        let (engine, work) = (Configuration::Spec, Work::Spec(instance));
        Self { name, engine, guarantees, reaches: &[], work, mutant: None }
    }

    fn of_proofs() -> [Self; 3] {
        let run = |proof, guarantees, reaches, work| {
            let engine = Configuration::Proof(proof);
            Self { name: engine.name(), engine, guarantees, reaches, work: Work::Proof(work), mutant: None }
        };
        [
            run(Proof::Theorems, proof::of_theorems(), &[], proof::theorems),
            run(Proof::Conditions, proof::OF_CONDITIONS, &[], proof::conditions),
            run(Proof::Oracles, proof::OF_ORACLES, proof::origins(), proof::oracles),
        ]
    }

    fn of_cross_check(check: CrossCheck) -> Self {
        let (engine, work) = (Configuration::CrossCheck, Work::CrossCheck(check));
        Self { name: check.name(), engine, guarantees: &[], reaches: &[], work, mutant: None }
    }

    /// The same within `bounds`, if the explorer makes it. A seeded bug is looked for without: it is found in a moment,
    /// or the net has a hole.
    pub(crate) fn within(self, bounds: Bounds) -> Self {
        match self.engine {
            Configuration::Explorer { spurious, .. } if self.mutant.is_none() => {
                Self { engine: Configuration::Explorer { spurious, bounds }, ..self }
            }
            _ => self,
        }
    }

    /// Whether it can be spread over several machines. A seeded bug is found on one, or the net has a hole.
    pub(crate) fn has_parts(&self) -> bool {
        self.mutant.is_none() && self.engine.has_parts()
    }

    /// The number of executions that is written down where the run itself is.
    pub(crate) fn own_pin(&self) -> Option<u64> {
        match self.work {
            Work::Spec(instance) => Some(instance.unique_states as u64),
            _ if self.engine == Configuration::Proof(Proof::Theorems) => Some(proof::count()),
            Work::Scenario { .. } | Work::Proof(_) | Work::CrossCheck(_) => None,
        }
    }

    /// Counts what the engine itself put to the test, in every execution.
    pub(crate) fn count_watched(&self, outcome: &mut Outcome) {
        for guarantee in self.guarantees {
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
        self.guarantees.iter().copied().filter(claimed)
    }
}

impl Configuration {
    /// Whether a run on this engine can be expected to judge `guarantee`.
    pub(crate) fn may_judge(self, guarantee: Guarantee) -> bool {
        self.watches(guarantee) || !OF_MEMORY.contains(&guarantee)
    }
}
