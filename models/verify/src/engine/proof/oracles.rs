//! The specification machine and the executable model, which is extracted from the proofs: two judges who share no line
//! must say the same of what the source does.
//!
//! The source is run again, briefly, in every scenario on every engine, and so are the seeded bugs; a sample of what it
//! did is written down. To this come traces that were made by hand, simulated, and broken on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use antiphon_harness::Observed;
use antiphon_spec::Guarantee;
use antiphon_spec::check::Outcome as Machine;
use serde_json::Value;

use super::super::{Configuration, Strategy, Task, Watch};
use super::opinions::{JUDGED, Opinion, Together, compare};
use super::{SCRIPT, listen, traces};
use crate::budget::Budget;
use crate::catalogue::{Catalogue, Run, Work};
use crate::child::{self, Part};
use crate::files;
use crate::outcome::{Ended, Failure, Outcome, Progress, Schedule};
use crate::pool::{self, Finished, Observer};

/// How long the source runs in one scenario on one engine: a sample is enough.
const EACH: Duration = Duration::from_millis(400);

/// Which part of the time is for running the source; the rest is for judging.
const RECORDING: f64 = 0.7;

/// One in so many of the recorded traces is broken as well.
const BROKEN: usize = 4;

/// How many traces the judge is given at once.
const BATCH: usize = 2_000;

/// How many ways to be outside of the model are told.
const TOLD: usize = 4;

/// Where the trace is kept that cannot be made again from what is reported, because it was broken at random.
const KEPT: &str = "target/verify/judges-differ.jsonl";

/// The engines that run the source as it is: the model must explain all that they record.
const OF_THE_SOURCE: &[&str] = &["explorer", "loom", "shuttle", "threads"];

/// Where traces come from; a comparison without one of them is not the whole.
pub(crate) const fn origins() -> &'static [&'static str] {
    &["explorer", "loom", "shuttle", "threads", "seeded bugs", "simulated", "made by hand", "broken"]
}

/// Has as many traces judged by both as there is time for. What is counted as executions is traces.
pub(crate) fn check(task: &Task) -> Outcome {
    let judge = match judge(task.deadline) {
        Ok(path) => path,
        Err(why) => return Outcome::no_result(why),
    };
    let directory = env::temp_dir().join(format!("antiphon-oracles-{}", process::id()));
    let outcome = fs::create_dir_all(&directory)
        .map_err(|error| format!("not run: {}: {error}", directory.display()))
        .and_then(|()| agree(task, &judge, &directory));
    // What is left in the place for temporary files harms nobody.
    let _ = fs::remove_dir_all(&directory);
    outcome.unwrap_or_else(Outcome::no_result)
}

/// The extracted judge, built if it has to be.
fn judge(deadline: Instant) -> Result<PathBuf, String> {
    let script = files::root().join(SCRIPT);
    let mut said = Vec::new();
    let ended =
        listen(Command::new("sh").arg(script).arg("--judge"), deadline, |line| said.push(line.to_string()));
    let built = said.iter().find_map(|line| line.strip_prefix("judge "));
    match (ended, built) {
        (_, Some(path)) => Ok(PathBuf::from(path)),
        (Ok(None), _) => Err("the time was over before the judge was built".to_string()),
        (Ok(_), _) => Err(said.pop().unwrap_or_else(|| format!("not run: {SCRIPT} builds no judge"))),
        (Err(error), _) => Err(format!("not run: {SCRIPT}: {error}")),
    }
}

fn agree(task: &Task, judge: &Path, directory: &Path) -> Result<Outcome, String> {
    let mut tally = Tally::default();
    let mut bench =
        Bench { judge, directory, deadline: task.deadline, tally: &mut tally, watch: &task.watch };
    let hand_made = traces::hand_made().map_err(|error| format!("not run: {error}"))?;
    bench.hear("made by hand", &hand_made)?;
    bench.hear("simulated", &traces::simulated(task.seed))?;
    let mut to_break = hand_made;
    for (origin, traces) in record(task, directory)? {
        to_break.extend(traces.iter().step_by(BROKEN).cloned());
        bench.hear(origin, &traces)?;
    }
    bench.hear("broken", &traces::broken(&to_break, task.seed))?;
    Ok(tally.outcome())
}

