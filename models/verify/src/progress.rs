//! What is to be seen while the runs go on: on a terminal a few lines that change, elsewhere a sign of life.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressStyle};

use crate::catalogue::Run;
use crate::outcome::Progress;
use crate::pool::{Finished, Observer};

/// How often there is a sign of life where no line can change.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);

/// Before that, nothing can be said of how fast a run is.
const WARM: Duration = Duration::from_secs(1);

/// Shows how far everything has come, on standard error.
pub(crate) struct Display {
    /// For each run, how many executions it has, if that is known.
    totals: Vec<Option<u64>>,
    finished: usize,
    failed: usize,
    /// Executions of the runs that are over.
    executions: u64,
    running: BTreeMap<usize, Running>,
    /// Runs that have to find a seeded bug: a violation is no news.
    seeded: BTreeSet<usize>,
    lines: MultiProgress,
    summary: ProgressBar,
    terminal: bool,
    told: Instant,
}

struct Running {
    line: ProgressBar,
    name: &'static str,
    began: Instant,
    executions: u64,
}

impl Running {
    /// How far it is, of how many, and how long the rest will take: that only if the total is known, since what an
    /// engine can guess on its way is far from it.
    fn tell(&self, progress: Progress, total: Option<u64>) {
        let Progress { executions, at_least } = progress;
        let more = at_least.filter(|total| *total > executions);
        let of = match (total.filter(|total| executions <= *total), more) {
            (Some(total), _) => {
                let of = format!(" of {}", HumanCount(total));
                self.left(executions, total)
                    .map_or(of.clone(), |left| format!("{of}, about {} to go", seconds(left)))
            }
            (None, Some(total)) => format!(" of at least {}", HumanCount(total)),
            (None, None) => String::new(),
        };
        self.line.set_message(format!("{}  {}{of}", self.name, HumanCount(executions)));
    }

    fn left(&self, executions: u64, total: u64) -> Option<Duration> {
        let took = self.began.elapsed();
        let known = took >= WARM && executions > 0;
        known.then(|| took.mul_f64((total - executions) as f64 / executions as f64))
    }
}

impl Display {
    pub(crate) fn new(totals: Vec<Option<u64>>) -> Self {
        let total = totals.len();
        let lines = MultiProgress::new();
        let style = ProgressStyle::with_template("  {bar:24.green/dim} {pos}/{len} runs  {msg}")
            .expect("a constant")
            .progress_chars("━━─");
        let summary = lines.add(ProgressBar::new(total as u64).with_style(style));
        let terminal = io::stderr().is_terminal();
        Self {
            totals,
            finished: 0,
            failed: 0,
            executions: 0,
            running: BTreeMap::new(),
            seeded: BTreeSet::new(),
            lines,
            summary,
            terminal,
            told: Instant::now(),
        }
    }

    /// Takes the lines away: what follows is the result.
    pub(crate) fn clear(self) {
        // If the terminal is gone, so is what was on it.
        let _ = self.lines.clear();
    }

    fn state(&self, left: Duration) -> String {
        let now: u64 = self.running.values().map(|running| running.executions).sum();
        let executions = HumanCount(self.executions + now);
        let failed = if self.failed > 0 { format!(", {} violated", self.failed) } else { String::new() };
        format!("{executions} executions{failed}, {} of the budget left", seconds(left))
    }
}

impl Observer for Display {
    fn started(&mut self, index: usize, run: &Run) {
        let style = ProgressStyle::with_template("  {prefix:.dim} {msg}").expect("a constant");
        let line = self.lines.insert_before(&self.summary, ProgressBar::no_length().with_style(style));
        line.set_prefix(format!("{:<20}", run.engine));
        line.set_message(run.name);
        let running = Running { line, name: run.name, began: Instant::now(), executions: 0 };
        self.running.insert(index, running);
        if run.mutant.is_some() {
            self.seeded.insert(index);
        }
    }

    fn progress(&mut self, index: usize, progress: Progress) {
        let Some(running) = self.running.get_mut(&index) else { return };
        running.executions = progress.executions;
        running.tell(progress, self.totals[index]);
    }

    fn finished(&mut self, index: usize, finished: &Finished) {
        self.finished += 1;
        self.executions += finished.outcome.executions;
        self.failed += usize::from(finished.outcome.failure.is_some() && !self.seeded.contains(&index));
        if let Some(Running { line, .. }) = self.running.remove(&index) {
            line.finish_and_clear();
            self.lines.remove(&line);
        }
        self.summary.set_position(self.finished as u64);
    }

    fn tick(&mut self, left: Duration) {
        if self.terminal {
            self.summary.set_message(self.state(left));
        } else if self.told.elapsed() >= SIGN_OF_LIFE {
            self.told = Instant::now();
            // Nobody may be listening.
            let _ =
                writeln!(io::stderr(), "{}/{} runs, {}", self.finished, self.totals.len(), self.state(left));
        }
    }
}

fn seconds(duration: Duration) -> String {
    match duration.as_secs_f64().ceil() as u64 {
        seconds @ ..60 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}
