//! The one word by which the threads of a pool agree on who is awake.
//!
//! A pool has to promise that a queued task is run although nobody spins. The usual means, an idle flag per
//! worker and a fence on both sides, is a store-buffering pattern. Here it is an *eventcount* in one word:
//! everything that must be noticed bumps the epoch, and a worker falls asleep only by a compare-exchange
//! that fails if the epoch has moved since before it last looked at the queues.
//!
//! ```text
//!               begin_search                try_sleep (epoch unchanged)
//!    ┌─────────┐ ─────────────▶ ┌───────────┐ ─────────────▶ ┌────────┐
//!    │ running │                │ searching │                │ asleep │
//!    └─────────┘ ◀───────────── └───────────┘ ◀───────────── └────────┘
//!      │     ▲     end_search                 claim (by a waker)   ▲
//!      │     └────────────── unblock                               │
//!      │ block               ┌─────────┐                           │
//!      ├───────────────────▶ │ blocked │                           │
//!      │                     └─────────┘                           │
//!      └─────────── retire (more are active than may be) ──────────┘
//! ```
//! *Active* = running or searching. The word counts the active, the searching among them, and the sleepers.
//!
//! # Invariants
//!
//! 1. Who finds nothing falls asleep only if nothing was announced since before the search (`try_sleep`).
//! 2. What is announced while somebody searches is found by the last searcher: either its next `try_sleep`
//!    fails, or its `end_search` acquires the announcement and it looks around for what it must pass on.
//! 3. What is announced while nobody searches wakes a sleeper, unless as many are active as may be.
//! 4. Each sleeper is claimed at most once: the claim takes it out of the count.
//!
//! # Memory orderings
//!
//! Every access is a read-modify-write of one location, so of any two the later one sees the earlier one's
//! counts, whatever the orderings. The orderings only carry the *queues* along: `announce` releases what was
//! queued before it, and everything after which a thread relies on a look at the queues (`begin_search`,
//! `observe`, `end_search`, `block`, a failed `try_sleep`) acquires it. The read-modify-writes in between
//! continue the release sequence.

use platform::sync::atomic::{AtomicU64, Ordering};

/// The word.
#[derive(Debug)]
pub(super) struct State(AtomicU64);

/// The word, decoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Snapshot(u64);

/// How a claimed worker comes to its feet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a worker that was claimed is counted on"]
pub(super) enum Claim {
    /// One that sleeps, or is about to.
    Wake,
    /// All are busy or blocked: a new thread.
    Start,
}

/// Why nobody was claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoClaim {
    /// Somebody searches already, or the pool is closed and its threads look after what is left.
    NotNeeded,
    /// As many are active as may be. Whether anybody watches over them, says the second part.
    Full { watched: bool },
}

/// The most threads that a pool can have: what the fields of the word can count.
pub(super) const MOST_THREADS: usize = FIELD as usize;

const FIELD: u64 = (1 << 10) - 1;
const ACTIVE: u64 = 1;
const SEARCHING: u64 = 1 << 10;
const ASLEEP: u64 = 1 << 20;
/// Set once, by `close`: who finds nothing ends instead of sleeping.
const CLOSED: u64 = 1 << 30;
/// Set while the watchdog looks around at intervals.
const WATCHED: u64 = 1 << 31;
/// The upper half: it may wrap, since a search in which exactly 2^32 announcements are made does not occur.
const EPOCH: u64 = 1 << 32;

impl Snapshot {
    pub(super) fn active(self) -> usize {
        (self.0 & FIELD) as usize
    }

    pub(super) fn searching(self) -> usize {
        ((self.0 / SEARCHING) & FIELD) as usize
    }

    pub(super) fn asleep(self) -> usize {
        ((self.0 / ASLEEP) & FIELD) as usize
    }

    pub(super) fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    pub(super) fn is_watched(self) -> bool {
        self.0 & WATCHED != 0
    }

    fn epoch(self) -> u64 {
        self.0 / EPOCH
    }

    /// A search that found nothing gives way to sleep.
    fn sleep(self) -> Self {
        Self(self.0 - ACTIVE - SEARCHING + ASLEEP)
    }

    /// Somebody to wake or to start, if somebody is needed and `limit` leaves room.
    fn claim(self, limit: usize) -> Result<(Self, Claim), NoClaim> {
        if self.searching() > 0 || self.is_closed() {
            Err(NoClaim::NotNeeded)
        } else if self.active() >= limit {
            Err(NoClaim::Full { watched: self.is_watched() })
        } else if self.asleep() > 0 {
            Ok((Self(self.0 + ACTIVE + SEARCHING - ASLEEP), Claim::Wake))
        } else {
            Ok((Self(self.0 + ACTIVE + SEARCHING), Claim::Start))
        }
    }

    /// One of too many active workers goes to sleep.
    fn retire(self, limit: usize) -> Option<Self> {
        (self.active() > limit).then_some(Self(self.0 - ACTIVE + ASLEEP))
    }
}

impl State {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Something was queued.
    pub(super) fn announce(&self) -> Snapshot {
        // Release: pairs with the Acquire of the searcher that must see what was queued.
        Snapshot(self.0.fetch_add(EPOCH, Ordering::Release).wrapping_add(EPOCH))
    }

