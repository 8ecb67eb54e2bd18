//! Room in a bounded mailbox: two counts beside the word.
//!
//! A sender reserves room *before* it pushes, and the handler gives the room back *after* the message has left
//! the mailbox. So the mailbox never holds more than its capacity, exactly, under any number of senders
//! (`capacity`). Signals reserve nothing and are never refused; an unbounded mailbox has none of this.
//!
//! Reservations are counted by the senders, messages that have left by the handler, and each count lies on a
//! cache line of its own: while there is plenty of room, neither side touches the other's. What the senders know
//! of the handler's count, they keep beside their own, as the *bound* up to which they may reserve. Counts only
//! grow, so a bound that is out of date is too low, never too high. Whoever comes up to it looks at the
//! handler's count itself: a message is refused only if, at that look, all the room was taken.
//!
//! A sender that waits for room says so in the handler's count *before* it looks there once more, and whoever
//! gives room back learns in the same read-modify-write whether somebody waits: either the waiter finds the
//! room, or it is woken.

use std::num::NonZeroU32;
use std::time::Duration;

use platform::sync::atomic::{AtomicU64, Ordering};
use platform::sync::{Condvar, Mutex};
use platform::{limits, thread};

/// The reservations of one mailbox.
pub(crate) struct Capacity {
    senders: Apart<Senders>,
    handler: Apart<Handler>,
    limit: NonZeroU32,
    /// Held while a sender looks for room the last time before it sleeps.
    turn: Mutex<()>,
    room: Condvar,
}

/// What senders write.
struct Senders {
    /// How many reservations were ever made.
    made: AtomicU64,
    /// How many may be made before somebody has to look at the handler's count.
    bound: AtomicU64,
}

/// What the handler writes.
struct Handler {
    /// How many messages have ever left, with [`WAITING`] and [`CLOSED`].
    left: AtomicU64,
}

/// Shares no cache line with anything else; two lines, since some processors fetch them in pairs.
#[repr(align(128))]
struct Apart<T>(T);

/// How often a sender looks for room before it sleeps.
const LOOKS: usize = 8;

/// A sender has said that it waits since the last time that somebody was woken.
const WAITING: u64 = 1 << 63;
/// The mailbox is closed: there is room for all, since every push will be refused.
const CLOSED: u64 = 1 << 62;

// Every access is Relaxed: the counts order nothing. What a sender wrote reaches the handler through the inbox,
// and who sleeps or wakes is settled under the lock.
impl Capacity {
    pub(crate) fn new(limit: NonZeroU32) -> Self {
        let senders = Senders { made: AtomicU64::new(0), bound: AtomicU64::new(limit.get().into()) };
        let handler = Handler { left: AtomicU64::new(0) };
        let (turn, room) = (Mutex::new(()), Condvar::new());
        Self { senders: Apart(senders), handler: Apart(handler), limit, turn, room }
    }

    /// Reserves room for one message; false if there is none.
    #[inline]
    pub(crate) fn reserve(&self) -> bool {
        let Senders { made, bound } = &self.senders.0;
        let mut seen = made.load(Ordering::Relaxed);
        loop {
            if seen >= bound.load(Ordering::Relaxed) && seen >= self.look() {
                return false;
            }
            match made.compare_exchange(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(newer) => seen = newer,
            }
        }
    }

    /// Looks up to where reservations may be made now, and lets other senders know.
    fn look(&self) -> u64 {
        let left = self.handler.0.left.load(Ordering::Relaxed);
        let bound = match left & CLOSED {
            0 => (left & !WAITING) + u64::from(self.limit.get()),
            _ => u64::MAX,
        };
        // Another sender may have looked later and stored more; then the next one looks again.
        self.senders.0.bound.store(bound, Ordering::Relaxed);
        bound
    }

    /// Reserves room for one message, waiting for it at most for `timeout`; false if there was none.
    pub(crate) fn reserve_within(&self, timeout: Duration) -> bool {
        // Whoever sleeps at each full mailbox is woken for each message; in a moment there is room for many.
        if limits::LINGERS {
            for _ in 0..LOOKS {
                thread::linger();
                if self.reserve() {
                    return true;
                }
            }
        }
        let (_turn, timed_out) = self.room.wait_timeout_while(self.turn.lock(), timeout, |()| {
            self.handler.0.left.fetch_or(WAITING, Ordering::Relaxed);
            !self.reserve()
        });
        !timed_out
    }

    /// Gives back the room of one message that has left the mailbox.
    #[inline]
    pub(crate) fn release(&self) {
        if self.handler.0.left.fetch_add(1, Ordering::Relaxed) & WAITING != 0 {
            self.wake();
        }
    }

    /// The mailbox is closed: nobody waits for room any more.
    pub(crate) fn close(&self) {
        if self.handler.0.left.fetch_or(CLOSED, Ordering::Relaxed) & WAITING != 0 {
            self.wake();
        }
    }

    /// All, not one: the one might just have given up.
    #[cold]
    fn wake(&self) {
        self.handler.0.left.fetch_and(!WAITING, Ordering::Relaxed);
        // Who said before this that it waits is asleep once the lock is free; who says so after it waits for the next.
        drop(self.turn.lock());
        self.room.notify_all();
    }
}
