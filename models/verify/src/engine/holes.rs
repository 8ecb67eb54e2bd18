//! Which known holes of an engine could matter to a run: those that concern what its scenario does.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use antiphon_explorer::{Explorer, Program};
use antiphon_litmus::{Concern, Engine, programs};
use antiphon_platform_shuttle::model::{self, Guard, Kind, Operation};
use serde::{Deserialize, Serialize};

use super::Configuration;
use crate::catalogue::Run;

/// How many executions are looked at: what a scenario does at all, it does in the first ones.
const LOOKED_AT: u64 = 64;

/// What is said of an engine that sees only what sequential consistency allows.
const STRONGER: &str = "C11 allows more than sequential consistency here, and more than the engine sees";

/// A known hole, by the litmus program that shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Hole {
    pub(crate) program: String,
    pub(crate) because: String,
}

/// What the scenario of this run does that some engine may get wrong; none if nobody knows.
///
/// It is seen on the platform whose operations announce themselves, for which the same scenario is compiled, too.
pub(crate) fn uses(run: &Run) -> Option<BTreeSet<Concern>> {
    if run.mutant.is_some() || litmus_engine(run.engine).is_none() {
        return None;
    }
    let scenario =
        antiphon_scenarios_shuttle::scenarios().iter().find(|scenario| scenario.name == run.name)?;
    let seen = Arc::new(Mutex::new(Seen::default()));
    let noted = seen.clone();
    let program = Program::new(scenario.body)
        .leaks_fail(false)
        .before(|| {
            antiphon_scenarios_shuttle::install();
            antiphon_harness::begin();
        })
        .after(move |_| {
            let mut seen = noted.lock().unwrap_or_else(PoisonError::into_inner);
            model::last(|execution| execution.log.iter().for_each(|(_, operation)| seen.note(operation)));
            Ok(())
        });
    let looked = Explorer::new().workers(1).executions(Some(LOOKED_AT)).keep_going(true).run(&program);
    looked.expect("there are no shards");
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    Some(seen.concerns())
}

/// What operations were seen.
#[derive(Default)]
struct Seen {
    load: bool,
    store: bool,
    read_modify_write: bool,
    try_lock: bool,
    wait: bool,
    timeout: bool,
}

impl Seen {
    fn note(&mut self, operation: &Operation) {
        match operation.kind {
            Kind::Load => self.load = true,
            Kind::Store => self.store = true,
            Kind::ReadModifyWrite | Kind::CompareExchange => self.read_modify_write = true,
            Kind::TryLock => self.try_lock = true,
            Kind::Wait => self.wait = true,
            // No wake-up without a reason is asked for, so one that comes by itself is a timeout.
            Kind::Wake => self.timeout |= matches!(operation.guard, Guard::Woken { unasked: true, .. }),
            Kind::Lock
            | Kind::Unlock
            | Kind::Notify
            | Kind::Join
            | Kind::Choice
            | Kind::Release
            | Kind::Unwrap
            | Kind::Event
            | Kind::Yield => {}
        }
    }

    /// Sequentially consistent accesses and weak compare-exchanges are not told apart from others, and the runtime
    /// has neither; nor does it look whether a lock is poisoned.
    fn concerns(&self) -> BTreeSet<Concern> {
        let concerns = [
            (self.load, Concern::Load),
            (self.load && self.store, Concern::LoadAndStore),
            (self.read_modify_write, Concern::ReadModifyWrite),
            (self.try_lock, Concern::TryLock),
            (self.wait, Concern::Wait),
            (self.timeout, Concern::Timeout),
        ];
        concerns.into_iter().filter(|(seen, _)| *seen).map(|(_, concern)| concern).collect()
    }
}

/// The engine of the litmus table that stands for this one.
fn litmus_engine(engine: Configuration) -> Option<Engine> {
    match engine {
        Configuration::Loom { .. } => Some(Engine::Loom),
        // The samplers run on the same platform, which is what a hole of theirs is a hole of.
        Configuration::Explorer { .. } | Configuration::Shuttle(_) => Some(Engine::Explorer),
        Configuration::Threads
        | Configuration::Spec
        | Configuration::Proof(_)
        | Configuration::CrossCheck => None,
    }
}

/// The known holes of `engine` that concern what a scenario does; all of them if nobody knows what it does.
pub(crate) fn holes(engine: Configuration, uses: Option<&BTreeSet<Concern>>) -> Vec<Hole> {
    let Some(engine) = litmus_engine(engine) else { return Vec::new() };
    let matters = |concern| uses.is_none_or(|uses| uses.contains(&concern));
    let mut holes = Vec::new();
    for litmus in programs() {
        let because = match litmus.hole(engine) {
            Some(hole) if matters(hole.concerns) => hole.because,
            // loom's memory model is C11's.
            None if engine != Engine::Loom && litmus.sc != litmus.c11 && matters(Concern::LoadAndStore) => {
                STRONGER
            }
            _ => continue,
        };
        holes.push(Hole { program: litmus.name.to_string(), because: because.to_string() });
    }
    holes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_scenario_is_told_what_concerns_it_and_nothing_else() {
        let waits = BTreeSet::from([Concern::Wait]);
        let loom = Configuration::Loom { preemption_bound: None };
        let programs = |engine, uses| -> Vec<String> {
            holes(engine, uses).into_iter().map(|hole| hole.program).collect()
        };
        assert_eq!(programs(loom, Some(&waits)), ["spurious-wake-up"]);
        assert_eq!(programs(Configuration::Threads, None), [""; 0]);
        assert!(programs(loom, None).len() > 10);
        let atomics = BTreeSet::from([Concern::Load, Concern::LoadAndStore]);
        assert!(
            programs(Configuration::explorer(false), Some(&atomics))
                .contains(&"message-passing-relaxed".into())
        );
    }

    #[test]
    fn the_runtime_has_nothing_that_is_not_told_apart() {
        fn look(directory: &Path) {
            for entry in std::fs::read_dir(directory).expect("the runtime's source") {
                let path = entry.expect("an entry").path();
                if path.is_dir() && !path.ends_with("platform") {
                    look(&path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&path).expect("a source file");
                    for word in ["SeqCst", "compare_exchange_weak"] {
                        assert!(!text.contains(word), "{word} in {}", path.display());
                    }
                }
            }
        }
        look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src"));
    }
}
