//! The child's side of a run: explores, reports, and never outlives its parent's patience.

use std::io::{self, Write};
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::catalogue::Run;
use crate::engine::{Configuration, Task, Watch, threads};
use crate::outcome::{Line, Outcome};
use crate::panics;

/// How often a child says how far it has come.
const HEARTBEAT: Duration = Duration::from_millis(200);

/// How many events before it a failure is told with; its schedule brings back all of them.
const TOLD: usize = 30;

/// Explores and writes what it saw to standard output.
pub(crate) fn run(run: Run, limit: Duration, seed: u64) {
    let watch = Arc::new(Watch::new());
    let deadline = Instant::now() + limit;
    let task = Task { scenario: run.scenario, deadline, seed, watch: watch.clone(), keep: TOLD };
    prepare(&run);
    // The monitor ends with the process: it may have to end it.
    thread::spawn(move || monitor(&watch, run.engine, deadline));
    let outcome = run.engine.explore(&task);
    say(&Line::Outcome(Box::new(outcome)));
}

/// Makes the process ready for a run: events reach the harness, and panics are silent.
pub(crate) fn prepare(run: &Run) {
    panics::install();
    (run.install)();
}

fn monitor(watch: &Watch, engine: Configuration, deadline: Instant) {
    loop {
        thread::sleep(HEARTBEAT);
        say(&Line::Progress(watch.progress()));
        if engine == Configuration::Threads
            && let Some(outcome) = threads::hang(watch, deadline)
        {
            say(&Line::Outcome(Box::new(outcome)));
            process::exit(0);
        }
    }
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
