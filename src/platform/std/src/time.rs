//! The clock.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The time since some moment before the first call; never goes back. In a model, time stands still.
pub fn now() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
