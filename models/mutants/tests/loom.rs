//! Every mutant, on loom.

use std::process::ExitCode;

use antiphon_harness::Engine;
use antiphon_mutants_loom as mutants;

mod driver;

use driver::{Run, Suite};

/// How many choices one execution may have.
const MAX_BRANCHES: usize = 5_000;

fn main() -> ExitCode {
    driver::main(&Suite {
        engine: Engine::Loom,
        configurations: &["preemptions-2", "unbounded"],
        mutants: mutants::mutants(),
        unseen: mutants::unseen(),
        control: mutants::unchanged(),
        install_unchanged: mutants::install_unchanged,
        explore,
    })
}

fn explore(configuration: &str, run: &'static Run) {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = MAX_BRANCHES;
    builder.preemption_bound = (configuration == "preemptions-2").then_some(2);
    builder.max_duration = Some(run.left());
    builder.max_permutations = Some(run.at_most());
    // It looks at the clock, and counts, only this often.
    builder.checkpoint_interval = 1;
    builder.check(|| run.execute(|body| body()));
}
