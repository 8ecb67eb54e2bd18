//! Seeded bugs: copies of the runtime with one fault each, which the checks must find.
//!
//! A check that has never failed has shown nothing. Each mutant here is the runtime's own source with one
//! small change that breaks one guarantee, together with the scenarios that have to notice it. Whoever runs
//! the scenarios runs these too, with the same engines and the same specification, and expects the verdict
//! *violated*, of exactly that guarantee; a mutant that nobody notices is a hole in the net.
//!
//! The source of the runtime knows nothing of this: no `cfg`, no hook. The build script reads the runtime and the
//! scenarios as they are, applies one text replacement of `mutants.toml` for each mutant, and compiles all
//! the copies into this crate, side by side. A replacement whose place is gone is a build error: whoever
//! changes the runtime brings the mutants along.
//!
//! One source, a manifest per engine, like the scenarios.

use std::sync::LazyLock;

use antiphon_harness::{Mutant, Scenario, Unseen};

mod generated {
    include!(concat!(env!("OUT_DIR"), "/mutants.rs"));
}

/// The seeded bugs that this engine can see, in the order of `mutants.toml`.
pub fn mutants() -> &'static [Mutant] {
    static MUTANTS: LazyLock<Vec<Mutant>> = LazyLock::new(generated::mutants);
    &MUTANTS
}

/// The seeded bugs that this engine cannot see, and why; another one can.
pub fn unseen() -> &'static [Unseen] {
    generated::UNSEEN
}

/// Every scenario that some mutant names, on a copy of the runtime without any bug: the control.
pub fn unchanged() -> &'static [Scenario] {
    generated::unchanged::scenarios::scenarios()
}

/// Has the platform's recorder report the events of the calling thread's executions to the harness.
pub fn install() {
    platform::record::install(Box::new(antiphon_harness::observe));
}

/// Ends what [`install`] began.
pub fn uninstall() {
    platform::record::uninstall();
}
