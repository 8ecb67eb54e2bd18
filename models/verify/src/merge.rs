//! `antiphon merge`: from the reports of all parts to the verdict of the whole.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use antiphon_explorer::{Checkpoint, Shard, ShardError};

use crate::catalogue::{Catalogue, Run};
use crate::cli;
use crate::judge::{self, judge};
use crate::outcome::{Ended, Outcome};
use crate::pins::Pins;
use crate::report::{FORMAT, Frame, Report, RunReport, VERSION};
use crate::verify;

/// Joins the reports; returns the exit status.
///
/// # Errors
/// If they are not all parts of one whole.
pub(crate) fn merge(options: &cli::Merge, catalogue: &Catalogue) -> Result<u8, String> {
    let parts: Vec<Report> = options.files.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
    let pins = Pins::load(options.pins.as_deref())?;
    are_the_whole(&parts)?;
    let mut runs: BTreeMap<(String, String), Vec<RunReport>> = BTreeMap::new();
    let frame = Frame {
        seconds: parts.iter().map(|part| part.seconds).fold(0.0, f64::max),
        budget_seconds: parts.iter().map(|part| part.budget_seconds).fold(0.0, f64::max),
        jobs: parts.iter().map(|part| part.jobs).sum(),
        seed: parts[0].seed,
        shard: None,
        bounds: parts[0].bounds,
    };
    let of = parts.len();
    let mutants = parts.iter().flat_map(|part| part.mutants.clone()).collect();
    for run in parts.into_iter().flat_map(|part| part.runs) {
        runs.entry((run.engine.clone(), run.scenario.clone())).or_default().push(run);
    }
    let mut joined = Vec::new();
    for ((engine, scenario), reports) in runs {
        let run = catalogue.find(&scenario, &engine).ok_or_else(|| {
            format!("there is no run of {scenario} on {engine} here: the parts are of another build")
        })?;
        joined.push(join(&run.within(frame.bounds), reports, of, &pins)?);
    }
    let report = Report::of(joined, mutants, frame);
    verify::publish(&report, &verify::report_path(&options.report), options.format)?;
    Ok(report.exit_status(options.strict))
}

fn read(path: &Path) -> Result<Report, String> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let report: Report = serde_json::from_str(&text)
        .map_err(|error| format!("{name}: not a report of `antiphon verify`: {error}"))?;
    if report.format != FORMAT || report.version != VERSION {
        return Err(format!("{name}: {} version {} is not known here", report.format, report.version));
    }
    if report.antiphon != env!("CARGO_PKG_VERSION") {
        return Err(format!(
            "{name}: of antiphon {}, this is {}",
            report.antiphon,
            env!("CARGO_PKG_VERSION")
        ));
    }
    if report.sources != env!("ANTIPHON_SOURCES") {
        return Err(format!("{name}: built from other sources or by another compiler than this"));
    }
    if report.shard.is_none() {
        return Err(format!("{name}: a whole, not a part; only `verify --shard` makes parts"));
    }
    Ok(report)
}

/// Whether each part is there once.
fn are_the_whole(parts: &[Report]) -> Result<(), String> {
    let mut shards = Vec::new();
    for part in parts {
        let shard: Shard = part.shard.as_deref().unwrap_or_default().parse()?;
        shards.push(shard);
    }
    let (of, bounds) = (shards[0].of, parts[0].bounds);
    if let Some(other) = parts.iter().find(|part| part.bounds != bounds) {
        return Err(format!("of the parts, one was made with {bounds}, one with {}", other.bounds));
    }
    if let Some(other) = shards.iter().find(|shard| shard.of != of) {
        return Err(format!("part {other} is not one of {of}"));
    }
    for index in 1..=of {
        match shards.iter().filter(|shard| shard.index == index).count() {
            0 => return Err(format!("part {index}/{of} is missing")),
            1 => {}
            _ => return Err(format!("part {index}/{of} is there twice")),
        }
    }
    Ok(())
}

/// Joins what the parts say of one run.
fn join(run: &Run, mut reports: Vec<RunReport>, of: usize, pins: &Pins) -> Result<RunReport, String> {
    let name = format!("{} on {}", run.name, run.engine);
    if let Some(violated) = reports.iter().position(|report| report.failure.is_some()) {
        return Ok(RunReport { checkpoint: None, ..reports.swap_remove(violated) });
    }
    if !run.engine.has_parts() {
        return match (reports.pop(), reports.is_empty()) {
            (Some(report), true) => Ok(report),
            _ => Err(format!("{name} is in several parts: they are not of the same whole")),
        };
    }
    if reports.len() != of {
        return Err(format!("{name} is in {} of {of} parts: they are not of the same whole", reports.len()));
    }
    let checkpoints: Vec<Checkpoint> =
        reports.iter().filter_map(|report| report.checkpoint.clone()).collect();
    let mut outcome = sum(&reports);
    if checkpoints.len() < of {
        outcome.ended = Ended::NoResult("a part of it came to nothing".to_string());
    } else {
        match antiphon_explorer::merge(&checkpoints) {
            Ok(merged) => {
                outcome.executions = merged.executions;
                outcome.ended = match merged.cut.is_nothing() {
                    true => Ended::Complete,
                    false => Ended::Cut { cut: merged.cut, late: false },
                };
            }
            Err(unfinished @ ShardError::Unfinished(..)) => outcome.note = Some(unfinished.to_string()),
            Err(error) => return Err(format!("{name}: {error}")),
        }
    }
    let pinned = judge::comparable(run, &outcome, pins.get(run));
    let holes = std::mem::take(&mut reports[0].holes);
    let judgement = judge(run, &outcome, pinned);
    let took = reports.iter().map(|report| report.seconds).fold(0.0, f64::max);
    Ok(RunReport {
        limit_seconds: reports.iter().map(|report| report.limit_seconds).fold(0.0, f64::max),
        holes,
        ..RunReport::of(run, outcome, judgement, pinned, Duration::from_secs_f64(took))
    })
}

/// What occurred in all parts together.
fn sum(reports: &[RunReport]) -> Outcome {
    let mut outcome = Outcome::passed(Ended::Budget, &antiphon_harness::Observed::default());
    for report in reports {
        outcome.executions += report.executions;
        for (label, count) in &report.reached {
            *outcome.reached.entry(label.clone()).or_default() += count;
        }
        for (guarantee, count) in &report.premises {
            *outcome.premises.entry(guarantee.clone()).or_default() += count;
        }
    }
    outcome
}
