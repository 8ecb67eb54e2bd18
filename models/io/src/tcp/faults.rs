//! What goes wrong on one connection or in the process, and must not go further.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use antiphon::Exit;
use antiphon::io::tcp::{Accept, Connection, Data, Session};
use antiphon_harness::reached;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::parts::{Echo, bind, connect, exchange, serve};
use crate::parts::on_a_node;

/// A client sends and never reads, until it is held up; then the node stops, with the answers unwritten.
pub(crate) fn peer_does_not_read() {
    on_a_node(|node| {
        let server = serve(node, bind(), |_| Echo);
        let mut client = connect(server.address);
        client.set_write_timeout(Some(Duration::from_millis(20))).expect("a timeout of some length");
        // The bound is for a server that never holds it up.
        for _ in 0..4096 {
            if client.write(&[0; 16 << 10]).is_err() {
                break;
            }
        }
        exchange(&mut connect(server.address), [1; 64]);
    });
}

/// Panics on one kind of message.
struct Fragile;

impl Session for Fragile {
    fn received(&mut self, data: Data, connection: &mut Connection<'_>) -> Result<(), Exit> {
        if data.first() == Some(&b'!') {
            reached("panicked");
            panic!("planned panic");
        }
        Ok(connection.write(data)?)
    }
}

/// The session of one connection panics; the others go on.
pub(crate) fn panic_in_session() {
    on_a_node(|node| {
        let server = serve(node, bind(), |_| Fragile);
        let mut other = connect(server.address);
        exchange(&mut other, [1; 64]);
        let mut fragile = connect(server.address);
        fragile.write_all(b"!").expect("the socket is open");
        exchange(&mut other, [2; 64]);
        exchange(&mut connect(server.address), [3; 64]);
    });
}

/// Accepts everybody, and notes when it could not.
struct Noting;

impl Accept<SocketAddr> for Noting {
    type Session = Echo;

    fn accept(&mut self, _: SocketAddr) -> Echo {
        Echo
    }

    fn failed(&mut self, _: &dyn Error) {
        reached("accept failed");
    }
}

/// There are fewer descriptors than clients; each client that goes makes room for another.
pub(crate) fn no_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    on_a_node(|node| {
        let socket = bind();
        let address = socket.local_addr().expect("it is bound");
        // They are connected before anybody accepts.
        let clients: Vec<_> = (0..8).map(|_| connect(address)).collect();
        let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as u64;
        setrlimit(Resource::Nofile, Rlimit { current: Some(open + 6), ..limit })
            .expect("a limit may be lowered");
        serve(node, socket, Noting);
        thread::sleep(Duration::from_millis(20));
        for (number, mut client) in (0_u8..).zip(clients) {
            exchange(&mut client, [number; 64]);
        }
        setrlimit(Resource::Nofile, limit).expect("the soft limit may be raised to what it was");
    });
}
