//! `io::udp` on real sockets.

mod io_support;

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use antiphon::io::udp::{self, Command, Datagram, Event, Forward, Reason, Session, Socket, Unsent};
use antiphon::{Address, Exit, Node};
use io_support::*;

struct Echo;

impl Session for Echo {
    fn received(&mut self, datagram: Datagram, socket: &mut Socket<'_>) -> Result<(), Exit> {
        Ok(socket.send(datagram.peer, datagram.data)?)
    }
}

fn bind(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).expect("loopback has a free port");
    socket.set_read_timeout(Some(LONG)).expect("a timeout of some length");
    socket
}

fn address(socket: &UdpSocket) -> SocketAddr {
    socket.local_addr().expect("it is bound")
}

/// Starts a meta-process on a socket; the test owns its owner's life.
fn serve(node: &Node, socket: UdpSocket, session: impl Session, shared: bool) -> SocketAddr {
    let address = address(&socket);
    own(node, move |context| {
        let (reader, handler) = udp::socket(socket, session)?;
        let reader = if shared { antiphon::io::shared(reader) } else { reader };
        context.spawn_meta(reader, handler)?;
        Ok(())
    });
    address
}

/// A socket that leaves everything to the test.
fn forward(node: &Node, socket: UdpSocket) -> (Address<Command>, Receiver<Event>) {
    let (to, events) = collect(node);
    serve(node, socket, Forward::new(to), false);
    match events.recv_timeout(LONG) {
        Ok(Event::Opened(address)) => (address, events),
        other => panic!("expected Opened, not {other:?}"),
    }
}

fn received(events: &Receiver<Event>) -> Datagram {
    match events.recv_timeout(LONG) {
        Ok(Event::Received(_, datagram)) => datagram,
        other => panic!("expected a datagram, not {other:?}"),
    }
}

fn exchange(client: &UdpSocket, server: SocketAddr, bytes: &[u8]) {
    let mut answer = vec![0; bytes.len() + 1];
    client.send_to(bytes, server).expect("there is a way");
    let (count, from) = client.recv_from(&mut answer).expect("the server answers");
    assert_eq!((&answer[..count], from), (bytes, server));
}

#[test]
fn datagrams_come_back_whole_on_both_versions_and_in_both_forms() {
    for (local, shared) in [("127.0.0.1:0", false), ("127.0.0.1:0", true), ("[::1]:0", false)] {
        let node = Node::new();
        let server = serve(&node, bind(local), Echo, shared);
        let client = bind(local);
        for size in [0, 1, 64, 1500, 9000, 65_507] {
            exchange(&client, server, &pattern(size));
        }
        stop(&node);
    }
}

#[test]
fn an_empty_datagram_is_a_datagram() {
    let node = Node::new();
    let socket = bind("127.0.0.1:0");
    let (server, client) = (address(&socket), bind("127.0.0.1:0"));
    let (_, events) = forward(&node, socket);
    client.send_to(&[], server).expect("there is a way");
    client.send_to(b"after it", server).expect("there is a way");
    let first = received(&events);
    assert_eq!((first.peer, first.data.len()), (address(&client), 0));
    assert_eq!(&*received(&events).data, b"after it");
    stop(&node);
}

#[test]
fn a_datagram_that_is_too_large_comes_back_to_its_sender_and_ends_nothing() {
    let node = Node::new();
    let client = bind("127.0.0.1:0");
    let (server, events) = forward(&node, bind("127.0.0.1:0"));
    let large = pattern(65_508);
    server.send(Command::send(address(&client), large.clone())).expect("it lives");
    match events.recv_timeout(LONG) {
        Ok(Event::Unsent(_, Unsent { peer, bytes, reason: Reason::TooLarge })) => {
            assert_eq!((peer, bytes.to_vec()), (address(&client), large.clone()));
        }
        other => panic!("expected a refusal, not {other:?}"),
    }
    // Whoever asks is answered.
    let send = |bytes: Vec<u8>| {
        let to = address(&client);
        node.call(&server, |reply| Command::send_and_answer(to, bytes, reply), LONG).expect("it answers")
    };
    let unsent = send(large).expect_err("it is too large");
    assert!(matches!(unsent.reason, Reason::TooLarge), "{unsent}");
    assert!(unsent.to_string().contains("too large"), "{unsent}");
    send(b"small".to_vec()).expect("it can be sent");
    let mut buffer = [0; 16];
    assert_eq!(client.recv(&mut buffer).expect("it came"), 5);
    stop(&node);
}

