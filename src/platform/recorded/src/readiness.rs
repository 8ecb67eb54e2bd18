//! The standard platform's, and connected sockets, so that what is told of a model's can be told of these.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

pub use antiphon_platform::readiness::*;

/// One end of a TCP connection on loopback, which never blocks.
#[derive(Debug)]
pub struct Stream(TcpStream);

/// Two connected ends. How many bytes may be on their way is for the operating system to say.
///
/// # Errors
/// The operating system's.
pub fn pair(capacity: usize) -> io::Result<(Stream, Stream)> {
    let listener = Listener::new(capacity)?;
    let near = listener.connect()?;
    loop {
        match listener.accept() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait(&Event::new()?, [Some((&listener, Readiness::READ))], None)?;
            }
            far => return Ok((near, far?)),
        }
    }
}

impl Stream {
    fn of(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    /// Reads what is there: as much as `buffer` has room for; nothing at the end.
    ///
    /// # Errors
    /// The operating system's; `WouldBlock` if nothing is there yet.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.0).read(buffer)
    }

    /// How many bytes can be read.
    ///
    /// # Errors
    /// The operating system's.
    pub fn unread(&self) -> io::Result<usize> {
        Ok(usize::try_from(rustix::io::ioctl_fionread(&self.0)?).unwrap_or(usize::MAX))
    }

    /// Writes as much as there is room for.
    ///
    /// # Errors
    /// The operating system's; `WouldBlock` if there is no room.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        (&self.0).write(bytes)
    }

    /// Tells the other end that nothing more comes.
    ///
    /// # Errors
    /// The operating system's.
    pub fn shutdown_write(&self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }

    /// Takes the error that broke the connection, if one did.
    ///
    /// # Errors
    /// The operating system's.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    /// Goes away at once, whatever is on its way.
    pub fn reset(self) {
        let linger = rustix::net::sockopt::set_socket_linger(&self.0, Some(Duration::ZERO));
        linger.expect("it is a TCP socket");
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A socket that accepts connections on loopback, and never blocks.
#[derive(Debug)]
pub struct Listener(TcpListener);

impl Listener {
    /// A listener on a free port.
    ///
    /// # Errors
    /// The operating system's.
    pub fn new(_capacity: usize) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// Connects to it.
    ///
    /// # Errors
    /// The operating system's.
    pub fn connect(&self) -> io::Result<Stream> {
        Stream::of(TcpStream::connect(self.0.local_addr()?)?)
    }

    /// Accepts the connection that has waited longest.
    ///
    /// # Errors
    /// The operating system's; `WouldBlock` if none waits.
    pub fn accept(&self) -> io::Result<Stream> {
        Stream::of(self.0.accept()?.0)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
