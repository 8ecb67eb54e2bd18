//! What a child process says about its run: lines of JSON on its standard output.

use std::collections::{BTreeMap, BTreeSet};

use antiphon_explorer::Cut;
use antiphon_harness::{Fault, Observed};
use antiphon_litmus::Concern;
use antiphon_spec::Guarantee;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::states::Unreached;
use crate::trace;

/// One line from a child. Anything else on its standard output is a scenario's own and is ignored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Line {
    /// It is alive and has come so far.
    Progress(Progress),
    /// It is done; nothing follows.
    Outcome(Box<Outcome>),
}

/// How far a run has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Executions that have been started.
    pub(crate) executions: u64,
    /// How many there are, if the engine can say: a lower bound.
    pub(crate) at_least: Option<u64>,
}

/// How an exploration came to its end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ended {
    /// The engine has nothing left to explore within its bounds.
    Complete,
    /// The time was over.
    Budget,
    /// A bound of the engine cut something off; whether the time was over, too.
    Cut { cut: Cut, late: bool },
    /// At the first failure.
    Failure,
    /// It did not come to a result that says anything, for the reason given.
    NoResult(String),
}

/// What a run saw.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) ended: Ended,
    /// Executions that were finished, the failing one included.
    pub(crate) executions: u64,
    /// In how many of them each situation occurred.
    pub(crate) reached: BTreeMap<String, u64>,
    /// How often each guarantee's premise occurred.
    pub(crate) premises: BTreeMap<String, u64>,
    pub(crate) failure: Option<Failure>,
    /// What else there is to know.
    pub(crate) note: Option<String>,
    /// What the scenario does that some engine may get wrong; none if nobody looked.
    #[serde(default)]
    pub(crate) uses: Option<BTreeSet<Concern>>,
    /// States of the specification that the runtime never gets into; see the cross-checks.
    #[serde(default)]
    pub(crate) unreached: Vec<Unreached>,
}

/// What went wrong, and how to see it again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// The broken guarantee; none if the execution broke down without telling which, for example by a panic.
    pub(crate) guarantee: Option<String>,
    /// What happened.
    pub(crate) message: String,
    /// What the specification would have allowed there; empty if nothing can be said.
    pub(crate) allowed: String,
    /// The event that broke it, in trace format.
    pub(crate) event: Option<Value>,
    /// The last events before it, oldest first, in trace format.
    pub(crate) history: Vec<Value>,
    /// How many events came before those; zero if these are all.
    pub(crate) earlier: u64,
    /// Whether everything had come to rest when it was found.
    pub(crate) at_rest: bool,
    /// The number of the execution, from 1.
    pub(crate) execution: u64,
    pub(crate) schedule: Schedule,
}

/// What brings a failing execution back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Schedule {
    /// The order of tasks, as shuttle itself encodes it (`shuttle::replay` takes it too).
    Shuttle { encoded: String },
    /// loom is deterministic: its n-th execution under the same bound is always the same.
    Loom { preemption_bound: Option<usize>, execution: u64 },
    /// The decisions, as the explorer writes them, of the smallest schedule that fails; and the operations that
    /// it leads to.
    Explorer { schedule: String, operations: Vec<String> },
    /// The exploration itself, which is deterministic; `history` is the path.
    Spec,
    /// Nothing brings it back: real threads, or a process that died without a word. `history` is the
    /// record of it.
    None,
}

impl Failure {
    /// A failure that no event tells of.
    pub(crate) fn plain(
        guarantee: Option<Guarantee>,
        message: String,
        execution: u64,
        schedule: Schedule,
    ) -> Self {
        Self {
            guarantee: guarantee.map(|guarantee| guarantee.id().to_string()),
            message,
            allowed: String::new(),
            event: None,
            history: Vec::new(),
            earlier: 0,
            at_rest: false,
            execution,
            schedule,
        }
    }

    /// A fault that an execution recorded.
    pub(crate) fn of_fault(fault: &Fault, execution: u64, schedule: Schedule) -> Self {
        let mut history = trace::lines(fault.history.iter().chain(&fault.event), fault.earlier);
        let event = fault.event.is_some().then(|| history.pop()).flatten();
        Self {
            allowed: fault.allowed.clone(),
            event,
            history,
            earlier: fault.earlier,
            at_rest: fault.at_rest,
            ..Self::plain(Some(fault.guarantee), fault.message.clone(), execution, schedule)
        }
    }
}

impl Outcome {
    /// A run that ended without a failure.
    pub(crate) fn passed(ended: Ended, observed: &Observed) -> Self {
        Self {
            ended,
            executions: observed.executions,
            reached: observed.reached.iter().map(|(label, count)| (label.to_string(), *count)).collect(),
            premises: observed.premises.iter().map(|(g, count)| (g.id().to_string(), *count)).collect(),
            failure: None,
            note: None,
            uses: None,
            unreached: Vec::new(),
        }
    }

    /// A run that ended with a failure.
    pub(crate) fn failed(failure: Failure, observed: &Observed) -> Self {
        Self { failure: Some(failure), ..Self::passed(Ended::Failure, observed) }
    }

    /// A run that has nothing to say.
    pub(crate) fn no_result(why: impl Into<String>) -> Self {
        Self::passed(Ended::NoResult(why.into()), &Observed::default())
    }
}
