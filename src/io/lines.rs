//! Standard input, pipes, FIFOs, terminals: by line, or by chunk.
//!
//! The Reader is an [`Input`]; the Handler is yours, and is sent each [`Line`]. When the input has ended, the
//! lines that came are still handled, then the meta-process ends ([`Exit::Normal`]).
//!
//! ```no_run
//! use antiphon::io::lines::{Input, Line};
//! use antiphon::{Actor, Context, Exit, Handler, HandlerContext};
//!
//! struct Shout;
//!
//! impl Handler for Shout {
//!     type Message = Line;
//!
//!     fn handle(&mut self, line: Line, _: &mut HandlerContext<'_, Line>) -> Result<(), Exit> {
//!         match line {
//!             Line::Whole(line) => println!("{}!", String::from_utf8_lossy(&line).to_uppercase()),
//!             Line::Part { last, .. } => println!("{}", if last { "that was long" } else { "..." }),
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
//!         context.spawn_meta(Input::stdin()?, Shout)?;
//!         Ok(())
//!     }
//!
//!     fn handle(&mut self, message: Self::Message, _: &mut Context<'_, Self::Message>) -> Result<(), Exit> {
//!         match message {}
//!     }
//! }
//! ```
//!
//! A Handler that understands other messages as well makes them from lines: it needs `From<Line>`. To have
//! an actor handle the lines, use [`Forward`].
//!
//! # Lines
//! A line ends with a line feed, which is not part of it; a carriage return before it is. A line is bytes, in
//! whatever encoding. One that is longer than the [limit](Input::limit) comes in [parts](Line::Part): nothing
//! is lost, and no part can be taken for a line.
//!
//! # Who else uses the descriptor
//! A descriptor can be shared with other processes, and standard input is with whoever started this one. So it
//! is never made non-blocking: that would change it for all of them. A pipe or a terminal is opened once more
//! instead, for this Reader alone, and a socket is read with a flag for each call. A file is read from where
//! it stands. Only where opening again is not allowed, a Reader may find that somebody else took what it was
//! about to read, and then waits, uninterruptibly, for more.
//!
//! What was read from standard input by other means, and waits in their buffer, is not seen here.
//!
//! # Back-pressure
//! The Reader reads no further while 64 KiB of its lines are kept: see [`Data`]. Each counts 64 bytes more than
//! it is long. Then the pipe fills, and whoever writes to it waits.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use platform::readiness::{Readiness, Source};
use platform::sync::Arc;
use rustix::fs::{FileType, Mode, OFlags, fcntl_getfl, fstat};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use rustix::termios::isatty;

use super::connection::STACK_BYTES;
use super::data::Window;
use super::line::{Cutter, Hold};
use super::place::at;
use super::waker::{Ready, Requests, Waker};
use crate::address::Address;
use crate::exit::Exit;
use crate::meta::{Handler, HandlerContext, Interrupt, Reader, ReaderContext};

pub use super::data::Data;
pub use super::line::{Line, Unit};

/// How long a line, or a chunk, is at most, unless it is said otherwise.
const LIMIT: usize = 64 << 10;

/// How much one system call reads at most.
const CHUNK: usize = 16 << 10;

/// A Reader of lines, or of chunks.
#[derive(Debug)]
pub struct Input<U: Unit = Line> {
    origin: Origin,
    window: Arc<Window>,
    cutter: U::Cutter,
    /// A FIFO was opened anew. Whoever came and went just before that may have left something, of whose end no
    /// wait tells: it is read without waiting.
    opened_anew: bool,
}

impl Input {
    /// Reads standard input.
    ///
    /// # Errors
    /// The operating system's, for example when there is no descriptor left.
    pub fn stdin() -> io::Result<Self> {
        Self::new(Origin::shared(io::stdin().as_fd().try_clone_to_owned()?)?)
    }

