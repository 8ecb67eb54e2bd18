//! Cross-checks: what two independent ways find must be the same.
//!
//! They say nothing of the runtime. They say whether what does can be believed.

use std::time::Instant;

use antiphon_explorer::{Agreement, Program, cross_check};
use antiphon_harness::{Engine, Observed};
use antiphon_litmus::programs;

use super::{Task, states};
use crate::outcome::{Ended, Failure, Outcome, Schedule};

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CrossCheck {
    /// The explorer with a search without reduction, on every litmus program.
    Litmus,
    /// The same, on every scenario that is small enough.
    Scenarios,
    /// The states that the runtime gets into with those of the specification's exploration.
    States,
}

/// The most schedules of a litmus program; all are smaller.
const MOST_LITMUS: u64 = 100_000;

/// The most schedules of a scenario that is small enough.
const MOST_SCENARIO: u64 = 5_000;

impl CrossCheck {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Litmus, Self::Scenarios, Self::States];

    /// Its name, in the place of a scenario's.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Litmus => "crosscheck/litmus",
            Self::Scenarios => "crosscheck/scenarios",
            Self::States => "crosscheck/states",
        }
    }

    /// Compares. What is counted as executions is classes, or states.
    pub(crate) fn run(self, task: &Task) -> Outcome {
        match self {
            Self::Litmus => compare(
                task,
                programs()
                    .iter()
                    .map(|litmus| (litmus.name, move || antiphon_litmus::cross_check(litmus, MOST_LITMUS))),
            ),
            Self::Scenarios => {
                let all = antiphon_scenarios_shuttle::scenarios().iter();
                let explored = all.filter(|scenario| scenario.engines.contains(&Engine::Explorer));
                compare(
                    task,
                    explored.map(|scenario| {
                        (scenario.name, move || cross_check(&program(scenario.body), MOST_SCENARIO, judged))
                    }),
                )
            }
            Self::States => states::compare(task),
        }
    }
}

fn program(body: fn()) -> Program {
    Program::new(body).leaks_fail(false).before(|| {
        antiphon_scenarios_shuttle::install();
        antiphon_harness::begin();
    })
}

/// What came out of an execution: what the specification says of it.
fn judged() -> String {
    antiphon_harness::abandon(true).err().map_or_else(String::new, |fault| fault.to_string())
}

fn compare<C>(task: &Task, pairs: impl Iterator<Item = (&'static str, C)>) -> Outcome
where
    C: FnOnce() -> Option<Result<Agreement, String>>,
{
    let (mut classes, mut schedules) = (0, 0);
    let (mut compared, mut large, mut late) = (Vec::new(), 0, 0);
    for (name, check) in pairs {
        if Instant::now() >= task.deadline {
            late += 1;
            continue;
        }
        match check() {
            None => large += 1,
            Some(Ok(agreement)) => {
                compared.push(name);
                classes += agreement.classes;
                schedules += agreement.schedules;
                task.watch.report(classes);
            }
            Some(Err(wrong)) => return disagrees(format!("{name}: {wrong}"), classes),
        }
    }
    let all = compared.len() + large + late;
    let mut note =
        format!("{} of {all} compared: {classes} classes in {schedules} schedules", compared.len());
    if compared.len() < all {
        note += &format!("; they agree on {}; {large} are too large", named(&compared));
    }
    if late > 0 {
        let why = format!("the time was over with {note}; not looked at: {late}");
        return Outcome { executions: classes, ..Outcome::no_result(why) };
    }
    Outcome {
        executions: classes,
        note: Some(note),
        ..Outcome::passed(Ended::Complete, &Observed::default())
    }
}

/// The names of some programs, for a sentence.
pub(super) fn named(names: &[&str]) -> String {
    if names.is_empty() { "none".to_string() } else { names.join(", ") }
}

/// The outcome of a comparison that finds a difference.
pub(super) fn disagrees(message: String, executions: u64) -> Outcome {
    let failure = Failure::plain(None, message, executions, Schedule::None);
    Outcome { executions, ..Outcome::failed(failure, &Observed::default()) }
}
