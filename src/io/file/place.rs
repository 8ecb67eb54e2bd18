//! What the Reader needs of a file system.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use platform::readiness::Source;
use rustix::fs::OFlags;

use super::watch::Watch;

/// A name that a file may have, and what tells of changes.
pub trait Place: Send + 'static {
    /// The file that has the name, opened to be read.
    type Content: Content;

    /// Opens the file that has the name now.
    ///
    /// # Errors
    /// `NotFound` if nothing has it; `PermissionDenied` or `InvalidInput` if it cannot be read.
    fn open(&self) -> io::Result<Self::Content>;

    /// Readable when something may have changed; nothing, if changes are not told.
    fn changes(&self) -> Option<&dyn Source>;

    /// Watches what the name leads to now. Whatever changes after this is told, so look once more after it.
    ///
    /// # Errors
    /// What is to be watched is not there any more, or cannot be watched.
    fn watch(&mut self) -> io::Result<()>;

    /// Takes all that was told.
    ///
    /// # Errors
    /// The operating system's.
    fn take(&mut self) -> io::Result<Seen>;
}

/// A file that is open.
pub trait Content: Send + 'static {
    /// What tells it from any other that exists.
    fn identity(&self) -> (u64, u64);

    /// How long it is now, in bytes.
    ///
    /// # Errors
    /// The operating system's.
    fn length(&self) -> io::Result<u64>;

    /// Reads what is there, so many bytes behind its begin; nothing at its end.
    ///
    /// # Errors
    /// The operating system's.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

/// What may have happened.
#[derive(Clone, Copy, Default, Debug)]
pub struct Seen {
    /// To the content of the file.
    pub content: bool,
    /// To its name.
    pub name: bool,
}

/// A path, and its watch if it is followed.
pub(super) struct Path {
    path: PathBuf,
    watch: Option<Watch>,
}

impl Path {
    pub(super) fn new(path: PathBuf, follow: bool) -> io::Result<Self> {
        let watch = follow.then(|| Watch::new(path.clone())).transpose()?;
        Ok(Self { path, watch })
    }
}

impl Place for Path {
    type Content = OnDisk;

    fn open(&self) -> io::Result<OnDisk> {
        // Without the flag it would wait for whoever writes to a FIFO.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&self.path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
        }
        Ok(OnDisk { file, identity: (metadata.dev(), metadata.ino()) })
    }

    fn changes(&self) -> Option<&dyn Source> {
        let watch = self.watch.as_ref()?;
        Some(watch.descriptor())
    }

    fn watch(&mut self) -> io::Result<()> {
        self.watch.as_mut().map_or(Ok(()), Watch::renew)
    }

    fn take(&mut self) -> io::Result<Seen> {
        self.watch.as_mut().map_or(Ok(Seen::default()), Watch::take)
    }
}

/// A file of the operating system.
pub(super) struct OnDisk {
    file: File,
    identity: (u64, u64),
}

impl Content for OnDisk {
    fn identity(&self) -> (u64, u64) {
        self.identity
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
}
