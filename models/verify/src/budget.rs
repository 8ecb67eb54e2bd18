//! How the time is shared out.
//!
//! The budget is wall-clock time for everything; with several runs at once there is so many times more of
//! it to give. Each run that starts gets its part of what is left, by weight. What a run does not use goes
//! back to those that have not started yet, so nobody has to know beforehand how long anything takes: the
//! runs that end by themselves start first and get the larger parts, the samplers share the rest. Of a run that is
//! known to end it is known how many executions it wants: a small one gets what it needs for them, and a large one more
//! than one that may never end.

use std::time::{Duration, Instant};

use crate::catalogue::Run;
use crate::engine::Configuration;

/// Below how much time a seeded bug counts as not looked for. Nearly all are found in a moment and give the rest back.
const OF_A_SEEDED_BUG: Duration = Duration::from_secs(5);

/// The time there is and the runs that still want some.
pub(crate) struct Budget {
    deadline: Instant,
    jobs: usize,
    wants: Vec<Want>,
    /// The sum of the weights of all runs that have not started.
    waiting: u32,
}

/// For so many executions that a run is known to have it gets a weight of one, if that is more than it has anyway.
const PER_WEIGHT: u64 = 500;

/// How many executions a run makes in a second at least, as a rule, and how long it takes to begin.
const SLOWLY: u32 = 2_000;
const TO_BEGIN: Duration = Duration::from_millis(100);

/// What a run wants of it.
#[derive(Clone, Copy)]
pub(crate) struct Want {
    weight: u32,
    /// Below this it comes to nothing.
    least: Duration,
    /// With this it comes to its end, if it is known to have one.
    enough: Duration,
}

impl Want {
    fn of(engine: Configuration) -> Self {
        Self { weight: weight(engine), least: engine.needs(), enough: Duration::ZERO }
    }

    fn to_end(self, known: Option<u64>) -> Self {
        let Some(executions) = known else { return self };
        let weight = u32::try_from(executions / PER_WEIGHT).unwrap_or(u32::MAX).max(self.weight);
        Self { weight, enough: TO_BEGIN + Duration::from_secs(executions) / SLOWLY, ..self }
    }
}

impl Run {
    /// What it wants of the budget, if it is known to end after so many executions.
    pub(crate) fn want(&self, known: Option<u64>) -> Want {
        let want = Want::of(self.engine).to_end(known);
        if self.mutant.is_some() { Want { least: want.least.max(OF_A_SEEDED_BUG), ..want } } else { want }
    }
}

impl Budget {
    pub(crate) fn new(deadline: Instant, jobs: usize, wants: impl Iterator<Item = Want>) -> Self {
        let wants: Vec<Want> = wants.collect();
        let waiting = wants.iter().fold(0_u32, |sum, want| sum.saturating_add(want.weight));
        Self { deadline, jobs, wants, waiting }
    }

    /// The part of the run with this number, given until when each of the running ones may go on; none if the time is
    /// over.
    pub(crate) fn take(
        &mut self,
        index: usize,
        now: Instant,
        running: impl Iterator<Item = Instant>,
    ) -> Option<Duration> {
        let Want { weight, least, enough } = self.wants[index];
        let waiting = self.waiting;
        self.waiting = waiting.saturating_sub(weight);
        let left = self.deadline.saturating_duration_since(now);
        let promised: Duration = running.map(|until| until.saturating_duration_since(now)).sum();
        let free = (left * self.jobs as u32).saturating_sub(promised);
        // Nobody gets so much for its needs that nothing is left for all the others.
        // What a small run is given beyond its needs it gives back; many large ones must not take everything.
        let needs = least.min(left * 3 / 4).max(enough.min(left / 32));
        let part = (free * weight / waiting.max(1)).max(needs).min(left);
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

    use super::{Budget, Want};
    use crate::engine::Configuration::{Loom, Threads};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_not_used_goes_to_those_that_wait() {
        let start = Instant::now();
        let mut budget = Budget::new(start + 8 * SECOND, 1, iter::repeat_n(Want::of(Threads), 4));
        assert_eq!(budget.take(0, start, iter::empty()), Some(2 * SECOND));
        // It took no time at all.
        assert_eq!(budget.take(1, start, iter::empty()), Some(8 * SECOND / 3));
    }

    #[test]
    fn what_is_promised_is_not_given_again() {
        let start = Instant::now();
        let mut budget = Budget::new(start + 6 * SECOND, 2, iter::repeat_n(Want::of(Threads), 3));
        let first = budget.take(0, start, iter::empty()).unwrap();
        assert_eq!(first, 4 * SECOND);
        let second = budget.take(1, start, iter::once(start + first)).unwrap();
        assert_eq!(second, 4 * SECOND);
    }

    #[test]
    fn nobody_gets_more_than_there_is_and_at_the_end_nobody_gets_any() {
        let start = Instant::now();
        let mut budget = Budget::new(start + SECOND, 4, iter::repeat_n(Want::of(Threads), 2));
        assert_eq!(budget.take(0, start, iter::empty()), Some(SECOND));
        assert_eq!(budget.take(1, start + 2 * SECOND, iter::empty()), None);
    }

    #[test]
    fn a_run_that_ends_by_itself_gets_more() {
        let start = Instant::now();
        let [loom, threads] = [Loom { preemption_bound: None }, Threads].map(Want::of);
        let mut budget = Budget::new(start + 3 * SECOND, 1, [loom, threads].into_iter());
        assert_eq!(budget.take(0, start, iter::empty()), Some(2 * SECOND));
    }

    #[test]
    fn what_is_known_to_end_gets_by_how_much_it_is() {
        let start = Instant::now();
        let known = |known| Want::of(Loom { preemption_bound: None }).to_end(known);
        let wants = [known(Some(100)), known(Some(12_000)), known(None)];
        let mut budget = Budget::new(start + 28 * SECOND, 1, wants.into_iter());
        assert_eq!(budget.take(0, start, iter::empty()), Some(2 * SECOND));
        assert_eq!(budget.take(1, start + 2 * SECOND, iter::empty()), Some(24 * SECOND));
        assert_eq!(budget.take(2, start + 26 * SECOND, iter::empty()), Some(2 * SECOND));
    }

    #[test]
    fn what_is_small_gets_what_it_needs_however_many_wait() {
        let start = Instant::now();
        let small = Want::of(Loom { preemption_bound: None }).to_end(Some(800));
        let large = small.to_end(Some(1_000_000));
        let mut budget = Budget::new(start + 32 * SECOND, 1, [small, large, large].into_iter());
        // A tenth to begin, and 800 executions.
        assert_eq!(budget.take(0, start, iter::empty()), Some(SECOND / 2));
        let mut short = Budget::new(start + SECOND, 1, [small, large, large].into_iter());
        assert_eq!(short.take(0, start, iter::empty()), Some(SECOND / 32));
    }

    #[test]
    fn what_needs_more_than_its_part_gets_it_but_not_everything() {
        let start = Instant::now();
        let needy = Want { least: 5 * SECOND, ..Want::of(Threads) };
        let mut budget = Budget::new(start + 10 * SECOND, 1, iter::repeat_n(needy, 10));
        assert_eq!(budget.take(0, start, iter::empty()), Some(5 * SECOND));
        assert_eq!(budget.take(1, start + 6 * SECOND, iter::empty()), Some(3 * SECOND));
    }
}
