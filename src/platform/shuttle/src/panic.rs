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

/// What a panic says, if it says anything.
pub fn text(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// Has no effect: the panic hook is the engine's.
pub fn note_locations() {}

/// Always none.
pub fn location(_: &(dyn Any + Send)) -> Option<String> {
    None
}
