//! Unix stream sockets: listeners and connections between processes of one machine.
//!
//! All is as on [TCP](super::tcp): the same [`Session`], the same [`Command`], the same back-pressure and the
//! same ends. Two things differ. A peer has no useful address, but it has [`Credentials`], which the
//! operating system vouches for. And the address that is listened on is a file.
//!
//! ```no_run
//! use antiphon::io::unix;
//! use antiphon::{Actor, Context, Exit};
//!
//! struct Echo;
//!
//! impl unix::Session for Echo {
//!     fn received(&mut self, data: unix::Data, connection: &mut unix::Connection<'_>) -> Result<(), Exit> {
//!         Ok(connection.write(data)?)
//!     }
//! }
//!
//! struct Server(Option<unix::Listener>);
//!
//! impl Actor for Server {
//!     type Message = std::convert::Infallible;
//!
//!     fn init(&mut self, context: &mut Context<'_, Self::Message>) -> Result<(), Exit> {
//!         let socket = self.0.take().expect("init runs once");
//!         let (reader, handler) = unix::listener(socket, |_peer| Echo)?;
//!         context.spawn_meta(reader, handler)?;
//!         Ok(())
//!     }
//!
//!     fn handle(&mut self, message: Self::Message, _: &mut Context<'_, Self::Message>) -> Result<(), Exit> {
//!         match message {}
//!     }
//! }
//!
//! let server = Server(Some(unix::Listener::bind("/run/echo.sock")?));
//! # Ok::<(), unix::BindError>(())
//! ```
//!
//! # Whose the socket's file is
//! [`Listener::bind`] makes it, and it is removed when the listener ends, unless somebody has put another in
//! its place meanwhile. A process that is killed leaves its file behind; the next bind then says so
//! ([`BindError::Stale`]), and removes nothing: whether another server is about to start is for the user to
//! know. A socket that was bound elsewhere is taken as it is (`Listener::from`), and its file stays.

use std::error::Error;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::{fmt, mem};

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;

use platform::readiness::Source;

use super::link::Socket;
use super::listener::Listen;
use super::stepwise::{Steps, Stepwise};
use super::{forward, stream};
use crate::meta::Handler;

pub use super::data::Data;
pub use super::listener::{Accept, Stop};
pub use super::session::{Command, Connection, Session};

/// The two lines of a listener on `socket`, for `spawn_meta`.
///
/// The listener does what this module says, and a connection does what the [`Session`] does that `accept`
/// makes for it. Takes a [`Listener`], or a `UnixListener` of the standard library.
///
/// # Errors
/// The operating system's, for example when there is no descriptor left.
pub fn listener<A: Accept<Peer>>(
    socket: impl Into<Listener>,
    accept: A,
) -> io::Result<(Steps<impl Stepwise<Stop>>, impl Handler<Message = Stop>)> {
    let socket = socket.into();
    socket.socket.set_nonblocking(true)?;
    Ok(stream::listener(socket, accept))
}

/// The two lines of a connection on `socket`, for `spawn_meta`: for one that was not accepted by a
/// [listener](listener()), but connected, or is one of a pair.
///
/// # Errors
/// The operating system's, for example when there is no descriptor left.
pub fn connection<S: Session>(
    socket: UnixStream,
    session: S,
) -> io::Result<(Steps<impl Stepwise<Command>>, impl Handler<Message = Command>)> {
    stream::connection(socket, session)
}

/// Who is at the other end of a connection that was accepted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Peer {
    /// The address that the peer is bound to; most are bound to none.
    pub address: SocketAddr,
    /// Which process connected.
    pub credentials: Credentials,
}

/// Which process is at the other end: what it was when it connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Credentials {
    /// Its process id; `None` if it is in a namespace from where it cannot be told.
    pub process: Option<u32>,
    /// Its effective user id.
    pub user: u32,
    /// Its effective group id.
    pub group: u32,
}

impl Credentials {
    fn of(socket: &UnixStream) -> io::Result<Self> {
        let peer = getsockopt(socket, PeerCredentials)?;
        let process = u32::try_from(peer.pid()).ok().filter(|process| *process != 0);
        Ok(Self { process, user: peer.uid(), group: peer.gid() })
    }
}

/// A socket that listens, and its file, if that is to be removed with it.
#[derive(Debug)]
pub struct Listener {
    /// Removed before the socket is closed: who comes now is told that nobody is there.
    _file: Option<SocketFile>,
    socket: UnixListener,
}

