//! The primitives under `antiphon`, as [loom](https://docs.rs/loom) models them.
//!
//! The same items as `antiphon-platform`, with the same meaning, to be used inside a loom model only: outside
//! of one almost everything here panics. What loom does not model is in the README beside this crate's
//! manifest; the loom tests of this crate hold its claims down.

pub mod cell;
pub mod limits;
pub mod panic;
#[path = "../../model_queue.rs"]
pub mod queue;
#[path = "../../model_readiness.rs"]
pub mod readiness;
pub mod record;
pub mod sync;
pub mod thread;
pub mod time;

#[doc(hidden)]
pub use loom;

/// Declares thread-local variables, as [`std::thread_local!`] does.
#[macro_export]
macro_rules! thread_local {
    () => {};
    // What loom's own macro does not know: an initialiser that is evaluated beforehand is one like any other.
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty = const $init:block $(; $($rest:tt)*)?) => {
        $crate::loom::thread_local!($(#[$attribute])* $vis static $name: $type = $init);
        $($crate::thread_local!($($rest)*);)?
    };
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty = $init:expr $(; $($rest:tt)*)?) => {
        $crate::loom::thread_local!($(#[$attribute])* $vis static $name: $type = $init);
        $($crate::thread_local!($($rest)*);)?
    };
}

/// Picks one of `0..n`: always 0, since loom has no choice but schedules and stale values.
pub fn choice(_n: usize) -> usize {
    0
}
