//! What each thread of a pool shows of itself to the watchdog.
//!
//! A worker that queues a task behind the one that it runs must know that the watchdog is looking, and the
//! watchdog may stop looking only if nothing is queued. The worker queues first and then swaps a flag; the
//! watchdog swaps it first and then looks. If the worker's swap is the earlier one, the watchdog sees what was
//! queued; if it is the later one, the worker finds the flag down and calls the watchdog.

use platform::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What one thread of the pool shows of itself. On cache lines of its own: its worker writes it at each task.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Station {
    /// Odd while in a task; written by its worker only.
    begun: AtomicU64,
    /// The watchdog knows that something may be queued here behind a running task.
    watched: AtomicBool,
}

impl Station {
    pub(super) fn new() -> Self {
        Self { begun: AtomicU64::new(0), watched: AtomicBool::new(false) }
    }

    /// A task begins.
    pub(super) fn begin(&self) {
        self.advance();
    }

    /// A task ends, or waits for something outside.
    pub(super) fn end(&self) {
        self.advance();
    }

    /// Grows when a task begins and when one ends; odd while in a task. May be a little late.
    pub(super) fn begun(&self) -> u64 {
        // Relaxed: see `advance`.
        self.begun.load(Ordering::Relaxed)
    }

    fn advance(&self) {
        // Relaxed, and a load and a store: only its worker writes it, and the watchdog only compares it.
        self.begun.store(self.begun.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// Its worker has queued something behind the task that it runs; true if the watchdog must be called.
    pub(super) fn defer(&self) -> bool {
        // Release: pairs with the Acquire of `look_away`, after which the watchdog looks at the queue.
        !self.watched.swap(true, Ordering::Release)
    }

    /// The watchdog is about to rest: the next deferral must call it.
    pub(super) fn look_away(&self) {
        // Acquire: pairs with the Release of `defer`; what was deferred before is seen by the look that follows.
        self.watched.swap(false, Ordering::Acquire);
    }
}
