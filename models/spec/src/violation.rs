//! What the machine says when a guarantee is broken, and how often each could have been.

use std::fmt;

use crate::guarantee::Guarantee;

/// One guarantee broken, with the events that prove it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Violation {
    /// The guarantee that owns the fault.
    pub guarantee: Guarantee,
    /// The index, from zero, of the event that the specification does not allow; `None` when what is
    /// wrong is what did *not* happen before everything came to rest.
    pub event: Option<usize>,
    /// The indices of the events that prove it, ascending; the offending one is among them.
    pub evidence: Vec<usize>,
    /// What happened.
    pub message: String,
    /// What the specification would have allowed there.
    pub allowed: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (allowed: {})", self.guarantee, self.message, self.allowed)
    }
}

impl std::error::Error for Violation {}

/// How many times the premise of each guarantee occurred.
///
/// A guarantee whose premise never occurred was kept *vacuously*, which a verdict must say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Premises([u64; Guarantee::COUNT]);

impl Default for Premises {
    fn default() -> Self {
        Self([0; Guarantee::COUNT])
    }
}

impl Premises {
    /// How many times the premise of `guarantee` occurred.
    pub fn of(&self, guarantee: Guarantee) -> u64 {
        self.0[guarantee.index()]
    }

    /// Each guarantee with the number of times its premise occurred, in the book's order.
    pub fn iter(&self) -> impl Iterator<Item = (Guarantee, u64)> {
        Guarantee::ALL.iter().map(|guarantee| (*guarantee, self.of(*guarantee)))
    }

    /// Adds the counts of another execution.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine += theirs;
        }
    }

    pub(crate) fn count(&mut self, guarantee: Guarantee, times: u64) {
        self.0[guarantee.index()] += times;
    }
}
