//! `io::tcp` on real sockets: what it says of itself, and what it survives.

mod tcp_support;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use antiphon::io::tcp::{self, Command, Connection, Data, Session, Stop};
use antiphon::{Exit, Node};
use tcp_support::*;

/// How fast a stop is that waits for nobody, on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(5);

#[test]
fn clients_get_back_what_they_send() {
    let node = Node::new();
    let server = serve(&node, |_| Echo);
    thread::scope(|scope| {
        for client in 0..8_u8 {
            scope.spawn(move || {
                let mut socket = connect(server.address);
                for message in 0..200_u8 {
                    exchange(&mut socket, &[client ^ message; 64]);
                }
                socket.shutdown(Shutdown::Write).expect("the socket is open");
                expect_end(&mut socket);
            });
        }
    });
    stop(&node);
}

#[test]
fn bytes_that_come_one_at_a_time_come_in_order() {
    let node = Node::new();
    let (server, events, _) = forward(&node);
    let mut client = connect(server.address);
    events.opened();
    for byte in 0..100 {
        client.write_all(&[byte]).expect("the server reads");
        if byte % 10 == 0 {
            thread::yield_now();
        }
    }
    assert_eq!(events.bytes(100), (0..100).collect::<Vec<u8>>());
    stop(&node);
}

#[test]
fn a_large_transfer_comes_back_whole() {
    let node = Node::new();
    let server = serve(&node, |_| Echo);
    let sent = pattern(8 << 20);
    let mut client = connect(server.address);
    let mut writer = client.try_clone().expect("there are descriptors");
    let back = thread::scope(|scope| {
        scope.spawn(|| {
            writer.write_all(&sent).expect("the server reads");
            writer.shutdown(Shutdown::Write).expect("the socket is open");
        });
        let mut back = Vec::new();
        client.read_to_end(&mut back).expect("the server answers");
        back
    });
    assert!(back == sent, "{} of {} bytes came back", back.len(), sent.len());
    stop(&node);
}

#[test]
fn a_half_closed_peer_is_told_of_and_still_answered() {
    let node = Node::new();
    let (server, events, _) = forward(&node);
    let mut client = connect(server.address);
    let connection = events.opened();
    client.write_all(b"question").expect("the server reads");
    client.shutdown(Shutdown::Write).expect("the socket is open");
    assert_eq!(events.bytes(8), b"question");
    events.ended();
    assert!(events.is_quiet_for(Duration::from_millis(50)), "the connection waits for its owner");
    connection.send(Command::write("answer")).expect("the connection is open");
    connection.send(Command::close()).expect("the connection is open");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("the server answers");
    assert_eq!(answer, "answer");
    assert_eq!(events.closed(), Exit::Normal);
    connection.send(Command::write("more")).expect_err("the connection has ended");
    stop(&node);
}

#[test]
fn a_connection_that_closed_its_own_half_goes_on_reading() {
    let node = Node::new();
    let (server, events, _) = forward(&node);
    let mut client = connect(server.address);
    let connection = events.opened();
    connection.send(Command::write("last words")).expect("the connection is open");
    connection.send(Command::shutdown_write()).expect("the connection is open");
    let mut words = String::new();
    client.read_to_string(&mut words).expect("the server writes");
    assert_eq!(words, "last words");
    client.write_all(b"I see").expect("the server reads");
    assert_eq!(events.bytes(5), b"I see");
    drop(client);
    events.ended();
    assert_eq!(events.closed(), Exit::Normal, "both halves are closed");
    stop(&node);
}

#[test]
fn a_write_after_the_half_was_closed_ends_the_connection_with_an_error() {
    let node = Node::new();
    let (server, events, _) = forward(&node);
    let _client = connect(server.address);
    let connection = events.opened();
    connection.send(Command::shutdown_write()).expect("the connection is open");
    connection.send(Command::write("too late")).expect("the connection is open");
    match events.closed() {
        Exit::Failed(text) => assert!(text.contains("closed"), "{text}"),
        other => panic!("expected a failure, not {other:?}"),
    }
    stop(&node);
}

