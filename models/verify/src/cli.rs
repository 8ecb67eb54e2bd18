//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use antiphon_explorer::Shard;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::engine::Bounds;

/// Where the report goes if nobody says otherwise, from the root of the workspace.
pub(crate) const REPORT: &str = "target/verify/report.json";

/// Verifies the actor runtime antiphon, and judges what any actor runtime did.
#[derive(Debug, Parser)]
#[command(name = "antiphon", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Puts small programs with known results in the place of the suite.
    #[arg(long, hide = true, global = true)]
    pub(crate) self_test: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Verify(Verify),
    Check(Check),
    Replay(Replay),
    Merge(Merge),
    Litmus(Litmus),
    #[command(hide = true)]
    Run(Run),
}

/// Run the suite: every scenario on every engine that it fits, each run in a process of its own. Seeded bugs
/// come first, which must be found.
///
/// Exit status: 0 nothing is violated; 1 something is, a run turned out to be worth nothing, or a seeded bug
/// was not found; 2 wrong use; 3 with --strict, some run is inconclusive.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Make only the runs whose guarantee, scenario or engine begins with this.
    ///
    /// May be given several times: guarantees and scenarios add up, engines narrow them down.
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Time for everything together, for example 90s, 2m or 500ms.
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
    pub(crate) budget: Duration,
    /// Runs at the same time, and threads of an exploration with nothing else beside it; without it, one for each
    /// processor.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Seed of everything that is random; without it, another one each time.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// How to write the result to standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Where to write the report; failures are saved beside it.
    #[arg(long, value_name = "FILE", default_value = REPORT)]
    pub(crate) report: PathBuf,
    /// Exit with status 3 if some run is inconclusive.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Run nothing; list the guarantees, and for each the scenarios and seeded bugs that there are.
    #[arg(long, conflicts_with_all = ["pin", "strict", "preemptions", "depth"])]
    pub(crate) list: bool,
    /// Write down how many executions the complete runs have, as what is expected from now on.
    #[arg(long, conflicts_with_all = ["preemptions", "depth"])]
    pub(crate) pin: bool,
    /// Make one of several parts of the whole, for example 1/3, 2/3 or 3/3; `antiphon merge` joins the reports.
    ///
    /// The explorer's runs are split, each of the others is made by one of the parts.
    #[arg(long, value_name = "I/K", conflicts_with = "pin")]
    pub(crate) shard: Option<Shard>,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
    /// Keep in this directory what the explorer has done, and go on from there.
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Reads (and with --pin writes) the expected numbers here.
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) pins: Option<PathBuf>,
}

/// Judge recorded traces in trace format version 1, written by any runtime in any language.
///
/// Exit status: 0 conforms; 1 violates a guarantee; 2 unreadable or malformed; 3 nothing could be judged. Of
/// several files the worst counts, in the order 2, 1, 3, 0.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The traces; - is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// How to write the result to standard output; json is one object for each file, on a line of its own.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// Bring back one failing execution that `verify` saved.
///
/// Exit status: 0 it does not fail any more; 1 it fails; 2 the file is not one that can be replayed.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The file that `verify` named.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Join the reports of all parts that `verify --shard` made, to the verdict of the whole.
///
/// Exit status: as for `verify`; 2 also if a part is missing, is there twice, or is not of the same whole.
#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// The reports, one for each part, in any order.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// How to write the result to standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Where to write the report of the whole.
    #[arg(long, value_name = "FILE", default_value = REPORT)]
    pub(crate) report: PathBuf,
    /// Exit with status 3 if some run is inconclusive.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Reads the expected numbers here.
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) pins: Option<PathBuf>,
}

/// Run small programs of which everything is known on each engine, and print what each engine sees of them.
///
/// What an engine is known to get wrong is a known hole, with the public issue that tells of it. What only
/// sequential consistency rules out is not seen by an engine whose model is stronger than C11's, as it says.
///
/// Exit status: 0 each answer is the pinned one; 1 some answer is not: an engine has changed; 2 wrong use.
#[derive(Debug, Args)]
pub(crate) struct Litmus {
    /// Run only the programs or engines whose name begins with this.
    ///
    /// May be given several times: programs add up, engines narrow them down.
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// How to write the table to standard output; json is one array.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// Make one run and report it on standard output, for the process that started this one.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[arg(long, required_unless_present = "replay")]
    pub(crate) scenario: Option<String>,
    #[arg(long, required_unless_present = "replay")]
    pub(crate) engine: Option<String>,
    #[arg(long, default_value_t = 1_000)]
    pub(crate) limit_ms: u64,
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    #[arg(long, default_value_t = 1)]
    pub(crate) workers: usize,
    #[arg(long)]
    pub(crate) replay: Option<PathBuf>,
    #[arg(long)]
    pub(crate) shard: Option<Shard>,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
    #[arg(long)]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Writes traces of some of the executions here.
    #[arg(long)]
    pub(crate) record: Option<PathBuf>,
}

/// For whom the output is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// For programs.
    Json,
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("there must be some time".to_string()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; write for example 90s, 2m or 500ms")),
    }
}
