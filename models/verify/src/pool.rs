//! Runs as child processes: several at once, each with its own time limit.
//!
//! A run may hang, abort, or exhaust the memory; in a process of its own it takes nothing with it. The
//! children are killed by their handles and never outlive the pool: one that is forgotten finds its
//! standard output closed at its next heartbeat and ends.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use antiphon_harness::Observed;
use antiphon_spec::Guarantee;

use crate::budget::Budget;
use crate::catalogue::Run;
use crate::outcome::{Failure, Line, Outcome, Progress, Schedule};

/// How long after its limit a run is killed. It ends by itself long before, if it can.
const PATIENCE: Duration = Duration::from_secs(6);

/// How often the pool looks at everything when nobody reports anything.
const TICK: Duration = Duration::from_millis(100);

/// How often it looks when a child has said its last word and is about to end.
const SHORT_TICK: Duration = Duration::from_millis(2);

/// How long a child's last words may take to arrive after its end.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// How much of a child's standard error is kept.
const LAST_WORDS: usize = 8 * 1024;

/// Is told what happens.
pub(crate) trait Observer {
    /// A run has started, and may take so long.
    fn started(&mut self, index: usize, run: &Run, limit: Duration);
    /// A run has come so far.
    fn progress(&mut self, index: usize, progress: Progress);
    /// A run is over.
    fn finished(&mut self, index: usize, finished: &Finished);
    /// Time passes.
    fn tick(&mut self, left: Duration);
}

/// A run that is over.
pub(crate) struct Finished {
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
    pub(crate) limit: Duration,
}

/// How to start the child that makes a run, within so much time and on so many processors.
pub(crate) type Start<'a> = dyn Fn(&Run, Duration, usize) -> Command + 'a;

/// Makes all `runs` and returns what each of them came to, in their order.
///
/// # Errors
/// If no child can be started at all.
pub(crate) fn run_all(
    runs: &[Run],
    start: &Start<'_>,
    mut budget: Budget,
    jobs: usize,
    observer: &mut dyn Observer,
) -> io::Result<Vec<Finished>> {
    let mut results: Vec<Option<Finished>> = runs.iter().map(|_| None).collect();
    let mut waiting: VecDeque<usize> = (0..runs.len()).collect();
    let mut running: Vec<Running> = Vec::new();
    let (reports, inbox) = mpsc::channel();
    while !waiting.is_empty() || !running.is_empty() {
        while running.len() < jobs
            && let Some(index) = waiting.pop_front()
        {
            let run = &runs[index];
            let now = Instant::now();
            match budget.take(index, now, running.iter().map(|other| other.started + other.limit)) {
                Some(limit) => {
                    // The places that nobody else waits for.
                    let workers = (jobs - running.len()).saturating_sub(waiting.len()).max(1);
                    let child = start(run, limit, workers);
                    running.push(Running::start(index, child, limit, reports.clone())?);
                    observer.started(index, run, limit);
                }
                None => {
                    let outcome = Outcome::no_result("the time was over before it could start");
                    let finished = Finished { outcome, took: Duration::ZERO, limit: Duration::ZERO };
                    observer.finished(index, &finished);
                    results[index] = Some(finished);
                }
            }
        }
        listen(&inbox, &mut running, observer);
        observer.tick(budget.left(Instant::now()));
        let (over, going): (Vec<_>, Vec<_>) = running.drain(..).partition(|child| child.ended.is_some());
        running = going;
        for child in over {
            let index = child.index;
            let finished = child.finish();
            observer.finished(index, &finished);
            results[index] = Some(finished);
        }
    }
    Ok(results.into_iter().map(|finished| finished.expect("each run is waited for")).collect())
}

/// Takes what the children say until there is nothing new for a moment, and looks who has ended.
fn listen(inbox: &Receiver<(usize, Report)>, running: &mut [Running], observer: &mut dyn Observer) {
    let leaving = running.iter().any(|child| child.closed || child.exited.is_some());
    let mut wait = if leaving { SHORT_TICK } else { TICK };
    loop {
        match inbox.recv_timeout(wait) {
            Ok((index, report)) => {
                // Someone who has been given up may still have something to say.
                if let Some(child) = running.iter_mut().find(|child| child.index == index) {
                    child.hear(report, observer);
                }
                wait = Duration::ZERO;
            }
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => unreachable!("the pool keeps a sender itself"),
        }
    }
    for child in running {
        child.look();
    }
}

/// What the threads that read from a child report.
enum Report {
    Line(Line),
    /// Its standard output is at its end.
    Closed,
    /// All that it wrote to standard error, or the end of it.
    Errors(String),
}

