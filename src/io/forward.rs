//! The session that leaves all decisions to an actor.

use super::data::Data;
use super::session::{Command, Connection, Session};
use crate::address::Address;
use crate::exit::Exit;
use event::ActorId;

/// What a connection tells an actor, through a [`Forward`].
///
/// The events of one connection arrive in order (`sender-order`): `Opened` first, `Closed` last.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<P> {
    /// There is a new connection; send it commands to this address.
    Opened {
        /// Where to send it commands.
        connection: Address<Command>,
        /// Who is at the other end.
        peer: P,
    },
    /// The peer sent this.
    Data {
        /// By which connection.
        connection: ActorId,
        /// What it sent.
        data: Data,
    },
    /// The peer will send nothing more; it may still read.
    Ended {
        /// Which connection.
        connection: ActorId,
    },
    /// The peer is slow: 64 KiB wait to be written to it. Hold back.
    Congested {
        /// Which connection.
        connection: ActorId,
    },
    /// The peer that was slow has caught up.
    Drained {
        /// Which connection.
        connection: ActorId,
    },
    /// The connection has ended.
    Closed {
        /// Which connection.
        connection: ActorId,
        /// Why.
        reason: Exit,
    },
}

/// The session that tells an actor what happens, and leaves all decisions to it.
///
/// The connection ends when the actor has ended.
#[derive(Debug)]
pub struct Forward<M: Send + 'static, P> {
    to: Address<M>,
    peer: P,
}

impl<M, P> Forward<M, P>
where
    M: From<Event<P>> + Send + 'static,
    P: Clone + Send + 'static,
{
    /// Tells `to` what happens on the connection with `peer`.
    pub fn new(to: Address<M>, peer: P) -> Self {
        Self { to, peer }
    }

    fn tell(&self, event: Event<P>) -> Result<(), Exit> {
        self.to.send(M::from(event)).map_err(|_| Exit::Normal)
    }
}

impl<M, P> Session for Forward<M, P>
where
    M: From<Event<P>> + Send + 'static,
    P: Clone + Send + 'static,
{
    fn opened(&mut self, connection: &mut Connection<'_>) -> Result<(), Exit> {
        self.tell(Event::Opened { connection: connection.address(), peer: self.peer.clone() })
    }

    fn received(&mut self, data: Data, connection: &mut Connection<'_>) -> Result<(), Exit> {
        self.tell(Event::Data { connection: connection.context().id(), data })
    }

    fn ended(&mut self, connection: &mut Connection<'_>) -> Result<(), Exit> {
        self.tell(Event::Ended { connection: connection.context().id() })
    }

    fn congested(&mut self, connection: &mut Connection<'_>) -> Result<(), Exit> {
        self.tell(Event::Congested { connection: connection.context().id() })
    }

    fn drained(&mut self, connection: &mut Connection<'_>) -> Result<(), Exit> {
        self.tell(Event::Drained { connection: connection.context().id() })
    }

    fn closed(&mut self, reason: &Exit, connection: &mut Connection<'_>) {
        let connection = connection.context().id();
        // If the actor has ended, nobody needs to know.
        let _ = self.tell(Event::Closed { connection, reason: reason.clone() });
    }
}