/// Runs everything that there is for a moment; returns the traces by where they come from.
fn record(task: &Task, directory: &Path) -> Result<BTreeMap<&'static str, Vec<Vec<u8>>>, String> {
    let this = child::this()?;
    let mut runs = Catalogue::product().runs();
    // Of an engine in several configurations, the one that sees most in little time.
    runs.retain(|run| matches!(run.work, Work::Scenario { .. }) && is_quick(run.engine));
    let file = |run: &Run| directory.join(format!("{}.{}.jsonl", run.name, run.engine).replace('/', "-"));
    let start = |run: &Run, limit: Duration, workers| {
        let limit = limit.min(EACH);
        let mut command = child::exploring(&this, false, run, &Part::default(), limit, task.seed, workers);
        command.arg("--record").arg(file(run));
        command
    };
    let now = Instant::now();
    let until = now + task.deadline.saturating_duration_since(now).mul_f64(RECORDING);
    let budget = Budget::new(until, 1, runs.iter().map(|run| run.want(None)));
    pool::run_all(&runs, &start, budget, 1, &mut Silence)
        .map_err(|error| format!("not run: a scenario can't be started: {error}"))?;
    let mut recorded: BTreeMap<&'static str, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for run in &runs {
        // One that broke down, or was not begun in time, has recorded nothing.
        let text = fs::read(file(run)).unwrap_or_default();
        recorded.entry(origin(run)).or_default().extend(apart(&text));
    }
    Ok(recorded.into_iter().map(|(origin, traces)| (origin, traces.into_iter().collect())).collect())
}

fn is_quick(engine: Configuration) -> bool {
    match engine {
        Configuration::Loom { preemption_bound } => preemption_bound == Some(2),
        Configuration::Shuttle(strategy) => strategy != Strategy::Urw,
        _ => true,
    }
}

fn origin(run: &Run) -> &'static str {
    match run.engine {
        _ if run.mutant.is_some() => "seeded bugs",
        Configuration::Loom { .. } => "loom",
        Configuration::Shuttle(_) => "shuttle",
        Configuration::Threads => "threads",
        _ => "explorer",
    }
}

/// The traces of a file that holds several, each beginning with its header.
fn apart(text: &[u8]) -> Vec<Vec<u8>> {
    let mut traces: Vec<Vec<u8>> = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match traces.last_mut() {
            Some(trace) if !line.starts_with(br#"{"format""#) => trace.extend(line),
            _ => traces.push(line.to_vec()),
        }
    }
    traces
}

/// The runs are not what is to be seen.
struct Silence;

impl Observer for Silence {
    fn started(&mut self, _: usize, _: &Run, _: Duration) {}
    fn progress(&mut self, _: usize, _: Progress) {}
    fn finished(&mut self, _: usize, _: &Finished) {}
    fn tick(&mut self, _: Duration) {}
}

/// Where both judges sit.
struct Bench<'a> {
    judge: &'a Path,
    directory: &'a Path,
    deadline: Instant,
    tally: &'a mut Tally,
    watch: &'a Arc<Watch>,
}

impl Bench<'_> {
    fn hear(&mut self, origin: &'static str, traces: &[Vec<u8>]) -> Result<(), String> {
        for batch in traces.chunks(BATCH) {
            if Instant::now() >= self.deadline {
                return Ok(());
            }
            let file = self.directory.join("batch.jsonl");
            fs::write(&file, batch.concat()).map_err(|error| format!("{}: {error}", file.display()))?;
            let mut opinions: Vec<Opinion> = Vec::new();
            let mut command = Command::new(self.judge);
            command.arg("--many").arg(&file);
            listen(&mut command, self.deadline, |line| opinions.extend(serde_json::from_str(line)))
                .map_err(|error| format!("not run: {}: {error}", self.judge.display()))?;
            for (number, (trace, opinion)) in batch.iter().zip(&opinions).enumerate() {
                let expected = format!("{}#{}", file.display(), number + 1);
                assert_eq!(opinion.file, expected, "the judge tells the traces apart as we do");
                self.tally.add(origin, trace, opinion);
                self.watch.report(self.tally.executions);
            }
        }
        Ok(())
    }
}

