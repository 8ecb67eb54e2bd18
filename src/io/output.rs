//! What waits to be written to a peer.
//!
//! Writing never blocks. What the socket has no room for waits in a queue, and the Reader, which waits for
//! the socket anyway, is asked to say when there is room again. So no callback of a Handler takes long,
//! whatever its peer does, and an end that was asked for is never behind a write that cannot complete.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

use bytes::{Buf, Bytes};
use platform::sync::Arc;

use super::link::{Link, WINDOW};
use super::waker::Requests;

/// From how many queued bytes on the peer counts as slow.
pub(crate) const CONGESTED: usize = 64 << 10;
/// Down to how many queued bytes a slow peer must come to count as slow no more.
const DRAINED: usize = 16 << 10;
/// With how many queued bytes a further write fails.
pub(crate) const LIMIT: usize = 16 << 20;
/// How many pieces one system call writes at most.
const PIECES: usize = 64;

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
    queue: VecDeque<Bytes>,
    queued: usize,
    half: Half,
    /// End the connection once everything is written.
    close: bool,
    congested: bool,
}

impl Output {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self { link, queue: VecDeque::new(), queued: 0, half: Half::Open, close: false, congested: false }
    }

    /// Writes as much as there is room for, after what already waits; the rest waits.
    ///
    /// # Errors
    /// The connection is broken, or its writing half closed, or [`LIMIT`] bytes wait already.
    pub(crate) fn write(&mut self, mut bytes: Bytes) -> io::Result<()> {
        if self.half != Half::Open || self.close {
            return Err(io::Error::new(
                ErrorKind::BrokenPipe,
                "written to after its writing half was closed",
            ));
        }
        if self.queued >= LIMIT {
            let text = format!("the peer does not read: {} bytes wait to be written to it", self.queued);
            return Err(io::Error::new(ErrorKind::TimedOut, text));
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
        if bytes.has_remaining() {
            self.queued += bytes.len();
            self.queue.push_back(bytes);
            self.note_congestion();
        }
        Ok(())
    }

    /// There is room again: writes what waits.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while !self.queue.is_empty() {
            match self.write_queued() {
                Ok(written) => self.advance(written),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.link.waker.wake(Requests::WRITABLE);
                    break;
                }
                Err(error) => return Err(error),
            }
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
        self.queued
    }

    fn write_queued(&self) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); PIECES];
        let count =
            slices.iter_mut().zip(&self.queue).map(|(slice, bytes)| *slice = IoSlice::new(bytes)).count();
        self.link.socket.write_vectored(&slices[..count])
    }

    fn advance(&mut self, mut written: usize) {
        self.queued -= written;
        while let Some(first) = self.queue.front_mut() {
            let piece = first.len().min(written);
            first.advance(piece);
            written -= piece;
            if first.has_remaining() {
                break;
            }
            self.queue.pop_front();
        }
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
        if !self.congested && self.queued >= CONGESTED {
            self.congested = true;
            self.link.hold(WINDOW);
        } else if self.congested && self.queued <= DRAINED {
            self.congested = false;
            self.link.release(WINDOW);
        }
    }
}
