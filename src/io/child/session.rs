//! The user's side of a child process: what happens with what it writes, and how to reach it.

use std::fmt;
use std::io;
use std::process::ExitStatus;

use bytes::Bytes;

use super::Shared;
use super::stdin::Stdin;
use crate::address::Address;
use crate::exit::Exit;
use crate::io::data::Data;
use crate::io::line::Unit;
use crate::io::signal::Signal;
use crate::io::waker::Requests;
use crate::meta::HandlerContext;

/// Which of its streams a child has written to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stream {
    /// Its standard output.
    Stdout,
    /// Its standard error output.
    Stderr,
}

impl Stream {
    /// Both, each at its own place.
    pub(super) const BOTH: [Self; 2] = [Self::Stdout, Self::Stderr];
}

/// What is done with one child process: its callbacks run in the Handler, one at a time.
///
/// An error, or a panic, ends the meta-process, and with it the child (`panic-containment`).
///
/// The callbacks usually run on the Reader's thread, whose stack has 256 KiB. One that blocks holds up its
/// own child and no other.
pub trait Session: Send + Sized + 'static {
    /// What the output is cut into: [`Line`](super::Line), or [`Data`](super::Data) for chunks as they come.
    type Unit: Unit;

    /// Called first, before anything is read. The child runs.
    ///
    /// # Errors
    /// The reason for which the meta-process does not come to life; nothing else is called then, and the child
    /// is killed.
    fn started(&mut self, _: &mut Child<'_>) -> Result<(), Exit> {
        Ok(())
    }

    /// Called with each line, or each chunk, that the child has written.
    ///
    /// # Errors
    /// The reason for which the meta-process, and the child, end. [`Exit::Normal`] means that it is done.
    fn output(&mut self, stream: Stream, unit: Self::Unit, child: &mut Child<'_>) -> Result<(), Exit>;

    /// Called once for each stream, when nothing more can come from it: whoever could write to it has closed
    /// it.
    ///
    /// # Errors
    /// As [`output`](Self::output).
    fn output_ended(&mut self, _: Stream, _: &mut Child<'_>) -> Result<(), Exit> {
        Ok(())
    }

    /// Called once when the child has exited, after all that it wrote itself.
    ///
    /// # Errors
    /// As [`output`](Self::output).
    fn exited(&mut self, _: ExitStatus, _: &mut Child<'_>) -> Result<(), Exit> {
        Ok(())
    }

    /// Called once if the child reads its standard input no more, which is noticed when it is written to.
    /// What waited to be written is dropped.
    ///
    /// # Errors
    /// As [`output`](Self::output).
    fn stdin_closed(&mut self, _: &mut Child<'_>) -> Result<(), Exit> {
        Ok(())
    }

    /// Called when the child is slow: 64 KiB wait to be written to it. Whoever writes should hold back until
    /// [`drained`](Self::drained) is called.
    ///
    /// # Errors
    /// As [`output`](Self::output).
    fn congested(&mut self, _: &mut Child<'_>) -> Result<(), Exit> {
        Ok(())
    }

    /// Called when less than 16 KiB wait to be written to a child that was slow.
    ///
    /// # Errors
    /// As [`output`](Self::output).
    fn drained(&mut self, _: &mut Child<'_>) -> Result<(), Exit> {
        Ok(())
    }

    /// Called once, last, if [`started`](Self::started) succeeded (`terminate-once`). A child that has not
    /// exited by then is about to be ended.
    fn closed(&mut self, _reason: &Exit, _child: &mut Child<'_>) {}
}

/// What can be sent to the meta-process of a child.
///
/// Commands are obeyed in the order in which they were accepted (`sender-order`).
#[derive(Debug)]
pub struct Command(pub(super) Request);

/// What the Handler is asked for.
#[derive(Debug)]
pub(super) enum Request {
    /// The Reader read this.
    Read(Stream, Data),
    /// The Reader read the end.
    Ended(Stream),
    /// The Reader saw that there is room in the standard input.
    Writable,
    /// The Reader has waited for the child.
    Exited(ExitStatus),
    Write(Bytes),
    CloseStdin,
    Signal(Signal),
    Stop,
    Kill,
}

impl Command {
    /// Write these bytes to its standard input; never waits, see [`Child::write`]. If the child reads no more,
    /// nothing happens.
    pub fn write(bytes: impl Into<Bytes>) -> Self {
        Self(Request::Write(bytes.into()))
    }

    /// Close its standard input, after what is still to be written.
    pub fn close_stdin() -> Self {
        Self(Request::CloseStdin)
    }

    /// Send it a signal; see [`Child::signal`].
    pub fn signal(signal: Signal) -> Self {
        Self(Request::Signal(signal))
    }

    /// End it: see [`Child::stop`].
    pub fn stop() -> Self {
        Self(Request::Stop)
    }

    /// Kill it: see [`Child::kill`].
    pub fn kill() -> Self {
        Self(Request::Kill)
    }
}

/// A child process, as its own [`Session`] sees it during a callback.
pub struct Child<'a> {
    pub(super) shared: &'a Shared,
    pub(super) stdin: &'a mut Stdin,
    pub(super) context: &'a HandlerContext<'a, Command>,
}

impl Child<'_> {
    /// Writes to its standard input, after all that was written before. Never waits: what the pipe has no
    /// room for waits in memory.
    ///
    /// # Errors
    /// If its standard input is closed, by either side, or was not connected; or if more than 16 MiB wait
    /// already because the child does not read. That the child has just closed it is no error yet: see
    /// [`Session::stdin_closed`].
    pub fn write(&mut self, bytes: impl Into<Bytes>) -> io::Result<()> {
        self.stdin.write(bytes.into())
    }

    /// Closes its standard input, after what is still to be written.
    pub fn close_stdin(&mut self) {
        self.stdin.close();
    }

    /// How many bytes wait to be written to its standard input.
    pub fn queued(&self) -> usize {
        self.stdin.queued()
    }

    /// Sends it a signal: to the child alone, also if it has a [group](super::Options::group). If it has
    /// exited, nothing happens.
    ///
    /// # Errors
    /// The operating system's: the child runs as another user.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        self.shared.target.signal(signal)
    }

    /// Ends it: SIGTERM, and after the [grace](super::Options::grace) SIGKILL. The session goes on until it
    /// has exited.
    pub fn stop(&self) {
        self.shared.window.waker.wake(Requests::STOP);
    }

    /// Kills it, by SIGKILL. If it has exited, nothing happens.
    ///
    /// # Errors
    /// As [`signal`](Self::signal).
    pub fn kill(&self) -> io::Result<()> {
        self.shared.target.kill()
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.shared.pid
    }

    /// Where to send commands for this child.
    pub fn address(&self) -> Address<Command> {
        self.context.address()
    }

    /// The meta-process of this child, and what a Handler may do.
    pub fn context(&self) -> &HandlerContext<'_, Command> {
        self.context
    }
}

impl fmt::Debug for Child<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("context", self.context)
            .field("pid", &self.pid())
            .field("stdin", self.stdin)
            .finish()
    }
}
