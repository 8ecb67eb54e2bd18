//! What may have become of a file and its name, told by `inotify(7)`.

use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

use super::place::Seen;
use crate::io::place::at;

/// What a directory is watched for: entries that come and go, or whose permissions change, and its own end.
const DIRECTORY: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// What a file is watched for: that it is written to or truncated, and that it loses a name.
const FILE: WatchFlags = WatchFlags::MODIFY.union(WatchFlags::ATTRIB).union(WatchFlags::MOVE_SELF);

/// How many symbolic links may lead to a file: as many as the operating system follows.
const MOST_LINKS: usize = 40;

/// Watches one name, and the file that has it.
#[derive(Debug)]
pub(super) struct Watch {
    inotify: OwnedFd,
    path: PathBuf,
    /// The file, once it could be watched. It stays watched while nothing has its name.
    file: Option<i32>,
    /// Each directory where the name, or a link that it leads to, is an entry; and the entry.
    entries: Vec<(i32, OsString)>,
}

impl Watch {
    /// Watches nothing yet.
    pub(super) fn new(path: PathBuf) -> io::Result<Self> {
        let inotify = match inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC) {
            Ok(inotify) => inotify,
            Err(Errno::MFILE) => {
                let text = "no descriptor or no instance of inotify is left (fs.inotify.max_user_instances)";
                return Err(at(&path, io::Error::other(text)));
            }
            Err(error) => return Err(at(&path, error.into())),
        };
        Ok(Self { inotify, path, file: None, entries: Vec::new() })
    }

    pub(super) fn descriptor(&self) -> &OwnedFd {
        &self.inotify
    }

    /// Watches what the name leads to now. Whatever changes after this is told, so look once more after it.
    ///
    /// # Errors
    /// A directory on the way does not exist any more, or cannot be watched.
    pub(super) fn renew(&mut self) -> io::Result<()> {
        let mut entries = Vec::new();
        let mut path = std::path::absolute(&self.path)?;
        for _ in 0..MOST_LINKS {
            let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { break };
            entries.push((self.add(directory, DIRECTORY)?, name.to_owned()));
            let Ok(target) = std::fs::read_link(&path) else { break };
            path = directory.join(target);
        }
        // Without the file itself, its directory tells when that changes.
        let file = self.add(&path, FILE).ok();
        let old: Vec<i32> = self.entries.iter().map(|(watch, _)| *watch).collect();
        self.entries = entries;
        for watch in old {
            self.remove_if_unused(watch);
        }
        if let Some(file) = file
            && let Some(old) = self.file.replace(file)
        {
            self.remove_if_unused(old);
        }
        Ok(())
    }

    fn add(&self, path: &Path, flags: WatchFlags) -> io::Result<i32> {
        inotify::add_watch(&self.inotify, path, flags).map_err(|error| match error {
            Errno::NOSPC => at(path, io::Error::other("no watch is left (fs.inotify.max_user_watches)")),
            error => at(path, error.into()),
        })
    }

    fn remove_if_unused(&self, watch: i32) {
        if self.file != Some(watch) && self.entries.iter().all(|(entry, _)| *entry != watch) {
            // If what was watched is gone, so is the watch.
            let _ = inotify::remove_watch(&self.inotify, watch);
        }
    }

    /// Takes all that was told.
    pub(super) fn take(&mut self) -> io::Result<Seen> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&self.inotify, &mut buffer);
        let mut seen = Seen::default();
        loop {
            let event = match events.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => return Ok(seen),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(at(&self.path, error.into())),
            };
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                seen = Seen { content: true, name: true };
            } else if let Some(name) = event.file_name() {
                seen.name |= self
                    .entries
                    .iter()
                    .any(|(watch, entry)| *watch == event.wd() && entry.as_bytes() == name.to_bytes());
            } else if event.events().contains(ReadFlags::MODIFY) {
                seen.content = true;
            } else if !event.events().contains(ReadFlags::IGNORED) {
                seen.name = true;
            }
        }
    }
}
