//! Exhaustive exploration of a program's interleavings, up to equivalence.
//!
//! Two executions are equivalent if they differ only in the order of steps that commute. The explorer runs the
//! real code, built on the platform whose operations announce themselves, and completes *one* execution of each
//! class: three threads that lock and unlock one mutex twice have 90 of them, where a search without reduction has
//! 229,930 schedules.
//!
//! * [`Mode::Optimal`] is optimal dynamic partial-order reduction (wakeup trees), [`Mode::Source`] is source-DPOR
//!   with sleep sets, both after Abdulla, Aronis, Jonsson, Sagonas, "Optimal Dynamic Partial Order Reduction"
//!   (POPL 2014; "Source Sets", JACM 2017); they are written independently and compared with each other, and with
//!   [`Mode::Naive`], on random programs, class by class.
//! * Blocking is guarded: a thread that has to wait is not run. So deadlocks are found without running into them.
//! * Data races on plain memory are found by vector clocks over the *written* memory orderings, in any schedule.
//! * Livelocks are found: threads that wait for a change that nobody will make, and threads that go round and round
//!   under a fair schedule.
//! * Nondeterministic choices, timeouts, spurious wake-ups (as many as allowed) are explored as well.
//! * A [`Report`] says what was cut off, and by which bound; it is complete only if nothing was.
//! * A failure comes with a [`Schedule`] that brings it back, and with the smallest one that was found.
//! * Work is split into disjoint parts that cover the whole: over processors, over machines ([`Shard`], [`merge`]),
//!   over time (checkpoints).
//!
//! # What it does not see
//! Values are sequentially consistent: what only a weaker memory shows (a stale load) is not explored, though plain
//! memory that relies on it is reported as a race. State that is not the platform's is invisible. Addresses are
//! not used twice, so pointers have no ABA problem here. Shared counts of `Arc` are not readable.
//!
//! ```
//! use antiphon_explorer::{Explorer, Program};
//! use platform::sync::{Arc, Mutex};
//!
//! let program = Program::new(|| {
//!     let counter = Arc::new(Mutex::new(0));
//!     let theirs = Arc::clone(&counter);
//!     let other = platform::thread::spawn("other".to_owned(), 0, move || *theirs.lock() += 1).unwrap();
//!     *counter.lock() += 1;
//!     other.join();
//! });
//! let report = Explorer::new().run(&program).unwrap();
//! assert!(report.complete);
//! assert_eq!(report.executions, 2);
//! ```

mod canonical;
mod classes;
mod cycle;
mod explore;
mod naive;
mod optimal;
mod program;
mod report;
mod sample;
mod saved;
mod schedule;
mod search;
mod shard;
mod source;
mod split;
mod trace;

pub use classes::{Agreement, Classes, classes, cross_check};
pub use explore::{DEPTH, Explorer, Mode};
pub use platform::model::FailureKind;
pub use program::Program;
pub use report::{Cut, Found, Progress, Report, Stop};
pub use sample::{Sampled, Sampler, sample};
pub use schedule::{Played, Schedule, ScheduleError};
pub use search::{Bound, Ending};
pub use shard::{Checkpoint, Merged, Shard, ShardError, merge};
