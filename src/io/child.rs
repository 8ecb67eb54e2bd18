//! Child processes.
//!
//! The meta-process of a child process has a Reader that waits for what the child writes, by line or by chunk,
//! and for its end; and a Handler that runs a [`Session`], writes to the child's standard input, and sends it
//! signals.
//!
//! ```no_run
//! use std::process::Command;
//!
//! use antiphon::io::child::{self, Event, Forward, Line};
//! use antiphon::{Actor, Context, Exit};
//!
//! struct Sorter;
//!
//! impl Actor for Sorter {
//!     type Message = Event;
//!
//!     fn init(&mut self, context: &mut Context<'_, Event>) -> Result<(), Exit> {
//!         let (reader, handler) = child::start(&mut Command::new("sort"), Forward::new(context.address()))?;
//!         let sort = context.spawn_meta(reader, handler)?;
//!         sort.send(child::Command::write("venite\nadoremus\n"))?;
//!         sort.send(child::Command::close_stdin())?;
//!         Ok(())
//!     }
//!
//!     fn handle(&mut self, event: Event, _: &mut Context<'_, Event>) -> Result<(), Exit> {
//!         match event {
//!             Event::Output { unit: Line::Whole(line), .. } => println!("{}", String::from_utf8_lossy(&line)),
//!             Event::Exited { status, .. } => println!("sort: {status}"),
//!             _ => {}
//!         }
//!         Ok(())
//!     }
//! }
//! ```
//!
//! # What ends, and when
//! The meta-process ends when the child has exited and what it wrote was read to its end. If it is to end
//! before, because its [`Session`] or its owner ends or the node stops, the child ends too: it is sent
//! SIGTERM, and after a [grace](Options::grace) SIGKILL. What it writes meanwhile is read and dropped, so that
//! nothing keeps it from ending. Only when it has been waited for is the meta-process reported as ended: no
//! child is left running and no zombie is left behind, whoever ends first (`reader-lifetime`, `ownership`).
//! That is so as long as this program lives: if it is killed itself, its children are told by the end of
//! their standard input, if they listen.
//!
//! To end a child and hear how it ended, send [`Command::stop`]: signals and grace are the same, and the
//! session goes on until the child has exited.
//!
//! # Output, and the exit
//! What the two streams are cut into, [lines](Line) or [chunks](Data), says the [`Session`]. Either are bytes: no
//! encoding is assumed; an end without a line feed is a line. What one stream carries is told in order; between the
//! two streams there is no order. [`Session::exited`] is called when the child has exited and all that it
//! wrote itself has been told.
//!
//! A child that leaves processes of its own behind, which still hold its standard output, has exited all the
//! same: the session is told at once. What they write is told too, until they close it; the meta-process goes
//! on that long, if nobody ends it. To have them end with the child, start it as a [group](Options::group).
//!
//! # Back-pressure
//! A child that writes faster than its output is used is held up, see [`Data`]. What the child does not read
//! waits in memory: [`Child::write`] never blocks, the session is told when 64 KiB wait
//! ([`Session::congested`]), and at 16 MiB the next write fails. A child that does not read is still read
//! from, so the two can't wait for each other.
//!
//! # What it needs
//! Linux 5.3 or later, for process descriptors: a child is signalled and waited for by its descriptor, so a
//! number that has come to mean another process is never signalled. The program must not ignore SIGCHLD, and
//! nobody else may wait for its children.

mod forward;
mod leader;
mod process;
mod session;
mod stdin;
mod system;
mod talk;
mod watch;

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command as Program, Stdio};
use std::time::Duration;

use platform::sync::Arc;

use super::data::Window;
use super::line::Cutter;
use super::waker::Waker;
use crate::meta::{Handler, Reader};
use leader::Leader;
use stdin::Stdin;
use talk::Talk;
use watch::Watch;

pub use super::data::Data;
pub use super::line::{Line, Unit};
pub use forward::{Event, Forward};
#[doc(hidden)]
pub use process::{Parts, Pipe, Process, Target};
pub use session::{Child, Command, Session, Stream};

/// Starts a child process with the usual [`Options`]; see [`Options::start`].
///
/// # Errors
/// As [`Options::start`].
pub fn start<S: Session>(
    command: &mut Program,
    session: S,
) -> io::Result<(impl Reader<Command>, impl Handler<Message = Command>)> {
    Options::new().start(command, session)
}