#[test]
fn a_peer_that_is_not_there_is_told_of_and_ends_nothing() {
    let node = Node::new();
    let (socket, peer) = (bind("127.0.0.1:0"), bind("127.0.0.1:0"));
    let (at, nobody) = (address(&socket), address(&peer));
    drop(peer);
    socket.connect(nobody).expect("there is a way");
    let (server, events) = forward(&node, socket);
    for _ in 0..20 {
        server.send(Command::send(nobody, "is anybody there?")).expect("it lives");
        match events.recv_timeout(LONG) {
            Ok(Event::Failed(_, error)) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
            other => panic!("expected a failure, not {other:?}"),
        }
    }
    // Somebody comes.
    let peer = UdpSocket::bind(nobody).expect("the port is free");
    peer.send_to(b"here", at).expect("there is a way");
    loop {
        match events.recv_timeout(LONG) {
            Ok(Event::Received(_, datagram)) => break assert_eq!(&*datagram.data, b"here"),
            Ok(Event::Failed(..)) => {}
            other => panic!("unexpected {other:?}"),
        }
    }
    stop(&node);
}

#[test]
fn what_comes_while_datagrams_are_kept_is_dropped_and_counted() {
    const SENT: usize = 20_000;
    let node = Node::new();
    let socket = bind("127.0.0.1:0");
    let (at, client) = (address(&socket), bind("127.0.0.1:0"));
    let (server, events) = forward(&node, socket);
    for number in 0..SENT {
        client.send_to(format!("{number:0100}").as_bytes(), at).expect("there is a way");
    }
    let dropped = || node.call(&server, Command::dropped, LONG).expect("it answers");
    // Nothing is held up any more once these are dropped; what waited in the operating system comes.
    let mut came = 0;
    let mut last = None;
    while let Ok(event) = events.recv_timeout(Duration::from_millis(500)) {
        match event {
            Event::Received(_, datagram) => {
                let number: usize = std::str::from_utf8(&datagram.data).unwrap().parse().unwrap();
                assert!(last < Some(number), "out of order, or twice");
                last = Some(number);
                came += 1;
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    assert!(came < SENT, "the memory took all of it");
    // One more, which tells how many were dropped before it.
    client.send_to(b"the last", at).expect("there is a way");
    assert_eq!(&*received(&events).data, b"the last");
    assert_eq!(came + dropped() as usize, SENT);
    stop(&node);
}

#[test]
fn the_owners_end_and_close_end_it_at_once() {
    let node = Node::new();
    let (server, events) = forward(&node, bind("127.0.0.1:0"));
    server.send(Command::close()).expect("it lives");
    assert!(matches!(events.recv_timeout(LONG), Ok(Event::Closed(_, Exit::Normal))));
    let (_server, events) = forward(&node, bind("[::1]:0"));
    stop(&node);
    // The collector may have ended before it.
    if let Ok(event) = events.recv_timeout(LONG) {
        assert!(matches!(event, Event::Closed(..)), "{event:?}");
    }
}

#[test]
fn nothing_is_left_when_a_node_has_stopped() {
    in_own_process("nothing_is_left_when_a_node_has_stopped", &[], || {
        let (files, threads) = (descriptors(), count("/proc/self/task"));
        for shared in [false, true, false] {
            let node = Node::new();
            let client = bind("127.0.0.1:0");
            let servers: Vec<_> = (0..20).map(|_| serve(&node, bind("127.0.0.1:0"), Echo, shared)).collect();
            servers.iter().for_each(|server| exchange(&client, *server, b"hello"));
            stop(&node);
            drop(client);
            drop(node);
            assert_eq!(descriptors(), files);
            expect_threads(threads);
        }
    });
}
