//! What goes wrong on one connection or in the process, and must not go further.

use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc;

use antiphon::io::stream::{Accept, Connection, Data, Session};
use antiphon::{Exit, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{Client, Echo, Server, ends, exchange};
use crate::parts::{LONG, kill_amid, on_a_node};
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

/// Makes a session end by its own doing. An error says that there is no server.
fn provoke<C: Client>(place: &C::Place) -> io::Result<()> {
    let mut client = C::connect(place)?;
    fault();
    // It may be over by now: the server's owner is killed in some scenarios.
    let _ = client.write_all(b"!");
    check(ends(&mut client), Guarantee::CleanStop, || "a connection outlives its session".into());
    Ok(())
}

/// The session of one connection panics; the others go on.
pub(crate) fn panic_in_session<C: Client>() {
    on_a_node(|node| {
        let server = Server::<C>::new(node, |_| Fragile);
        let mut other = server.connect();
        exchange(&mut other, [1; 64]);
        provoke::<C>(&server.place).expect("the server goes on");
        exchange(&mut other, [2; 64]);
        exchange(&mut server.connect(), [3; 64]);
    });
}

/// The owner is killed while sessions panic.
pub(crate) fn panic_while_the_owner_is_killed<C: Client>(peers: usize) {
    on_a_node(|node| {
        let server = Server::<C>::new(node, |_| Fragile);
        exchange(&mut server.connect(), [1; 64]);
        kill_amid(node, &server.owner, peers, || provoke::<C>(&server.place));
    });
}

/// Accepts everybody, and says when it could not.
struct Noting(mpsc::Sender<()>);

impl<P> Accept<P> for Noting {
    type Session = Echo;

    fn accept(&mut self, _: P) -> Echo {
        Echo
    }

    fn failed(&mut self, _: &dyn Error) {
        reached("accept failed");
        fault();
        // The first is waited for, the others need not be.
        let _ = self.0.send(());
    }
}

/// There are fewer descriptors than clients while `body` runs: with the clients, and their server.
fn with_few_descriptors<C: Client>(node: &Node, body: impl FnOnce(Vec<C>, Server<C>)) {
    let limit = getrlimit(Resource::Nofile);
    let (socket, place) = C::listen();
    // They are connected before anybody accepts.
    let clients = (0..8).map(|_| C::connect(&place).expect("they wait to be accepted")).collect();
    let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as u64;
    setrlimit(Resource::Nofile, Rlimit { current: Some(open + 6), ..limit }).expect("a limit may be lowered");
    let (tell, told) = mpsc::channel();
    let server = Server::on(node, socket, place, Noting(tell));
    told.recv_timeout(LONG).expect("there are descriptors for three connections, and not for eight");
    body(clients, server);
    setrlimit(Resource::Nofile, limit).expect("the soft limit may be raised to what it was");
}

/// Each client that goes makes room for another.
pub(crate) fn no_descriptors<C: Client>() {
    on_a_node(|node| {
        with_few_descriptors::<C>(node, |clients, _| {
            for (number, mut client) in (0_u8..).zip(clients) {
                exchange(&mut client, [number; 64]);
            }
        });
    });
}

/// The owner is killed while its listener waits for descriptors.
pub(crate) fn no_descriptors_while_the_owner_is_killed<C: Client>() {
    on_a_node(|node| {
        with_few_descriptors::<C>(node, |mut clients, server| {
            exchange(&mut clients[0], [0; 64]);
            node.kill(&server.owner);
            for client in &mut clients {
                check(ends(client), Guarantee::Ownership, || "the connection outlives its owner".into());
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

/// A server whose first `good` connections have a file that takes what it is given, and all others one that
/// takes nothing.
fn keeping<C: Client>(node: &Node, good: usize, bad: fn() -> io::Result<File>) -> Server<C> {
    let mut accepted = 0;
    Server::new(node, move |_| {
        accepted += 1;
        let file = if accepted <= good { File::create("/dev/null") } else { bad() };
        Keep(file.expect("the operating system has such a file"))
    })
}

/// Some connections have a file that takes nothing; the others go on.
fn bad_file<C: Client>(bad: fn() -> io::Result<File>, peers: u8) {
    on_a_node(|node| {
        let server = keeping::<C>(node, 2, bad);
        let mut good: Vec<C> = (0..2).map(|_| server.connect()).collect();
        good.iter_mut().for_each(|client| exchange(client, [0; 64]));
        for peer in 1..=peers {
            provoke::<C>(&server.place).expect("the server goes on");
            good.iter_mut().for_each(|client| exchange(client, [peer; 64]));
        }
    });
}

fn bad_file_while_the_owner_is_killed<C: Client>(bad: fn() -> io::Result<File>, peers: usize) {
    on_a_node(|node| {
        let server = keeping::<C>(node, 1, bad);
        exchange(&mut server.connect(), [0; 64]);
        kill_amid(node, &server.owner, peers, || provoke::<C>(&server.place));
    });
}

/// There is no room left where the connections write what they read.
pub(crate) fn disk_is_full<C: Client>(peers: u8) {
    bad_file::<C>(full, peers);
}

/// The owner is killed meanwhile.
pub(crate) fn disk_is_full_while_the_owner_is_killed<C: Client>(peers: usize) {
    bad_file_while_the_owner_is_killed::<C>(full, peers);
}

/// The file in which the connections write what they read has become read-only.
pub(crate) fn file_is_read_only<C: Client>(peers: u8) {
    bad_file::<C>(read_only, peers);
}

/// The owner is killed meanwhile.
pub(crate) fn file_is_read_only_while_the_owner_is_killed<C: Client>(peers: usize) {
    bad_file_while_the_owner_is_killed::<C>(read_only, peers);
}

fn full() -> io::Result<File> {
    File::create("/dev/full")
}

fn read_only() -> io::Result<File> {
    let file = memfd_create("antiphon", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    fcntl_add_seals(&file, SealFlags::WRITE)?;
    Ok(file.into())
}
