//! The seam between the primitives and the engine that schedules them.
//!
//! One execution of a program runs on one operating-system thread, its threads as coroutines on it. At each
//! operation on shared state the running thread
//!
//! 1. *announces* what it is about to do ([`Thread::pending`]);
//! 2. gives the engine its scheduling point;
//! 3. does it, once it is scheduled and [enabled](Execution::enabled), and logs what it turned out to be
//!    ([`Execution::log`]): a compare-exchange that failed is a read.
//!
//! So whenever the engine decides, each live thread has exactly one announced operation that it has not done.
//! Blocking is not the engine's business: an operation has a [`Guard`], and a thread whose guard does not hold
//! is not scheduled ([`Engine::Guarded`]), or is put to sleep and woken up ([`Engine::Shuttle`]).
//!
//! Spawn, start and end of a thread have no announcement: they commute with everything that other threads do.
//! Accesses to plain memory have none either. They are ordered by what the announced operations order, or else
//! they are a data race; the vector clocks find it in any schedule that comes by, so no schedule is needed to
//! find out what such an access would have seen.

mod clock;
mod execution;
mod native;
mod operation;
mod perform;
mod race;

pub use clock::Clock;
pub use execution::{
    Engine, Execution, Failure, FailureKind, Names, Thread, begin, discard, end, last, running, with,
};
pub(crate) use native::start;
pub use native::{Machine, Next, Scheduler};
pub use operation::{Access, Accesses, Guard, Kind, Mode, ObjectId, Operation, ThreadId};
pub use perform::choice;
pub(crate) use perform::{Handle, alone, perform, wake};
pub(crate) use race::{CellState, Object};
