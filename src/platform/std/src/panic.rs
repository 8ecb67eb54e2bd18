//! Containing panics of user code, and knowing where they came from.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::thread;

/// What a panic carried.
pub type Payload = Box<dyn Any + Send>;

std::thread_local! {
    /// The last panic of this thread that the hook has seen.
    static LAST: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

/// A panic, as its hook sees it.
struct Seen {
    text: Option<String>,
    location: String,
}

/// Runs user code and catches its panic. A model re-raises what its engine throws to end an execution.
///
/// # Errors
/// What the panic carried.
#[inline]
pub fn catch<R>(code: impl FnOnce() -> R) -> Result<R, Payload> {
    // Unwind safety is the caller's: what a panicking callback leaves behind is dropped, never used again.
    catch_unwind(AssertUnwindSafe(code))
}

/// What a panic says, if it says anything.
pub fn text(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// Has the places of panics noted from now on, for [`location`].
///
/// Adds a panic hook to the one that there is, once, which is called as before. It costs nothing until
/// something panics. If another hook takes its place later, places are not known any more.
pub fn note_locations() {
    static HOOK: Once = Once::new();
    // A thread that is panicking may not change the hook.
    if thread::panicking() {
        return;
    }
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            note(info);
            before(info);
        }));
    });
}

fn note(info: &PanicHookInfo<'_>) {
    let Some(location) = info.location() else { return };
    let seen = Seen { text: info.payload_as_str().map(str::to_owned), location: location.to_string() };
    // A thread that is past its thread-local variables has no callback to come back to.
    let _ = LAST.try_with(|last| last.replace(Some(seen)));
}

/// Where the panic of this thread that was caught last, with this payload, came from: file, line and column.
/// None if that is not known, as with [`resume_unwind`](std::panic::resume_unwind).
pub fn location(payload: &(dyn Any + Send)) -> Option<String> {
    let seen = LAST.try_with(RefCell::take).ok().flatten()?;
    // One that unwinds without a hook must not pass for the one before it.
    (seen.text.as_deref() == text(payload)).then_some(seen.location)
}
