//! The abstract machine, explored exhaustively by stateright.

use std::collections::BTreeMap;
use std::time::Instant;

use antiphon_spec_explore::{Exploration, Instance, explore as explore_scope};
use serde_json::Value;

use super::Task;
use crate::outcome::{Ended, Failure, Outcome, Schedule};

/// Explores all states of `instance`. What is counted as executions is its unique states.
///
/// One thread: with several, the order of the states differs from run to run.
pub(crate) fn explore(instance: &'static Instance, task: &Task) -> Outcome {
    let time = task.deadline.saturating_duration_since(Instant::now());
    let found = explore_scope(&instance.scope, instance.guarantees, 1, time);
    let failure = failure(&found);
    let ended = match (&failure, found.complete) {
        (Some(_), _) => Ended::Failure,
        (None, true) => Ended::Complete,
        (None, false) => Ended::Budget,
    };
    Outcome {
        ended,
        executions: found.unique_states as u64,
        reached: BTreeMap::new(),
        // How often is not counted: a premise occurs in a state, and a state in many executions.
        premises: found.reached.iter().map(|guarantee| (guarantee.id().to_string(), 1)).collect(),
        failure,
        note: None,
        uses: None,
        unreached: Vec::new(),
    }
}

fn failure(found: &Exploration) -> Option<Failure> {
    let first = found.discoveries.first()?;
    let steps = first.path.iter().cloned().map(Value::String).collect();
    let message = match first.guarantee {
        Some(_) => "the abstract machine breaks it".to_string(),
        None => format!("the abstract machine itself is wrong: not {}", first.property),
    };
    let execution = found.unique_states as u64;
    let schedule = Schedule::Spec;
    Some(Failure { history: steps, ..Failure::plain(first.guarantee, message, execution, schedule) })
}
