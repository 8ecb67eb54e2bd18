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

/// Shows how far everything has come, on standard error.
pub(crate) struct Display {
    total: usize,
    finished: usize,
    failed: usize,
    /// Executions of the runs that are over.
    executions: u64,
    running: BTreeMap<usize, (ProgressBar, u64)>,
    /// Runs that have to find a seeded bug: a violation is no news.
    seeded: BTreeSet<usize>,
    lines: MultiProgress,
    summary: ProgressBar,
    terminal: bool,
    told: Instant,
}

impl Display {
    pub(crate) fn new(total: usize) -> Self {
        let lines = MultiProgress::new();
        let style = ProgressStyle::with_template("  {bar:24.green/dim} {pos}/{len} runs  {msg}")
            .expect("a constant")
            .progress_chars("━━─");
        let summary = lines.add(ProgressBar::new(total as u64).with_style(style));
        let terminal = io::stderr().is_terminal();
        Self {
            total,
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
        let now: u64 = self.running.values().map(|(_, executions)| executions).sum();
        let executions = HumanCount(self.executions + now);
        let failed = if self.failed > 0 { format!(", {} violated", self.failed) } else { String::new() };
        format!("{executions} executions{failed}, {} left", seconds(left))
    }
}

impl Observer for Display {
    fn started(&mut self, index: usize, run: &Run) {
        let style = ProgressStyle::with_template("  {prefix:.dim} {msg}").expect("a constant");
        let line = self.lines.insert_before(&self.summary, ProgressBar::no_length().with_style(style));
        line.set_prefix(format!("{:<20}", run.engine));
        line.set_message(run.name);
        self.running.insert(index, (line, 0));
        if run.mutant.is_some() {
            self.seeded.insert(index);
        }
    }

    fn progress(&mut self, index: usize, progress: Progress) {
        let Some((line, executions)) = self.running.get_mut(&index) else { return };
        *executions = progress.executions;
        let of = progress.at_least.map(|total| format!(" of at least {}", HumanCount(total)));
        let name = line.message().split("  ").next().unwrap_or_default().to_string();
        line.set_message(format!("{name}  {}{}", HumanCount(progress.executions), of.unwrap_or_default()));
    }

    fn finished(&mut self, index: usize, finished: &Finished) {
        self.finished += 1;
        self.executions += finished.outcome.executions;
        self.failed += usize::from(finished.outcome.failure.is_some() && !self.seeded.contains(&index));
        if let Some((line, _)) = self.running.remove(&index) {
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
            let _ = writeln!(io::stderr(), "{}/{} runs, {}", self.finished, self.total, self.state(left));
        }
    }
}

fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}
