//! What the Reader and the Handler of one connection share: the socket, and how they slow each other down.
//!
//! They share no data and no lock. The socket is the operating system's to share: one reads, one writes.

use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::ops::Deref;

use platform::readiness::Source;
use platform::sync::Arc;

use super::data::Window;
use super::waker::Waker;

/// A connected stream socket, which after [`prepare`](Self::prepare) never blocks.
pub trait Socket: Send + Sync + Debug + 'static {
    /// What is waited for.
    fn source(&self) -> &dyn Source;

    /// Called first, when it becomes a connection's.
    ///
    /// # Errors
    /// If it is broken already; nobody hears of it then.
    fn prepare(&self) -> io::Result<()>;

    /// Reads what is there; nothing at the end.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is there yet; any other ends the connection.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Says whether a read that returned less than there was room for, or would have blocked, has taken all
    /// that was there from the source. A connection on a poller then saves a system call; for a socket of
    /// which it is not true, such as one that reads and decrypts one record at a time, it would wait for ever.
    fn reads_all(&self) -> bool {
        false
    }

    /// Writes as much as there is room for.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room; any other ends the connection.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// As [`write`](Self::write), from several places.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Tells the peer that nothing more will come.
    ///
    /// # Errors
    /// `NotConnected` if the peer was faster; any other ends the connection.
    fn shutdown_write(&self) -> io::Result<()>;

    /// Takes the error that broke the connection, if one did.
    ///
    /// # Errors
    /// If that cannot be found out.
    fn take_error(&self) -> io::Result<Option<io::Error>>;
}

/// What both lines of a connection hold. The descriptors are closed when both are gone.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) socket: Box<dyn Socket>,
    window: Arc<Window>,
}

impl Link {
    pub(crate) fn new(socket: impl Socket, waker: Waker) -> Arc<Self> {
        Arc::new(Self { socket: Box::new(socket), window: Window::new(waker) })
    }
}

impl Deref for Link {
    type Target = Arc<Window>;

    fn deref(&self) -> &Arc<Window> {
        &self.window
    }
}
