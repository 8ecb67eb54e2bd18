//! A checkpoint that is kept up to date on the disk while an exploration goes on.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::explore::lock;
use crate::report::Counts;
use crate::shard::{self, Checkpoint, ShardError};

/// A checkpoint that is kept up to date.
pub(crate) struct Saved {
    file: PathBuf,
    pub(crate) checkpoint: Mutex<Checkpoint>,
    written: Mutex<Instant>,
    error: Mutex<Option<ShardError>>,
}

impl Saved {
    /// Goes on from what is in the file, or else begins with `fresh`.
    pub(crate) fn open(file: PathBuf, fresh: Checkpoint) -> Result<Self, ShardError> {
        let checkpoint = shard::open(&file, fresh)?;
        Ok(Self {
            file,
            checkpoint: Mutex::new(checkpoint),
            written: Mutex::new(Instant::now()),
            error: Mutex::new(None),
        })
    }

    /// Notes that a part is done; writes it, unless that was done a moment ago.
    pub(crate) fn finished(&self, job: usize, counts: Counts) {
        let mut checkpoint = lock(&self.checkpoint);
        checkpoint.done.insert(job, counts);
        let mut written = lock(&self.written);
        if written.elapsed() > Duration::from_secs(1) {
            *written = Instant::now();
            if let Err(error) = shard::write(&self.file, &checkpoint) {
                lock(&self.error).get_or_insert(error);
            }
        }
    }

    /// Writes it once more; tells the first thing that went wrong with writing.
    pub(crate) fn close(self) -> Result<(), ShardError> {
        if let Some(error) = self.error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        shard::write(&self.file, &lock(&self.checkpoint))
    }
}
