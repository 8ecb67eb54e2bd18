//! Containing panics of user code, and of user code only.
//!
//! loom reports what it finds (a data race, a deadlock) by panicking on the stack of the thread that it
//! found it on, which may well be inside a callback whose panics the runtime contains. A fault of the runtime
//! must not pass for a fault of the user, so the panics that come out of loom go on through [`catch`].

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind, set_hook, take_hook};
use std::sync::Once;

/// What a panic carried.
pub type Payload = Box<dyn Any + Send>;

std::thread_local! {
    /// Whether the last panic of this operating-system thread, and so of the model on it, was loom's.
    static FROM_LOOM: Cell<bool> = const { Cell::new(false) };
}

/// Runs user code and catches its panic. What loom throws to fail or to end an execution goes on.
///
/// # Errors
/// What the panic carried.
pub fn catch<R>(code: impl FnOnce() -> R) -> Result<R, Payload> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            FROM_LOOM.set(is_loom(info));
            before(info);
        }));
    });
    FROM_LOOM.set(false);
    match catch_unwind(AssertUnwindSafe(code)) {
        Err(payload) if FROM_LOOM.get() || payload.is::<generator::Error>() => resume_unwind(payload),
        result => result,
    }
}

/// The payload is only a text, and which text differs from check to check; the place is what they share.
fn is_loom(info: &PanicHookInfo<'_>) -> bool {
    info.location().is_some_and(|location| location.file().contains("/loom-0.7"))
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