#[test]
fn a_peer_that_resets_ends_its_own_connection_only() {
    let node = Node::new();
    let (server, events, _) = forward(&node);
    let mut other = connect(server.address);
    events.opened();
    let client = connect(server.address);
    events.opened();
    reset(client);
    match events.closed() {
        Exit::Failed(text) => assert!(text.contains("reset"), "{text}"),
        other => panic!("expected a failure, not {other:?}"),
    }
    other.write_all(b"still here").expect("the server reads");
    assert_eq!(events.bytes(10), b"still here");
    stop(&node);
}

#[test]
fn a_peer_that_resets_after_its_end_ends_the_connection() {
    let node = Node::new();
    let (server, events, _) = forward(&node);
    let client = connect(server.address);
    let connection = events.opened();
    client.shutdown(Shutdown::Write).expect("the socket is open");
    events.ended();
    connection.send(Command::write("never read")).expect("the connection is open");
    reset(client);
    assert!(matches!(events.closed(), Exit::Failed(_)));
    stop(&node);
}

#[test]
fn close_comes_after_what_is_still_to_be_written() {
    let node = Node::new();
    let (server, events, _) = forward(&node);
    let mut client = connect(server.address);
    let connection = events.opened();
    let sent = pattern(8 << 20);
    connection.send(Command::write(sent.clone())).expect("the connection is open");
    connection.send(Command::close()).expect("the connection is open");
    let mut received = Vec::new();
    client.read_to_end(&mut received).expect("the server writes");
    assert!(received == sent, "{} of {} bytes came", received.len(), sent.len());
    loop {
        match events.next() {
            tcp::Event::Congested { .. } | tcp::Event::Drained { .. } => {}
            tcp::Event::Closed { reason, .. } => break assert_eq!(reason, Exit::Normal),
            other => panic!("unexpected {other:?}"),
        }
    }
    stop(&node);
}

/// Writes until the other side has taken nothing for a while; says how much it took.
fn fill(client: &mut TcpStream, most: usize) -> usize {
    client.set_write_timeout(Some(Duration::from_millis(500))).expect("a timeout of some length");
    let mut taken = 0;
    while taken < most {
        match client.write(&pattern(16 << 10)) {
            Ok(count) => taken += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
            Err(error) => panic!("{error}"),
        }
    }
    client.set_write_timeout(Some(LONG)).expect("a timeout of some length");
    taken
}

#[test]
fn a_peer_that_does_not_read_is_not_read_from_and_does_not_delay_the_end() {
    const MOST: usize = 256 << 20;
    let node = Node::new();
    let server = serve(&node, |_| Echo);
    let mut client = connect(server.address);
    let taken = fill(&mut client, MOST);
    assert!(taken < MOST, "the server goes on collecting answers that nobody reads");
    // Once the peer reads, all answers come.
    let mut back = 0;
    let mut buffer = vec![0; 64 << 10];
    while back < taken {
        match client.read(&mut buffer).expect("the server answers") {
            0 => panic!("the server closed after {back} of {taken} bytes"),
            count => back += count,
        }
    }
    assert!(fill(&mut client, MOST) < MOST);
    let took = stop(&node);
    assert!(took < AT_ONCE, "the end waited {took:?} for a peer that does not read");
}

#[test]
fn an_owner_that_keeps_data_holds_up_the_peer_until_it_lets_go() {
    const MOST: usize = 256 << 20;
    let node = Node::new();
    let (server, events, _) = forward(&node);
    let mut client = connect(server.address);
    events.opened();
    // The collector does not block: what holds up the peer is that the test takes nothing.
    let taken = fill(&mut client, MOST);
    assert!(taken < MOST, "the server reads what nobody uses");
    let mut seen = 0;
    let mut kept = Vec::new();
    while seen < taken {
        let data = events.data();
        seen += data.len();
        kept.push(data.into_bytes());
    }
    assert_eq!(kept.iter().map(|bytes| bytes.len()).sum::<usize>(), taken);
    client.write_all(b"and on").expect("the server reads again");
    events.data();
    stop(&node);
}

