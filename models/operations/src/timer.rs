//! The schedule of timers, whose clock the sequence moves.

use std::time::Duration;

use antiphon::timer::{Firing, Schedule, Timer};

/// Something that can be done to a schedule. Times are in units of no matter what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Set a timer that is due once.
    After(u32),
    /// Set a timer that is due each so many units.
    Every(u32),
    /// Set a timer that is due at the end of time, again and again.
    AtTheEnd,
    /// Cancel one of all timers that were ever set, or one that never was.
    Cancel(u64),
    /// Let time pass.
    Wait(u32),
    /// Begin to fire what is due first.
    Begin,
    /// Be done with what is being fired.
    End {
        /// Whether it is wanted again.
        again: bool,
    },
}

impl Operation {
    /// Any two bytes are an operation; firing is the most frequent one.
    pub fn decode(what: u8, with: u8) -> Self {
        match what % 16 {
            0..=2 => Self::After(u32::from(with) % 32),
            3 | 4 => Self::Every(u32::from(with) % 8 + 1),
            5 => Self::AtTheEnd,
            6 | 7 => Self::Cancel(with.into()),
            8 | 9 => Self::Wait(u32::from(with) % 8),
            10 => Self::Wait(with.into()),
            11..=13 => Self::Begin,
            _ => Self::End { again: with >= 32 },
        }
    }
}

/// A timer as anybody would write it down.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Note {
    due: Duration,
    number: u64,
    period: Option<Duration>,
}

/// Timers by when they are due, as a sorted list.
#[derive(Debug, Default)]
struct Model {
    set: Vec<Note>,
    firing: Option<Note>,
    /// The one that is being fired was cancelled meanwhile.
    cancelled: bool,
}

impl Model {
    fn set(&mut self, note: Note) {
        self.set.push(note);
        self.set.sort_unstable();
    }

    fn cancel(&mut self, number: u64) -> bool {
        self.cancelled |= self.firing.is_some_and(|note| note.number == number);
        let before = self.set.len();
        self.set.retain(|note| note.number != number);
        self.set.len() < before
    }

    fn begin(&mut self, now: Duration) -> Option<Note> {
        if self.set.first()?.due > now {
            return None;
        }
        self.firing = Some(self.set.remove(0));
        self.cancelled = false;
        self.firing
    }

    /// Says whether the timer is set again.
    fn end(&mut self, again: bool, now: Duration) -> bool {
        let note = self.firing.take().expect("something is being fired");
        let Some(period) = note.period.filter(|_| again && !self.cancelled) else { return false };
        // One tick after the other, until there is one that was not missed.
        let mut due = note.due.saturating_add(period);
        while due <= now {
            due += period;
        }
        self.set(Note { due, ..note });
        true
    }
}

/// A schedule beside its model. What a timer does is to have its number.
#[derive(Default)]
pub struct Pair {
    schedule: Schedule<u64>,
    firing: Option<Firing<u64>>,
    model: Model,
    now: Duration,
    next: u64,
}

/// The last moment.
const END: Duration = Duration::MAX;

impl Pair {
    /// Does one operation on the schedule and on the model.
    ///
    /// One timer is fired at a time: to begin while one is being fired, or to end while none is, does nothing.
    ///
    /// # Panics
    /// Where the schedule does not do what the model says.
    pub fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::After(units) => self.set(self.now + time(units), None),
            Operation::Every(units) => self.set(self.now + time(units), Some(time(units))),
            Operation::AtTheEnd => self.set(END, Some(time(1))),
            Operation::Cancel(number) => {
                let cancelled = self.schedule.cancel(Timer::numbered(number));
                assert_eq!(cancelled, self.model.cancel(number).then_some(number));
            }
            Operation::Wait(units) => self.now += time(units),
            Operation::Begin => {
                if self.firing.is_none() {
                    self.begin();
                }
            }
            Operation::End { again } => self.end(again),
        }
        assert_eq!(self.schedule.earliest(), self.model.set.first().map(|note| note.due));
        assert_eq!(self.schedule.len(), self.model.set.len());
        assert_eq!(self.schedule.is_empty(), self.model.set.is_empty());
    }

    fn set(&mut self, due: Duration, period: Option<Duration>) {
        let number = self.next;
        self.next += 1;
        self.schedule.set(Timer::numbered(number), due, period, number);
        self.model.set(Note { due, number, period });
    }

    fn begin(&mut self) {
        let firing = self.schedule.begin(self.now);
        let told = firing.as_ref().map(Firing::timer);
        assert_eq!(told, self.model.begin(self.now).map(|note| Timer::numbered(note.number)));
        self.firing = firing;
    }

    fn end(&mut self, again: bool) {
        let Some(mut firing) = self.firing.take() else { return };
        let number = *firing.deed();
        let over = self.schedule.end(firing, again, self.now);
        assert_eq!(over, (!self.model.end(again, self.now)).then_some(number));
    }

    /// Fires all that is due now, each once: nothing that repeats is due twice at one moment.
    ///
    /// # Panics
    /// As [`apply`](Self::apply).
    pub fn finish(mut self) {
        self.apply(Operation::End { again: true });
        for _ in 0..self.model.set.len() {
            self.apply(Operation::Begin);
            self.apply(Operation::End { again: true });
        }
        assert!(
            self.schedule.earliest().is_none_or(|due| due > self.now),
            "something is due and was not fired"
        );
    }
}

fn time(units: u32) -> Duration {
    // A number of nanoseconds that no second is a multiple of.
    Duration::from_nanos(7) * 100_000_001 * units
}
