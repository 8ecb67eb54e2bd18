//! Unix stream sockets.

use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{process, thread};

use antiphon::io::unix::{self, Connection, Data, Session, Stop};
use antiphon::{Address, Exit, Node};
use antiphon_harness::{Scenario, check, reached};
use antiphon_spec::Guarantee;

use crate::SERVED;
use crate::parts::{LONG, on_a_node, own};

pub(crate) const SCENARIOS: &[Scenario] = catalogue! {
    "unix/echo/4x50", SERVED, ["answered"], echo(4, 50);
    "unix/owner-ends/8", SERVED, ["answered", "interrupted"], owner_ends(8);
    "unix/listener-stops/4", SERVED, ["answered", "not answered"], listener_stops(4);
    "unix/peer-does-not-read", SERVED, ["congested"], peer_does_not_read();
};

struct Echo;

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

struct Server {
    address: SocketAddr,
    listener: Address<Stop>,
    owner: Address<std::convert::Infallible>,
}

/// Starts a listener on an address without a file.
fn serve(node: &Node) -> Server {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let address = SocketAddr::from_abstract_name(format!("antiphon-{}-{number}", process::id()))
        .expect("the name is short");
    let socket = UnixListener::bind_addr(&address).expect("the name is new");
    let (owner, listener) = own(node, |context| {
        let (reader, handler) = unix::listener(socket, |_| Echo)?;
        Ok(context.spawn_meta(reader, handler)?)
    });
    Server { address, listener, owner }
}

fn connect(server: &Server) -> Option<UnixStream> {
    let client = UnixStream::connect_addr(&server.address).ok()?;
    client.set_read_timeout(Some(LONG)).ok()?;
    Some(client)
}

/// Sends a message and expects it back; says whether there was an answer.
fn try_exchange(client: &mut UnixStream, message: [u8; 64]) -> bool {
    let mut answer = [0; 64];
    let exchanged = client.write_all(&message).and_then(|()| client.read_exact(&mut answer)).is_ok();
    check(!exchanged || answer == message, Guarantee::NoLoss, || {
        format!("sent 64 bytes of {}, got {answer:?}", message[0])
    });
    exchanged
}

fn exchange(client: &mut UnixStream, message: [u8; 64]) {
    check(try_exchange(client, message), Guarantee::NoLoss, || "there was no answer".into());
    reached("answered");
}

fn echo(clients: u8, messages: u8) {
    on_a_node(|node| {
        let server = serve(node);
        thread::scope(|scope| {
            for client in 0..clients {
                let server = &server;
                scope.spawn(move || {
                    let mut socket = connect(server).expect("the server listens");
                    (0..messages).for_each(|message| exchange(&mut socket, [client ^ message; 64]));
                });
            }
        });
    });
}

/// The owner ends while all its connections wait for their peers.
fn owner_ends(clients: u8) {
    on_a_node(|node| {
        let server = serve(node);
        let mut sockets: Vec<_> =
            (0..clients).map(|_| connect(&server).expect("the server listens")).collect();
        sockets.iter_mut().for_each(|socket| exchange(socket, [7; 64]));
        node.exit(&server.owner, Exit::Normal);
        for socket in &mut sockets {
            let ended = matches!(socket.read(&mut [0]), Ok(0));
            check(ended, Guarantee::Interruption, || "the connection is still open".into());
        }
    });
}

/// The listener stops while `clients` connect: each is served or told that it is not.
fn listener_stops(clients: u8) {
    on_a_node(|node| {
        let server = serve(node);
        let mut kept = connect(&server).expect("the server listens");
        exchange(&mut kept, [1; 64]);
        thread::scope(|scope| {
            for _ in 0..clients {
                scope.spawn(|| {
                    // As long as the listener lives, each is served; the bound is for one that never ends.
                    let served = (0..10_000).take_while(|_| {
                        connect(&server).is_some_and(|mut client| try_exchange(&mut client, [2; 64]))
                    });
                    if served.count() > 0 {
                        reached("answered");
                    }
                    reached("not answered");
                });
            }
            thread::yield_now();
            check(server.listener.send(Stop).is_ok(), Guarantee::ClosedIsClosed, || {
                "the listener had ended".into()
            });
        });
        exchange(&mut kept, [3; 64]);
    });
}

/// A client sends and never reads, until it is held up; then the node stops, with the answers unwritten.
fn peer_does_not_read() {
    on_a_node(|node| {
        let server = serve(node);
        let mut client = connect(&server).expect("the server listens");
        client.set_write_timeout(Some(Duration::from_millis(20))).expect("a timeout of some length");
        // The bound is for a server that never holds it up.
        for _ in 0..4096 {
            if client.write(&[0; 16 << 10]).is_err() {
                break;
            }
        }
        exchange(&mut connect(&server).expect("the server listens"), [1; 64]);
    });
}
