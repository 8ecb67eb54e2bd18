//! The operating system's sources as scenarios: real sockets, real threads, each event judged as it happens.
//!
//! They run on the recorded build only, since the model engines have no operating system. That one decides
//! the schedule, so a run samples; what each situation needs to have been seen is in its `reaches`.
//!
//! Each module has the scenarios of one source, and their table.
#![forbid(unsafe_code)]

pub use tally::{Tally, tally};

use std::sync::LazyLock;

use antiphon_harness::{Engine, Scenario};
use antiphon_spec::Guarantee::{self, *};

/// A table of scenarios: name, guarantees, what it reaches, what it runs.
macro_rules! catalogue {
    ($($name:literal, $guarantees:expr, [$($reaches:literal),*], $body:expr;)*) => {
        &[$(antiphon_harness::Scenario {
            name: $name, guarantees: $guarantees, reaches: &[$($reaches),*], engines: $crate::THREADS,
            body: || $body,
        }),*]
    };
}

mod child;
mod file;
mod lines;
mod parts;
mod signals;
mod stream;
mod tally;
mod tcp;
mod udp;
mod unix;

const THREADS: &[Engine] = &[Engine::Threads];

/// What a source that works shows, from its begin to its end.
const SERVED: &[Guarantee] = &[
    HandlerExclusion,
    NoLoss,
    NoDuplication,
    RightRecipient,
    WakeUp,
    TerminateOnce,
    ReaderLifetime,
    Ownership,
    UniqueIdentity,
    Interruption,
    CleanStop,
    NoLeak,
];
/// And commands from others, of which some wait while others are handled.
const COMMANDED: &[Guarantee] =
    &[HandlerExclusion, NoLoss, NoDuplication, RightRecipient, SenderOrder, WakeUp, TerminateOnce, NoLeak];
/// And a callback that panics.
const FAILED: &[Guarantee] = &[
    HandlerExclusion,
    NoLoss,
    NoDuplication,
    TerminateOnce,
    ReaderLifetime,
    Ownership,
    PanicContainment,
    CleanStop,
];

static SCENARIOS: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
    [
        child::SCENARIOS,
        file::SCENARIOS,
        lines::SCENARIOS,
        signals::SCENARIOS,
        tcp::SCENARIOS,
        udp::SCENARIOS,
        unix::SCENARIOS,
    ]
    .concat()
});

/// All scenarios.
pub fn scenarios() -> &'static [Scenario] {
    &SCENARIOS
}

/// A fault, in words, and the scenarios that make it: beside others, and while the owner is killed.
pub type Fault = (&'static str, &'static [&'static str]);

/// All faults, those of one source together.
pub fn faults() -> impl Iterator<Item = &'static Fault> {
    [tcp::FAULTS, unix::FAULTS, udp::FAULTS, file::FAULTS, lines::FAULTS, child::FAULTS, signals::FAULTS]
        .into_iter()
        .flatten()
}

/// Has the platform's recorder report the events of the process's executions to the harness.
pub fn install() {
    platform::record::install(Box::new(antiphon_harness::observe));
}

/// Ends what [`install`] began.
pub fn uninstall() {
    platform::record::uninstall();
}
