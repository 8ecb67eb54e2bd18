//! Containing panics of user code.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panic carried.
pub type Payload = Box<dyn Any + Send>;

/// Runs user code and catches its panic. What the model finds (a race, a deadlock) it notes down, it does not
/// throw it, so nothing of the engine's comes by here.
///
/// # Errors
/// What the panic carried.
pub fn catch<R>(code: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(code))
}
