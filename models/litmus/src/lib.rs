//! Small concurrent programs with known outcome sets: what each engine can and cannot see.
//!
//! Each program is written once and run by each engine. For each, the outcomes that sequential consistency and C11
//! allow are known; what an engine answers is pinned, wrong answers as *known holes* with the public issue that
//! tells of them. When an engine improves or regresses, the pin breaks.
//!
//! Where the project's own platform has no such primitive (park tokens, channels), the program is built there of
//! what it has. Not here: read-write locks. No program that can deadlock is given to loom, which would abort the
//! process.
#![forbid(unsafe_code)]
#![allow(clippy::duplicate_mod, reason = "the programs are compiled once for each engine: that is the point")]

mod catalogue;
mod like_std;
mod on_explorer;
mod on_loom;
mod on_shuttle;
mod run;

pub use catalogue::{Concern, Engine, Hole, Litmus};
pub use run::{Answer, Status, answer, cross_check, programs, table};

pub(crate) use run::{caught, tell};
