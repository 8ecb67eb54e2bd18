//! What was read, and how it slows down who reads: a Reader that is faster than those who use what it reads
//! would fill the memory.

use std::ops::Deref;

use bytes::Bytes;
use platform::sync::Arc;
use platform::sync::atomic::{AtomicUsize, Ordering};

use super::waker::{Requests, Waker};

/// How many bytes may have been read and not yet been used before the Reader stops reading.
pub(crate) const WINDOW: usize = platform::limits::WINDOW;

/// How much was read and is not used yet, and where the Reader waits meanwhile.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) waker: Waker,
    /// Bytes that hold up the Reader: those that were read and are still in somebody's hands.
    held: AtomicUsize,
}

impl Window {
    pub(crate) fn new(waker: Waker) -> Arc<Self> {
        Arc::new(Self { waker, held: AtomicUsize::new(0) })
    }

    /// Says whether the Reader should read no further for now; it will then be asked to look again.
    pub(crate) fn is_held_up(&self) -> bool {
        // Relaxed: nothing is read through this value. A stale one is corrected by the request that follows
        // each fall below the window: taking that request acquires what `release` did before it.
        self.held.load(Ordering::Relaxed) >= WINDOW
    }

    /// Adds to what holds up the Reader.
    pub(crate) fn hold(&self, bytes: usize) {
        // Relaxed: it counts, and orders nothing.
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes away from what holds up the Reader, and wakes it if it may read again.
    pub(crate) fn release(&self, bytes: usize) {
        // Relaxed: it counts; the request that follows carries the order.
        let before = self.held.fetch_sub(bytes, Ordering::Relaxed);
        debug_assert!(before >= bytes, "released more than was held");
        if before >= WINDOW && before - bytes < WINDOW {
            self.waker.wake(Requests::READ_ON);
        }
    }
}

/// What a meta-process has read.
///
/// As long as it is kept, it counts as not yet used: its Reader reads no further while 64 KiB of its data
/// are kept, wherever they are, so that nobody can send faster than the data are used. To collect
/// data until a whole message is there, take the bytes out with [`into_bytes`](Self::into_bytes).
#[derive(Debug)]
pub struct Data {
    bytes: Bytes,
    hold: Hold,
}

/// Some bytes that hold up a Reader, until it is dropped.
#[derive(Debug)]
struct Hold {
    window: Arc<Window>,
    bytes: usize,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.window.release(self.bytes);
    }
}

impl Data {
    /// Data that count as they are long.
    pub(crate) fn new(bytes: &[u8], window: &Arc<Window>) -> Self {
        Self::weighing(bytes.len(), bytes, window)
    }

    /// Data that count as `weight` bytes.
    pub(crate) fn weighing(weight: usize, bytes: &[u8], window: &Arc<Window>) -> Self {
        window.hold(weight);
        let hold = Hold { window: Arc::clone(window), bytes: weight };
        Self { bytes: Bytes::copy_from_slice(bytes), hold }
    }

    /// Takes the bytes out; they count as used from now on.
    pub fn into_bytes(self) -> Bytes {
        drop(self.hold);
        self.bytes
    }
}

impl Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<Data> for Bytes {
    fn from(data: Data) -> Self {
        data.into_bytes()
    }
}
