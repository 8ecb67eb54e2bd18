//! What the scenarios are made of.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use antiphon::io::tcp::{self, Accept, Connection, Data, Session, Stop};
use antiphon::{Actor, Address, Context, Exit, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;

/// Nothing on loopback takes that long, unless it hangs.
pub(crate) const LONG: Duration = Duration::from_secs(5);

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

/// The process that owns a listener.
struct Owner<A> {
    begin: Option<(TcpListener, A)>,
    tell: mpsc::Sender<Address<Stop>>,
}

impl<A: Accept<SocketAddr>> Actor for Owner<A> {
    type Message = Infallible;

    fn init(&mut self, context: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        let (socket, accept) = self.begin.take().expect("init is called once");
        let (reader, handler) = tcp::listener(socket, accept)?;
        self.tell.send(context.spawn_meta(reader, handler)?)?;
        Ok(())
    }

    fn handle(&mut self, message: Infallible, _: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        match message {}
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
    let (tell, told) = mpsc::channel();
    let owner = node.spawn(Owner { begin: Some((socket, accept)), tell }).expect("the node is up");
    Server { address, listener: told.recv().expect("the owner has begun"), owner }
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
    let mut answer = [0; 64];
    let exchanged = client.write_all(&message).and_then(|()| client.read_exact(&mut answer));
    check(exchanged.is_ok() && answer == message, Guarantee::NoLoss, || {
        format!("sent 64 bytes of {}, got {answer:?} ({exchanged:?})", message[0])
    });
    reached("answered");
}

/// Closes a socket so that its peer is told of a reset.
pub(crate) fn reset(client: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO)).expect("it is a TCP socket");
    reached("vanished");
}

/// Runs `body` on a node, and stops the node.
///
/// Every Reader is interrupted and returns, and when the node has stopped, none of its descriptors is open.
pub(crate) fn on_a_node(body: impl FnOnce(&Node)) {
    on_a_node_beside(body, |()| ());
}

/// Likewise; what `body` leaves behind goes on while the node stops, and is over when `end` returns.
pub(crate) fn on_a_node_beside<R>(body: impl FnOnce(&Node) -> R, end: impl FnOnce(R)) {
    let before = descriptors();
    let node = Node::new();
    let rest = body(&node);
    let stopped = node.stop(LONG);
    check(stopped.is_ok(), Guarantee::CleanStop, || format!("{stopped:?}"));
    let deaf = stopped.is_err_and(|error| error.0.iter().any(|actor| actor.reader));
    check(!deaf, Guarantee::Interruption, || "a Reader did not return when it was interrupted".into());
    end(rest);
    let after = descriptors();
    check(after == before, Guarantee::NoLeak, || {
        format!("{after} descriptors are open, {before} were before")
    });
}

/// How many descriptors are open, of the kinds that connections and listeners have: sockets and wakers. The
/// engine may open others meanwhile.
fn descriptors() -> usize {
    let links = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let targets = links.filter_map(|link| std::fs::read_link(link.path()).ok());
    targets
        .filter(|target| {
            ["socket:", "anon_inode:[eventfd]"].iter().any(|kind| target.to_string_lossy().starts_with(kind))
        })
        .count()
}
