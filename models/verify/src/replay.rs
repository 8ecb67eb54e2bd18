//! `antiphon replay`: one failing execution, again.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::catalogue::Catalogue;
use crate::engine::{Task, Watch, loom, shuttle};
use crate::failure::Saved;
use crate::outcome::{Ended, Schedule};
use crate::{child, human, output};

/// Longer than any replay takes; so that one that hangs ends.
const LIMIT: Duration = Duration::from_secs(3600);

/// How many events the execution is told with: all, unless it is monstrous.
const TOLD: usize = 10_000;

/// Replays the failure in the file; returns the exit status.
///
/// # Errors
/// If the file is not one that can be replayed.
pub(crate) fn replay(path: &Path, catalogue: &Catalogue) -> Result<u8, String> {
    let saved = Saved::load(path)?;
    let name = path.display();
    let Some(run) = catalogue.find(&saved.scenario, &saved.engine) else {
        return Err(format!("{name}: there is no scenario {} on {} here", saved.scenario, saved.engine));
    };
    let task = Task {
        scenario: run.scenario,
        deadline: Instant::now() + LIMIT,
        seed: saved.seed,
        watch: Arc::new(Watch::new()),
        keep: TOLD,
    };
    child::prepare(&run);
    let outcome = match &saved.failure.schedule {
        Schedule::Shuttle { encoded } => shuttle::replay(&task, encoded),
        Schedule::Loom { preemption_bound, execution } => loom::replay(&task, *preemption_bound, *execution),
        Schedule::None => return Err(not_replayable(path, &saved)),
    };
    if let Ended::NoResult(why) = &outcome.ended {
        return Err(format!("{name}: {why}"));
    }
    let mut text = String::new();
    let Some(failure) = &outcome.failure else {
        output::print(&format!("{} on {} does not fail any more.\n", saved.scenario, saved.engine))?;
        return Ok(0);
    };
    let broken = failure.guarantee.as_deref().unwrap_or("an execution broke down");
    writeln!(text, "{} on {}: {broken}\n", saved.scenario, saved.engine).expect("a string can be written to");
    human::told(&mut text, failure).expect("a string can be written to");
    output::print(&text)?;
    Ok(1)
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
