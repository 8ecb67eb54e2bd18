//! UDP: a socket that receives and sends datagrams.
//!
//! The Reader receives; the Handler runs a [`Session`], and sends. Takes IPv4 and IPv6, whatever the socket is
//! bound to, and sockets that are connected.
//!
//! ```no_run
//! use antiphon::io::udp;
//! use antiphon::{Actor, Context, Exit};
//!
//! struct Echo;
//!
//! impl udp::Session for Echo {
//!     fn received(&mut self, datagram: udp::Datagram, socket: &mut udp::Socket<'_>) -> Result<(), Exit> {
//!         // If it cannot be sent, it is lost, as datagrams may be.
//!         let _ = socket.send(datagram.peer, datagram.data);
//!         Ok(())
//!     }
//! }
//!
//! struct Server(Option<std::net::UdpSocket>);
//!
//! impl Actor for Server {
//!     type Message = std::convert::Infallible;
//!
//!     fn init(&mut self, context: &mut Context<'_, Self::Message>) -> Result<(), Exit> {
//!         let socket = self.0.take().expect("init runs once");
//!         let (reader, handler) = udp::socket(socket, Echo)?;
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
//! # What fails, and what ends
//! A datagram that cannot be sent comes back to whoever wanted it sent ([`Unsent`]): one that is too large, one
//! for which there is no way. What the network says of datagrams that had been sent, for example that nobody
//! listens there, the session is told ([`Session::failed`]). Neither ends anything. What ends it is the session,
//! by an error; [`Command::close`]; the end of its owner; an error that means that the socket is of no use.
//!
//! # What is dropped, and where it is counted
//! Received: the Reader receives no more while 64 KiB of datagrams are kept ([`Data`]; each counts 64 bytes more
//! than it is long). Then those that come wait in the operating system, and when the socket's receive buffer is
//! full, the newest are dropped there. The operating system counts them, and tells with each
//! datagram that is received: [`Socket::dropped`].
//!
//! Sent: what the operating system has no room for waits, up to 1 MiB; with that, a further one comes back
//! ([`Reason::Full`]).

mod lines;
mod port;
mod session;

use std::io;
use std::net::UdpSocket;

use platform::sync::Arc;

use super::stepwise::{Steps, Stepwise};
use crate::meta::Handler;
use lines::{Inlet, Shared, Talk};

pub use super::data::Data;
#[doc(hidden)]
pub use port::{Arrived, Port};
pub use session::{Command, Datagram, Event, Forward, Reason, Session, Socket, Unsent};

/// The two lines of a meta-process on `socket`, for `spawn_meta`.
///
/// # Errors
/// The operating system's, for example that the socket cannot count what it drops.
pub fn socket<S: Session>(
    socket: UdpSocket,
    session: S,
) -> io::Result<(Steps<impl Stepwise<Command>>, impl Handler<Message = Command>)> {
    Ok(on(port::open(socket)?, session))
}

/// The same, for a [`Port`] of another kind, such as a model's.
#[doc(hidden)]
pub fn on<S: Session>(
    port: impl Port,
    session: S,
) -> (Steps<impl Stepwise<Command>>, impl Handler<Message = Command>) {
    let shared = Shared::new(port);
    (Steps::new(Inlet::new(Arc::clone(&shared))), Talk::new(shared, session))
}
