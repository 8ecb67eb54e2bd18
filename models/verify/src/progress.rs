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
    /// How long it may take.
    limit: Duration,
    executions: u64,
}

impl Running {
    fn show(&self, progress: Progress, total: Option<u64>) {
        self.line.set_message(format!(
            "{}  {}",
            self.name,
            state(progress, total, self.began.elapsed(), self.limit)
        ));
    }
}

/// How far a run is, of how many, and how long it will go on. How long it *wants* is said only if the total is known:
/// what an engine can guess on its way is far from it. How long it *may* is known of every run.
fn state(progress: Progress, total: Option<u64>, took: Duration, limit: Duration) -> String {
    let Progress { executions, at_least } = progress;
    let total = total.filter(|total| executions <= *total);
    let of = match (total, at_least.filter(|least| *least > executions)) {
        (Some(total), _) => format!(" of {}", HumanCount(total)),
        (None, Some(least)) => format!(" of at least {}", HumanCount(least)),
        (None, None) => String::new(),
    };
    let left = limit.saturating_sub(took);
    let wants = total
        .filter(|_| took >= WARM && executions > 0)
        .map(|total| took.mul_f64((total - executions) as f64 / executions as f64));
    let time = match wants {
        Some(wants) if wants <= left => format!("about {} to go", seconds(wants)),
        Some(wants) => format!("about {} to go, of which it has {}", seconds(wants), seconds(left)),
        None => format!("at most {} to go", seconds(left)),
    };
    format!("{}{of}, {time}", HumanCount(executions))
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
    fn started(&mut self, index: usize, run: &Run, limit: Duration) {
        let style = ProgressStyle::with_template("  {prefix:.dim} {msg}").expect("a constant");
        let line = self.lines.insert_before(&self.summary, ProgressBar::no_length().with_style(style));
        line.set_prefix(format!("{:<20}", run.engine));
        let running = Running { line, name: run.name, began: Instant::now(), limit, executions: 0 };
        running.show(Progress::default(), self.totals[index]);
        self.running.insert(index, running);
        if run.mutant.is_some() {
            self.seeded.insert(index);
        }
    }

    fn progress(&mut self, index: usize, progress: Progress) {
        let Some(running) = self.running.get_mut(&index) else { return };
        running.executions = progress.executions;
        running.show(progress, self.totals[index]);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Progress, state};

    const LIMIT: Duration = Duration::from_secs(100);

    fn after(seconds: u64, executions: u64, at_least: Option<u64>, total: Option<u64>) -> String {
        state(Progress { executions, at_least }, total, Duration::from_secs(seconds), LIMIT)
    }

    #[test]
    fn there_is_always_a_time_and_never_a_guess() {
        assert_eq!(after(0, 0, None, None), "0, at most 1 min 40 s to go");
        assert_eq!(after(60, 9_000, Some(12_000), None), "9,000 of at least 12,000, at most 40 s to go");
        assert_eq!(after(0, 0, None, Some(500)), "0 of 500, at most 1 min 40 s to go");
        assert_eq!(after(10, 100, Some(150), Some(500)), "100 of 500, about 40 s to go");
        assert_eq!(
            after(90, 100, None, Some(500)),
            "100 of 500, about 6 min 00 s to go, of which it has 10 s"
        );
        // The total was wrong: then nothing is known of it.
        assert_eq!(after(10, 600, Some(700), Some(500)), "600 of at least 700, at most 1 min 30 s to go");
        assert_eq!(after(101, 600, None, None), "600, at most 0 s to go");
    }
}
