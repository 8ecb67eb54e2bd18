//! The states that the runtime gets into, and those of the specification's exploration.
//!
//! Both step the same machine, so both can be seen in the same outline: of each actor, how far its life and its
//! Reader are, and whether mail waits. The runtime's states are those after each event of *all orders of events*
//! that a scenario can have; the explorer is told that no two events commute. The specification's are those of all
//! interleavings of an instance of the same shape.
//!
//! What the runtime gets into and the specification does not is a fault of one of them. What only the specification
//! gets into is listed, each with the reason why the runtime doesn't; what nobody can explain is a fault, too.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use antiphon_explorer::{Explorer, Program};
use antiphon_harness::Observed;
use antiphon_platform_shuttle::record;
use antiphon_spec::State;
use antiphon_spec::machine::{Outline, Phase, ReaderPhase};
use antiphon_spec_explore::{Act, Faults, Scope, outlines};
use serde::{Deserialize, Serialize};

use super::Task;
use super::crosscheck::{disagrees, named};
use crate::outcome::{Ended, Outcome};

/// All actors that have begun to live, in outline.
type States = BTreeSet<Vec<Outline>>;

/// Why the runtime never gets into some states of the specification.
struct Never {
    when: fn(&[Outline]) -> bool,
    because: &'static str,
}

/// A scenario, and the instance of the abstract runtime that has the same shape.
struct Shape {
    scenario: &'static str,
    scope: Scope,
    never: &'static [Never],
}

/// States of the specification that the runtime never gets into, with the reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Unreached {
    pub(crate) scenario: String,
    pub(crate) because: String,
    /// Each with all of its actors, in the order in which they were spawned.
    pub(crate) states: Vec<String>,
}

/// The most states of an instance.
const MOST: usize = 200_000;

const NO_FAULTS: Faults =
    Faults { reader_returns: false, reader_fails: false, handler_fails: false, init_fails: false };

const fn send(to: usize) -> Act {
    Act::Send { to, class: antiphon_spec::event::Class::Main }
}

const fn scope(metas: usize, threads: &'static [&'static [Act]], faults: Faults) -> Scope {
    let readers: &[&[Act]] = if metas == 0 { &[] } else { &[&[]] };
    Scope { metas, threads, readers, faults, bug: None, family: None }
}

const EXIT: Act = Act::Exit { to: 0 };
const SPAWN: Act = Act::Spawn { child: 1 };

/// The scenarios' executor runs an activation at once, on the thread that created it.
const SENDER_HANDLES: Never = Never {
    when: |state| state[0].phase == Phase::Handling && state[0].mail,
    because: "the sole sender runs the handler itself, at once, and sends the next message after it",
};
const SPAWNED_IN_INIT: Never = Never {
    when: |state| state.get(1).is_none_or(|meta| meta.phase == Phase::Init),
    because: "the scenario spawns the meta-process in its parent's init: the parent is never seen without it",
};
const STOPPED_LATE: Never = Never {
    when: |state| {
        let stops = matches!(state[0].phase, Phase::Terminating | Phase::Terminated | Phase::Ended);
        stops && state.get(1).is_some_and(|meta| meta.mail || meta.phase == Phase::Handling)
    },
    because: "the thread that stops the node sent the message before: it has handled it itself, or left it to \
              an activation that ends the meta-process",
};

const SHAPES: &[Shape] = &[
    Shape { scenario: "process/exit/1", scope: scope(0, &[&[send(0)], &[EXIT]], NO_FAULTS), never: &[] },
    Shape {
        scenario: "process/exit/2",
        scope: scope(0, &[&[send(0), send(0)], &[EXIT]], NO_FAULTS),
        never: &[SENDER_HANDLES],
    },
    Shape {
        scenario: "process/senders/2x1",
        scope: scope(0, &[&[send(0)], &[send(0), EXIT]], NO_FAULTS),
        never: &[],
    },
    Shape {
        scenario: "meta/parent-ends-with-metas/1",
        scope: scope(1, &[&[SPAWN, EXIT]], NO_FAULTS),
        never: &[SPAWNED_IN_INIT],
    },
    Shape {
        scenario: "meta/parent-ends-against-send",
        scope: scope(1, &[&[SPAWN, send(1)], &[EXIT]], NO_FAULTS),
        never: &[SPAWNED_IN_INIT],
    },
    Shape {
        scenario: "meta/blocked-reader/1",
        scope: scope(1, &[&[SPAWN, send(1), EXIT]], NO_FAULTS),
        never: &[SPAWNED_IN_INIT, STOPPED_LATE],
    },
    Shape {
        scenario: "meta/reader-ends-against-send/1x1",
        scope: scope(1, &[&[SPAWN, send(1), EXIT]], Faults { reader_returns: true, ..NO_FAULTS }),
        never: &[SPAWNED_IN_INIT, STOPPED_LATE],
    },
];

thread_local! {
    static NOW: RefCell<(State, States)> = RefCell::default();
}

/// Whether the scenario proper has begun: its first actor is alive, as it is in the first state of an instance.
fn has_begun(state: &[Outline]) -> bool {
    state.first().is_some_and(|first| !matches!(first.phase, Phase::Init | Phase::InitFailed))
}

