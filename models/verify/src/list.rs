//! `antiphon verify --list`: what there is.

use std::collections::BTreeMap;
use std::fmt::Write;

use antiphon_spec::Guarantee;
use antiphon_spec_explore::Bug;
use serde::{Deserialize, Serialize};

use crate::catalogue::Run;
use crate::cli::Format;
use crate::{human, output};

/// The seeded bugs of the source.
const MUTANTS: &str = include_str!("../../mutants/mutants.toml");

/// Everything that can be asked for, by guarantee.
#[derive(Debug, Serialize)]
struct List {
    guarantees: Vec<Listed>,
}

/// One guarantee with what exercises it.
#[derive(Debug, Serialize)]
struct Listed {
    id: &'static str,
    statement: &'static str,
    scenarios: Vec<OnEngine>,
    /// The bugs that break exactly this guarantee, on purpose, so that it is seen to be broken.
    seeded_bugs: Vec<String>,
}

#[derive(Debug, Serialize)]
struct OnEngine {
    name: &'static str,
    engine: &'static str,
}

/// Prints the list.
///
/// # Errors
/// If standard output fails.
pub(crate) fn list(runs: &[Run], format: Format) -> Result<(), String> {
    let guarantees = Guarantee::ALL.iter().map(|guarantee| Listed::of(*guarantee, runs)).collect();
    let list = List { guarantees };
    match format {
        Format::Json => {
            let text = serde_json::to_string_pretty(&list).expect("plain data");
            output::print(&format!("{text}\n"))
        }
        Format::Human => output::print(&text(&list)),
    }
}

impl Listed {
    fn of(guarantee: Guarantee, runs: &[Run]) -> Self {
        let exercises = |run: &&Run| {
            run.mutant.is_none() && run.guarantees.contains(&guarantee) && run.engine.may_judge(guarantee)
        };
        let scenarios = runs
            .iter()
            .filter(exercises)
            .map(|run| OnEngine { name: run.name, engine: run.engine.name() })
            .collect();
        let seeded_bugs = seeded_bugs(guarantee);
        Self { id: guarantee.id(), statement: guarantee.statement(), scenarios, seeded_bugs }
    }
}

/// The bugs that are seeded into the source, and those that are seeded into the abstract machine.
fn seeded_bugs(guarantee: Guarantee) -> Vec<String> {
    #[derive(Deserialize)]
    struct Seeded {
        mutant: Vec<Mutant>,
    }
    #[derive(Deserialize)]
    struct Mutant {
        name: String,
        breaks: String,
    }
    let seeded: Seeded = toml::from_str(MUTANTS).expect("the build of the mutants reads it, too");
    let of_source = seeded.mutant.into_iter().filter(|mutant| mutant.breaks == guarantee.id());
    let of_machine = Bug::ALL.iter().filter(|bug| bug.breaks().first() == Some(&guarantee));
    of_source
        .map(|mutant| format!("mutant/{}", mutant.name))
        .chain(of_machine.map(|bug| format!("spec/{bug:?}")))
        .collect()
}

fn text(list: &List) -> String {
    let mut out = String::new();
    for (guarantee, listed) in Guarantee::ALL.iter().zip(&list.guarantees) {
        write_one(&mut out, *guarantee, listed).expect("a string can be written to");
    }
    out
}

fn write_one(out: &mut String, guarantee: Guarantee, listed: &Listed) -> std::fmt::Result {
    human::entry(out, listed.id, &guarantee.group().to_string(), listed.statement)?;
    let mut engines: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for scenario in &listed.scenarios {
        engines.entry(scenario.name).or_default().push(scenario.engine);
    }
    if engines.is_empty() {
        writeln!(out, "    not checked")?;
    }
    for (scenario, engines) in engines {
        writeln!(out, "    {scenario:<40} {}", engines.join(" "))?;
    }
    for bug in &listed.seeded_bugs {
        writeln!(out, "    broken on purpose: {bug}")?;
    }
    writeln!(out)
}
