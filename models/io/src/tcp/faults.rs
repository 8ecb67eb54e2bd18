//! What goes wrong on one connection or in the process, and must not go further.

use std::error::Error;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;

use antiphon::io::tcp::{Accept, Connection, Data, Session};
use antiphon::{Exit, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::parts::{Echo, Server, bind, connect, exchange, serve};
use crate::parts::{LONG, on_a_node};
use crate::tally::fault;

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
        fault();
        fragile.write_all(b"!").expect("the socket is open");
        exchange(&mut other, [2; 64]);
        exchange(&mut connect(server.address), [3; 64]);
        let end = fragile.read(&mut [0]);
        assert!(matches!(end, Ok(0)), "the connection whose session panics: {end:?}");
    });
}

/// Accepts everybody, and says when it could not.
struct Noting(mpsc::Sender<()>);

impl Accept<SocketAddr> for Noting {
    type Session = Echo;

    fn accept(&mut self, _: SocketAddr) -> Echo {
        Echo
    }

    fn failed(&mut self, _: &dyn Error) {
        reached("accept failed");
        fault();
        // The first is waited for, the others need not be.
        let _ = self.0.send(());
    }
}

/// There are fewer descriptors than clients while `body` runs: with the clients, and the listener's owner.
fn with_few_descriptors(node: &Node, body: impl FnOnce(Vec<TcpStream>, Server)) {
    let limit = getrlimit(Resource::Nofile);
    let socket = bind();
    let address = socket.local_addr().expect("it is bound");
    // They are connected before anybody accepts.
    let clients: Vec<_> = (0..8).map(|_| connect(address)).collect();
    let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as u64;
    setrlimit(Resource::Nofile, Rlimit { current: Some(open + 6), ..limit }).expect("a limit may be lowered");
    let (tell, told) = mpsc::channel();
    let server = serve(node, socket, Noting(tell));
    told.recv_timeout(LONG).expect("there are descriptors for three connections, and not for eight");
    body(clients, server);
    setrlimit(Resource::Nofile, limit).expect("the soft limit may be raised to what it was");
}

/// Each client that goes makes room for another.
pub(crate) fn no_descriptors() {
    on_a_node(|node| {
        with_few_descriptors(node, |clients, _| {
            for (number, mut client) in (0_u8..).zip(clients) {
                exchange(&mut client, [number; 64]);
            }
        });
    });
}

/// The owner is killed while its listener waits for descriptors.
pub(crate) fn no_descriptors_while_the_owner_is_killed() {
    on_a_node(|node| {
        with_few_descriptors(node, |mut clients, server| {
            exchange(&mut clients[0], [0; 64]);
            node.kill(&server.owner);
            for mut client in clients {
                // An end or a reset, but not a timeout.
                let ended = !matches!(
                    client.read(&mut [0]).map_err(|error| error.kind()),
                    Ok(1..) | Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)
                );
                check(ended, Guarantee::Ownership, || "the connection outlives its owner".into());
            }
        });
    });
}

/// Keeps what it reads in a file, and says so to the peer by writing it back.
struct Keep(File);

impl Session for Keep {
    fn received(&mut self, data: Data, connection: &mut Connection<'_>) -> Result<(), Exit> {
        self.0.write_all(&data)?;
        Ok(connection.write(data)?)
    }

    fn closed(&mut self, reason: &Exit, _: &mut Connection<'_>) {
        if matches!(reason, Exit::Failed(_)) {
            reached("write failed");
        }
    }
}

/// Every other connection has a file that takes nothing, as `bad` makes it; the others go on.
fn bad_file(bad: fn() -> io::Result<File>, clients: u8) {
    on_a_node(|node| {
        let mut accepted = 0;
        let server = serve(node, bind(), move |_| {
            accepted += 1;
            let file = if accepted % 2 == 1 { File::create("/dev/null") } else { bad() };
            Keep(file.expect("the operating system has such a file"))
        });
        // One after the other, so that it is known who has which file.
        let mut sockets: Vec<_> = (0..clients)
            .map(|client| {
                let mut socket = connect(server.address);
                if client % 2 == 0 {
                    exchange(&mut socket, [client; 64]);
                } else {
                    fault();
                    let end = socket.write_all(&[client; 64]).and_then(|()| socket.read(&mut [0; 64]));
                    assert!(matches!(end, Ok(0)), "the connection whose file takes nothing: {end:?}");
                }
                socket
            })
            .collect();
        sockets.iter_mut().step_by(2).for_each(|socket| exchange(socket, [7; 64]));
    });
}

/// There is no room left where the connections write what they read.
pub(crate) fn disk_is_full(clients: u8) {
    bad_file(|| File::create("/dev/full"), clients);
}

/// The file in which the connections write what they read has become read-only.
pub(crate) fn file_is_read_only(clients: u8) {
    bad_file(
        || {
            let file = memfd_create("antiphon", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
            fcntl_add_seals(&file, SealFlags::WRITE)?;
            Ok(file.into())
        },
        clients,
    );
}
