//! Files: read from wherever, by lines or by chunks, and followed while they grow.
//!
//! The Reader reads; the Handler runs a [`Session`], and obeys [`Command`]s: go elsewhere, say where you are,
//! stop.
//!
//! ```no_run
//! use antiphon::io::file::{self, Line, Options, Reading};
//! use antiphon::{Actor, Context, Exit};
//!
//! struct Print;
//!
//! impl file::Session for Print {
//!     type Unit = Line;
//!
//!     fn received(&mut self, line: Line, _: &mut Reading<'_, Line>) -> Result<(), Exit> {
//!         if let Line::Whole(line) = line {
//!             println!("{}", String::from_utf8_lossy(&line));
//!         }
//!         Ok(())
//!     }
//! }
//!
//! struct Main;
//!
//! impl Actor for Main {
//!     type Message = std::convert::Infallible;
//!
//!     fn init(&mut self, context: &mut Context<'_, Self::Message>) -> Result<(), Exit> {
//!         let (reader, handler) = file::reader(Options::new("log").follow().from_end(), Print)?;
//!         context.spawn_meta(reader, handler)?;
//!         Ok(())
//!     }
//!
//!     fn handle(&mut self, message: Self::Message, _: &mut Context<'_, Self::Message>) -> Result<(), Exit> {
//!         match message {}
//!     }
//! }
//! ```
//!
//! # The end
//! At the end of the file [`Session::ended`] is called, and unless it says otherwise the meta-process ends.
//!
//! # Following
//! A file that is [followed](Options::follow) has no end: the Reader waits until it grows, with `inotify(7)`,
//! and looks at nothing on a period. What is followed is the *name*:
//!
//! - The file is truncated: it is read from its begin ([`Change::Truncated`]). If it has grown beyond where the
//!   Reader was before the Reader looks, that cannot be seen, and reading goes on there.
//! - The file is renamed or removed ([`Change::Removed`]): the one that was open is read on, since whoever
//!   writes to it may not know yet.
//! - Another file takes the name: the old one is read to its end, then the new one from its begin
//!   ([`Change::Replaced`]). What is written to the old one after that is not seen.
//! - There is no such file yet: the Reader waits for it ([`Change::Appeared`]). Its directory must exist; if
//!   that goes away, the meta-process ends with an error.
//! - A file that may not be read takes the name ([`Change::Refused`]): the Reader waits until that changes.
//!
//! A last line that has no line feed yet is not handed over before it has one, or before the file is left.
//! Symbolic links are followed, and noticed when they change; directories above the file's own are taken to
//! stay. File systems that tell nothing of changes made elsewhere, such as NFS, cannot be followed.
//!
//! # Back-pressure
//! As for [lines](super::lines): the Reader reads no further while 64 KiB of what it has read are kept.
//!
//! # Interruption
//! A Reader that waits for a file to grow, or for its receiver, returns at once. Reading from a disk cannot be
//! interrupted by anything; it ends by itself.

mod follow;
mod place;
mod session;
mod watch;

use std::io;
use std::path::PathBuf;

use crate::meta::{Handler, Reader};
use follow::Follow;
use place::Path;
use session::{Shared, Talk, Target};

pub use super::data::Data;
pub use super::line::{Line, Unit};
#[doc(hidden)]
pub use place::{Content, Place, Seen};
pub use session::{Change, Command, Reading, Session};

/// Which file is read, from where, and how.
#[derive(Clone, Debug)]
pub struct Options {
    path: PathBuf,
    start: Target,
    follow: bool,
    limit: usize,
}

impl Options {
    /// The whole file, once.
    pub fn new(path: impl AsRef<std::path::Path>) -> Self {
        Self { path: path.as_ref().to_owned(), start: Target::Offset(0), follow: false, limit: 64 << 10 }
    }

    /// Begins this many bytes behind the begin of the file, or at its end if it has less.
    pub fn from(self, offset: u64) -> Self {
        Self { start: Target::Offset(offset), ..self }
    }

    /// Begins where the file ends now. A file that comes later is read from its begin.
    pub fn from_end(self) -> Self {
        Self { start: Target::End, ..self }
    }

    /// Goes on when the file grows, is truncated, or is replaced.
    pub fn follow(self) -> Self {
        Self { follow: true, ..self }
    }

    /// Makes no line, and no chunk, longer than `bytes`: 64 KiB, unless it is said. A longer line comes in parts.
    /// Zero counts as one.
    pub fn limit(self, bytes: usize) -> Self {
        Self { limit: bytes, ..self }
    }
}

/// The two lines of a meta-process that reads a file, for `spawn_meta`.
///
/// # Errors
/// That there is no such file, unless it is followed; that it may not be read, or is no regular file; that its
/// directory does not exist; the operating system's, for example that no descriptor or no instance of inotify is
/// left. The text says which file it is about.
#[expect(clippy::type_complexity, reason = "two lines, and what the Handler understands")]
pub fn reader<S: Session>(
    options: Options,
    session: S,
) -> io::Result<(impl Reader<Command<S::Unit>>, impl Handler<Message = Command<S::Unit>>)> {
    let path = Path::new(options.path.clone(), options.follow)?;
    reader_at(options, path, session)
}

/// The same, of a file elsewhere, such as a model's; its path is what it is called in errors.
///
/// # Errors
/// As [`reader`].
#[doc(hidden)]
#[expect(clippy::type_complexity, reason = "two lines, and what the Handler understands")]
pub fn reader_at<S: Session>(
    options: Options,
    place: impl Place,
    session: S,
) -> io::Result<(impl Reader<Command<S::Unit>>, impl Handler<Message = Command<S::Unit>>)> {
    let shared = Shared::new()?;
    let (follow, position) = Follow::new(options, place, shared.clone())?;
    Ok((follow, Talk::new(shared, session, position)))
}
