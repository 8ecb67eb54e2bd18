//! `io::unix` on real sockets: what differs from TCP, and that the rest does not.

mod io_support;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use antiphon::io::unix::{self, Accept, BindError, Command, Connection, Data, Event, Forward, Peer, Session};
use antiphon::io::unix::{Listener, Stop};
use antiphon::{Address, Exit, Node};
use io_support::*;

struct Echo;

impl Session for Echo {
    fn received(&mut self, data: Data, connection: &mut Connection<'_>) -> Result<(), Exit> {
        Ok(connection.write(data)?)
    }
}

fn serve(node: &Node, socket: impl Into<Listener>, accept: impl Accept<Peer>) -> Address<Stop> {
    let socket = socket.into();
    let (tell, told) = mpsc::channel();
    own(node, move |context| {
        let (reader, handler) = unix::listener(socket, accept)?;
        drop(tell.send(context.spawn_meta(reader, handler)?));
        Ok(())
    });
    told.recv().expect("the owner has begun")
}

/// A server that leaves everything to the test.
fn forward(node: &Node, path: &Path) -> Receiver<Event> {
    let (to, events) = collect(node);
    let socket = Listener::bind(path).expect("nobody listens there");
    serve(node, socket, move |peer| Forward::new(to.clone(), peer));
    events
}

fn next(events: &Receiver<Event>) -> Event {
    events.recv_timeout(LONG).expect("an event comes")
}

fn opened(events: &Receiver<Event>) -> (Address<Command>, Peer) {
    match next(events) {
        Event::Opened { connection, peer } => (connection, peer),
        other => panic!("expected Opened, not {other:?}"),
    }
}

fn connect(path: &Path) -> UnixStream {
    bounded(UnixStream::connect(path).expect("the server listens"))
}

/// A client on which nothing waits for ever.
fn bounded(client: UnixStream) -> UnixStream {
    client.set_read_timeout(Some(LONG)).expect("a timeout of some length");
    client.set_write_timeout(Some(LONG)).expect("a timeout of some length");
    client
}

fn exchange(client: &mut UnixStream, bytes: &[u8]) {
    client.write_all(bytes).expect("the server reads");
    let mut answer = vec![0; bytes.len()];
    client.read_exact(&mut answer).expect("the server answers");
    assert_eq!(answer, bytes);
}

#[test]
fn clients_get_back_what_they_send() {
    let directory = Directory::new();
    let path = directory.join("socket");
    let node = Node::new();
    serve(&node, Listener::bind(&path).expect("nobody listens there"), |_| Echo);
    thread::scope(|scope| {
        for client in 0..8_u8 {
            let path = &path;
            scope.spawn(move || {
                let mut socket = connect(path);
                (0..100_u8).for_each(|message| exchange(&mut socket, &[client ^ message; 64]));
                socket.shutdown(Shutdown::Write).expect("the socket is open");
                assert_eq!(socket.read(&mut [0]).expect("an end is no error"), 0);
            });
        }
    });
    stop(&node);
}

