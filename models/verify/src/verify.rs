//! `antiphon verify`: all runs, their verdicts, the report.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

use antiphon_explorer::{Checkpoint, Shard};

use crate::budget::Budget;
use crate::catalogue::{Catalogue, Run};
use crate::child::Part;
use crate::cli::{self, Format};
use crate::mutants::MutantReport;
use crate::pins::{self, Pins};
use crate::pool::{self, Finished};
use crate::progress::Display;
use crate::report::{Frame, Report, RunReport};
use crate::{child, failure, files, human, judge, output, select};

/// Does it all; returns the exit status.
///
/// # Errors
/// What the user should know and can change.
pub(crate) fn verify(options: &cli::Verify, catalogue: &Catalogue, self_test: bool) -> Result<u8, String> {
    let every_run = catalogue.runs();
    let mut pins = Pins::load(options.pins.as_deref())?;
    let runs = plan(options, &every_run, &pins)?;
    let pins_path = options.pins.clone().unwrap_or_else(|| files::root().join(pins::PATH));
    if options.pin && !pins_path.is_file() {
        return Err(format!("{} is not here: --pin works in the source tree", pins_path.display()));
    }
    let session = Session::new(options, self_test)?;
    let started = Instant::now();
    let mut finished = session.run_all(&runs, &pins, options.budget)?;
    // They come first.
    let count = runs.iter().take_while(|run| run.mutant.is_some()).count();
    let (seeded, runs) = runs.split_at(count);
    let seeded = seeded.iter().zip(finished.drain(..count));
    let mutants = seeded
        .filter_map(|(run, finished)| MutantReport::of(run, &finished.outcome, finished.took))
        .collect();
    let reports =
        runs.iter().zip(finished).map(|(run, finished)| session.report(run, finished, pins.get(run)));
    let reports: Vec<RunReport> = reports.collect::<Result<_, _>>()?;
    let frame = Frame {
        seconds: started.elapsed().as_secs_f64(),
        budget_seconds: options.budget.as_secs_f64(),
        jobs: session.jobs,
        seed: session.seed,
        shard: options.shard.map(|shard| shard.to_string()),
        bounds: options.bounds,
    };
    let report = Report::of(reports, mutants, frame);
    if options.pin {
        pin(&mut pins, runs, &report, &every_run, &pins_path)?;
    }
    publish(&report, &session.report_path, options.format)?;
    Ok(report.exit_status(options.strict))
}

