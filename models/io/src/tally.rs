//! What a person wants to know of the faults: how many were made, and what went on beside them.

use std::sync::atomic::{AtomicU64, Ordering};

use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;

static FAULTS: AtomicU64 = AtomicU64::new(0);
static ASKED: AtomicU64 = AtomicU64::new(0);
static ANSWERED: AtomicU64 = AtomicU64::new(0);

/// Counts of this process, over all executions. (Relaxed all over: counts order nothing.)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tally {
    /// How often something was made to go wrong.
    pub faults: u64,
    /// What those to whom nothing went wrong asked for.
    pub asked: u64,
    /// How much of it they were given, whole and in order.
    pub answered: u64,
}

/// The counts so far.
pub fn tally() -> Tally {
    Tally {
        // Relaxed: see `Tally`.
        faults: FAULTS.load(Ordering::Relaxed),
        // Relaxed: see `Tally`.
        asked: ASKED.load(Ordering::Relaxed),
        // Relaxed: see `Tally`.
        answered: ANSWERED.load(Ordering::Relaxed),
    }
}

/// Something is being made to go wrong.
pub(crate) fn fault() {
    // Relaxed: see `Tally`.
    FAULTS.fetch_add(1, Ordering::Relaxed);
}

/// Somebody to whom nothing goes wrong asks for something, by `exchange`, and is to be given it.
pub(crate) fn ask(exchange: impl FnOnce() -> Result<(), String>) {
    // Relaxed: see `Tally`.
    ASKED.fetch_add(1, Ordering::Relaxed);
    let failure = exchange().err();
    if failure.is_none() {
        // Relaxed: see `Tally`.
        ANSWERED.fetch_add(1, Ordering::Relaxed);
        reached("answered");
    }
    check(failure.is_none(), Guarantee::NoLoss, || failure.unwrap_or_default());
}
