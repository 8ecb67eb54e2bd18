//! What waits to be written.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

use bytes::{Buf, Bytes};

/// From how many queued bytes on whoever should read them counts as slow.
const CONGESTED: usize = platform::limits::WINDOW;
/// Down to how many queued bytes it must come to count as slow no more.
const DRAINED: usize = CONGESTED / 4;
/// With how many queued bytes a further write fails.
const LIMIT: usize = 16 << 20;
/// How many pieces one system call writes at most.
const PIECES: usize = 64;

/// What was accepted for writing and is not written yet, in order.
#[derive(Default, Debug)]
pub(crate) struct Queue {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    congested: bool,
}

impl Queue {
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// How many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// Whether whoever should read is slow: has been, and has not caught up.
    pub(crate) fn is_congested(&self) -> bool {
        self.congested
    }

    /// Adds to what waits.
    ///
    /// # Errors
    /// [`LIMIT`] bytes wait already.
    pub(crate) fn push(&mut self, bytes: Bytes) -> io::Result<()> {
        if self.bytes >= LIMIT {
            let text = format!("the other side does not read: {} bytes wait to be written to it", self.bytes);
            return Err(io::Error::new(ErrorKind::TimedOut, text));
        }
        if !bytes.is_empty() {
            self.bytes += bytes.len();
            self.congested |= self.bytes >= CONGESTED;
            self.pieces.push_back(bytes);
        }
        Ok(())
    }

    /// Writes by `write`, until nothing waits or there is no room; says whether nothing waits any more.
    ///
    /// # Errors
    /// Those of `write`.
    pub(crate) fn write_by(
        &mut self,
        write: impl Fn(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<bool> {
        while !self.pieces.is_empty() {
            let mut slices = [IoSlice::new(&[]); PIECES];
            let filled = slices.iter_mut().zip(&self.pieces);
            let count = filled.map(|(slice, bytes)| *slice = IoSlice::new(bytes)).count();
            match write(&slices[..count]) {
                Ok(written) => self.advance(written),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn advance(&mut self, mut written: usize) {
        self.bytes -= written;
        self.congested &= self.bytes > DRAINED;
        while let Some(first) = self.pieces.front_mut() {
            let piece = first.len().min(written);
            first.advance(piece);
            written -= piece;
            if first.has_remaining() {
                break;
            }
            self.pieces.pop_front();
        }
    }
}
