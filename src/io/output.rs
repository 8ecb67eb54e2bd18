//! What waits to be written to a peer.
//!
//! Writing never blocks. What the socket has no room for waits in a queue, and the Reader, which waits for
//! the socket anyway, is asked to say when there is room again. So no callback of a Handler takes long,
//! whatever its peer does, and an end that was asked for is never behind a write that cannot complete.

use std::io::{self, ErrorKind};

use bytes::{Buf, Bytes};
use platform::sync::Arc;

use super::data::WINDOW;
use super::link::Link;
use super::queue::Queue;
use super::waker::Requests;

/// How far the writing half is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Half {
    Open,
    /// Shut when the queue is empty.
    Closing,
    Shut,
}

/// The writing half of a connection.
#[derive(Debug)]
pub(crate) struct Output {
    link: Arc<Link>,
    /// Not empty exactly while the Reader is asked to say when there is room.
    queue: Queue,
    half: Half,
    /// End the connection once everything is written.
    close: bool,
    /// The peer is slow, and therefore not read from.
    congested: bool,
}

impl Output {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self { link, queue: Queue::default(), half: Half::Open, close: false, congested: false }
    }

    /// Writes as much as there is room for, after what already waits; the rest waits.
    ///
    /// # Errors
    /// The connection is broken, or its writing half closed, or too much waits already.
    pub(crate) fn write(&mut self, mut bytes: Bytes) -> io::Result<()> {
        if self.half != Half::Open || self.close {
            return Err(io::Error::new(
                ErrorKind::BrokenPipe,
                "written to after its writing half was closed",
            ));
        }
        if self.queue.is_empty() {
            while bytes.has_remaining() {
                match self.link.socket.write(&bytes) {
                    Ok(written) => bytes.advance(written),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.link.waker.wake(Requests::WRITABLE);
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        self.queue.push(bytes)?;
        self.note_congestion();
        Ok(())
    }

    /// There is room again: writes what waits.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if !self.queue.write_by(|slices| self.link.socket.write_vectored(slices))? {
            self.link.waker.wake(Requests::WRITABLE);
        }
        self.note_congestion();
        self.shut_if_written()
    }

    /// Closes the writing half once everything is written.
    pub(crate) fn shutdown_write(&mut self) -> io::Result<()> {
        if self.half == Half::Open {
            self.half = Half::Closing;
        }
        self.shut_if_written()
    }

    /// Ends the connection once everything is written.
    pub(crate) fn close(&mut self) {
        self.close = true;
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.close
    }

    /// Everything is written, and nothing more is wanted.
    pub(crate) fn is_closed(&self) -> bool {
        self.close && self.queue.is_empty()
    }

    pub(crate) fn is_congested(&self) -> bool {
        self.congested
    }

    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    fn shut_if_written(&mut self) -> io::Result<()> {
        if self.half == Half::Closing && self.queue.is_empty() {
            self.half = Half::Shut;
            match self.link.socket.shutdown_write() {
                // The peer was faster: there is no half left to close.
                Err(error) if error.kind() == ErrorKind::NotConnected => {}
                result => return result,
            }
        }
        Ok(())
    }

    /// A peer that does not read what it is sent is not read from either: else it could make this side
    /// collect answers without end.
    fn note_congestion(&mut self) {
        if self.congested != self.queue.is_congested() {
            self.congested = self.queue.is_congested();
            if self.congested { self.link.hold(WINDOW) } else { self.link.release(WINDOW) }
        }
    }
}
