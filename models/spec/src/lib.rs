//! The executable specification of actors and meta-processes.
//!
//! | module | what it is |
//! |---|---|
//! | [`event`] | the alphabet: what a runtime says that it did |
//! | [`guarantee`] | the guarantees: ids and statements |
//! | [`machine`] | which event is allowed next; what must have happened in the end |
//!
//! It imports nothing of any runtime: no threads, no time, no unsafe.
#![forbid(unsafe_code)]

pub use antiphon_event as event;

pub mod guarantee;
pub mod machine;
mod violation;

pub use guarantee::{Group, Guarantee};
pub use machine::State;
pub use violation::{Premises, Violation};
