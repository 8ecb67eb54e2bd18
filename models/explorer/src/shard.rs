//! Shards of an exploration: which parts each has, what each leaves behind, and how they are joined again.
//!
//! The parts of a program are numbered (see [`split`](crate::split)), the same on every machine; shard `i/k` has
//! those whose number leaves the remainder `i - 1` when divided by `k`. What it has done goes into its checkpoint
//! file, which is also its report: a run that is killed goes on from it, and [`merge`] joins those of all shards.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::explore::{Mode, Parts};
use crate::report::{Counts, Cut};
use crate::search::Limits;

/// One of several disjoint parts that cover an exploration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Shard {
    /// Which one, from 1 on.
    pub index: usize,
    /// Of how many.
    pub of: usize,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { index: 1, of: 1 };

    pub(crate) fn has(self, job: usize) -> bool {
        job % self.of == self.index - 1
    }

    fn jobs(self, total: usize) -> usize {
        (0..total).filter(|job| self.has(*job)).count()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers =
            text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((index, of)) if 1 <= index && index <= of => Ok(Self { index, of }),
            _ => Err(format!(
                "`{text}` is not a shard: write 1/3, 2/3 or 3/3 for the first, second or last of three"
            )),
        }
    }
}

/// Why a shard can't be used.
#[derive(Debug)]
pub enum ShardError {
    /// The file can't be read or written.
    File(PathBuf, io::Error),
    /// The file is not a checkpoint.
    Malformed(PathBuf, String),
    /// The file is of another exploration; says what differs.
    Different(String),
    /// A shard is missing.
    Missing(Shard),
    /// A shard is there twice.
    Twice(Shard),
    /// A shard is not finished: so many of so many parts are done.
    Unfinished(Shard, usize, usize),
    /// There is nothing to join.
    Nothing,
}

impl fmt::Display for ShardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Malformed(path, error) => write!(f, "{} is not a checkpoint: {error}", path.display()),
            Self::Different(what) => write!(f, "of another exploration: {what}"),
            Self::Missing(shard) => write!(f, "shard {shard} is missing"),
            Self::Twice(shard) => write!(f, "shard {shard} is there twice"),
            Self::Unfinished(shard, done, of) => {
                write!(f, "shard {shard} is not finished: {done} of {of} parts done")
            }
            Self::Nothing => f.write_str("no shards"),
        }
    }
}

impl std::error::Error for ShardError {}

/// What a shard has done.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Checkpoint {
    version: u32,
    /// Which shard.
    pub shard: Shard,
    /// How it searches.
    pub mode: Mode,
    /// Within which bounds.
    limits: Limits,
    /// How many parts the program was split into, for all shards together.
    pub parts: usize,
    /// Of the program and its split.
    pub digest: u64,
    /// Of this build of the explorer and, as far as it was told, of the program.
    build: String,
    pub(crate) done: BTreeMap<usize, Counts>,
}