    /// Claims a worker for work that was announced, and counts it as searching.
    pub(super) fn claim(&self, seen: Snapshot, limit: usize) -> Result<Claim, NoClaim> {
        let mut guess = seen;
        loop {
            let (next, claim) = guess.claim(limit)?;
            // Relaxed: it moves counts only. The claimed worker synchronises with its waker by a lock.
            match self.0.compare_exchange(guess.0, next.0, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(claim),
                Err(word) => guess = Snapshot(word),
            }
        }
    }

    /// The thread that a claim was to start could not be started.
    pub(super) fn unclaim(&self) -> Snapshot {
        // Acquire: as in `end_search`, since announcements may have counted on the claimed one.
        Snapshot(self.0.fetch_sub(ACTIVE + SEARCHING, Ordering::Acquire) - ACTIVE - SEARCHING)
    }

    /// A running worker begins to search.
    pub(super) fn begin_search(&self) -> Snapshot {
        // Acquire: pairs with the Release of every `announce` before it.
        Snapshot(self.0.fetch_add(SEARCHING, Ordering::Acquire) + SEARCHING)
    }

    /// The searcher found something, and runs it. If it was the last one, it must look around once more: those
    /// who announced something in the meantime have counted on it.
    #[must_use]
    pub(super) fn end_search(&self) -> Snapshot {
        // Acquire: pairs with the Release of every `announce` that met this search.
        Snapshot(self.0.fetch_sub(SEARCHING, Ordering::Acquire) - SEARCHING)
    }

    /// The searcher found nothing, and sleeps if nothing was announced since `seen`.
    ///
    /// # Errors
    /// The word as it is now: search again, or end if it is closed.
    pub(super) fn try_sleep(&self, seen: Snapshot) -> Result<(), Snapshot> {
        let mut guess = seen;
        loop {
            // Relaxed on success: it moves counts only. Acquire on failure: pairs with the Release of the
            // `announce` that got in between, for the search that follows.
            match self.0.compare_exchange(guess.0, guess.sleep().0, Ordering::Relaxed, Ordering::Acquire) {
                Ok(_) => return Ok(()),
                Err(word) => guess = Snapshot(word),
            }
            if guess.epoch() != seen.epoch() || guess.is_closed() {
                return Err(guess);
            }
        }
    }

    /// The word as it is now, for a worker that was woken and for the watchdog.
    pub(super) fn observe(&self) -> Snapshot {
        // Acquire: pairs with the Release of every `announce` before it.
        Snapshot(self.0.fetch_or(0, Ordering::Acquire))
    }

    /// A running worker is about to wait for something outside. It no longer counts as active.
    pub(super) fn block(&self) -> Snapshot {
        // Acquire: pairs with the Release of every `announce` that found the pool full because of this worker.
        Snapshot(self.0.fetch_sub(ACTIVE, Ordering::Acquire) - ACTIVE)
    }

    /// The wait is over. There may be more active workers than `limit` now, until one retires.
    pub(super) fn unblock(&self) {
        // Relaxed: it moves a count only.
        self.0.fetch_add(ACTIVE, Ordering::Relaxed);
    }

    /// A running worker goes to sleep if more than `limit` are active. It need not look at the queues: the
    /// pool is still as full as it was when anything was announced.
    pub(super) fn retire(&self, limit: usize) -> bool {
        let mut guess = self.observe();
        while let Some(next) = guess.retire(limit) {
            // Relaxed: it moves counts only.
            match self.0.compare_exchange(guess.0, next.0, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(word) => guess = Snapshot(word),
            }
        }
        false
    }

    /// A sleeper ends, unless it has been claimed.
    pub(super) fn leave_bed(&self) -> bool {
        let mut guess = self.observe();
        while guess.asleep() > 0 {
            // Relaxed: it moves a count only.
            match self.0.compare_exchange(guess.0, guess.0 - ASLEEP, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(word) => guess = Snapshot(word),
            }
        }
        false
    }

    /// A sleeper that was woken by `close` helps with what is left.
    pub(super) fn rise(&self) -> Snapshot {
        // Acquire: pairs with the Release of every `announce` before it.
        Snapshot(self.0.fetch_add(ACTIVE + SEARCHING, Ordering::Acquire) + ACTIVE + SEARCHING)
    }

    /// No worker falls asleep any more.
    pub(super) fn close(&self) {
        // Relaxed: it moves a flag only. What was queued before was announced before.
        self.0.fetch_or(CLOSED, Ordering::Relaxed);
    }

    /// Says that somebody should watch; true if nobody did.
    pub(super) fn call_watchdog(&self) -> bool {
        // Relaxed: it moves a flag only. The watchdog synchronises with its caller by a lock.
        !Snapshot(self.0.fetch_or(WATCHED, Ordering::Relaxed)).is_watched()
    }

    /// The watchdog found nothing to watch, and rests if nothing was announced since `seen`.
    pub(super) fn dismiss_watchdog(&self, seen: Snapshot) -> bool {
        let mut guess = seen;
        while guess.epoch() == seen.epoch() {
            // Relaxed: it moves a flag only; the watchdog looks again before it relies on the queues.
            match self.0.compare_exchange(guess.0, guess.0 & !WATCHED, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(word) => guess = Snapshot(word),
            }
        }
        false
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("active", &self.active())
            .field("searching", &self.searching())
            .field("asleep", &self.asleep())
            .field("closed", &self.is_closed())
            .field("watched", &self.is_watched())
            .field("epoch", &self.epoch())
            .finish()
    }
}
