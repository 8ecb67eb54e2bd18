//! Readers that share a poller: what one of them does must not hold up another, nor what it was sent itself.

mod tcp_support;

use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex};

use antiphon::Exit;
use antiphon::Node;
use antiphon::io::tcp::{Connection, Data, Session};
use rustix::net::{SendFlags, send};
use tcp_support::*;

/// Echoes; at an exclamation mark it waits for the gate, and tells nobody that it does.
struct Stuck(Arc<(Mutex<bool>, Condvar)>);

impl Session for Stuck {
    fn received(&mut self, data: Data, connection: &mut Connection<'_>) -> Result<(), Exit> {
        if data.first() == Some(&b'!') {
            let (open, opened) = &*self.0;
            drop(opened.wait_while(open.lock().expect("no panic"), |open| !*open).expect("no panic"));
        }
        Ok(connection.write(data)?)
    }
}

#[test]
fn sessions_that_block_hold_up_no_other() {
    let node = Node::new();
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let server = {
        let gate = Arc::clone(&gate);
        serve(&node, move |_| Stuck(Arc::clone(&gate)))
    };
    let mut other = connect(server.address);
    exchange(&mut other, b"before");
    // More than there are workers, on a machine of any ordinary size.
    let mut stuck: Vec<_> = (0..24).map(|_| connect(server.address)).collect();
    for client in &mut stuck {
        client.write_all(b"!").expect("the server is there");
        exchange(&mut other, b"meanwhile");
    }
    exchange(&mut connect(server.address), b"a new one");
    *gate.0.lock().expect("no panic") = true;
    gate.1.notify_all();
    for client in &mut stuck {
        let mut answer = [0];
        client.read_exact(&mut answer).expect("the server goes on");
        assert_eq!(&answer, b"!");
    }
    stop(&node);
}

#[test]
fn what_follows_urgent_data_comes() {
    let node = Node::new();
    let (server, events, _) = forward(&node);
    let client = connect(server.address);
    events.opened();
    for _ in 0..100 {
        // The mark ends a read, whatever is behind it; the urgent byte itself is not part of the stream.
        for (bytes, flags) in [(&b"ab!"[..], SendFlags::OOB), (b"cd", SendFlags::empty())] {
            assert_eq!(send(&client, bytes, flags).expect("the server is there"), bytes.len());
        }
        assert_eq!(events.bytes(4), b"abcd");
    }
    stop(&node);
}
