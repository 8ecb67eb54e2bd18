//! Containing panics of user code.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panic carried.
pub type Payload = Box<dyn Any + Send>;

/// Runs user code and catches its panic. A model re-raises what its engine throws to end an execution.
///
/// # Errors
/// What the panic carried.
#[inline]
pub fn catch<R>(code: impl FnOnce() -> R) -> Result<R, Payload> {
    // Unwind safety is the caller's: what a panicking callback leaves behind is dropped, never used again.
    catch_unwind(AssertUnwindSafe(code))
}