#[test]
fn a_listener_is_told_which_process_connected() {
    let directory = Directory::new();
    let path = directory.join("socket");
    let node = Node::new();
    let events = forward(&node, &path);
    let mut client = connect(&path);
    let (connection, Peer { address, credentials, .. }) = opened(&events);
    assert!(address.is_unnamed());
    assert_eq!(credentials.process, Some(std::process::id()));
    assert_eq!(credentials.user, rustix::process::geteuid().as_raw());
    assert_eq!(credentials.group, rustix::process::getegid().as_raw());

    client.write_all(b"question").expect("the server reads");
    client.shutdown(Shutdown::Write).expect("the socket is open");
    let mut question = Vec::new();
    loop {
        match next(&events) {
            Event::Data { data, .. } => question.extend_from_slice(&data),
            Event::Ended { .. } => break,
            other => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!(question, b"question");
    connection.send(Command::write("answer")).expect("the connection is open");
    connection.send(Command::close()).expect("the connection is open");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("the server answers");
    assert_eq!(answer, "answer");
    assert!(matches!(next(&events), Event::Closed { reason: Exit::Normal, .. }));
    stop(&node);
}

#[test]
fn both_ends_of_a_pair_can_be_connections() {
    let (ours, theirs) = UnixStream::pair().expect("there are descriptors");
    let node = Node::new();
    own(&node, move |context| {
        let (reader, handler) = unix::connection(theirs, Echo)?;
        context.spawn_meta(reader, handler)?;
        Ok(())
    });
    exchange(&mut bounded(ours), b"between us");
    stop(&node);
}

#[test]
fn an_abstract_address_needs_no_file() {
    let name = format!("antiphon-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name).expect("a short name");
    let node = Node::new();
    serve(&node, UnixListener::bind_addr(&address).expect("nobody listens there"), |_| Echo);
    let client = UnixStream::connect_addr(&address).expect("the server listens");
    exchange(&mut bounded(client), b"no file");
    stop(&node);
}

#[test]
fn the_file_goes_with_its_listener_and_connections_stay() {
    let directory = Directory::new();
    let path = directory.join("socket");
    let node = Node::new();
    let listener = serve(&node, Listener::bind(&path).expect("nobody listens there"), |_| Echo);
    let mut client = connect(&path);
    exchange(&mut client, b"before");
    listener.send(Stop).expect("the listener lives");
    wait_until(|| !path.exists());
    exchange(&mut client, b"after");
    Listener::bind(&path).expect("the place is free");
    stop(&node);
}

#[test]
fn a_file_that_has_taken_its_place_stays() {
    let directory = Directory::new();
    let path = directory.join("socket");
    let first = Listener::bind(&path).expect("nobody listens there");
    fs::rename(&path, directory.join("old")).expect("it is there");
    let second = Listener::bind(&path).expect("the place is free");
    drop(first);
    assert!(path.exists(), "the second one's file is removed");
    drop(second);
    assert!(!path.exists());
}

#[test]
fn a_file_that_was_bound_elsewhere_stays() {
    let directory = Directory::new();
    let path = directory.join("socket");
    let node = Node::new();
    serve(&node, UnixListener::bind(&path).expect("nobody listens there"), |_| Echo);
    exchange(&mut connect(&path), b"hello");
    stop(&node);
    assert!(path.exists());
}

#[test]
fn what_is_in_the_way_is_told_apart() {
    let directory = Directory::new();
    let path = directory.join("socket");
    let bound = Listener::bind(&path).expect("nobody listens there");
    let error = Listener::bind(&path).expect_err("somebody listens there");
    assert!(matches!(&error, BindError::InUse(at) if *at == path), "{error}");
    drop(bound);

    // As a process that is killed leaves it.
    drop(UnixListener::bind(&path).expect("the place is free"));
    let error = Listener::bind(&path).expect_err("a file is left behind");
    assert!(matches!(&error, BindError::Stale(at) if *at == path), "{error}");
    assert!(error.to_string().contains("remove the file"), "{error}");
    assert!(path.exists(), "nothing is removed unasked");
    fs::remove_file(&path).expect("it is there");

    fs::write(&path, "not a socket").expect("the directory can be written to");
    let error = Listener::bind(&path).expect_err("a file is there");
    assert!(matches!(&error, BindError::Occupied(at) if *at == path), "{error}");
    assert_eq!(fs::read(&path).expect("it is still there"), b"not a socket");

    let nowhere = directory.join("nowhere/socket");
    match Listener::bind(&nowhere) {
        Err(BindError::System(at, error)) => {
            assert_eq!((at, error.kind()), (nowhere, ErrorKind::NotFound));
        }
        other => panic!("{other:?}"),
    }
    let long = directory.join("x".repeat(108));
    assert!(matches!(Listener::bind(long), Err(BindError::System(..))));
}

#[test]
fn a_peer_that_does_not_read_is_held_up_and_does_not_delay_the_end() {
    let directory = Directory::new();
    let path = directory.join("socket");
    let node = Node::new();
    serve(&node, Listener::bind(&path).expect("nobody listens there"), |_| Echo);
    let mut client = connect(&path);
    client.set_write_timeout(Some(Duration::from_millis(200))).expect("a timeout of some length");
    let held_up = (0..1000).any(|_| client.write(&[0; 64 << 10]).is_err());
    assert!(held_up, "the server goes on collecting answers that nobody reads");
    exchange(&mut connect(&path), b"others do not notice");
    stop(&node);
}

#[test]
fn an_owner_that_ends_takes_all_with_it() {
    let directory = Directory::new();
    let path = directory.join("socket");
    let node = Node::new();
    let socket = Listener::bind(&path).expect("nobody listens there");
    let owner = own(&node, move |context| {
        let (reader, handler) = unix::listener(socket, |_| Echo)?;
        context.spawn_meta(reader, handler)?;
        Ok(())
    });
    let mut clients: Vec<_> = (0..8).map(|_| connect(&path)).collect();
    clients.iter_mut().for_each(|client| exchange(client, b"hello"));
    node.kill(&owner);
    for client in &mut clients {
        // What it had not read by then makes the end a reset.
        match client.read(&mut [0]) {
            Ok(count) => assert_eq!(count, 0),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
    wait_until(|| !path.exists());
    stop(&node);
}

#[test]
fn nothing_is_left_when_a_node_has_stopped() {
    in_own_process("nothing_is_left_when_a_node_has_stopped", &[], || {
        let directory = Directory::new();
        let path = directory.join("socket");
        let (files, threads) = (descriptors(), count("/proc/self/task"));
        for round in 0..3 {
            let node = Node::new();
            serve(&node, Listener::bind(&path).expect("the last one's file is gone"), |_| Echo);
            let mut clients: Vec<_> = (0..20).map(|_| connect(&path)).collect();
            clients.iter_mut().for_each(|client| exchange(client, b"hello"));
            assert!(descriptors() > files, "the test counts what it should");
            stop(&node);
            drop(clients);
            assert_eq!(descriptors(), files, "descriptors after round {round}");
            drop(node);
            expect_threads(threads);
        }
    });
}
