//! TCP on loopback as scenarios: real sockets, real threads, each event judged as it happens.
//!
//! They run on the recorded build only, since the model engines have no sockets. The operating system decides
//! the schedule, so a run samples; what each situation needs to have been seen is in its `reaches`.
#![forbid(unsafe_code)]

mod faults;
mod parts;
mod peers;

use antiphon_harness::{Engine, Scenario};
use antiphon_spec::Guarantee::{self, *};

const THREADS: &[Engine] = &[Engine::Threads];

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

macro_rules! catalogue {
    ($($name:literal, $guarantees:expr, [$($reaches:literal),*], $body:expr;)*) => {
        &[$(Scenario {
            name: $name, guarantees: $guarantees, reaches: &[$($reaches),*], engines: THREADS, body: || $body,
        }),*]
    };
}

static SCENARIOS: &[Scenario] = catalogue! {
    "tcp/echo/1x50", SERVED, ["answered"], peers::echo(1, 50);
    "tcp/echo/8x200", SERVED, ["answered"], peers::echo(8, 200);
    "tcp/commands/200", COMMANDED, ["answered"], peers::commands(200);
    "tcp/half-closed/4", SERVED, ["answered after the end"], peers::half_closed(4);
    "tcp/vanishing-clients/8", SERVED, ["vanished", "answered"], peers::vanishing(8);
    "tcp/owner-ends/8", SERVED, ["interrupted"], peers::owner_ends(8);
    "tcp/listener-stops-while-clients-connect/4", SERVED, ["answered", "not answered"], peers::listener_stops(4);
    "tcp/node-stops-while-clients-connect/4", SERVED, ["answered"], peers::node_stops(4);
    "tcp/peer-does-not-read", SERVED, ["congested"], faults::peer_does_not_read();
    "tcp/panic-in-session", FAILED, ["panicked", "answered"], faults::panic_in_session();
    "tcp/no-descriptors", SERVED, ["accept failed", "answered"], faults::no_descriptors();
};

/// All scenarios.
pub fn scenarios() -> &'static [Scenario] {
    SCENARIOS
}

/// Has the platform's recorder report the events of the process's executions to the harness.
pub fn install() {
    platform::record::install(Box::new(antiphon_harness::observe));
}

/// Ends what [`install`] began.
pub fn uninstall() {
    platform::record::uninstall();
}
