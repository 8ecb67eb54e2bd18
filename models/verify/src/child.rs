//! The child's side of a run: explores, reports, and never outlives its parent's patience.

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use antiphon_explorer::Shard;

use crate::catalogue::Run;
use crate::engine::{Bounds, Configuration, Task, Watch, holes, threads};
use crate::failure::Saved;
use crate::outcome::{Line, Outcome};
use crate::{panics, tape};

/// How often a child says how far it has come.
const HEARTBEAT: Duration = Duration::from_millis(200);

/// How many events before it a failure is told with; its schedule brings back all of them.
const TOLD: usize = 30;

/// Longer than any replay takes; so that one that hangs ends.
const REPLAY_LIMIT: Duration = Duration::from_secs(3600);

/// How many events a replayed execution is told with: all, unless it is monstrous.
const TOLD_AGAIN: usize = 10_000;

/// This program, to be started again.
///
/// # Errors
/// If the system does not tell.
pub(crate) fn this() -> Result<PathBuf, String> {
    env::current_exe().map_err(|error| format!("can't find the program itself: {error}"))
}

/// Which part of a run a child makes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    /// The part, if it is not the whole.
    pub(crate) shard: Option<Shard>,
    /// The file in which what is done is kept.
    pub(crate) checkpoint: Option<PathBuf>,
}

/// A child that makes `run`.
pub(crate) fn exploring(
    this: &Path,
    self_test: bool,
    run: &Run,
    part: &Part,
    limit: Duration,
    seed: u64,
    workers: usize,
) -> Command {
    let mut command = command(this, self_test);
    command.args(["run", "--scenario", run.name, "--engine", run.engine.name()]);
    command.args(["--limit-ms", &limit.as_millis().to_string(), "--seed", &seed.to_string()]);
    command.args(["--workers", &workers.to_string()]);
    let Bounds { preemptions, depth } = run.engine.asked();
    for (flag, bound) in [("--preemptions", preemptions), ("--depth", depth)] {
        if let Some(bound) = bound {
            command.args([flag, &bound.to_string()]);
        }
    }
    if let Some(shard) = part.shard {
        command.args(["--shard", &shard.to_string()]);
    }
    if let Some(checkpoint) = &part.checkpoint {
        command.arg("--checkpoint").arg(checkpoint);
    }
    command
}

/// A child that replays what is in `file`.
pub(crate) fn replaying(this: &Path, self_test: bool, file: &Path) -> Command {
    let mut command = command(this, self_test);
    command.args(["run", "--replay"]).arg(file);
    command
}

/// What the engines would take from the environment stays out of it: it would change what was asked for.
fn command(this: &Path, self_test: bool) -> Command {
    let mut command = Command::new(this);
    if self_test {
        command.arg("--self-test");
    }
    for (name, _) in env::vars_os() {
        let prefixes = ["LOOM_", "SHUTTLE_"];
        if name.to_str().is_some_and(|name| prefixes.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
    command
}

/// Explores and writes what it saw to standard output.
pub(crate) fn run(run: Run, part: Part, limit: Duration, seed: u64, workers: usize) {
    let watch = Arc::new(Watch::new());
    let deadline = Instant::now() + limit;
    let watching = watch.clone();
    let task = Task { deadline, seed, watch: watching, keep: TOLD, part, workers };
    panics::install();
    // The monitor ends with the process: it may have to end it.
    thread::spawn(move || monitor(&watch, run.engine, deadline));
    let outcome = Outcome { uses: holes::uses(&run), ..run.explore(&task) };
    say_last(outcome);
}

/// Runs the one execution that was saved and writes what it saw to standard output.
pub(crate) fn replay(run: Run, saved: &Saved) {
    let deadline = Instant::now() + REPLAY_LIMIT;
    let watch = Arc::new(Watch::new());
    let (seed, keep) = (saved.seed, TOLD_AGAIN);
    let task = Task { deadline, seed, watch, keep, part: Part::default(), workers: 1 };
    panics::install();
    say(&Line::Outcome(Box::new(run.replay(&task, &saved.failure.schedule))));
}

fn monitor(watch: &Watch, engine: Configuration, deadline: Instant) {
    loop {
        thread::sleep(HEARTBEAT);
        say(&Line::Progress(watch.progress()));
        if engine == Configuration::Threads
            && let Some(outcome) = threads::hang(watch, deadline)
        {
            conclude(outcome);
        }
    }
}

/// Says the last word from wherever this is, and ends the process.
pub(crate) fn conclude(outcome: Outcome) -> ! {
    say_last(outcome);
    process::exit(0)
}

/// Whoever reads what was recorded begins when it hears this.
fn say_last(outcome: Outcome) {
    let saved = tape::save();
    say(&Line::Outcome(Box::new(match saved {
        Ok(()) => outcome,
        Err(error) => Outcome::no_result(format!("the traces can't be written: {error}")),
    })));
}

/// A parent that no longer listens has lost interest: then there is nothing left to do.
fn say(line: &Line) {
    let mut text = serde_json::to_string(line).expect("a line is plain data");
    text.push('\n');
    let mut out = io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        process::exit(0);
    }
}

/// For a run that can't be made.
pub(crate) fn refuse(why: &str) {
    say(&Line::Outcome(Box::new(Outcome::no_result(why))));
}
