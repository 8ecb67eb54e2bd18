//! The Reader of a file.

use std::io::{self, ErrorKind};
use std::mem;
use std::path::PathBuf;
use std::time::Duration;

use platform::readiness::Readiness;

use super::Options;
use super::place::{Content, Place, Seen};
use super::session::{Change, Command, Request, Seek, Shared, Target};
use crate::exit::Exit;
use crate::io::connection::STACK_BYTES;
use crate::io::line::{Cutter, Hold, Unit};
use crate::io::place::at;
use crate::io::waker::{Ready, Requests};
use crate::meta::{Interrupt, Reader, ReaderContext};

/// How much one system call reads at most.
const CHUNK: usize = 64 << 10;

/// Reads one file, or all that come to have its name.
pub(super) struct Follow<U: Unit, P: Place> {
    place: P,
    /// What it is called, in errors.
    path: PathBuf,
    limit: usize,
    shared: Shared,
    cutter: U::Cutter,
    /// None while no file has the name and none had.
    file: Option<Opened<P::Content>>,
    /// What may have changed since the Reader looked.
    seen: Seen,
    /// Nothing has the name, or something that cannot be opened: the session knows.
    absent: bool,
    /// Nothing can be read before something changes.
    at_end: bool,
    /// How many seeks the Reader has heard of.
    seeks: u64,
}

/// A file that is open.
struct Opened<C> {
    content: C,
    /// What was read of it.
    offset: u64,
}

impl<C: Content> Opened<C> {
    /// Goes to an offset, or to the end of the file; says where that is.
    fn go(&mut self, to: Target) -> io::Result<u64> {
        let end = self.content.length()?;
        self.offset = match to {
            Target::Offset(offset) => offset.min(end),
            Target::End => end,
        };
        Ok(self.offset)
    }
}

/// What the Reader returns, now.
struct Over(Result<(), Exit>);

impl From<io::Error> for Over {
    fn from(error: io::Error) -> Self {
        Self(Err(error.into()))
    }
}

impl<U: Unit, P: Place> Follow<U, P> {
    /// Opens the file; says where it begins to read, too.
    pub(super) fn new(options: Options, mut place: P, shared: Shared) -> io::Result<(Self, u64)> {
        let Options { path, start, follow, limit } = options;
        place.watch()?;
        let mut file = match place.open() {
            Ok(content) => Some(Opened { content, offset: 0 }),
            Err(error) if follow && error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(at(&path, error)),
        };
        let position = match &mut file {
            Some(file) => file.go(start).map_err(|error| at(&path, error))?,
            None => 0,
        };
        let this = Self {
            place,
            path,
            limit,
            shared,
            cutter: Cutter::new(limit),
            file,
            // It was watched before it was opened, and may have been another then.
            seen: Seen { content: true, name: true },
            absent: false,
            at_end: false,
            seeks: 0,
        };
        Ok((this, position))
    }

    /// Waits for something to do, and does it.
    fn turn(&mut self, buffer: &mut Vec<u8>, context: &ReaderContext<Command<U>>) -> Result<(), Over> {
        let Ready { source, requests } = self.wait()?;
        if requests.contains(Requests::END) {
            return Err(Over(Ok(())));
        }
        if source.intersects(Readiness::READ) {
            let seen = self.place.take()?;
            self.seen.content |= seen.content;
            self.seen.name |= seen.name;
            self.at_end &= !(seen.content || seen.name);
        }
        match self.shared.take() {
            Some(seek) => self.seek(seek, context),
            None if self.at_end || self.shared.window.is_held_up() => Ok(()),
            None => self.read(buffer, context),
        }
    }

    /// Waits for requests, and, where nothing can be read, for what changes that.
    fn wait(&self) -> io::Result<Ready> {
        let waker = &self.shared.window.waker;
        if self.shared.window.is_held_up() {
            return waker.wait(None, None);
        }
        if !self.at_end {
            return waker.wait(None, Some(Duration::ZERO));
        }
        waker.wait(self.place.changes().map(|changes| (changes, Readiness::READ)), None)
    }

    fn seek(&mut self, Seek { to, seeks }: Seek, context: &ReaderContext<Command<U>>) -> Result<(), Over> {
        self.seeks = seeks;
        self.cutter = Cutter::new(self.limit);
        self.at_end = false;
        let at = match &mut self.file {
            Some(file) => file.go(to)?,
            None => 0,
        };
        tell(context, Request::Sought { seeks, at })
    }

    /// Reads once, and hands over what came.
    fn read(&mut self, buffer: &mut Vec<u8>, context: &ReaderContext<Command<U>>) -> Result<(), Over> {
        let Some(Opened { content, offset }) = &mut self.file else { return self.look(context) };
        // Made when something is to be read.
        buffer.resize(CHUNK, 0);
        let count = match content.read_at(buffer, *offset) {
            Ok(0) if self.place.changes().is_some() => return self.look(context),
            Ok(0) => return self.end(context),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(at(&self.path, error).into()),
        };
        let (begin, seeks) = (*offset, self.seeks);
        *offset += count as u64;
        self.cutter.feed(&buffer[..count], &Hold(&self.shared.window), |unit, used| {
            tell(context, Request::Received { seeks, unit, end: begin + used as u64 })
        })
    }

