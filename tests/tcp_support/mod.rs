//! What the tests of `io::tcp` are made of.
#![allow(dead_code, reason = "each test file uses its own part")]

#[path = "../io_support/mod.rs"]
mod io_support;

use std::convert::Infallible;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use antiphon::io::shared;
use antiphon::io::tcp::{self, Accept, Command, Connection, Data, Event, Forward, Session, Stop};
use antiphon::{Address, Exit, Node};

pub(crate) use io_support::*;

/// Writes what it reads.
pub(crate) struct Echo;

impl Session for Echo {
    fn received(&mut self, data: Data, connection: &mut Connection<'_>) -> Result<(), Exit> {
        Ok(connection.write(data)?)
    }
}

/// A listener on a node, and who owns it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) listener: Address<Stop>,
    pub(crate) owner: Address<Infallible>,
}

/// The same tests are run with Readers on threads of their own and with Readers that share a poller, in two
/// programs.
pub(crate) fn readers_share() -> bool {
    env!("CARGO_CRATE_NAME").ends_with("_shared")
}

/// Starts a listener on a free port.
pub(crate) fn serve(node: &Node, accept: impl Accept<SocketAddr>) -> Server {
    serve_on(node, TcpListener::bind("127.0.0.1:0").expect("loopback has a free port"), accept)
}

pub(crate) fn serve_on(node: &Node, socket: TcpListener, accept: impl Accept<SocketAddr>) -> Server {
    let address = socket.local_addr().expect("it is bound");
    let (tell, told) = mpsc::channel();
    let owner = own(node, move |context| {
        let (reader, handler) = tcp::listener(socket, accept)?;
        let listener = match readers_share() {
            true => context.spawn_meta(shared(reader), handler)?,
            false => context.spawn_meta(reader, handler)?,
        };
        drop(tell.send(listener));
        Ok(())
    });
    Server { address, listener: told.recv().expect("the owner has begun"), owner }
}

/// A server that leaves everything to the test.
pub(crate) fn forward(node: &Node) -> (Server, Events, Address<Event>) {
    let (collector, told) = collect(node);
    let to = collector.clone();
    (serve(node, move |peer| Forward::new(to.clone(), peer)), Events(told), collector)
}

/// The events of connections, as the test comes to them.
pub(crate) struct Events(Receiver<Event>);

impl Events {
    pub(crate) fn next(&self) -> Event {
        self.0.recv_timeout(LONG).expect("an event comes")
    }

    pub(crate) fn is_quiet_for(&self, time: Duration) -> bool {
        self.0.recv_timeout(time).is_err()
    }

    pub(crate) fn opened(&self) -> Address<Command> {
        match self.next() {
            Event::Opened { connection, .. } => connection,
            other => panic!("expected Opened, not {other:?}"),
        }
    }

    pub(crate) fn data(&self) -> Data {
        match self.next() {
            Event::Data { data, .. } => data,
            other => panic!("expected Data, not {other:?}"),
        }
    }

    /// As many bytes as that, however they were cut.
    pub(crate) fn bytes(&self, count: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < count {
            all.extend_from_slice(&self.data());
        }
        all
    }

    pub(crate) fn ended(&self) {
        match self.next() {
            Event::Ended { .. } => {}
            other => panic!("expected Ended, not {other:?}"),
        }
    }

    pub(crate) fn closed(&self) -> Exit {
        match self.next() {
            Event::Closed { reason, .. } => reason,
            other => panic!("expected Closed, not {other:?}"),
        }
    }
}

/// Connects a client on which nothing waits for ever.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(address).expect("the server listens");
    client.set_read_timeout(Some(LONG)).expect("a timeout of some length");
    client.set_write_timeout(Some(LONG)).expect("a timeout of some length");
    client.set_nodelay(true).expect("it is a TCP socket");
    client
}

/// Sends `bytes` and expects them back.
pub(crate) fn exchange(client: &mut TcpStream, bytes: &[u8]) {
    client.write_all(bytes).expect("the server reads");
    let mut answer = vec![0; bytes.len()];
    client.read_exact(&mut answer).expect("the server answers");
    assert_eq!(answer, bytes);
}

/// Expects that the server sends nothing more.
pub(crate) fn expect_end(client: &mut TcpStream) {
    let mut rest = Vec::new();
    match client.read_to_end(&mut rest) {
        Ok(_) => assert_eq!(rest, b"", "nothing should come before the end"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
}

/// Closes a socket so that its peer is told of a reset, not of an end.
pub(crate) fn reset(client: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO)).expect("it is a TCP socket");
}