/// What tells one build from another, as far as it is known here.
fn build() -> String {
    let profile = if cfg!(debug_assertions) { "checked" } else { "unchecked" };
    format!("{} {} {profile}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH)
}

impl Checkpoint {
    pub(crate) fn new(shard: Shard, mode: Mode, limits: Limits, program: &str, parts: &Parts) -> Self {
        let (parts, digest) = (parts.total, parts.digest);
        let build = format!("{} {program}", build());
        Self { version: 1, shard, mode, limits, parts, digest, build, done: BTreeMap::new() }
    }

    /// Whether all parts of the shard are done.
    pub fn is_complete(&self) -> bool {
        self.done.len() == self.shard.jobs(self.parts)
    }

    /// How many parts of the shard are done.
    pub fn finished(&self) -> usize {
        self.done.len()
    }

    /// Reads one from a file.
    ///
    /// # Errors
    /// If it can't be read, or is not one.
    pub fn read(path: &Path) -> Result<Self, ShardError> {
        let text = fs::read_to_string(path).map_err(|error| ShardError::File(path.to_owned(), error))?;
        let malformed = |error: String| ShardError::Malformed(path.to_owned(), error);
        let read: Self = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        if read.version != 1 {
            return Err(malformed(format!("version {} is not known", read.version)));
        }
        if read.shard.index == 0 || read.shard.index > read.shard.of {
            return Err(malformed(format!("there is no shard {}", read.shard)));
        }
        if let Some(job) = read.done.keys().find(|job| **job >= read.parts || !read.shard.has(**job)) {
            return Err(malformed(format!("part {job} is not of shard {}", read.shard)));
        }
        Ok(read)
    }

    /// What is not the same in another one.
    fn differs(&self, other: &Self) -> Option<String> {
        let pairs = [
            ("mode", format!("{:?}", self.mode), format!("{:?}", other.mode)),
            ("depth", self.limits.depth.to_string(), other.limits.depth.to_string()),
            ("bound on preemptions", preemptions(self.limits), preemptions(other.limits)),
            ("number of parts", self.parts.to_string(), other.parts.to_string()),
            ("digest of the program", format!("{:016x}", self.digest), format!("{:016x}", other.digest)),
            ("build", self.build.clone(), other.build.clone()),
        ];
        let different = pairs.into_iter().find(|(_, mine, theirs)| mine != theirs);
        different.map(|(what, mine, theirs)| format!("the {what} is {theirs}, not {mine}"))
    }
}

fn preemptions(limits: Limits) -> String {
    limits.preemptions.map_or("none".to_owned(), |most| most.to_string())
}

/// Reads the checkpoint at `path` if there is one that goes with `fresh`, else takes `fresh`.
pub(crate) fn open(path: &Path, fresh: Checkpoint) -> Result<Checkpoint, ShardError> {
    match Checkpoint::read(path) {
        Err(ShardError::File(_, error)) if error.kind() == io::ErrorKind::NotFound => Ok(fresh),
        Err(error) => Err(error),
        Ok(read) if read.shard != fresh.shard => {
            Err(ShardError::Different(format!("the shard is {}, not {}", read.shard, fresh.shard)))
        }
        Ok(read) => match fresh.differs(&read) {
            Some(what) => Err(ShardError::Different(what)),
            None => Ok(read),
        },
    }
}

/// Writes a checkpoint: all of it or nothing.
pub(crate) fn write(path: &Path, checkpoint: &Checkpoint) -> Result<(), ShardError> {
    let text = serde_json::to_string(checkpoint).expect("plain data can be written");
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    let failed = |error| ShardError::File(path.to_owned(), error);
    fs::write(&temporary, text).map_err(failed)?;
    fs::rename(&temporary, path).map_err(failed)
}

/// What all shards together have done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Merged {
    /// How many shards there were.
    pub shards: usize,
    /// Executions that counted.
    pub executions: u64,
    /// Executions found out to be equivalent to others.
    pub redundant: u64,
    /// Executions in which threads were left that could not go on.
    pub stuck: u64,
    /// Executions that a bound cut off; if there are none, the exploration is exhaustive.
    pub cut: Cut,
}

/// Joins the shards of one exploration.
///
/// # Errors
/// If one is missing, is there twice, is not finished, or differs from the others.
pub fn merge(shards: &[Checkpoint]) -> Result<Merged, ShardError> {
    let first = shards.first().ok_or(ShardError::Nothing)?;
    let of = first.shard.of;
    let mut counts = Counts::default();
    let mut seen = BTreeMap::new();
    for shard in shards {
        if shard.shard.of != of {
            return Err(ShardError::Different(format!("shard {} is not one of {of}", shard.shard)));
        }
        if let Some(what) = first.differs(shard) {
            return Err(ShardError::Different(what));
        }
        if seen.insert(shard.shard.index, shard).is_some() {
            return Err(ShardError::Twice(shard.shard));
        }
        if !shard.is_complete() {
            let jobs = shard.shard.jobs(shard.parts);
            return Err(ShardError::Unfinished(shard.shard, shard.done.len(), jobs));
        }
        shard.done.values().for_each(|done| counts.add(done));
    }
    if let Some(index) = (1..=of).find(|index| !seen.contains_key(index)) {
        return Err(ShardError::Missing(Shard { index, of }));
    }
    Ok(Merged {
        shards: of,
        executions: counts.executions,
        redundant: counts.redundant,
        stuck: counts.stuck,
        cut: counts.cut,
    })
}
