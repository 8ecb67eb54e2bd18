//! Stream sockets: what the scenarios of TCP and of Unix sockets have in common, which is all but the sockets.

pub(crate) mod faults;
pub(crate) mod peers;
pub(crate) mod trouble;

use std::convert::Infallible;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

use antiphon::io::stream::{Accept, Connection, Data, Session, Stop};
use antiphon::{Address, Context, Exit, Node};
use antiphon_harness::reached;

use crate::parts::own;
use crate::tally::ask;

/// A client's socket of one kind, and where such clients connect.
pub(crate) trait Client: Read + Write + Send + Sized + 'static {
    type Place: Send + Sync + 'static;
    type Listener: Send + 'static;
    type Peer;

    /// A socket that listens, at a place of its own.
    fn listen() -> (Self::Listener, Self::Place);

    /// Spawns the listener's meta-process.
    fn accept(
        listener: Self::Listener,
        accept: impl Accept<Self::Peer>,
        context: &Context<'_, Infallible>,
    ) -> Result<Address<Stop>, Exit>;

    /// One whose reads end when something hangs.
    fn connect(place: &Self::Place) -> io::Result<Self>;

    /// Has a write end when there is no room for that long.
    fn patience(&self, patience: Duration) -> io::Result<()>;

    /// Closes the half that writes.
    fn end(&self) -> io::Result<()>;

    /// Closes it so that the other side is told of a reset.
    fn reset(self) -> io::Result<()>;
}

/// Writes what it reads.
pub(crate) struct Echo;

impl Session for Echo {
    fn received(&mut self, data: Data, connection: &mut Connection<'_>) -> Result<(), Exit> {
        Ok(connection.write(data)?)
    }

    fn congested(&mut self, _: &mut Connection<'_>) -> Result<(), Exit> {
        reached("congested");
        Ok(())
    }

    fn closed(&mut self, reason: &Exit, _: &mut Connection<'_>) {
        if *reason == Exit::ParentEnded {
            reached("interrupted");
        }
    }
}

pub(crate) struct Server<C: Client> {
    pub(crate) place: C::Place,
    pub(crate) listener: Address<Stop>,
    pub(crate) owner: Address<Infallible>,
}

impl<C: Client> Server<C> {
    /// Starts a process with a listener.
    pub(crate) fn new(node: &Node, accept: impl Accept<C::Peer>) -> Self {
        let (socket, place) = C::listen();
        Self::on(node, socket, place, accept)
    }

    /// Starts a process with a listener on a socket that is there already.
    pub(crate) fn on(
        node: &Node,
        socket: C::Listener,
        place: C::Place,
        accept: impl Accept<C::Peer>,
    ) -> Self {
        let (owner, listener) = own(node, |context| C::accept(socket, accept, context));
        Self { place, listener, owner }
    }

    pub(crate) fn connect(&self) -> C {
        C::connect(&self.place).expect("the server listens")
    }
}

/// Sends a message and expects it back; what was accepted for writing is written whole and in order.
pub(crate) fn exchange(client: &mut impl Client, message: [u8; 64]) {
    ask(|| {
        let mut answer = [0; 64];
        let exchanged = client.write_all(&message).and_then(|()| client.read_exact(&mut answer));
        if exchanged.is_ok() && answer == message {
            return Ok(());
        }
        Err(format!("sent 64 bytes of {}, got {answer:?} ({exchanged:?})", message[0]))
    });
}

/// Whether a connection from which nothing is to come ends: by an end or a reset, but not by a timeout.
pub(crate) fn ends(client: &mut impl Client) -> bool {
    let end = client.read(&mut [0]).map_err(|error| error.kind());
    !matches!(end, Ok(1..) | Err(ErrorKind::WouldBlock | ErrorKind::TimedOut))
}
