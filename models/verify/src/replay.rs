//! `antiphon replay`: one failing execution, again.

use std::fmt::{self, Write};
use std::path::Path;
use std::process::Stdio;

use crate::catalogue::{Catalogue, Run};
use crate::failure::Saved;
use crate::outcome::{Ended, Failure, Line, Outcome, Progress, Schedule};
use crate::{child, human, output, pool};

/// Replays the failure in the file, in a process of its own; returns the exit status.
///
/// # Errors
/// If the file is not one that can be replayed.
pub(crate) fn replay(path: &Path, catalogue: &Catalogue, self_test: bool) -> Result<u8, String> {
    let (saved, _) = load(path, catalogue)?;
    if saved.failure.schedule == Schedule::None {
        return Err(not_replayable(path, &saved));
    }
    let mut command = child::replaying(&child::this()?, self_test, path);
    let ended = command.stdin(Stdio::null()).output().map_err(|error| format!("can't replay: {error}"))?;
    let outcome = last_outcome(&ended.stdout).unwrap_or_else(|| {
        pool::breakdown(ended.status, &String::from_utf8_lossy(&ended.stderr), Progress::default())
    });
    if let Ended::NoResult(why) = &outcome.ended {
        return Err(format!("{}: {why}", path.display()));
    }
    let text = match &outcome.failure {
        Some(failure) => told(&saved, failure).expect("a string can be written to"),
        None => format!("{} on {} does not fail any more.\n", saved.scenario, saved.engine),
    };
    output::print(&text)?;
    Ok(u8::from(outcome.failure.is_some()))
}

/// Reads the file and finds the run that it is about.
///
/// # Errors
/// If it can't be read, or there is no such run.
pub(crate) fn load(path: &Path, catalogue: &Catalogue) -> Result<(Saved, Run), String> {
    let saved = Saved::load(path)?;
    match catalogue.find(&saved.scenario, &saved.engine) {
        Some(run) => Ok((saved, run)),
        None => {
            let Saved { scenario, engine, .. } = saved;
            Err(format!("{}: there is no scenario {scenario} on {engine} here", path.display()))
        }
    }
}

fn last_outcome(out: &[u8]) -> Option<Outcome> {
    let lines = String::from_utf8_lossy(out);
    lines.lines().rev().find_map(|line| match serde_json::from_str(line) {
        Ok(Line::Outcome(outcome)) => Some(*outcome),
        _ => None,
    })
}

fn told(saved: &Saved, failure: &Failure) -> Result<String, fmt::Error> {
    let mut text = String::new();
    let broken = failure.guarantee.as_deref().unwrap_or("the execution broke down");
    writeln!(text, "{} on {}: {broken}\n", saved.scenario, saved.engine)?;
    human::told(&mut text, failure)?;
    Ok(text)
}

fn not_replayable(path: &Path, saved: &Saved) -> String {
    let what = format!("{}: nothing brings this execution back", path.display());
    match &saved.trace {
        Some(trace) => {
            let trace = path.with_file_name(trace);
            format!("{what}; what it did is in {}, which `antiphon check` judges", trace.display())
        }
        None => format!("{what}; what is known of it is in the file"),
    }
}
