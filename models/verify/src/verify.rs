//! `antiphon verify`: all runs, their verdicts, the report.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, io, thread};

use antiphon_spec::Guarantee;

use crate::budget::Budget;
use crate::catalogue::{Catalogue, Run};
use crate::cli::{self, Format};
use crate::outcome::Ended;
use crate::pins::{self, Pins};
use crate::pool::{self, Finished};
use crate::progress::Display;
use crate::report::{FORMAT, GuaranteeReport, Report, RunReport, VERSION};
use crate::verdict::Verdict;
use crate::{child, failure, files, human, judge, output, select};

/// Does it all; returns the exit status.
///
/// # Errors
/// What the user should know and can change.
pub(crate) fn verify(options: &cli::Verify, catalogue: &Catalogue, self_test: bool) -> Result<u8, String> {
    let every_run = catalogue.runs();
    let mut pins = Pins::load(options.pins.as_deref())?;
    let mut runs = select::select(every_run.clone(), &options.only)?;
    runs.retain(|run| options.pin || select::is_worth_it(run, &options.only, pins.get(run)));
    let pins_path = options.pins.clone().unwrap_or_else(|| files::root().join(pins::PATH));
    if options.pin && !pins_path.is_file() {
        return Err(format!("{} is not here: --pin works in the source tree", pins_path.display()));
    }
    let report_path = match options.report.is_absolute() {
        true => options.report.clone(),
        false => files::root().join(&options.report),
    };
    let jobs = options.jobs.map_or_else(processors, usize::from);
    let seed = options.seed.unwrap_or_else(fresh_seed);

    let started = Instant::now();
    let finished = run_all(&runs, options.budget, jobs, seed, self_test)?;
    let failures = report_path.with_file_name("failures");
    let mut reports = Vec::new();
    for (run, finished) in runs.iter().zip(finished) {
        reports.push(
            report(run, finished, pins.get(run), seed_of(run, seed), &failures)
                .map_err(|error| format!("{}: {error}", failures.display()))?,
        );
    }
    let report = Report {
        format: FORMAT.to_string(),
        version: VERSION,
        antiphon: env!("CARGO_PKG_VERSION").to_string(),
        verdict: None,
        green: reports.iter().all(RunReport::is_green),
        seconds: started.elapsed().as_secs_f64(),
        budget_seconds: options.budget.as_secs_f64(),
        jobs,
        seed,
        guarantees: Guarantee::ALL
            .iter()
            .map(|guarantee| GuaranteeReport::of(*guarantee, &reports))
            .collect(),
        runs: reports,
    };
    let verdict = Verdict::weakest(report.guarantees.iter().filter_map(|guarantee| guarantee.verdict));
    let report = Report { verdict, ..report };
    if options.pin {
        pin(&mut pins, &runs, &report, &every_run, &pins_path)?;
    }
    let mut text = serde_json::to_string_pretty(&report).expect("plain data");
    text.push('\n');
    files::replace(&report_path, text.as_bytes())
        .map_err(|error| format!("{}: {error}", report_path.display()))?;
    match options.format {
        Format::Human => output::print(&human::report(&report, &short(&report_path)))?,
        Format::Json => output::print(&text)?,
    }
    Ok(report.exit_status(options.strict))
}

fn run_all(
    runs: &[Run],
    budget: Duration,
    jobs: usize,
    seed: u64,
    self_test: bool,
) -> Result<Vec<Finished>, String> {
    let this = child::this()?;
    let start = |run: &Run, limit| child::exploring(&this, self_test, run, limit, seed_of(run, seed));
    let budget = Budget::new(Instant::now() + budget, jobs, runs.iter().map(|run| run.engine));
    let mut display = Display::new(runs.len());
    let finished = pool::run_all(runs, &start, budget, jobs, &mut display);
    display.clear();
    finished.map_err(|error| format!("can't start a run: {error}"))
}

/// Draws up the report of one run, and saves its failure if there is one.
fn report(
    run: &Run,
    finished: Finished,
    pinned: Option<u64>,
    seed: u64,
    failures: &Path,
) -> io::Result<RunReport> {
    let Finished { mut outcome, took, limit } = finished;
    run.count_watched(&mut outcome);
    let judgement = judge::judge(run, &outcome, pinned);
    let failure_file = match &mut outcome.failure {
        Some(failure) => Some(short(&failure::save(failures, run, seed, failure)?)),
        None => {
            failure::forget(failures, run);
            None
        }
    };
    Ok(RunReport {
        scenario: run.name.to_string(),
        engine: run.engine.name().to_string(),
        guarantees: run.claims(&outcome).map(|guarantee| guarantee.id().to_string()).collect(),
        verdict: judgement.verdict,
        memory_model: run.engine.memory_model().to_string(),
        bounds: run.engine.bounds(),
        executions: outcome.executions,
        seconds: took.as_secs_f64(),
        unseen: run.engine.unseen().to_string(),
        complete: outcome.ended == Ended::Complete,
        limit_seconds: limit.as_secs_f64(),
        seed,
        pinned,
        defect: judgement.defect,
        note: judgement.note,
        reached: outcome.reached,
        premises: outcome.premises,
        failure: outcome.failure,
        failure_file: failure_file.map(|path| path.display().to_string()),
    })
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