/// How a child process is started, read from and ended.
#[derive(Debug)]
pub struct Options {
    limit: usize,
    grace: Duration,
    group: bool,
    stdin: Stdio,
    stdout: Stdio,
    stderr: Stdio,
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl Options {
    /// The usual: lines, or chunks, of at most 64 KiB, five seconds of grace, no group, all three streams connected.
    pub fn new() -> Self {
        Self {
            limit: 64 << 10,
            grace: Duration::from_secs(5),
            group: false,
            stdin: Stdio::piped(),
            stdout: Stdio::piped(),
            stderr: Stdio::piped(),
        }
    }

    /// Make no line, and no chunk, longer than `bytes`: 64 KiB, unless it is said. A longer line comes in parts.
    /// Zero counts as one.
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// How long the child has from SIGTERM to SIGKILL when it is to end. None, if it is zero: it gets SIGKILL
    /// at once. Whoever stops the node should have more patience than that.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Start the child as the first of a process group, which ends with it: when it is to end, the whole
    /// group gets the SIGTERM, and when it has exited, whoever is left in the group is killed.
    ///
    /// What the terminal sends to its foreground, Ctrl-C for example, does not reach another group.
    pub fn group(mut self) -> Self {
        self.group = true;
        self
    }

    /// What the child's standard input is, if it is not written to by the Handler: writing then fails.
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// What the child's standard output is, if it is not read by the Reader.
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = stdout.into();
        self
    }

    /// What the child's standard error output is, if it is not read by the Reader.
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.stderr = stderr.into();
        self
    }

    /// Starts a child process, and makes the two lines of its meta-process, for `spawn_meta`. Which program,
    /// with which arguments, variables and directory, says `command`; its streams are set here.
    ///
    /// A child whose meta-process is then not spawned is killed, and waited for, when the two are dropped.
    ///
    /// # Errors
    /// The operating system's: there is no such program, or it may not be run; there is no descriptor left.
    /// The text names the program.
    pub fn start<S: Session>(
        self,
        command: &mut Program,
        session: S,
    ) -> io::Result<(impl Reader<Command>, impl Handler<Message = Command>)> {
        let Self { limit, grace, group, stdin, stdout, stderr } = self;
        command.stdin(stdin).stdout(stdout).stderr(stderr);
        if group {
            command.process_group(0);
        }
        let waker = Waker::new();
        let parts = waker.and_then(|waker| Ok((system::spawn(command, group)?, waker)));
        let (parts, waker) = parts.map_err(|error| {
            let program = command.get_program().to_string_lossy();
            io::Error::new(error.kind(), format!("cannot start {program}: {error}"))
        })?;
        Ok(lines_on(parts, waker, limit, grace, session))
    }

    /// The two lines of a child that runs already, such as a model's.
    ///
    /// # Errors
    /// The operating system's, for example when there is no descriptor left.
    #[doc(hidden)]
    pub fn attach<S: Session>(
        self,
        parts: Parts,
        session: S,
    ) -> io::Result<(impl Reader<Command>, impl Handler<Message = Command>)> {
        Ok(lines_on(parts, Waker::new()?, self.limit, self.grace, session))
    }
}

fn lines_on<S: Session>(
    parts: Parts,
    waker: Waker,
    limit: usize,
    grace: Duration,
    session: S,
) -> (Watch, Talk<S>) {
    let Parts { process, target, pid, stdin, outputs } = parts;
    let shared = Arc::new(Shared { window: Window::new(waker), pid, target });
    let stdin = Stdin::new(Arc::clone(&shared), stdin);
    let leader = Leader::new(process, grace);
    let watch = Watch::new(Arc::clone(&shared), leader, stdin.pipe(), outputs);
    let cutters = [(); 2].map(|()| Cutter::new(limit));
    (watch, Talk::new(shared, stdin, cutters, session))
}

/// What the Reader and the Handler share.
#[derive(Debug)]
struct Shared {
    window: Arc<Window>,
    /// The child's number, to be told: whoever means the child uses its descriptor.
    pid: u32,
    target: Box<dyn Target>,
}
