//! Room in a bounded mailbox: a count of reservations beside the word.
//!
//! A sender reserves room *before* it pushes, and the room is given back *after* the message has left the
//! mailbox. So the mailbox never holds more than its capacity, exactly, under any number of senders
//! (`capacity`). Signals reserve nothing and are never refused; an unbounded mailbox has none of this.
//!
//! One word holds both the reservations and the senders that wait for room. A sender that waits registers
//! *before* it looks for room once more, and whoever gives room back learns in the same read-modify-write
//! whether somebody waits: either the waiter finds the room, or it is woken.

use std::num::NonZeroU32;
use std::time::Duration;

use platform::sync::atomic::{AtomicU64, Ordering};
use platform::sync::{Condvar, Mutex};
use platform::{limits, thread};

/// The reservations of one mailbox.
pub(crate) struct Capacity {
    limit: NonZeroU32,
    /// The lower half counts reservations, the upper half senders that wait; see also [`CLOSED`].
    word: AtomicU64,
    /// Held while a sender looks for room the last time before it sleeps.
    turn: Mutex<()>,
    room: Condvar,
}

/// How often a sender looks for room before it sleeps.
const LOOKS: usize = 8;

/// One sender that waits.
const WAITING: u64 = 1 << 32;
/// The mailbox is closed: there is room for all, since every push will be refused.
const CLOSED: u64 = 1 << 63;

// Every access is Relaxed: the word orders nothing. What a sender wrote reaches the handler through the inbox,
// and who sleeps or wakes is settled under the lock.
impl Capacity {
    pub(crate) fn new(limit: NonZeroU32) -> Self {
        Self { limit, word: AtomicU64::new(0), turn: Mutex::new(()), room: Condvar::new() }
    }

    /// Reserves room for one message; false if there is none.
    pub(crate) fn reserve(&self) -> bool {
        // A guess instead of a load, as in the inbox; there is always room in what is guessed.
        let mut seen = 0;
        loop {
            if seen & CLOSED != 0 {
                return true;
            }
            if seen as u32 >= self.limit.get() {
                return false;
            }
            match self.word.compare_exchange(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(word) => seen = word,
            }
        }
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
        let turn = self.turn.lock();
        self.word.fetch_add(WAITING, Ordering::Relaxed);
        let (_turn, timed_out) = self.room.wait_timeout_while(turn, timeout, |()| !self.reserve());
        self.word.fetch_sub(WAITING, Ordering::Relaxed);
        !timed_out
    }

    /// Gives back the room of one message that has left the mailbox.
    pub(crate) fn release(&self) {
        if self.word.fetch_sub(1, Ordering::Relaxed) >= WAITING {
            self.wake();
        }
    }

    /// The mailbox is closed: nobody waits for room any more.
    pub(crate) fn close(&self) {
        if self.word.fetch_or(CLOSED, Ordering::Relaxed) >= WAITING {
            self.wake();
        }
    }

    /// All, not one: the one might just have given up.
    fn wake(&self) {
        // Who has looked for room and not found any is asleep once the lock is free.
        drop(self.turn.lock());
        self.room.notify_all();
    }
}
