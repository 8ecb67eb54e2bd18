//! What the two lines need of a child process.

use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::process::ExitStatus;

use platform::readiness::Source;
use platform::sync::Arc;

use crate::io::signal::Signal;

/// A child process that runs, and this side's ends of its streams.
#[derive(Debug)]
pub struct Parts {
    /// The one who waits for it.
    pub process: Box<dyn Process>,
    /// How the Handler signals it.
    pub target: Box<dyn Target>,
    /// Its number, to be told.
    pub pid: u32,
    /// What its standard input reads from.
    pub stdin: Option<Box<dyn Pipe>>,
    /// What its standard output, and its standard error output, are read from.
    pub outputs: [Option<Box<dyn Pipe>>; 2],
}

/// A child process, for whoever waits for it.
///
/// It has a number, which means this child until somebody has waited for it.
pub trait Process: Debug + Send + 'static {
    /// Readable when the child has exited.
    fn source(&self) -> &dyn Source;

    /// Asks it to end, and whoever is to end with it; nobody has waited for it yet.
    fn terminate(&self);

    /// Kills it, and whoever is to end with it; nobody has waited for it yet.
    fn kill(&self);

    /// Waits for it, if it has exited; after that, its number means nothing.
    ///
    /// # Errors
    /// Somebody else has waited for it.
    fn try_wait(&mut self) -> io::Result<Option<ExitStatus>>;

    /// Waits for it, as long as it takes.
    ///
    /// # Errors
    /// As [`try_wait`](Self::try_wait).
    fn wait(&mut self) -> io::Result<()>;
}

/// A child process, for whoever signals it at any time.
pub trait Target: Debug + Send + Sync + 'static {
    /// Sends it a signal. Nothing happens if it was waited for.
    ///
    /// # Errors
    /// The operating system's: the child runs as another user.
    fn signal(&self, signal: Signal) -> io::Result<()>;

    /// Kills it. Nothing happens if it was waited for.
    ///
    /// # Errors
    /// As [`signal`](Self::signal).
    fn kill(&self) -> io::Result<()>;
}

/// This side's end of one of a child's streams, which never blocks.
pub trait Pipe: Debug + Send + Sync + 'static {
    /// What is waited for.
    fn source(&self) -> &dyn Source;

    /// Reads what is there; nothing at the end.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is there yet.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// How many bytes can be read.
    ///
    /// # Errors
    /// The operating system's.
    fn unread(&self) -> io::Result<usize>;

    /// Writes as much as there is room for.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room, `BrokenPipe` if the child reads no more.
    fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;
}

/// A pipe that both lines have: it is closed when both have let go.
pub(super) type Held = Arc<Box<dyn Pipe>>;
