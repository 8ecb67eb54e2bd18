//! What was seen over several executions.

use std::collections::BTreeMap;

use antiphon_spec::Guarantee;

/// What the executions of a run had in common: how many there were, and what occurred in them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Observed {
    /// Executions that were finished.
    pub executions: u64,
    /// For each label given to [`reached`](crate::reached): in how many executions it was.
    pub reached: BTreeMap<&'static str, u64>,
    /// For each guarantee: how often its premise occurred. One that is absent was never put to the test.
    pub premises: BTreeMap<Guarantee, u64>,
}

impl Observed {
    /// Adds what another thread, or an earlier part of the run, saw.
    pub fn merge(&mut self, other: &Observed) {
        self.executions += other.executions;
        for (label, count) in &other.reached {
            *self.reached.entry(label).or_default() += count;
        }
        for (guarantee, count) in &other.premises {
            *self.premises.entry(*guarantee).or_default() += count;
        }
    }
}
