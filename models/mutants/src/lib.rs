//! Seeded bugs: a copy of the runtime with many faults, each behind a switch, which the checks must find.
//!
//! A check that has never failed has shown nothing. Each mutant here is the runtime's own source with one
//! small change that breaks one guarantee, together with the scenarios that have to notice it. Whoever runs
//! the scenarios runs these too, with the same engines and the same specification, and expects the verdict
//! *violated*, of exactly one guarantee; a mutant that nobody notices is a hole in the net.
//!
//! The source of the runtime knows nothing of this: no `cfg`, no hook. The build script reads the runtime and the
//! scenarios as they are, puts every change of `mutants.toml` into the copy, beside what it replaces, and
//! compiles it into this crate. One number says which of them is switched on, or none: mutant schemata (Untch,
//! Offutt, Harrold, *Mutation analysis using mutant schemata*, ISSTA 1993). A change whose place is gone is a
//! build error: whoever changes the runtime brings the mutants along.
//!
//! One source, a manifest per engine, like the scenarios.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use antiphon_harness::{Mutant, Scenario, Unseen};

mod generated {
    include!(concat!(env!("OUT_DIR"), "/mutants.rs"));
}

/// The number of the bug that is switched on, in the whole process; zero is none. std's on purpose: asking is
/// no part of what is explored.
static ACTIVE: AtomicUsize = AtomicUsize::new(NONE);

/// No bug at all.
const NONE: usize = 0;

/// The seeded bugs that this engine can see, in the order of `mutants.toml`.
///
/// Each has its own [`install`](Mutant::install), which switches it on for the whole process: run each in a
/// process of its own.
pub fn mutants() -> &'static [Mutant] {
    static MUTANTS: LazyLock<Vec<Mutant>> = LazyLock::new(generated::mutants);
    &MUTANTS
}

/// The seeded bugs that this engine cannot see, and why; another one can.
pub fn unseen() -> &'static [Unseen] {
    generated::UNSEEN
}

/// Every scenario, on the copy as it is with no bug switched on: the control.
pub fn unchanged() -> &'static [Scenario] {
    generated::scenarios::scenarios()
}

/// Switches all bugs off, and has the platform's recorder report the events of the calling thread's
/// executions to the harness.
pub fn install_unchanged() {
    install(NONE);
}

fn install(mutant: usize) {
    // Relaxed: it is set before anything runs.
    ACTIVE.store(mutant, Ordering::Relaxed);
    generated::scenarios::install();
}

/// Asked by each place that a mutant changes.
fn active() -> usize {
    ACTIVE.load(Ordering::Relaxed)
}

/// The scenarios of these names.
fn scenarios(names: &[&str]) -> &'static [Scenario] {
    let named = |name: &&str| {
        let scenario = unchanged().iter().find(|scenario| scenario.name == *name);
        *scenario.expect("the build script has looked for it")
    };
    names.iter().map(named).collect::<Vec<_>>().leak()
}