#[test]
fn what_a_peer_never_reads_is_limited() {
    let node = Node::new();
    let (server, events, _) = forward(&node);
    let _client = connect(server.address);
    let connection = events.opened();
    let piece = pattern(1 << 20);
    let mut pieces = 0;
    while connection.send(Command::write(piece.clone())).is_ok() {
        pieces += 1;
        assert!(pieces < 1000, "there is no limit");
        if !events.is_quiet_for(Duration::from_millis(1)) {
            break;
        }
    }
    let reason = loop {
        match connection.send(Command::write(piece.clone())) {
            Ok(()) => {}
            Err(_) => match events.next() {
                tcp::Event::Closed { reason, .. } => break reason,
                other => drop(other),
            },
        }
    };
    match reason {
        Exit::Failed(text) => assert!(text.contains("does not read"), "{text}"),
        other => panic!("expected a failure, not {other:?}"),
    }
    stop(&node);
}

#[test]
fn a_slow_peer_is_told_of_when_it_becomes_slow_and_when_it_has_caught_up() {
    let node = Node::new();
    let (server, events, _) = forward(&node);
    let mut client = connect(server.address);
    let connection = events.opened();
    let sent = pattern(12 << 20);
    connection.send(Command::write(sent.clone())).expect("the connection is open");
    assert!(matches!(events.next(), tcp::Event::Congested { .. }));
    let mut received = vec![0; sent.len()];
    client.read_exact(&mut received).expect("the server writes");
    assert!(received == sent);
    assert!(matches!(events.next(), tcp::Event::Drained { .. }));
    stop(&node);
}

#[test]
fn idle_connections_end_at_once_with_their_owner() {
    let node = Node::new();
    let (server, events, _) = forward(&node);
    let mut clients: Vec<_> = (0..20).map(|_| connect(server.address)).collect();
    (0..20).for_each(|_| drop(events.opened()));
    node.exit(&server.owner, Exit::Normal);
    for _ in 0..20 {
        assert_eq!(events.closed(), Exit::ParentEnded);
    }
    clients.iter_mut().for_each(expect_end);
    stop(&node);
}

#[test]
fn a_stopped_listener_accepts_nobody_and_its_connections_live_on() {
    let node = Node::new();
    let server = serve(&node, |_| Echo);
    let mut kept = connect(server.address);
    exchange(&mut kept, b"before");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // Each connects for as long as the listener lives: it stops in the middle of it.
                while !done.load(Ordering::Relaxed) {
                    let Ok(mut client) = TcpStream::connect(server.address) else { break };
                    client.set_read_timeout(Some(LONG)).expect("a timeout of some length");
                    if client.write_all(b"x").is_ok() {
                        // It is answered, or it was never accepted and is reset or closed.
                        let _ = client.read(&mut [0]);
                    }
                }
            });
        }
        thread::sleep(Duration::from_millis(50));
        server.listener.send(Stop).expect("the listener lives");
        let mut tries = 0;
        while TcpStream::connect(server.address).is_ok() {
            tries += 1;
            assert!(tries < 3000, "the listener goes on");
            thread::sleep(Duration::from_millis(10));
        }
        done.store(true, Ordering::Relaxed);
    });
    exchange(&mut kept, b"after");
    server.listener.send(Stop).expect_err("the listener has ended");
    stop(&node);
}

#[test]
fn a_node_stops_while_clients_connect() {
    for _ in 0..10 {
        let node = Node::new();
        let server = serve(&node, |_| Echo);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let Ok(mut client) = TcpStream::connect(server.address) else { break };
                        let _ = client.write_all(b"x");
                    }
                });
            }
            let took = stop(&node);
            assert!(took < AT_ONCE, "it took {took:?}");
        });
    }
}

