//! `io::tcp` and what a process has little of. Each test runs in a process of its own, for it counts or
//! limits what all threads of a process share.

mod tcp_support;

use std::error::Error;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use antiphon::Node;
use antiphon::io::tcp::{self, Accept};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tcp_support::*;

#[test]
fn nothing_is_left_when_a_node_has_stopped() {
    in_own_process("nothing_is_left_when_a_node_has_stopped", &[], || {
        let (files, threads) = (descriptors(), count("/proc/self/task"));
        for round in 0..3 {
            let node = Node::new();
            let server = serve(&node, |_| Echo);
            let mut clients: Vec<_> = (0..30).map(|_| connect(server.address)).collect();
            clients.iter_mut().for_each(|client| exchange(client, b"hello"));
            clients.drain(..10).for_each(drop);
            clients.drain(..10).for_each(reset);
            assert!(descriptors() > files, "the test counts what it should");
            stop(&node);
            drop(clients);
            assert_eq!(descriptors(), files, "descriptors after round {round}");
            drop(node);
            expect_threads(threads);
        }
    });
}

#[test]
fn data_that_are_kept_keep_no_descriptor() {
    in_own_process("data_that_are_kept_keep_no_descriptor", &[], || {
        let files = descriptors();
        let node = Node::new();
        let (server, events, _) = forward(&node);
        let mut client = connect(server.address);
        client.write_all(b"keep this").expect("the server reads");
        events.opened();
        let kept = events.data();
        drop(client);
        stop(&node);
        assert_eq!(descriptors(), files);
        drop(kept);
    });
}

#[test]
fn what_a_connection_used_is_free_when_it_has_ended() {
    in_own_process("what_a_connection_used_is_free_when_it_has_ended", &[], || {
        let node = Node::new();
        let server = serve(&node, |_| Echo);
        // While it is open, all is there that a first connection needs.
        let mut first = connect(server.address);
        exchange(&mut first, b"warm up");
        let files = descriptors();
        for _ in 0..200 {
            exchange(&mut connect(server.address), b"hello");
        }
        wait_until(|| descriptors() == files);
        exchange(&mut first, b"still there");
        stop(&node);
    });
}

/// Counts how often it was told of a failure.
struct Counting(Arc<AtomicU32>);

impl Accept<SocketAddr> for Counting {
    type Session = Echo;

    fn accept(&mut self, _: SocketAddr) -> Echo {
        Echo
    }

    fn failed(&mut self, _: &dyn Error) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Lets this process open `more` descriptors, and not one beyond.
fn allow_descriptors(more: usize) {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some((descriptors() + more) as u64), ..limit })
        .expect("a limit may be lowered");
}

#[test]
fn a_listener_survives_that_there_are_no_descriptors_left() {
    in_own_process("a_listener_survives_that_there_are_no_descriptors_left", &[], || {
        const CLIENTS: usize = 30;
        let socket = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = socket.local_addr().expect("it is bound");
        // They are connected before anybody accepts: they wait in the backlog.
        let mut clients: Vec<_> = (0..CLIENTS).map(|_| connect(address)).collect();
        // Room for the listener's waker and some connections, of two descriptors each.
        allow_descriptors(12);
        let failures = Arc::new(AtomicU32::new(0));
        let begin = Instant::now();
        let node = Node::new();
        serve_on(&node, socket, Counting(Arc::clone(&failures)));
        let first = clients.first_mut().expect("there are clients");
        exchange(first, b"there was room for this one");

        // It waits 5 ms, then each time twice as long: before the eighth failure at least 635 ms.
        wait_until(|| failures.load(Ordering::Relaxed) >= 8);
        let least = Duration::from_millis(600);
        assert!(begin.elapsed() > least, "8 failures in {:?}: it spins", begin.elapsed());

        // Each client that goes makes room for another. In the end all have been served.
        for mut client in clients {
            exchange(&mut client, b"in the end");
        }
        stop(&node);
    });
}

#[test]
fn a_listener_that_waits_for_descriptors_ends_at_once() {
    in_own_process("a_listener_that_waits_for_descriptors_ends_at_once", &[], || {
        let socket = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let _waiting: Vec<_> = (0..10).map(|_| connect(socket.local_addr().expect("it is bound"))).collect();
        allow_descriptors(1);
        let failures = Arc::new(AtomicU32::new(0));
        let node = Node::new();
        serve_on(&node, socket, Counting(Arc::clone(&failures)));
        wait_until(|| failures.load(Ordering::Relaxed) >= 3);
        stop(&node);
    });
}

/// Panics deep inside.
struct Panics;

impl tcp::Session for Panics {
    fn received(&mut self, data: tcp::Data, _: &mut tcp::Connection<'_>) -> Result<(), antiphon::Exit> {
        panic!("planned: {data:?}")
    }
}

#[test]
fn a_readers_stack_has_room_for_a_panic_with_a_backtrace() {
    let name = "a_readers_stack_has_room_for_a_panic_with_a_backtrace";
    in_own_process(name, &[("RUST_BACKTRACE", "full")], || {
        let node = Node::new();
        let server = serve(&node, |_| Panics);
        let mut client = connect(server.address);
        client.write_all(b"!").expect("the server reads");
        expect_end(&mut client);
        stop(&node);
    });
}

#[test]
fn an_idle_server_uses_no_time() {
    in_own_process("an_idle_server_uses_no_time", &[], || {
        let node = Node::new();
        let server = serve(&node, |_| Echo);
        let mut clients: Vec<_> = (0..20).map(|_| connect(server.address)).collect();
        clients.iter_mut().for_each(|client| exchange(client, b"hello"));
        wait_until_idle();
        stop(&node);
    });
}
