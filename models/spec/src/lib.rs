//! The executable specification of actors and meta-processes.
//!
//! | module | what it is |
//! |---|---|
//! | [`event`] | the alphabet: what a runtime says that it did |
//! | [`guarantee`] | the guarantees: ids and statements |
//! | [`machine`] | which event is allowed next; what must have happened in the end |
//! | [`trace`] | recorded traces: reads and writes format version 1 |
//! | [`check`] | judges a whole recorded trace |
//! | [`simulate`] | a correct runtime, simulated: the generator of the tests and fuzz targets |
//!
//! It imports nothing of any runtime: no threads, no time, no unsafe.
//!
//! # Architecture invariants
//!
//! - `machine` knows neither lines nor files; `trace` knows no guarantee; only `check` knows both.
//! - A rule of the machine reports a violation only if every reading of the recorded intervals violates the
//!   specification, and reports one fault under one name.
#![forbid(unsafe_code)]

pub use antiphon_event as event;

pub mod check;
pub mod guarantee;
pub mod machine;
pub mod simulate;
pub mod trace;
mod violation;

pub use guarantee::{Group, Guarantee};
pub use machine::State;
pub use violation::{Premises, Violation};
