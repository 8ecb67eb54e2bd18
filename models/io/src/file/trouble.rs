//! What happens to files while they are followed, beside one to which nothing does.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;

use antiphon::Node;
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;

use super::{Directory, Followed, append, expect, follow};
use crate::parts::{LONG, on_a_node, until_silence};
use crate::tally::{ask, fault};

/// What is done to a file.
#[derive(Clone, Copy)]
pub(crate) enum Trouble {
    Truncated,
    Removed,
    /// Something takes its name that is no file: a link to its directory.
    Refused,
}

impl Trouble {
    /// Does it to the file at `path`, which may not be there.
    fn make(self, path: &Path) {
        fault();
        match self {
            Self::Truncated => drop(File::create(path)),
            Self::Removed => drop(fs::remove_file(path)),
            Self::Refused => {
                let link = path.with_extension("link");
                drop(symlink(".", &link).and_then(|()| fs::rename(&link, path)));
            }
        }
    }

    /// What the session is told of it.
    fn label(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Removed => "removed",
            Self::Refused => "refused",
        }
    }

    /// Has there be a file again.
    fn mend(self, path: &Path) {
        if matches!(self, Self::Refused) {
            drop(fs::remove_file(path));
        }
    }
}

/// A file that grows and to which nothing else is done.
struct Other<'a> {
    path: &'a Path,
    followed: Followed,
}

impl<'a> Other<'a> {
    fn start(node: &Node, path: &'a Path) -> Self {
        append(path, "");
        Self { path, followed: follow(node, path) }
    }

    fn exchange(&self, number: usize) {
        ask(|| {
            append(self.path, &format!("{number}\n"));
            let line = self.followed.lines.recv_timeout(LONG);
            let as_written = matches!(&line, Ok((line, _)) if *line == number.to_string().into_bytes());
            if as_written { Ok(()) } else { Err(format!("{line:?} instead of {number}")) }
        });
    }
}

/// It is done `times` times; each time the file is followed on. Nothing is noticed by who follows another.
pub(crate) fn beside_another(trouble: Trouble, times: usize) {
    let directory = Directory::new();
    let (path, other) = (directory.0.join("file"), directory.0.join("other"));
    on_a_node(|node| {
        let other = Other::start(node, &other);
        append(&path, "0\n");
        let followed = follow(node, &path);
        expect(&followed.lines, 0);
        for time in 1..=times {
            trouble.make(&path);
            other.exchange(time);
            // Others may be told as well.
            let told = until_silence(&followed.changes).any(|change| change == trouble.label());
            check(told, Guarantee::NoLoss, || format!("it is not told that the file is {}", trouble.label()));
            reached("told");
            trouble.mend(&path);
            append(&path, &format!("{time}\n"));
            expect(&followed.lines, time);
        }
    });
}

/// The owner is killed while it is done again and again.
pub(crate) fn while_the_owner_is_killed(trouble: Trouble) {
    let directory = Directory::new();
    let (path, other) = (directory.0.join("file"), directory.0.join("other"));
    let done = AtomicBool::new(false);
    on_a_node(|node| {
        let other = Other::start(node, &other);
        append(&path, "0\n");
        let followed = follow(node, &path);
        expect(&followed.lines, 0);
        thread::scope(|scope| {
            scope.spawn(|| {
                // Relaxed: it orders nothing.
                while !done.load(Ordering::Relaxed) {
                    trouble.make(&path);
                    trouble.mend(&path);
                    append(&path, "again\n");
                }
            });
            let first = followed.changes.recv_timeout(LONG);
            check(first.is_ok(), Guarantee::WakeUp, || "no change is told".into());
            reached("told");
            other.exchange(1);
            node.kill(&followed.owner);
            until_silence(&followed.lines).for_each(drop);
            let end = followed.lines.recv_timeout(LONG);
            check(end == Err(RecvTimeoutError::Disconnected), Guarantee::Ownership, || {
                "the meta-process outlives its owner".into()
            });
            // Relaxed: see above.
            done.store(true, Ordering::Relaxed);
        });
        other.exchange(2);
    });
}

/// The directory goes away in which a file was waited for: that is an end, and of that one alone.
pub(crate) fn directory_is_removed(times: usize) {
    let directory = Directory::new();
    let (gone, other) = (directory.0.join("gone"), directory.0.join("other"));
    on_a_node(|node| {
        let other = Other::start(node, &other);
        for time in 0..times {
            fs::create_dir(&gone).expect("there is room");
            let followed = follow(node, &gone.join("file"));
            fault();
            fs::remove_dir(&gone).expect("it is empty");
            other.exchange(time);
            let end = followed.lines.recv_timeout(LONG);
            check(end == Err(RecvTimeoutError::Disconnected), Guarantee::CleanStop, || {
                format!("{end:?} instead of an end")
            });
        }
    });
}
