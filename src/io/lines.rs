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

mod origin;

use std::fmt::Debug;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use origin::Origin;
use platform::readiness::{Readiness, Source};
use platform::sync::Arc;

use super::connection::STACK_BYTES;
use super::data::Window;
use super::line::{Cutter, Hold};
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

/// What lines are read from: for a source of one's own, whose bytes the operating system does not give as they
/// should be cut.
pub trait Feed: Debug + Send + 'static {
    /// What is waited for. It may be another one after [`begin_again`](Self::begin_again).
    fn source(&self) -> &dyn Source;

    /// Reads once, after the source was ready; nothing at the end. It keeps nothing back that it has taken from the
    /// source: that alone is waited for.
    ///
    /// # Errors
    /// `WouldBlock` or `Interrupted` if the source is to be waited for again; any other ends the Reader.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Called after an end, when what was read last has been handed over also without a line feed: says whether
    /// it goes on.
    ///
    /// If so, it is read at once, until it would block or has ended once more, and only then waited for: the
    /// source need not tell again of what was there before.
    ///
    /// # Errors
    /// Any ends the Reader.
    fn begin_again(&mut self) -> io::Result<bool> {
        Ok(false)
    }
}

/// A Reader of lines, or of chunks.
#[derive(Debug)]
pub struct Input<U: Unit = Line> {
    feed: Box<dyn Feed>,
    window: Arc<Window>,
    cutter: U::Cutter,
    /// It has begun again. Whoever came and went just before that may have left something, of whose end no wait
    /// tells: it is read without waiting.
    begun_again: bool,
}

impl Input {
    /// Reads standard input.
    ///
    /// # Errors
    /// The operating system's, for example when there is no descriptor left.
    pub fn stdin() -> io::Result<Self> {
        Self::from_feed(Origin::shared(io::stdin().as_fd().try_clone_to_owned()?)?)
    }

    /// Reads what `descriptor` gives, from a pipe, a FIFO, a terminal, a socket or a file, until it ends.
    ///
    /// # Errors
    /// If it is not open for reading; the operating system's, for example when there is no descriptor left.
    pub fn of(descriptor: impl Into<OwnedFd>) -> io::Result<Self> {
        Self::from_feed(Origin::shared(descriptor.into())?)
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
        Self::from_feed(Origin::fifo(path.into())?)
    }

    /// Reads what `feed` gives.
    ///
    /// # Errors
    /// The operating system's, for example when there is no descriptor left.
    pub fn from_feed(feed: impl Feed) -> io::Result<Self> {
        let window = Window::new(Waker::new()?);
        Ok(Self { feed: Box::new(feed), window, cutter: Cutter::new(LIMIT), begun_again: false })
    }

    /// Hands over the bytes as they come, in [`Data`] of at most 64 KiB, not in lines.
    pub fn by_chunk(self) -> Input<Data> {
        let Self { feed, window, begun_again, .. } = self;
        Input { feed, window, cutter: Cutter::new(LIMIT), begun_again }
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
        let Ready { source, requests } = self.wait()?;
        if requests.contains(Requests::END) {
            return Ok(true);
        }
        if source == Readiness::NONE {
            return Ok(false);
        }
        // Made when something is there to be read.
        buffer.resize(CHUNK, 0);
        let (hold, deliver) = (Hold(&self.window), |unit: U| context.deliver(unit.into()));
        let delivered = match self.feed.read(buffer) {
            Ok(0) => {
                let delivered = self.cutter.finish(&hold).map_or(Ok(()), deliver);
                // An end that was not waited for is not told again.
                self.begun_again = !self.begun_again;
                if self.begun_again && !self.feed.begin_again()? {
                    return Ok(true);
                }
                delivered
            }
            Ok(count) => self.cutter.feed(&buffer[..count], &hold, |unit, _| deliver(unit)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.begun_again = false;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) => return Err(error),
        };
        // When the Handler has ended, the Reader is over too.
        Ok(delivered.is_err())
    }

    /// Waits for requests, and for something to read if it may be read.
    fn wait(&self) -> io::Result<Ready> {
        let waker = &self.window.waker;
        if self.window.is_held_up() {
            return waker.wait(None, None);
        }
        if self.begun_again {
            return Ok(Ready { source: Readiness::READ, requests: waker.take() });
        }
        waker.wait(Some((self.feed.source(), Readiness::READ)), None)
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