    /// Reads what `descriptor` gives, from a pipe, a FIFO, a terminal, a socket or a file, until it ends.
    ///
    /// # Errors
    /// If it is not open for reading; the operating system's, for example when there is no descriptor left.
    pub fn of(descriptor: impl Into<OwnedFd>) -> io::Result<Self> {
        Self::new(Origin::shared(descriptor.into())?)
    }

    /// Reads a FIFO, from whoever opens it for writing, one after the other or several at a time.
    ///
    /// It does not end: when all writers have gone, it waits for the next. What they wrote last counts as a
    /// line also without a line feed. The Reader ends with its meta-process, or with an error if nobody
    /// writes any more and the FIFO has been removed.
    ///
    /// # Errors
    /// If it is no FIFO; the operating system's, for example that there is none.
    pub fn fifo(path: impl Into<PathBuf>) -> io::Result<Self> {
        Self::new(Origin::fifo(path.into())?)
    }

    fn new(origin: Origin) -> io::Result<Self> {
        let window = Window::new(Waker::new()?);
        Ok(Self { origin, window, cutter: Cutter::new(LIMIT), opened_anew: false })
    }

    /// Hands over the bytes as they come, in [`Data`] of at most 64 KiB, not in lines.
    pub fn by_chunk(self) -> Input<Data> {
        let Self { origin, window, opened_anew, .. } = self;
        Input { origin, window, cutter: Cutter::new(LIMIT), opened_anew }
    }
}

impl<U: Unit> Input<U> {
    /// Makes no line, and no chunk, longer than `bytes`: 64 KiB, unless it is said. A longer line comes in parts.
    /// Zero counts as one.
    pub fn limit(self, bytes: usize) -> Self {
        Self { cutter: Cutter::new(bytes), ..self }
    }
}

impl<U: Unit> Input<U> {
    /// Waits for something to read, and hands over what it was; says whether the Reader is over.
    fn turn<M>(&mut self, buffer: &mut Vec<u8>, context: &ReaderContext<M>) -> io::Result<bool>
    where
        M: From<U> + Send + 'static,
    {
        // While it is held up, the waker alone ends the wait.
        let read_on = !self.window.is_held_up();
        let descriptor: &dyn Source = self.origin.descriptor();
        let source = read_on.then_some((descriptor, Readiness::READ));
        let timeout = (read_on && self.opened_anew).then_some(Duration::ZERO);
        let Ready { source, requests } = self.window.waker.wait(source, timeout)?;
        if requests.contains(Requests::END) {
            return Ok(true);
        }
        if source == Readiness::NONE && timeout.is_none() {
            return Ok(false);
        }
        // Made when something is there to be read.
        buffer.resize(CHUNK, 0);
        let (hold, deliver) = (Hold(&self.window), |unit: U| context.deliver(unit.into()));
        let delivered = match self.origin.read(buffer)? {
            Got::Nothing => {
                self.opened_anew = false;
                Ok(())
            }
            Got::Bytes(count) => self.cutter.feed(&buffer[..count], &hold, |unit, _| deliver(unit)),
            Got::End => {
                let delivered = self.cutter.finish(&hold).map_or(Ok(()), deliver);
                // An end that is not told again needs no other descriptor.
                self.opened_anew = !self.opened_anew;
                if self.opened_anew && !self.origin.begin_again()? {
                    return Ok(true);
                }
                delivered
            }
        };
        // When the Handler has ended, the Reader is over too.
        Ok(delivered.is_err())
    }
}

impl<U: Unit, M: From<U> + Send + 'static> Reader<M> for Input<U> {
    const STACK_BYTES: usize = STACK_BYTES;

    fn interrupt(&mut self) -> Interrupt {
        let window = Arc::clone(&self.window);
        Interrupt::new(move || window.waker.wake(Requests::END))
    }

    fn run(mut self, context: &ReaderContext<M>) -> Result<(), Exit> {
        let _until_over = self.window.waker.until_over();
        let mut buffer = Vec::new();
        while !self.turn(&mut buffer, context)? {}
        Ok(())
    }
}