/// Writes the report to its file and, for whomever it is, to standard output.
pub(crate) fn publish(report: &Report, path: &Path, format: Format) -> Result<(), String> {
    let mut text = serde_json::to_string_pretty(report).expect("plain data");
    text.push('\n');
    files::replace(path, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
    match format {
        Format::Human => output::print(&human::report(report, &short(path))),
        Format::Json => output::print(&text),
    }
}

/// A path that was given or left out: from where the user is, or from the root of the workspace.
pub(crate) fn report_path(given: &Path) -> PathBuf {
    let default = given == Path::new(cli::REPORT);
    if default { files::root().join(given) } else { given.to_path_buf() }
}

/// The runs to make, in their order: those that end by themselves first, the small ones before the large ones
/// and before those of which nobody knows; what they leave over is for the samplers.
fn plan(options: &cli::Verify, every_run: &[Run], pins: &Pins) -> Result<Vec<Run>, String> {
    let mut runs = select::select(every_run.to_vec(), &options.only)?;
    if let Some(shard) = options.shard {
        let mut number = 0;
        runs.retain(|run| {
            number += 1;
            run.has_parts() || number % shard.of == shard.index - 1
        });
    }
    runs.retain(|run| options.pin || select::is_worth_it(run, &options.only, pins.get(run)));
    // The seeded bugs before everything: each is found at once, or there is no need to go on.
    runs.sort_by_key(|run| (run.mutant.is_none(), !run.engine.ends(), pins.get(run).unwrap_or(u64::MAX)));
    if runs.is_empty() {
        return Err(
            "there is nothing to run: all that fits is only made when its engine is named".to_string()
        );
    }
    let bounded = |run: &Run| run.within(options.bounds).engine.asked().are_asked_for();
    if options.bounds.are_asked_for() && !runs.iter().any(bounded) {
        return Err(format!("{} is for runs of the explorer, and there is none among these", options.bounds));
    }
    Ok(runs.into_iter().map(|run| run.within(options.bounds)).collect())
}

/// What all runs of one call have in common.
struct Session {
    this: PathBuf,
    self_test: bool,
    jobs: usize,
    seed: u64,
    shard: Option<Shard>,
    checkpoints: Option<PathBuf>,
    report_path: PathBuf,
    failures: PathBuf,
}

impl Session {
    fn new(options: &cli::Verify, self_test: bool) -> Result<Self, String> {
        let report_path = report_path(&options.report);
        let mut checkpoints = options.checkpoint.clone();
        if let (None, Some(shard)) = (&checkpoints, options.shard) {
            // They are only a way to the report; what an earlier call left there is not gone on from.
            let directory = report_path.with_file_name(format!("part-{}-of-{}", shard.index, shard.of));
            let _ = fs::remove_dir_all(&directory);
            checkpoints = Some(directory);
        }
        if let Some(directory) = &checkpoints {
            fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        }
        Ok(Self {
            this: child::this()?,
            self_test,
            jobs: options.jobs.map_or_else(processors, usize::from),
            seed: options.seed.unwrap_or_else(fresh_seed),
            shard: options.shard,
            checkpoints,
            failures: report_path.with_file_name("failures"),
            report_path,
        })
    }

    /// Which part of `run` is made.
    fn part(&self, run: &Run) -> Part {
        if !run.has_parts() {
            return Part::default();
        }
        let name = format!("{}.{}.json", run.name, run.engine).replace('/', "-");
        Part {
            shard: self.shard,
            checkpoint: self.checkpoints.as_ref().map(|directory| directory.join(name)),
        }
    }

    fn run_all(&self, runs: &[Run], pins: &Pins, budget: Duration) -> Result<Vec<Finished>, String> {
        let start = |run: &Run, limit, workers| {
            let (part, seed) = (self.part(run), seed_of(run, self.seed));
            child::exploring(&self.this, self.self_test, run, &part, limit, seed, workers)
        };
        let budget =
            Budget::new(Instant::now() + budget, self.jobs, runs.iter().map(|run| run.want(pins.get(run))));
        // Of a run that goes on from a checkpoint, is a part, or may be cut off, nobody knows how much there is to do.
        let in_parts = self.shard.is_some() || self.checkpoints.is_some();
        let whole = |run: &Run| !(run.engine.asked().are_asked_for() || run.has_parts() && in_parts);
        let totals = runs.iter().map(|run| pins.get(run).filter(|_| whole(run))).collect();
        let mut display = Display::new(totals);
        let finished = pool::run_all(runs, &start, budget, self.jobs, &mut display);
        display.clear();
        finished.map_err(|error| format!("can't start a run: {error}"))
    }

    /// Draws up the report of one run, and saves its failure if there is one.
    fn report(&self, run: &Run, finished: Finished, pinned: Option<u64>) -> Result<RunReport, String> {
        let Finished { mut outcome, took, limit } = finished;
        run.count_watched(&mut outcome);
        let seed = seed_of(run, self.seed);
        let part = self.part(run);
        let pinned = judge::comparable(run, &outcome, pinned);
        let judgement = match part.shard {
            Some(shard) => judge::judge_part(run, &outcome, &shard.to_string()),
            None => judge::judge(run, &outcome, pinned),
        };
        let failure_file = match &mut outcome.failure {
            Some(failure) => Some(
                failure::save(&self.failures, run, seed, failure)
                    .map_err(|error| format!("{}: {error}", self.failures.display()))?,
            ),
            None => {
                failure::forget(&self.failures, run);
                None
            }
        };
        let checkpoint = part.shard.and_then(|_| Checkpoint::read(&part.checkpoint?).ok());
        Ok(RunReport {
            limit_seconds: limit.as_secs_f64(),
            seed,
            failure_file: failure_file.map(|path| short(&path).display().to_string()),
            checkpoint,
            ..RunReport::of(run, outcome, judgement, pinned, took)
        })
    }
}

/// Pins the complete runs that are worth it: a run that broke something or shows nothing is not pinned.
fn pin(pins: &mut Pins, runs: &[Run], report: &Report, every_run: &[Run], path: &Path) -> Result<(), String> {
    use crate::report::DefectKind::Vacuous;
    for (run, report) in runs.iter().zip(&report.runs) {
        let worthless = report.defect.as_ref().is_some_and(|defect| defect.kind == Vacuous);
        if report.complete && report.executions > 0 && !worthless {
            pins.set(run, report.executions);
        }
    }
    pins.retain(every_run);
    pins.store(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The path as seen from here, if it is below.
fn short(path: &Path) -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).to_path_buf()
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Another seed each time, short enough to be typed.
fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos() ^ now.as_secs() as u32)
}

/// The seed of one run: samples of different runs have nothing to do with each other (FNV-1a over the names).
fn seed_of(run: &Run, seed: u64) -> u64 {
    let names = run.name.bytes().chain(run.engine.name().bytes());
    names.fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}
