//! Which timer is due, as plain data: no lock, no thread, and the time is an argument.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Timer;

/// The timers that are set, by when they are due.
///
/// Setting, cancelling and firing cost O(log n) of the timers that are set, and what is cancelled leaves nothing
/// behind.
///
/// A timer is fired in two steps, between which its deed is done outside, and one is fired at a time: whoever
/// cancels it meanwhile comes too late for this time, and in time for the next.
pub struct Schedule<D> {
    due: BTreeMap<Timer, Duration>,
    /// By time, and those of the same time in the order in which they were made.
    queue: BTreeMap<(Duration, Timer), Entry<D>>,
    /// What is being fired, unless it was cancelled meanwhile.
    firing: Option<Timer>,
}

struct Entry<D> {
    period: Option<Duration>,
    deed: D,
}

/// A timer that is being fired.
#[must_use = "it is to be given back"]
pub struct Firing<D> {
    timer: Timer,
    due: Duration,
    entry: Entry<D>,
}

impl<D> Firing<D> {
    /// Which timer it is.
    pub fn timer(&self) -> Timer {
        self.timer
    }

    /// What is to be done.
    pub fn deed(&mut self) -> &mut D {
        &mut self.entry.deed
    }
}

impl<D> Default for Schedule<D> {
    fn default() -> Self {
        Self { due: BTreeMap::new(), queue: BTreeMap::new(), firing: None }
    }
}

impl<D> Schedule<D> {
    /// Sets a timer; with a period, it is set again each time it was fired.
    ///
    /// # Panics
    /// If the timer is set already.
    pub fn set(&mut self, timer: Timer, due: Duration, period: Option<Duration>, deed: D) {
        self.put(timer, due, Entry { period, deed });
    }

    fn put(&mut self, timer: Timer, due: Duration, entry: Entry<D>) {
        let before = self.due.insert(timer, due);
        assert!(before.is_none(), "{timer:?} is set twice");
        self.queue.insert((due, timer), entry);
    }

    /// Removes a timer and gives back its deed; `None` if it is not set, or is being fired. Then it is not set
    /// again.
    pub fn cancel(&mut self, timer: Timer) -> Option<D> {
        if self.firing == Some(timer) {
            self.firing = None;
        }
        let due = self.due.remove(&timer)?;
        let entry = self.queue.remove(&(due, timer)).expect("both maps have the same timers");
        Some(entry.deed)
    }

    /// When the first timer is due.
    pub fn earliest(&self) -> Option<Duration> {
        self.queue.keys().next().map(|(due, _)| *due)
    }

    /// Takes the first timer if it is due by now.
    ///
    /// # Panics
    /// If the last one taken was not given back.
    pub fn begin(&mut self, now: Duration) -> Option<Firing<D>> {
        let first = self.queue.first_entry().filter(|first| first.key().0 <= now)?;
        let ((due, timer), entry) = first.remove_entry();
        self.due.remove(&timer);
        let before = self.firing.replace(timer);
        assert!(before.is_none(), "one timer is fired at a time");
        Some(Firing { timer, due, entry })
    }

    /// Gives back a timer whose deed was done. If it has a period, was not cancelled and is wanted `again`, it
    /// is set again; or else it is over, and here is its deed.
    ///
    /// The rate is fixed: ticks are due at multiples of the period since the timer was set, and those that were
    /// missed by now are left out.
    pub fn end(&mut self, fired: Firing<D>, again: bool, now: Duration) -> Option<D> {
        let Firing { timer, due, entry } = fired;
        let kept = self.firing.take().is_some_and(|firing| firing == timer);
        match entry.period {
            Some(period) if kept && again => {
                self.put(timer, next_tick(due, period, now), entry);
                None
            }
            _ => Some(entry.deed),
        }
    }

    /// How many timers are set, without one that is being fired.
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// Says whether no timer is set.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

/// The first tick after `now`, of those that follow `due` each `period`.
fn next_tick(due: Duration, period: Duration, now: Duration) -> Duration {
    let late = now.saturating_sub(due).as_nanos();
    let missed = late.checked_div(period.as_nanos()).unwrap_or(0);
    let ahead = period.as_nanos().saturating_mul(missed + 1);
    let (seconds, nanoseconds) = (ahead / 1_000_000_000, (ahead % 1_000_000_000) as u32);
    due.saturating_add(Duration::new(u64::try_from(seconds).unwrap_or(u64::MAX), nanoseconds))
}

impl<D> fmt::Debug for Schedule<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedule").field("due", &self.due).field("firing", &self.firing).finish()
    }
}

impl<D> fmt::Debug for Firing<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Firing").field("timer", &self.timer).field("due", &self.due).finish_non_exhaustive()
    }
}
