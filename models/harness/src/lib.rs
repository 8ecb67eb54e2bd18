//! What a scenario is, and how it tells the engine that explores it what it saw.
//!
//! A scenario is a small program on the runtime, written once and compiled once for each engine. An engine
//! runs its body many times, each time with another schedule, and around each run it calls [`begin`] and
//! [`finish`]. In between, the platform's recorder hands every event to [`observe`], which steps the
//! specification machine; the scenario itself adds what only it can know with [`reached`] and [`check`].
//!
//! # Where an execution lives
//! A model engine runs all threads of one execution on one thread of the operating system, and may explore
//! several executions at once on several such threads: [`begin`] starts an execution that belongs to the
//! calling thread. On the real build the threads are real: [`begin_shared`] starts the one execution of the
//! process, which every thread reports to that has no execution of its own.
//!
//! Nothing in here panics while an execution runs: a panic would land inside the runtime under test, which
//! contains panics. The first fault is kept, and the engine asks for it at the end of the execution.
#![forbid(unsafe_code)]

mod mutant;
mod observation;
mod scenario;
mod totals;

pub use mutant::{Mutant, Unseen};
pub use observation::{
    Fault, Recording, abandon, begin, begin_keeping, begin_shared, check, finish, observe, reached, take,
    witness,
};
pub use scenario::{Engine, Scenario};
pub use totals::Observed;

use antiphon_spec::Guarantee;

/// The guarantee that is broken if this panic comes out of the runtime: one that a scenario provoked was not contained,
/// and an assertion of the runtime's own begins with the guarantee that it is about.
pub fn owner(panic: &str) -> Option<Guarantee> {
    if panic.contains("planned panic") {
        return Some(Guarantee::PanicContainment);
    }
    Guarantee::ALL.iter().copied().find(|guarantee| panic.contains(&format!("{}: ", guarantee.id())))
}
