//! The user's side of a UDP socket.

use std::error::Error;
use std::net::SocketAddr;
use std::{fmt, io};

use bytes::Bytes;
use event::ActorId;

use super::lines::Outlet;
use crate::address::Address;
use crate::call::Reply;
use crate::exit::Exit;
use crate::io::data::Data;
use crate::meta::HandlerContext;

/// What is done with a socket: its callbacks run in the Handler, one at a time.
///
/// An error, or a panic, ends the meta-process, and nothing else (`panic-containment`).
pub trait Session: Send + Sized + 'static {
    /// Called first, before anything is received.
    ///
    /// # Errors
    /// The reason for which the meta-process does not come to life; nothing else is called then.
    fn opened(&mut self, _: &mut Socket<'_>) -> Result<(), Exit> {
        Ok(())
    }

    /// Called with each datagram, whole, in the order in which they came. One may be empty.
    ///
    /// # Errors
    /// The reason for which the meta-process ends. [`Exit::Normal`] means that it is done.
    fn received(&mut self, datagram: Datagram, socket: &mut Socket<'_>) -> Result<(), Exit>;

    /// Called with a datagram that could not be sent, if nobody else was told: it waited for room, or a
    /// [`Command::send`] wanted it sent.
    ///
    /// # Errors
    /// As [`received`](Self::received).
    fn unsent(&mut self, _: Unsent, _: &mut Socket<'_>) -> Result<(), Exit> {
        Ok(())
    }

    /// Called with what the network says of a datagram that had been sent, for example that nobody listens
    /// there. The operating system tells that only of sockets that are connected.
    ///
    /// # Errors
    /// As [`received`](Self::received).
    fn failed(&mut self, _: io::Error, _: &mut Socket<'_>) -> Result<(), Exit> {
        Ok(())
    }

    /// Called once, last, if [`opened`](Self::opened) succeeded (`terminate-once`).
    fn closed(&mut self, _reason: &Exit, _: &mut Socket<'_>) {}
}

/// A datagram that was received.
#[derive(Debug)]
pub struct Datagram {
    /// Who sent it.
    pub peer: SocketAddr,
    /// All of it.
    pub data: Data,
}

/// A datagram that was not sent, handed back.
#[derive(Debug)]
pub struct Unsent {
    /// To whom it should have gone.
    pub peer: SocketAddr,
    /// All of it.
    pub bytes: Bytes,
    /// Why it was not sent.
    pub reason: Reason,
}

/// Why a datagram was not sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reason {
    /// It is larger than a datagram can be, or, where it may not be cut, than what the way lets through.
    TooLarge,
    /// 1 MiB of datagrams wait already: more is sent than the network takes.
    Full,
    /// The operating system's reason, for example that there is no way there.
    System(io::Error),
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peer, bytes, reason } = self;
        write!(f, "{} bytes to {peer} were not sent: ", bytes.len())?;
        match reason {
            Reason::TooLarge => f.write_str("too large for a datagram"),
            Reason::Full => f.write_str("too much waits to be sent already"),
            Reason::System(error) => error.fmt(f),
        }
    }
}

impl Error for Unsent {}

/// What can be sent to a socket's meta-process, by whoever has its address.
///
/// Commands are obeyed in the order in which they were accepted (`sender-order`).
#[derive(Debug)]
pub struct Command(pub(super) Request);

/// What the Handler is asked for.
pub(super) enum Request {
    /// The Reader received this; with how many were dropped before it, if it is known.
    Received(Datagram, Option<u32>),
    /// The Reader was told of an error.
    Failed(io::Error),
    /// The Reader saw that there is room in the socket.
    Writable,
    Send(SocketAddr, Bytes, Option<Reply<Result<(), Unsent>>>),
    Dropped(Reply<u64>),
    Close,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Received(datagram, _) => datagram.fmt(f),
            Self::Failed(error) => error.fmt(f),
            Self::Writable => f.write_str("Writable"),
            Self::Send(peer, bytes, _) => f.debug_tuple("Send").field(peer).field(bytes).finish(),
            Self::Dropped(_) => f.write_str("Dropped"),
            Self::Close => f.write_str("Close"),
        }
    }
}

