//! TCP: listeners and connections.
//!
//! A *listener* is a meta-process whose Reader accepts and spawns a meta-process for each connection; its
//! Handler understands [`Stop`]. A *connection* is a meta-process whose Reader reads and whose Handler runs a
//! [`Session`] and writes. Both belong to the process that spawned the listener and end with it (`ownership`).
//!
//! ```no_run
//! use antiphon::io::tcp;
//! use antiphon::{Actor, Context, Exit};
//!
//! struct Echo;
//!
//! impl tcp::Session for Echo {
//!     fn received(&mut self, data: tcp::Data, connection: &mut tcp::Connection<'_>) -> Result<(), Exit> {
//!         Ok(connection.write(data)?)
//!     }
//! }
//!
//! struct Server(Option<std::net::TcpListener>);
//!
//! impl Actor for Server {
//!     type Message = std::convert::Infallible;
//!
//!     fn init(&mut self, context: &mut Context<'_, Self::Message>) -> Result<(), Exit> {
//!         let socket = self.0.take().expect("init runs once");
//!         let (reader, handler) = tcp::listener(socket, |_peer| Echo)?;
//!         context.spawn_meta(reader, handler)?;
//!         Ok(())
//!     }
//!
//!     fn handle(&mut self, message: Self::Message, _: &mut Context<'_, Self::Message>) -> Result<(), Exit> {
//!         match message {}
//!     }
//! }
//! ```
//!
//! # Who writes, who reads
//! The Reader waits for the socket, for both directions, and reads. Only the Handler writes, so what is
//! written needs no lock to come out whole and in order. It never blocks: what the socket has no room for
//! waits in a queue of the Handler's, and the Reader tells it when there is room. Therefore an end that is
//! asked for never waits behind a peer that does not read (`interruption`).
//!
//! What was read is handed to the Handler by [`ReaderContext::deliver`](crate::ReaderContext::deliver): when
//! the Handler is idle, it runs on the Reader's thread, and nobody needs to be woken.
//!
//! # Back-pressure
//! A peer that sends faster than its data are used is held up: see [`Data`]. A peer that does not read is
//! not read from either once 64 KiB wait for it, and the session is told ([`Session::congested`]); at 16 MiB
//! the next write fails.
//!
//! # What ends a connection
//! The [`Session`], by an error or by [`Connection::close`]; [`Command::close`]; an error of the socket, a
//! reset for example ([`Exit::Failed`](crate::Exit::Failed)); both halves closed; the end of its owner. The peer's end of sending
//! alone does not: [`Session::ended`] is called, and what is then written is still sent.
//!
//! # What ends a listener
//! [`Stop`], the end of its owner, or a socket that cannot listen. Running out of descriptors, memory or
//! threads does not: it tries again after a pause ([`Accept::failed`]).

use std::io::{self, IoSlice, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

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
/// makes for it. Sockets that are accepted have `TCP_NODELAY` set.
///
/// # Errors
/// The operating system's, for example when there is no descriptor left.
pub fn listener<A: Accept<SocketAddr>>(
    socket: TcpListener,
    accept: A,
) -> io::Result<(Steps<impl Stepwise<Stop>>, impl Handler<Message = Stop>)> {
    socket.set_nonblocking(true)?;
    Ok(stream::listener(socket, accept))
}

/// The two lines of a connection on `socket`, for `spawn_meta`: for one that was not accepted by a
/// [listener](listener()), but connected. Sets `TCP_NODELAY`.
///
/// # Errors
/// The operating system's, for example when there is no descriptor left.
pub fn connection<S: Session>(
    socket: TcpStream,
    session: S,
) -> io::Result<(Steps<impl Stepwise<Command>>, impl Handler<Message = Command>)> {
    stream::connection(socket, session)
}

impl Listen for TcpListener {
    type Socket = TcpStream;
    type Peer = SocketAddr;

    fn source(&self) -> &dyn Source {
        self
    }

    fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        TcpListener::accept(self)
    }
}

impl Socket for TcpStream {
    fn source(&self) -> &dyn Source {
        self
    }

    fn prepare(&self) -> io::Result<()> {
        self.set_nonblocking(true)?;
        self.set_nodelay(true)
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
        TcpStream::take_error(self)
    }
}

/// What a connection tells an actor, through a [`Forward`].
pub type Event = forward::Event<SocketAddr>;

/// The session that tells an actor what happens, and leaves all decisions to it.
pub type Forward<M> = forward::Forward<M, SocketAddr>;