/// What one attempt to read gave.
enum Got {
    Bytes(usize),
    /// Wait again.
    Nothing,
    End,
}

/// Where lines come from.
#[derive(Debug)]
enum Origin {
    /// Read with an offset, or by a description that does not block.
    Read(OwnedFd),
    /// A socket.
    Received(OwnedFd),
    /// A FIFO, to be opened again when all who wrote to it have gone.
    Fifo(OwnedFd, PathBuf),
}

impl Origin {
    /// A descriptor whose description others may share.
    fn shared(descriptor: OwnedFd) -> io::Result<Self> {
        if fcntl_getfl(&descriptor)? & OFlags::ACCMODE == OFlags::WRONLY {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the descriptor is not open for reading",
            ));
        }
        Ok(match FileType::from_raw_mode(fstat(&descriptor)?.st_mode) {
            FileType::Socket => Self::Received(descriptor),
            FileType::Fifo => Self::Read(reopen(descriptor)),
            FileType::CharacterDevice if isatty(&descriptor) => Self::Read(reopen(descriptor)),
            // A file knows where it stands; of a device nobody knows what opening it again does.
            _ => Self::Read(descriptor),
        })
    }

    fn fifo(path: PathBuf) -> io::Result<Self> {
        Ok(Self::Fifo(open_fifo(&path)?, path))
    }

    fn descriptor(&self) -> &OwnedFd {
        match self {
            Self::Read(descriptor) | Self::Received(descriptor) | Self::Fifo(descriptor, _) => descriptor,
        }
    }

    /// Reads once. It was ready.
    fn read(&self, buffer: &mut [u8]) -> io::Result<Got> {
        let read = match self {
            Self::Read(descriptor) | Self::Fifo(descriptor, _) => rustix::io::read(descriptor, buffer),
            Self::Received(socket) => recv(socket, buffer, RecvFlags::DONTWAIT).map(|(count, _)| count),
        };
        match read {
            Ok(0) => Ok(Got::End),
            Ok(count) => Ok(Got::Bytes(count)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Got::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// After an end: says whether more may come.
    fn begin_again(&mut self) -> io::Result<bool> {
        match self {
            Self::Read(_) | Self::Received(_) => Ok(false),
            Self::Fifo(descriptor, path) => {
                // Opened anew, it does not remember that there were writers, so the end is not told again.
                // Meanwhile the old one keeps what the next writer may have written.
                *descriptor = open_fifo(path)?;
                Ok(true)
            }
        }
    }
}

/// A description of this process's own for a pipe or a terminal, which does not block; or the descriptor
/// itself, where that is not allowed.
fn reopen(descriptor: OwnedFd) -> OwnedFd {
    let path = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
    open(path).unwrap_or(descriptor)
}

fn open_fifo(path: &Path) -> io::Result<OwnedFd> {
    let fifo = open(path).map_err(|error| at(path, error.into()))?;
    match FileType::from_raw_mode(fstat(&fifo)?.st_mode) {
        FileType::Fifo => Ok(fifo),
        _ => Err(at(path, io::Error::new(io::ErrorKind::InvalidInput, "it is no FIFO"))),
    }
}

fn open(path: impl rustix::path::Arg) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

/// The Handler that leaves the lines, or chunks, to an actor.
///
/// To hear of the end, the actor monitors the meta-process. When the actor has ended, the Reader ends.
#[derive(Debug)]
pub struct Forward<M: Send + 'static> {
    to: Address<M>,
}

impl<M: Send + 'static> Forward<M> {
    /// Sends what is read to `to`.
    pub fn new(to: Address<M>) -> Self {
        Self { to }
    }
}

impl<M: Send + 'static> Handler for Forward<M> {
    type Message = M;

    fn handle(&mut self, message: M, _: &mut HandlerContext<'_, M>) -> Result<(), Exit> {
        self.to.send(message).map_err(|_| Exit::Normal)
    }
}