/// Panics in the callback that the first byte names, refuses peers when told to.
struct Fragile {
    refuse: Arc<AtomicBool>,
}

impl Session for Fragile {
    fn opened(&mut self, _: &mut Connection<'_>) -> Result<(), Exit> {
        if self.refuse.load(Ordering::Relaxed) { Err(Exit::Failed("not today".into())) } else { Ok(()) }
    }

    fn received(&mut self, data: Data, connection: &mut Connection<'_>) -> Result<(), Exit> {
        assert_ne!(data.first(), Some(&b'!'), "planned");
        Ok(connection.write(data)?)
    }
}

#[test]
fn a_session_that_panics_or_refuses_is_alone_in_it() {
    let node = Node::new();
    let refuse = Arc::new(AtomicBool::new(false));
    let server = {
        let refuse = Arc::clone(&refuse);
        serve(&node, move |_| Fragile { refuse: Arc::clone(&refuse) })
    };
    let mut other = connect(server.address);
    exchange(&mut other, b"one");
    let mut fragile = connect(server.address);
    fragile.write_all(b"!").expect("the server reads");
    expect_end(&mut fragile);
    refuse.store(true, Ordering::Relaxed);
    expect_end(&mut connect(server.address));
    refuse.store(false, Ordering::Relaxed);
    exchange(&mut other, b"two");
    exchange(&mut connect(server.address), b"three");
    stop(&node);
}

#[test]
fn a_connection_ends_with_the_actor_it_forwards_to() {
    let node = Node::new();
    let (server, events, collector) = forward(&node);
    let mut client = connect(server.address);
    events.opened();
    node.exit(&collector, Exit::Normal);
    // Until it has ended, what is sent is lost in its mailbox, as dead letters.
    let mut ended = false;
    for _ in 0..1000 {
        ended = client.write_all(b"anybody?").is_err();
        if ended {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    assert!(ended, "the connection goes on without anybody to talk to");
    stop(&node);
}

/// Says a word and tells the test what comes back.
struct Caller(mpsc::Sender<Vec<u8>>);

impl Session for Caller {
    fn opened(&mut self, connection: &mut Connection<'_>) -> Result<(), Exit> {
        Ok(connection.write("hello")?)
    }

    fn received(&mut self, data: Data, _: &mut Connection<'_>) -> Result<(), Exit> {
        self.0.send(data.to_vec())?;
        Err(Exit::Normal)
    }
}

#[test]
fn a_connection_may_be_the_one_that_connects() {
    let node = Node::new();
    let server = serve(&node, |_| Echo);
    let (tell, told) = mpsc::channel();
    own(&node, move |context| {
        let (reader, handler) = tcp::connection(TcpStream::connect(server.address)?, Caller(tell))?;
        context.spawn_meta(reader, handler)?;
        Ok(())
    });
    assert_eq!(told.recv_timeout(LONG).expect("an answer comes"), b"hello");
    stop(&node);
}

/// Counts the failures it is told of.
struct Strict(mpsc::Sender<String>);

impl tcp::Accept<SocketAddr> for Strict {
    type Session = Fragile;

    fn accept(&mut self, _: SocketAddr) -> Fragile {
        Fragile { refuse: Arc::new(AtomicBool::new(true)) }
    }

    fn failed(&mut self, error: &dyn std::error::Error) {
        drop(self.0.send(error.to_string()));
    }
}

#[test]
fn a_listener_tells_who_made_the_session_that_refused() {
    let node = Node::new();
    let (tell, told) = mpsc::channel();
    let server = serve(&node, Strict(tell));
    expect_end(&mut connect(server.address));
    let text = told.recv_timeout(LONG).expect("it is told");
    assert!(text.contains("not today"), "{text}");
    stop(&node);
}

#[test]
fn a_port_is_free_again_when_its_listener_has_ended() {
    let node = Node::new();
    let server = serve(&node, |_| Echo);
    exchange(&mut connect(server.address), b"x");
    stop(&node);
    TcpListener::bind(server.address).expect("nobody holds the port");
}
