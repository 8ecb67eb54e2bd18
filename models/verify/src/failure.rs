//! Failures as files: what `verify` saves and `replay` takes.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::catalogue::Run;
use crate::files;
use crate::outcome::{Failure, Schedule};
use crate::trace;

/// The name in each file's `format`.
const FORMAT: &str = "antiphon-failure";

/// The version of the file's schema.
const VERSION: u32 = 1;

/// How many events a failure is told with, where the whole trace is in a file of its own.
const TOLD: usize = 30;

/// A failing execution with all that is needed to run it again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Saved {
    format: String,
    version: u32,
    pub(crate) scenario: String,
    pub(crate) engine: String,
    pub(crate) seed: u64,
    #[serde(flatten)]
    pub(crate) failure: Failure,
    /// The recorded trace, beside this file, if the execution can't be repeated.
    pub(crate) trace: Option<PathBuf>,
}

/// Saves what `run` came to, and returns where. The trace of an execution that nothing brings back goes
/// into a file of its own, and its last events stay in `failure`.
///
/// # Errors
/// If a file can't be written.
pub(crate) fn save(directory: &Path, run: &Run, seed: u64, failure: &mut Failure) -> io::Result<PathBuf> {
    let path = path(directory, run);
    let mut trace = None;
    if failure.schedule == Schedule::None && failure.earlier == 0 && !failure.history.is_empty() {
        let beside = path.with_extension("trace.jsonl");
        files::replace(
            &beside,
            &trace::whole(failure.history.iter().chain(&failure.event), failure.at_rest),
        )?;
        trace = beside.file_name().map(PathBuf::from);
    }
    let surplus = failure.history.len().saturating_sub(TOLD);
    failure.history.drain(..surplus);
    failure.earlier += surplus as u64;
    let saved = Saved {
        format: FORMAT.to_string(),
        version: VERSION,
        scenario: run.name.to_string(),
        engine: run.engine.name().to_string(),
        seed,
        failure: failure.clone(),
        trace,
    };
    let mut text = serde_json::to_string_pretty(&saved).expect("plain data");
    text.push('\n');
    files::replace(&path, text.as_bytes())?;
    Ok(path)
}

/// Removes what an earlier failure of a run left behind that passes now.
pub(crate) fn forget(directory: &Path, run: &Run) {
    let path = path(directory, run);
    for stale in [path.with_extension("trace.jsonl"), path] {
        // Usually there is none.
        let _ = std::fs::remove_file(stale);
    }
}

fn path(directory: &Path, run: &Run) -> PathBuf {
    directory.join(format!("{}.{}.json", run.name, run.engine).replace('/', "-"))
}

impl Saved {
    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        let saved: Self = serde_json::from_str(&text)
            .map_err(|error| format!("{name}: not a failure that `antiphon verify` saved: {error}"))?;
        if saved.format != FORMAT || saved.version != VERSION {
            return Err(format!("{name}: {} version {} is not known here", saved.format, saved.version));
        }
        Ok(saved)
    }
}
