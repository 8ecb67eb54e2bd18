//! The `antiphon` command.
#![forbid(unsafe_code)]

mod budget;
mod catalogue;
mod check;
mod child;
mod cli;
mod engine;
mod failure;
mod files;
mod human;
mod judge;
mod list;
mod litmus;
mod merge;
mod mutants;
mod outcome;
mod output;
mod panics;
mod pins;
mod pool;
mod progress;
mod replay;
mod report;
mod select;
mod selftest;
mod tape;
mod trace;
mod verdict;
mod verify;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use catalogue::Catalogue;
use cli::{Cli, Command};

/// The exit status of wrong use.
const MISUSE: u8 = 2;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(status) => ExitCode::from(status),
        Err(message) => {
            output::complain(&message);
            ExitCode::from(MISUSE)
        }
    }
}

fn run(cli: &Cli) -> Result<u8, String> {
    let catalogue = if cli.self_test { Catalogue::self_test() } else { Catalogue::product() };
    match &cli.command {
        Command::Verify(options) if options.list => {
            let runs = select::select(catalogue.runs(), &options.only)?;
            list::list(&runs, options.format).map(|()| 0)
        }
        Command::Verify(options) => verify::verify(options, &catalogue, cli.self_test),
        Command::Check(options) => check::check(options),
        Command::Replay(options) => replay::replay(&options.file, &catalogue, cli.self_test),
        Command::Merge(options) => merge::merge(options, &catalogue),
        Command::Litmus(options) => litmus::litmus(options),
        Command::Run(options) => run_child(options, &catalogue),
    }
}

/// The child's side, whatever it was started for.
fn run_child(options: &cli::Run, catalogue: &Catalogue) -> Result<u8, String> {
    if let Some(file) = &options.replay {
        let (saved, run) = replay::load(file, catalogue)?;
        child::replay(run, &saved);
        return Ok(0);
    }
    let (scenario, engine) = (options.scenario.as_deref(), options.engine.as_deref());
    match catalogue.find(scenario.unwrap_or_default(), engine.unwrap_or_default()) {
        Some(run) => {
            if let Some(file) = &options.record {
                tape::record(file);
            }
            let part = child::Part { shard: options.shard, checkpoint: options.checkpoint.clone() };
            let limit = Duration::from_millis(options.limit_ms);
            child::run(run.within(options.bounds), part, limit, options.seed, options.workers);
        }
        None => child::refuse("there is no such run"),
    }
    Ok(0)
}
