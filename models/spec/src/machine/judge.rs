//! Where the rules say what they found.

use super::aside::{Aside, At};
use crate::guarantee::Guarantee;
use crate::violation::{Premises, Violation};

/// Takes the verdicts on one event, or on the end.
pub(super) struct Judge<'a> {
    now: Option<usize>,
    premises: &'a mut Premises,
    violations: &'a mut Vec<Violation>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        now: Option<usize>,
        premises: &'a mut Premises,
        violations: &'a mut Vec<Violation>,
    ) -> Self {
        Self { now, premises, violations }
    }

    /// Where the event being judged stands.
    ///
    /// # Panics
    ///
    /// At the end, where there is no event.
    pub(super) fn here(&self) -> At {
        Aside(self.now.expect("a rule about the end asked for the current event"))
    }

    pub(super) fn premise(&mut self, guarantee: Guarantee) {
        self.premises.count(guarantee, 1);
    }

    pub(super) fn premises(&mut self, guarantee: Guarantee, times: u64) {
        self.premises.count(guarantee, times);
    }

    /// Reports a violation; the current event is evidence without being named.
    pub(super) fn violated(
        &mut self,
        guarantee: Guarantee,
        earlier: impl IntoIterator<Item = At>,
        message: String,
        allowed: impl Into<String>,
    ) {
        let mut evidence: Vec<usize> = earlier.into_iter().map(|at| at.0).chain(self.now).collect();
        evidence.sort_unstable();
        evidence.dedup();
        let event = self.now;
        self.violations.push(Violation { guarantee, event, evidence, message, allowed: allowed.into() });
    }
}