/// All states that the runtime gets into; none if `time` was over before.
fn of_runtime(task: &Task, body: fn(), time: Duration) -> Option<States> {
    let all: Arc<Mutex<States>> = Arc::default();
    let add = all.clone();
    let program = Program::new(body)
        .leaks_fail(false)
        .before(|| {
            NOW.with_borrow_mut(|(state, _)| *state = State::instrumented());
            record::all_in_order(true);
            record::install(Box::new(|event| {
                NOW.with_borrow_mut(|(state, seen)| {
                    // Violations are for the runs to find.
                    let _ = state.step(&event);
                    let outlines = state.outlines();
                    if has_begun(&outlines) {
                        seen.insert(outlines);
                    }
                });
            }));
        })
        .done(move || {
            record::all_in_order(false);
            record::uninstall();
            let seen = NOW.with_borrow_mut(|(_, seen)| std::mem::take(seen));
            add.lock().unwrap_or_else(PoisonError::into_inner).extend(seen);
        });
    let watch = task.watch.clone();
    let report = Explorer::new()
        .workers(1)
        .budget(Some(time))
        .on_progress(move |progress| watch.report(progress.executions))
        .run(&program);
    let complete = report.expect("there are no shards").complete;
    complete.then(|| std::mem::take(&mut *all.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// Compares the states of all shapes. Each may take an equal part of the time that is left, so that a large one does
/// not keep the others from being compared.
pub(crate) fn compare(task: &Task) -> Outcome {
    let mut found = Found::default();
    let (mut compared, mut late) = (Vec::new(), Vec::new());
    for (index, shape) in SHAPES.iter().enumerate() {
        let scenarios = antiphon_scenarios_shuttle::scenarios();
        let Some(scenario) = scenarios.iter().find(|scenario| scenario.name == shape.scenario) else {
            return disagrees(format!("there is no scenario {}", shape.scenario), found.reached);
        };
        let of_spec = outlines(&shape.scope, MOST).expect("the instances are small");
        let left = task.deadline.saturating_duration_since(Instant::now());
        match of_runtime(task, scenario.body, left / (SHAPES.len() - index) as u32) {
            Some(of_runtime) => {
                found.compare(shape, &of_runtime, &of_spec);
                compared.push(shape.scenario);
            }
            None => late.push(shape.scenario),
        }
    }
    let Found { reached, unreached, wrong } = found;
    if !wrong.is_empty() {
        return disagrees(wrong.join("; "), reached);
    }
    let never: usize = unreached.iter().map(|unreached| unreached.states.len()).sum();
    let note = format!(
        "{} of {} scenarios compared: {reached} states, all of them the specification's; {never} more of it, all \
         explained",
        compared.len(),
        SHAPES.len()
    );
    if !late.is_empty() {
        let [compared, late] = [named(&compared), named(&late)];
        let why = format!(
            "the time was over with {note}; they agree on {compared}; not explored to the end: {late}"
        );
        return Outcome { executions: reached, unreached, ..Outcome::no_result(why) };
    }
    let passed = Outcome::passed(Ended::Complete, &Observed::default());
    Outcome { executions: reached, note: Some(note), unreached, ..passed }
}

/// What the comparisons found.
#[derive(Default)]
struct Found {
    /// States that the runtime got into.
    reached: u64,
    unreached: Vec<Unreached>,
    wrong: Vec<String>,
}

impl Found {
    fn compare(&mut self, shape: &Shape, of_runtime: &States, of_spec: &States) {
        let scenario = shape.scenario;
        let told = |state: &Vec<Outline>| state.iter().map(outline).collect::<Vec<_>>().join(" | ");
        self.reached += of_runtime.len() as u64;
        self.wrong.extend(of_runtime.difference(of_spec).map(|state| {
            format!("{scenario}: only the runtime, not the specification, gets into: {}", told(state))
        }));
        let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for state in of_spec.difference(of_runtime) {
            match shape.never.iter().find(|never| (never.when)(state)) {
                Some(never) => reasons.entry(never.because).or_default().push(told(state)),
                None => self.wrong.push(format!(
                    "{scenario}: nobody can explain why the runtime never gets into: {}",
                    told(state)
                )),
            }
        }
        let unreached = |(because, states): (&str, _)| Unreached {
            scenario: scenario.to_string(),
            because: because.to_string(),
            states,
        };
        self.unreached.extend(reasons.into_iter().map(unreached));
    }
}

fn outline(outline: &Outline) -> String {
    let Outline { kind, phase, reader, interrupted, mail } = outline;
    let reader = match reader {
        ReaderPhase::None => "",
        ReaderPhase::Running => ", Reader runs",
        ReaderPhase::Over => ", Reader over",
    };
    let interrupted = if *interrupted { ", interrupted" } else { "" };
    let mail = if *mail { ", mail" } else { "" };
    format!("{kind:?} {phase:?}{reader}{interrupted}{mail}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use antiphon_spec::event::Kind;

    fn state(phase: Phase) -> Vec<Outline> {
        let reader = ReaderPhase::None;
        vec![Outline { kind: Kind::Process, phase, reader, interrupted: false, mail: false }]
    }

    #[test]
    fn a_state_that_is_explained_by_nobody_is_told_whoever_has_it() {
        let idle = |state: &[Outline]| state[0].phase == Phase::Idle;
        let never: &'static [Never] = Box::leak(Box::new([Never { when: idle, because: "no reason" }]));
        let shape = Shape { scenario: "any", scope: scope(0, &[], NO_FAULTS), never };
        let compared = |runtime: &[Phase], spec: &[Phase]| {
            let states = |phases: &[Phase]| phases.iter().map(|phase| state(*phase)).collect();
            let mut found = Found::default();
            found.compare(&shape, &states(runtime), &states(spec));
            (found.unreached.len(), found.wrong)
        };
        assert_eq!(compared(&[Phase::Ended], &[Phase::Ended, Phase::Idle]), (1, vec![]));
        let (_, wrong) = compared(&[Phase::Ended], &[Phase::Ended, Phase::Handling]);
        assert!(wrong[0].contains("nobody can explain"), "{wrong:?}");
        let (_, wrong) = compared(&[Phase::Ended, Phase::Handling], &[Phase::Ended]);
        assert!(wrong[0].contains("only the runtime"), "{wrong:?}");
    }
}