    fn end(&mut self, context: &ReaderContext<Command<U>>) -> Result<(), Over> {
        self.at_end = true;
        self.finish(context)?;
        tell(context, Request::Ended { seeks: self.seeks })
    }

    /// At the end of what can be read: looks whether the file is still what it was.
    fn look(&mut self, context: &ReaderContext<Command<U>>) -> Result<(), Over> {
        self.at_end = true;
        let Seen { content, name } = mem::take(&mut self.seen);
        if content && self.is_truncated()? {
            self.seen.name = name;
            return self.begin(Change::Truncated, None, context);
        }
        if name { self.look_at_name(context) } else { Ok(()) }
    }

    fn is_truncated(&self) -> io::Result<bool> {
        match &self.file {
            Some(file) => Ok(file.content.length()? < file.offset),
            None => Ok(false),
        }
    }

    /// Whether the file that is open is not at its end, or ends elsewhere by now.
    fn has_changed(&self) -> io::Result<bool> {
        match &self.file {
            Some(file) => Ok(file.content.length()? != file.offset),
            None => Ok(false),
        }
    }

    fn look_at_name(&mut self, context: &ReaderContext<Command<U>>) -> Result<(), Over> {
        self.place.watch()?;
        let found = self.place.open();
        let open = self.file.as_ref();
        match found {
            Ok(found) if open.is_some_and(|file| file.content.identity() == found.identity()) => {
                self.absent = false;
                // It may not have been watched until now.
                self.at_end = false;
                self.seen.content = true;
                Ok(())
            }
            Ok(_) if self.has_changed()? => {
                // It was written to, or truncated, before it lost its name: it is read to its end first.
                self.seen = Seen { content: true, name: true };
                self.at_end = false;
                Ok(())
            }
            Ok(found) => {
                let change = if self.file.is_some() { Change::Replaced } else { Change::Appeared };
                self.begin(change, Some(found), context)
            }
            Err(error) => {
                let told = mem::replace(&mut self.absent, true);
                match error.kind() {
                    ErrorKind::NotFound if told || self.file.is_none() => Ok(()),
                    ErrorKind::NotFound => self.tell_of(Change::Removed, context),
                    ErrorKind::PermissionDenied | ErrorKind::InvalidInput if told => Ok(()),
                    ErrorKind::PermissionDenied | ErrorKind::InvalidInput => {
                        self.tell_of(Change::Refused(error), context)
                    }
                    _ => Err(at(&self.path, error).into()),
                }
            }
        }
    }

    /// Goes on at the begin of a file: of another, or of the one that is open.
    fn begin(
        &mut self,
        change: Change,
        found: Option<P::Content>,
        context: &ReaderContext<Command<U>>,
    ) -> Result<(), Over> {
        // What was left without a line feed will get none.
        self.finish(context)?;
        match (found, &mut self.file) {
            (Some(content), file) => *file = Some(Opened { content, offset: 0 }),
            (None, Some(file)) => file.offset = 0,
            (None, None) => unreachable!("what is not open is not truncated"),
        }
        self.at_end = false;
        self.absent = false;
        self.tell_of(change, context)
    }

    fn tell_of(&self, change: Change, context: &ReaderContext<Command<U>>) -> Result<(), Over> {
        tell(context, Request::Changed { seeks: self.seeks, change })
    }

    /// Hands over the last unit, if one has begun.
    fn finish(&mut self, context: &ReaderContext<Command<U>>) -> Result<(), Over> {
        let end = self.file.as_ref().map_or(0, |file| file.offset);
        match self.cutter.finish(&Hold(&self.shared.window)) {
            Some(unit) => tell(context, Request::Received { seeks: self.seeks, unit, end }),
            None => Ok(()),
        }
    }
}

/// Tells the Handler; when it has ended, the Reader is over too.
fn tell<U: Unit>(context: &ReaderContext<Command<U>>, request: Request<U>) -> Result<(), Over> {
    context.deliver(Command(request)).map_err(|_| Over(Ok(())))
}

impl<U: Unit, P: Place> Reader<Command<U>> for Follow<U, P> {
    const STACK_BYTES: usize = STACK_BYTES;

    fn interrupt(&mut self) -> Interrupt {
        let shared = self.shared.clone();
        Interrupt::new(move || shared.window.waker.wake(Requests::END))
    }

    fn run(mut self, context: &ReaderContext<Command<U>>) -> Result<(), Exit> {
        let _until_over = self.shared.window.waker.until_over();
        let mut buffer = Vec::new();
        loop {
            if let Err(Over(result)) = self.turn(&mut buffer, context) {
                return result;
            }
        }
    }
}
