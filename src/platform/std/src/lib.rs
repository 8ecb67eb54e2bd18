//! The primitives under `antiphon`: the standard library's.
//!
//! The runtime reaches threads, locks, atomics, shared memory, thread-local state, work queues and the
//! event recorder only through a crate of this shape, so that the same source can be built on another one:
//! the packages `antiphon-platform-recorded`, `-loom` and `-shuttle` have the same items with the same
//! meaning. What is here is the *intersection* of what all of them can do; the README of each says what it
//! does not model.
//!
//! Nothing in this crate costs more than what it wraps, and the recorder compiles to nothing.
#![allow(unsafe_code, reason = "a platform wraps the primitives that the rest of the runtime trusts")]

pub mod cell;
pub mod limits;
pub mod panic;
pub mod queue;
#[cfg(feature = "io")]
pub mod readiness;
pub mod record;
pub mod sync;
pub mod thread;
pub mod time;

/// Declares thread-local variables, as [`std::thread_local!`] does.
pub use std::thread_local;

/// Picks one of `ways` ways to go on: here always the first. A model that explores everything explores each.
///
/// # Panics
/// If `ways` is zero.
pub fn choice(ways: usize) -> usize {
    assert!(ways > 0, "a choice among nothing");
    0
}