impl Command {
    /// Send this datagram; never waits. If that fails, the session is told ([`Session::unsent`]).
    pub fn send(peer: SocketAddr, bytes: impl Into<Bytes>) -> Self {
        Self(Request::Send(peer, bytes.into(), None))
    }

    /// Send this datagram, and answer when the operating system has taken it, or with what could not be sent.
    pub fn send_and_answer(
        peer: SocketAddr,
        bytes: impl Into<Bytes>,
        answer: Reply<Result<(), Unsent>>,
    ) -> Self {
        Self(Request::Send(peer, bytes.into(), Some(answer)))
    }

    /// Answer how many datagrams were dropped because they were not received in time: [`Socket::dropped`].
    pub fn dropped(answer: Reply<u64>) -> Self {
        Self(Request::Dropped(answer))
    }

    /// End; what waits for room is dropped.
    pub fn close() -> Self {
        Self(Request::Close)
    }
}

/// A socket, as its own [`Session`] sees it during a callback.
pub struct Socket<'a> {
    pub(super) outlet: &'a mut Outlet,
    pub(super) context: &'a HandlerContext<'a, Command>,
}

impl Socket<'_> {
    /// Sends a datagram. Never waits: if the operating system has no room, it waits in memory, and if it then
    /// cannot be sent, the session is [told](Session::unsent).
    ///
    /// # Errors
    /// [`Unsent`], with the datagram.
    pub fn send(&mut self, peer: SocketAddr, bytes: impl Into<Bytes>) -> Result<(), Unsent> {
        self.outlet.send(peer, bytes.into())
    }

    /// How many datagrams the operating system had dropped, since the socket was made, when the one came that was
    /// received last.
    pub fn dropped(&self) -> u64 {
        self.outlet.dropped()
    }

    /// Where to send this socket commands.
    pub fn address(&self) -> Address<Command> {
        self.context.address()
    }

    /// The meta-process that this socket is, and what a Handler may do.
    pub fn context(&self) -> &HandlerContext<'_, Command> {
        self.context
    }
}

impl fmt::Debug for Socket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("context", self.context).field("outlet", self.outlet).finish()
    }
}

/// What a socket tells an actor, through a [`Forward`].
///
/// They arrive in order (`sender-order`): `Opened` first, `Closed` last.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The socket is there; send it commands to this address.
    Opened(Address<Command>),
    /// A datagram came.
    Received(ActorId, Datagram),
    /// A datagram could not be sent.
    Unsent(ActorId, Unsent),
    /// The network says this of a datagram that had been sent.
    Failed(ActorId, io::Error),
    /// It has ended, for this reason.
    Closed(ActorId, Exit),
}

/// The session that tells an actor what happens, and leaves all decisions to it.
///
/// The socket's meta-process ends when the actor has ended.
#[derive(Debug)]
pub struct Forward<M: Send + 'static> {
    to: Address<M>,
}

impl<M: From<Event> + Send + 'static> Forward<M> {
    /// Tells `to` what happens.
    pub fn new(to: Address<M>) -> Self {
        Self { to }
    }

    fn tell(&self, event: Event) -> Result<(), Exit> {
        self.to.send(M::from(event)).map_err(|_| Exit::Normal)
    }
}

impl<M: From<Event> + Send + 'static> Session for Forward<M> {
    fn opened(&mut self, socket: &mut Socket<'_>) -> Result<(), Exit> {
        self.tell(Event::Opened(socket.address()))
    }

    fn received(&mut self, datagram: Datagram, socket: &mut Socket<'_>) -> Result<(), Exit> {
        self.tell(Event::Received(socket.context().id(), datagram))
    }

    fn unsent(&mut self, unsent: Unsent, socket: &mut Socket<'_>) -> Result<(), Exit> {
        self.tell(Event::Unsent(socket.context().id(), unsent))
    }

    fn failed(&mut self, error: io::Error, socket: &mut Socket<'_>) -> Result<(), Exit> {
        self.tell(Event::Failed(socket.context().id(), error))
    }

    fn closed(&mut self, reason: &Exit, socket: &mut Socket<'_>) {
        // If the actor has ended, nobody needs to know.
        let _ = self.tell(Event::Closed(socket.context().id(), reason.clone()));
    }
}
