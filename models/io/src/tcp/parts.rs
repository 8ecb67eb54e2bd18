//! What the scenarios of TCP are made of.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use antiphon::io::tcp::{self, Accept, Connection, Data, Session, Stop};
use antiphon::{Address, Exit, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;

use crate::parts::{LONG, own};
use crate::tally::{answered, asked};

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

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) listener: Address<Stop>,
    pub(crate) owner: Address<Infallible>,
}

/// A socket on a free port.
pub(crate) fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("loopback has a free port")
}

/// Starts a process with a listener.
pub(crate) fn serve(node: &Node, socket: TcpListener, accept: impl Accept<SocketAddr>) -> Server {
    let address = socket.local_addr().expect("it is bound");
    let (owner, listener) = own(node, |context| {
        let (reader, handler) = tcp::listener(socket, accept)?;
        Ok(context.spawn_meta(reader, handler)?)
    });
    Server { address, listener, owner }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    try_connect(address).expect("the server listens")
}

pub(crate) fn try_connect(address: SocketAddr) -> Option<TcpStream> {
    let client = TcpStream::connect(address).ok()?;
    client.set_read_timeout(Some(LONG)).ok()?;
    client.set_nodelay(true).ok()?;
    Some(client)
}

/// Sends a message and expects it back; what was accepted for writing is written whole and in order.
pub(crate) fn exchange(client: &mut TcpStream, message: [u8; 64]) {
    asked();
    let mut answer = [0; 64];
    let exchanged = client.write_all(&message).and_then(|()| client.read_exact(&mut answer));
    let is_answered = exchanged.is_ok() && answer == message;
    check(is_answered, Guarantee::NoLoss, || {
        format!("sent 64 bytes of {}, got {answer:?} ({exchanged:?})", message[0])
    });
    if is_answered {
        answered();
        reached("answered");
    }
}

/// Closes a socket so that its peer is told of a reset.
pub(crate) fn reset(client: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO)).expect("it is a TCP socket");
}
