//! The scenarios: small programs on the runtime, written once and compiled once for each engine.
//!
//! Each is a parameterised function; each instance is one line of the catalogue. A scenario
//! runs its actors on the thread that activates them, so every sender competes for the activation; how a pool
//! hands activations to its workers is explored apart.
#![forbid(unsafe_code)]

mod calls;
mod capacity;
mod catalogue;
mod children;
mod datagrams;
mod doer;
mod ends;
mod files;
mod inbox;
mod lines;
mod meta;
mod parcels;
mod parts;
mod process;
mod relations;
mod signals;
mod streams;
mod supervision;
mod timers;

/// All scenarios.
pub fn scenarios() -> &'static [antiphon_harness::Scenario] {
    catalogue::SCENARIOS
}

/// Has the platform's recorder report the events of the calling thread's executions to the harness.
pub fn install() {
    platform::record::install(Box::new(antiphon_harness::observe));
}

/// Ends what [`install`] began.
pub fn uninstall() {
    platform::record::uninstall();
}
