//! UDP echo of 64 bytes against a bare loop of `recv_from` and `send_to`: `cargo bench --bench udp [PART OF A NAME]`.
//!
//! Both kinds of servers run in this process and are asked in turns by the same client.

mod support;

use std::convert::Infallible;
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use antiphon::io::{shared, udp};
use antiphon::{Actor, Context, Exit, Node};
use support::{Subject, compare, scale};

/// How long to wait for an answer before the datagram counts as lost, and is sent again.
const PATIENCE: Duration = Duration::from_secs(1);

struct Echo;

impl udp::Session for Echo {
    fn received(&mut self, datagram: udp::Datagram, socket: &mut udp::Socket<'_>) -> Result<(), Exit> {
        // The client asks again.
        let _ = socket.send(datagram.peer, datagram.data);
        Ok(())
    }
}

struct Server {
    socket: Option<UdpSocket>,
    /// Whether the Reader shares a poller.
    shared: bool,
}

impl Actor for Server {
    type Message = Infallible;

    fn init(&mut self, context: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        let (reader, handler) = udp::socket(self.socket.take().expect("init is called once"), Echo)?;
        match self.shared {
            true => drop(context.spawn_meta(shared(reader), handler)?),
            false => drop(context.spawn_meta(reader, handler)?),
        }
        Ok(())
    }

    fn handle(&mut self, message: Infallible, _: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        match message {}
    }
}

fn bind() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = socket.local_addr().expect("it is bound");
    (socket, address)
}

fn serve(node: &Node, shared: bool) -> SocketAddr {
    let (socket, address) = bind();
    node.spawn(Server { socket: Some(socket), shared }).expect("the node is up");
    address
}

/// A server that is nothing but a loop. It goes on until this program ends.
fn bare() -> SocketAddr {
    let (socket, address) = bind();
    thread::spawn(move || {
        let mut buffer = [0; 64 << 10];
        while let Ok((count, peer)) = socket.recv_from(&mut buffer) {
            // The client asks again.
            let _ = socket.send_to(&buffer[..count], peer);
        }
    });
    address
}

fn exchange(server: SocketAddr) -> (Duration, usize) {
    let count = scale(20_000);
    let (socket, _) = bind();
    socket.connect(server).expect("loopback is there");
    socket.set_read_timeout(Some(PATIENCE)).expect("it is more than nothing");
    let mut message = [7; 64];
    let begin = Instant::now();
    for _ in 0..count {
        loop {
            socket.send(&message).expect("the server is there");
            if socket.recv(&mut message).is_ok() {
                break;
            }
        }
    }
    (begin.elapsed(), count)
}

fn main() {
    let node = Node::new();
    let servers = [
        ("UDP echo: bare loop", bare()),
        ("UDP echo: io::udp, a thread", serve(&node, false)),
        ("UDP echo: io::udp, shared", serve(&node, true)),
    ];
    let subjects = servers.map(|(name, server)| Subject::per_step(name, move || exchange(server)));
    let medians = compare(subjects.into());
    if let Some(bare) = medians.get("UDP echo: bare loop") {
        for (name, time) in &medians {
            println!("{name}: {:.2} of bare", bare / time);
        }
    }
    node.stop(Duration::from_secs(10)).expect("everything ends");
}
