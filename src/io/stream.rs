//! Stream sockets of any kind: what [TCP](super::tcp) and [Unix](super::unix) sockets have in common, for a kind
//! of one's own, such as one that encrypts.
//!
//! Implement [`Socket`] and, if it can be listened on, [`Listen`]; the two lines of a connection, its
//! back-pressure and all its ends are then those that [`tcp`](super::tcp) tells.

use std::io;

use super::connection;
use super::listener;
use super::stepwise::{Steps, Stepwise};
use super::waker::Waker;
use crate::meta::Handler;

pub use super::data::Data;
pub use super::link::Socket;
pub use super::listener::{Accept, Listen, Stop};
pub use super::session::{Command, Connection, Session};

/// The two lines of a listener on `socket`, for `spawn_meta`.
pub fn listener<L: Listen, A: Accept<L::Peer>>(
    socket: L,
    accept: A,
) -> (Steps<impl Stepwise<Stop>>, impl Handler<Message = Stop>) {
    listener::lines(socket, accept)
}

/// The two lines of a connection on `socket`, for `spawn_meta`.
///
/// # Errors
/// Those of [`Socket::prepare`].
pub fn connection<S: Session>(
    socket: impl Socket,
    session: S,
) -> io::Result<(Steps<impl Stepwise<Command>>, impl Handler<Message = Command>)> {
    socket.prepare()?;
    Ok(connection::lines(socket, Waker::unbound(), session))
}
