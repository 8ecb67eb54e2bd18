//! What an exploration found out.

use platform::model::FailureKind;

use crate::explore::Mode;
use crate::schedule::Schedule;
use crate::search::Bound;

/// A limit of the whole that ended an exploration before its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The time ran out.
    Time,
    /// So many executions were wanted, no more.
    Executions,
}

/// How many executions each bound cut off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Cut {
    /// They had as many steps as they may have.
    pub depth: u64,
    /// They would have had a preemption too many.
    pub preemptions: u64,
}

impl Cut {
    /// Whether no bound cut anything off: then it is as if there had been none.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }

    pub(crate) fn count(&mut self, bound: Bound) {
        match bound {
            Bound::Depth => self.depth += 1,
            Bound::Preemptions => self.preemptions += 1,
        }
    }

    fn add(&mut self, other: Self) {
        self.depth += other.depth;
        self.preemptions += other.preemptions;
    }
}

/// What an exploration found out.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whether all classes of executions were explored: nothing was cut off, and nothing failed before the end.
    pub complete: bool,
    /// In which way.
    pub mode: Mode,
    /// Executions that counted. If `complete`, and but for [`Mode::Naive`], exactly one of each class.
    pub executions: u64,
    /// Executions that were found out on the way to be equivalent to others.
    pub redundant: u64,
    /// Executions, of those that counted, in which threads were left that could not go on.
    pub stuck: u64,
    /// Executions that a bound cut off.
    pub cut: Cut,
    /// Operations done, in all executions.
    pub steps: u64,
    /// The most operations of one execution.
    pub max_depth: usize,
    /// What ended it early, if something did.
    pub stopped_by: Option<Stop>,
    /// The first thing that is wrong.
    pub failure: Option<Found>,
    /// How many parts the tree was split into; one if it was not.
    pub parts: usize,
    /// Of the program, as far as the split shows it; equal for the same program split in the same way.
    pub digest: u64,
    /// How long it took.
    pub seconds: f64,
}

/// What is wrong, and how it came about.
#[derive(Clone, Debug)]
pub struct Found {
    /// In general.
    pub kind: FailureKind,
    /// In particular.
    pub message: String,
    /// The schedule in which it was found.
    pub schedule: Schedule,
    /// The smallest schedule that was found to fail in the same way.
    pub minimised: Schedule,
    /// The operations of the smallest one, one line each.
    pub operations: Vec<String>,
    /// Whether a second execution by the same schedule failed in the same way. If not, the program is not
    /// determined by its schedule, and the exploration is worth nothing.
    pub reproducible: bool,
}

/// How far an exploration is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Executions so far that counted.
    pub executions: u64,
    /// The total is *at least* this, unless a bound cuts something off: those so far, and the branches that are known
    /// and not explored.
    pub at_least: u64,
    /// The part that is done, from 0 to 1, if all branches that are known were equally large. They are not, and
    /// more will be known: until the end this can be far too high. Never to be given as a bound,
    /// nor worth an estimate of the time that is left.
    pub guess: f64,
    /// How long it has taken.
    pub seconds: f64,
}

/// Numbers that add up over parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Counts {
    pub(crate) executions: u64,
    pub(crate) redundant: u64,
    pub(crate) stuck: u64,
    pub(crate) cut: Cut,
    pub(crate) steps: u64,
    pub(crate) max_depth: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.executions += other.executions;
        self.redundant += other.redundant;
        self.stuck += other.stuck;
        self.cut.add(other.cut);
        self.steps += other.steps;
        self.max_depth = self.max_depth.max(other.max_depth);
    }
}
