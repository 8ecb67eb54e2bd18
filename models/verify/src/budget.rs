//! How the time is shared out.
//!
//! The budget is wall-clock time for everything; with several runs at once there is so many times more of
//! it to give. Each run that starts gets its part of what is left, by weight. What a run does not use goes
//! back to those that have not started yet, so nobody has to know beforehand how long anything takes: the
//! runs that end by themselves start first and get the larger parts, the samplers share the rest.

use std::time::{Duration, Instant};

use crate::engine::Configuration;

/// The time there is and the runs that still want some.
pub(crate) struct Budget {
    deadline: Instant,
    jobs: usize,
    /// The sum of the weights of all runs that have not started.
    waiting: u32,
}

impl Budget {
    pub(crate) fn new(deadline: Instant, jobs: usize, engines: impl Iterator<Item = Configuration>) -> Self {
        Self { deadline, jobs, waiting: engines.map(weight).sum() }
    }

    /// The part of the next run, given until when each of the running ones may go on; none if the time is
    /// over.
    pub(crate) fn take(
        &mut self,
        engine: Configuration,
        now: Instant,
        running: impl Iterator<Item = Instant>,
    ) -> Option<Duration> {
        let weight = weight(engine);
        let waiting = self.waiting;
        self.waiting = waiting.saturating_sub(weight);
        let left = self.deadline.saturating_duration_since(now);
        let promised: Duration = running.map(|until| until.saturating_duration_since(now)).sum();
        let free = (left * self.jobs as u32).saturating_sub(promised);
        // Nobody gets so much for its needs that nothing is left for all the others.
        let part = (free * weight / waiting.max(1)).max(engine.needs().min(left * 3 / 4)).min(left);
        (!part.is_zero()).then_some(part)
    }

    /// How much of the time is left.
    pub(crate) fn left(&self, now: Instant) -> Duration {
        self.deadline.saturating_duration_since(now)
    }
}

/// An exhaustive exploration is worth nothing if it is cut off, a systematic one little; a sample that is
/// half as large is still a sample.
fn weight(engine: Configuration) -> u32 {
    match (engine.exhaustive(), engine.ends()) {
        (true, _) => 8,
        (false, true) => 2,
        (false, false) => 1,
    }
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::time::{Duration, Instant};

    use super::Budget;
    use crate::engine::Configuration::{self, Threads};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_not_used_goes_to_those_that_wait() {
        let start = Instant::now();
        let mut budget = Budget::new(start + 8 * SECOND, 1, iter::repeat_n(Threads, 4));
        assert_eq!(budget.take(Threads, start, iter::empty()), Some(2 * SECOND));
        // It took no time at all.
        assert_eq!(budget.take(Threads, start, iter::empty()), Some(8 * SECOND / 3));
    }

    #[test]
    fn what_is_promised_is_not_given_again() {
        let start = Instant::now();
        let mut budget = Budget::new(start + 6 * SECOND, 2, iter::repeat_n(Threads, 3));
        let first = budget.take(Threads, start, iter::empty()).unwrap();
        assert_eq!(first, 4 * SECOND);
        let second = budget.take(Threads, start, iter::once(start + first)).unwrap();
        assert_eq!(second, 4 * SECOND);
    }

    #[test]
    fn nobody_gets_more_than_there_is_and_at_the_end_nobody_gets_any() {
        let start = Instant::now();
        let mut budget = Budget::new(start + SECOND, 4, iter::repeat_n(Threads, 2));
        assert_eq!(budget.take(Threads, start, iter::empty()), Some(SECOND));
        assert_eq!(budget.take(Threads, start + 2 * SECOND, iter::empty()), None);
    }

    #[test]
    fn a_run_that_ends_by_itself_gets_more() {
        let start = Instant::now();
        let loom = Configuration::Loom { preemption_bound: None };
        let mut budget = Budget::new(start + 3 * SECOND, 1, [loom, Threads].into_iter());
        assert_eq!(budget.take(loom, start, iter::empty()), Some(2 * SECOND));
    }
}