/// What both said, of everything.
#[derive(Default)]
struct Tally {
    executions: u64,
    reached: BTreeMap<String, u64>,
    outside: BTreeMap<String, u64>,
    premises: BTreeMap<String, u64>,
    /// What the source did, for the first time, that the model never does; or what else makes this say nothing.
    unexplained: Option<String>,
    /// The first trace of which they say different things.
    apart: Option<Failure>,
}

impl Tally {
    fn add(&mut self, origin: &str, trace: &[u8], model: &Opinion) {
        let machine = Machine::of("trace", trace);
        self.executions += 1;
        *self.reached.entry(origin.to_string()).or_default() += 1;
        let said = match compare(&machine, model) {
            Together::Accepted => "accepted by both",
            Together::Rejected => "rejected by both",
            Together::Beside => "judged by the machine alone",
            Together::Malformed => "malformed for both",
            Together::Outside(why) => {
                *self.outside.entry(why.clone()).or_default() += 1;
                if OF_THE_SOURCE.contains(&origin) {
                    let what = format!("the source does what the proved model never does ({origin}: {why})");
                    self.unexplained.get_or_insert(what);
                }
                "outside of the model"
            }
            // An edit may break several things at once, and each judge stops at what it comes to first.
            Together::Named(_) if origin == "broken" => "rejected by both, under different names",
            // Nobody's runtime did this. It is one of the judges that is at fault, and nothing is violated.
            Together::Apart(why) if origin == "broken" => {
                self.unexplained.get_or_insert_with(|| {
                    let kept = match files::replace(&files::root().join(KEPT), trace) {
                        Ok(()) => format!("it is in {KEPT}"),
                        Err(error) => format!("it could not be kept in {KEPT}: {error}"),
                    };
                    format!("the judges differ over a trace that was broken ({kept}): {why}")
                });
                "judged differently"
            }
            Together::Named(why) | Together::Apart(why) => {
                self.apart.get_or_insert_with(|| apart_over(why, origin, trace, self.executions));
                "judged differently"
            }
        };
        *self.reached.entry(format!("{origin}: {said}")).or_default() += 1;
        for judged in machine.guarantees.iter().filter(|judged| JUDGED.contains(&judged.guarantee)) {
            *self.premises.entry(judged.guarantee.id().to_string()).or_default() += judged.premises;
        }
    }

    fn outcome(self) -> Outcome {
        let Self { executions, reached, premises, apart, outside, unexplained } = self;
        let mut ways: Vec<(u64, String)> = outside.into_iter().map(|(why, count)| (count, why)).collect();
        ways.sort_unstable_by(|a, b| b.cmp(a));
        let others = ways.len().saturating_sub(TOLD);
        let mut told: Vec<String> =
            ways.into_iter().take(TOLD).map(|(count, why)| format!("{why} ({count})")).collect();
        if others > 0 {
            told.push(format!("{others} more ways"));
        }
        let note = (!told.is_empty()).then(|| format!("outside of the model: {}", told.join("; ")));
        let ended = match (&apart, unexplained) {
            (Some(_), _) => Ended::Failure,
            (None, Some(what)) => Ended::NoResult(what),
            (None, None) => Ended::Budget,
        };
        let passed = Outcome::passed(ended, &Observed::default());
        Outcome { executions, reached, premises, failure: apart, note, ..passed }
    }
}

fn apart_over(why: String, origin: &str, trace: &[u8], number: u64) -> Failure {
    let lines = trace.split(|byte| *byte == b'\n').skip(1);
    let history: Vec<Value> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let message = format!("the judges differ over a trace ({origin}): {why}");
    let at_rest = trace.split(|byte| *byte == b'\n').next().is_some_and(|header| {
        serde_json::from_slice::<Value>(header).is_ok_and(|header| header["complete"] == Value::Bool(true))
    });
    Failure { history, at_rest, ..Failure::plain(None::<Guarantee>, message, number, Schedule::None) }
}