impl Listener {
    /// Listens on a new file. It is removed when the listener ends.
    ///
    /// # Errors
    /// [`BindError`]; nothing was made then, and nothing removed.
    pub fn bind(path: impl AsRef<Path>) -> Result<Self, BindError> {
        let path = path.as_ref();
        let socket = UnixListener::bind(path).map_err(|error| BindError::new(path, error))?;
        let file = SocketFile::find(path).map_err(|error| BindError::new(path, error))?;
        Ok(Self { _file: Some(file), socket })
    }
}

impl From<UnixListener> for Listener {
    /// Takes a socket that was bound elsewhere; its file, if it has one, stays.
    fn from(socket: UnixListener) -> Self {
        Self { _file: None, socket }
    }
}

/// The file of a socket, removed when this is dropped.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    fn find(path: &Path) -> io::Result<Self> {
        // Absolute, since the process may change its directory meanwhile.
        let path = std::path::absolute(path)?;
        let identity = identity(&fs::symlink_metadata(&path)?);
        Ok(Self { path, identity })
    }
}

/// What tells a file from any other that exists at the same time.
fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // What has taken its place meanwhile is somebody else's.
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|file| identity(&file) == self.identity);
        if ours {
            // If it cannot be removed, the next bind says that it is stale.
            let _ = fs::remove_file(mem::take(&mut self.path));
        }
    }
}

/// Why a file could not be listened on.
#[derive(Debug)]
#[non_exhaustive]
pub enum BindError {
    /// Somebody listens there.
    InUse(PathBuf),
    /// There is the file of a socket on which nobody listens: its process ended without removing it. If no
    /// other server is about to start, remove the file and try again.
    Stale(PathBuf),
    /// There is a file that is no socket.
    Occupied(PathBuf),
    /// The operating system's error: for example, that the directory does not exist, or that the path has
    /// more than 107 bytes.
    System(PathBuf, io::Error),
}

impl BindError {
    fn new(path: &Path, error: io::Error) -> Self {
        let place = path.to_owned();
        if error.kind() != ErrorKind::AddrInUse {
            return Self::System(place, error);
        }
        match fs::symlink_metadata(path) {
            Ok(file) if !file.file_type().is_socket() => Self::Occupied(place),
            Ok(_) => match UnixStream::connect(path) {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => Self::Stale(place),
                // A full backlog, a missing permission, a socket of another type: somebody is there.
                Ok(_) | Err(_) => Self::InUse(place),
            },
            // It went away meanwhile, or it is not ours to look at.
            Err(_) => Self::System(place, error),
        }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(path) => write!(f, "cannot listen on {}: somebody does already", path.display()),
            Self::Stale(path) => write!(
                f,
                "cannot listen on {}: a socket file is there, and nobody listens on it; remove the file",
                path.display()
            ),
            Self::Occupied(path) => {
                write!(f, "cannot listen on {}: a file is there that is no socket", path.display())
            }
            Self::System(path, error) => write!(f, "cannot listen on {}: {error}", path.display()),
        }
    }
}

impl Error for BindError {}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Listen for Listener {
    type Socket = UnixStream;
    type Peer = Peer;

    fn source(&self) -> &dyn Source {
        &self.socket
    }

    fn accept(&self) -> io::Result<(UnixStream, Peer)> {
        let (socket, address) = self.socket.accept()?;
        let credentials = Credentials::of(&socket)?;
        Ok((socket, Peer { address, credentials }))
    }
}

impl Socket for UnixStream {
    fn source(&self) -> &dyn Source {
        self
    }

    fn prepare(&self) -> io::Result<()> {
        self.set_nonblocking(true)
    }

    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&mut &*self).read(buffer)
    }

    fn reads_all(&self) -> bool {
        true
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        (&mut &*self).write(bytes)
    }

    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        (&mut &*self).write_vectored(slices)
    }

    fn shutdown_write(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn take_error(&self) -> io::Result<Option<io::Error>> {
        UnixStream::take_error(self)
    }
}

/// What a connection tells an actor, through a [`Forward`].
pub type Event = forward::Event<Peer>;

/// The session that tells an actor what happens, and leaves all decisions to it.
pub type Forward<M> = forward::Forward<M, Peer>;