struct Running {
    index: usize,
    child: Child,
    started: Instant,
    limit: Duration,
    progress: Progress,
    outcome: Option<Outcome>,
    errors: Option<String>,
    closed: bool,
    exited: Option<Instant>,
    ended: Option<End>,
}

/// How a child ended.
enum End {
    Itself(ExitStatus),
    /// It did not, within its time.
    Killed,
}

impl Running {
    fn start(
        index: usize,
        mut command: Command,
        limit: Duration,
        reports: Sender<(usize, Report)>,
    ) -> io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let output = child.stdout.take().expect("it is piped");
        let errors = child.stderr.take().expect("it is piped");
        let last_words = reports.clone();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Ok(line) = serde_json::from_str(&line) {
                    let _ = reports.send((index, Report::Line(line)));
                }
            }
            let _ = reports.send((index, Report::Closed));
        });
        thread::spawn(move || {
            let text = tail(errors, LAST_WORDS);
            let _ = last_words.send((index, Report::Errors(text)));
        });
        Ok(Self {
            index,
            child,
            started: Instant::now(),
            limit,
            progress: Progress::default(),
            outcome: None,
            errors: None,
            closed: false,
            exited: None,
            ended: None,
        })
    }

    fn hear(&mut self, report: Report, observer: &mut dyn Observer) {
        match report {
            Report::Line(Line::Progress(progress)) => {
                self.progress = progress;
                observer.progress(self.index, progress);
            }
            Report::Line(Line::Outcome(outcome)) => {
                self.outcome.get_or_insert(*outcome);
            }
            Report::Closed => self.closed = true,
            Report::Errors(text) => self.errors = Some(text),
        }
    }

    /// Notices that it has ended, or ends it when its time is over.
    fn look(&mut self) {
        if let Ok(Some(status)) = self.child.try_wait() {
            // Its last words may still be on their way; a grandchild that holds the pipes open is not
            // waited for.
            let since = *self.exited.get_or_insert_with(Instant::now);
            if (self.closed && self.errors.is_some()) || since.elapsed() > LAST_MOMENT {
                self.ended = Some(End::Itself(status));
            }
        } else if self.started.elapsed() > self.limit + PATIENCE {
            // It is ours and has not been waited for, so its handle still names it.
            let _ = self.child.kill();
            let _ = self.child.wait();
            self.ended = Some(End::Killed);
        }
    }

    fn finish(self) -> Finished {
        let took = self.started.elapsed();
        let outcome = match (self.outcome, self.ended) {
            (Some(outcome), _) => outcome,
            (None, Some(End::Itself(status))) => {
                breakdown(status, &self.errors.unwrap_or_default(), self.progress)
            }
            (None, _) => {
                let executions = self.progress.executions;
                Outcome::no_result(format!("killed {took:.1?} after its start, in execution {executions}"))
            }
        };
        Finished { outcome, took, limit: self.limit }
    }
}

/// A child that ended without a result: something in it ended the process.
pub(crate) fn breakdown(status: ExitStatus, errors: &str, progress: Progress) -> Outcome {
    if was_killed(status) {
        return Outcome::no_result(format!(
            "killed by somebody else ({status}), for example for want of memory, in execution {}",
            progress.executions
        ));
    }
    let mut words: Vec<&str> = errors.lines().filter(|line| !line.trim().is_empty()).collect();
    words.dedup();
    let message = match words.is_empty() {
        true => format!("the process ended without a result ({status})"),
        false => {
            format!("the process ended without a result ({status}); its last words: {}", words.join("; "))
        }
    };
    let deadlock = errors.to_ascii_lowercase().contains("deadlock");
    let guarantee = deadlock.then_some(Guarantee::WakeUp);
    let failure = Failure::plain(guarantee, message, progress.executions, Schedule::None);
    Outcome { executions: progress.executions, ..Outcome::failed(failure, &Observed::default()) }
}

#[cfg(unix)]
fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    /// The one signal that a process can't send itself by a fault of its own.
    const SIGKILL: i32 = 9;
    status.signal() == Some(SIGKILL)
}

#[cfg(not(unix))]
fn was_killed(_: ExitStatus) -> bool {
    false
}

/// The last `keep` bytes of what `from` has to say, as text.
fn tail(mut from: impl Read, keep: usize) -> String {
    let mut last = VecDeque::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        last.extend(&buffer[..count]);
        last.drain(..last.len().saturating_sub(keep));
    }
    String::from_utf8_lossy(last.make_contiguous()).into_owned()
}
