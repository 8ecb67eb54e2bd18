//! Writing to a child's standard input.
//!
//! Writing never blocks: what the pipe has no room for waits in a queue, and the Reader, which waits anyway,
//! is asked to say when there is room again. Therefore both hold the pipe. To close it, which is how a child
//! is told that nothing more comes, the Handler lets go of it first and asks the Reader to let go too: so it
//! is never closed while somebody waits for it.

use std::io::{self, ErrorKind, IoSlice};

use bytes::{Buf, Bytes};
use platform::sync::Arc;

use super::Shared;
use super::process::{Held, Pipe};
use crate::io::queue::Queue;
use crate::io::waker::Requests;

/// How far the writing is.
#[derive(Debug)]
enum State {
    /// Not empty exactly while the Reader is asked to say when there is room.
    Open(Held),
    /// Closed when the queue is empty.
    Closing(Held),
    /// Closed by this side, or never there.
    Closed,
    /// The child has closed it.
    Broken,
}

/// The Handler's side of a child's standard input.
#[derive(Debug)]
pub(super) struct Stdin {
    shared: Arc<Shared>,
    state: State,
    queue: Queue,
}

impl Stdin {
    pub(super) fn new(shared: Arc<Shared>, pipe: Option<Box<dyn Pipe>>) -> Self {
        let state = pipe.map_or(State::Closed, |pipe| State::Open(Arc::new(pipe)));
        Self { shared, state, queue: Queue::default() }
    }

    /// The pipe, for the Reader.
    pub(super) fn pipe(&self) -> Option<Held> {
        match &self.state {
            State::Open(pipe) | State::Closing(pipe) => Some(Arc::clone(pipe)),
            State::Closed | State::Broken => None,
        }
    }

    /// Writes as much as there is room for, after what already waits; the rest waits.
    ///
    /// # Errors
    /// It is closed, or too much waits already.
    pub(super) fn write(&mut self, mut bytes: Bytes) -> io::Result<()> {
        let State::Open(pipe) = &self.state else {
            let text = match self.state {
                State::Broken => "the child reads no more",
                _ => "written to a standard input that is closed, or was not connected",
            };
            return Err(io::Error::new(ErrorKind::BrokenPipe, text));
        };
        if self.queue.is_empty() {
            while bytes.has_remaining() {
                match pipe.write(&[IoSlice::new(&bytes)]) {
                    Ok(written) => bytes.advance(written),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.shared.window.waker.wake(Requests::WRITABLE);
                        break;
                    }
                    Err(error) => return self.failed(error),
                }
            }
        }
        self.queue.push(bytes)
    }

    /// There is room again: writes what waits.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let (State::Open(pipe) | State::Closing(pipe)) = &self.state else { return Ok(()) };
        match self.queue.write_by(|slices| pipe.write(slices)) {
            Ok(true) if matches!(self.state, State::Closing(_)) => self.let_go(State::Closed),
            Ok(true) => {}
            Ok(false) => self.shared.window.waker.wake(Requests::WRITABLE),
            Err(error) => self.failed(error)?,
        }
        Ok(())
    }

    /// Closes it once everything is written.
    pub(super) fn close(&mut self) {
        if let State::Open(pipe) = &self.state {
            if self.queue.is_empty() {
                self.let_go(State::Closed);
            } else {
                self.state = State::Closing(Arc::clone(pipe));
            }
        }
    }

    /// Closes it, whatever waits.
    pub(super) fn abandon(&mut self) {
        self.queue = Queue::default();
        self.let_go(State::Closed);
    }

    /// Whether the child has closed it.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken)
    }

    pub(super) fn is_congested(&self) -> bool {
        self.queue.is_congested()
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// That the child reads no more is its own affair, and no failure; what waits is dropped.
    fn failed(&mut self, error: io::Error) -> io::Result<()> {
        if error.kind() != ErrorKind::BrokenPipe {
            return Err(error);
        }
        self.queue = Queue::default();
        self.let_go(State::Broken);
        Ok(())
    }

    fn let_go(&mut self, state: State) {
        self.state = state;
        self.shared.window.waker.wake(Requests::LET_GO);
    }
}
