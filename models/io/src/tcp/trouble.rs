//! Peers that make trouble, beside others and while the owner ends.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;

use super::parts::{Echo, bind, connect, exchange, reset, serve};
use crate::parts::{LONG, on_a_node};
use crate::tally::fault;

/// What a peer does to whoever serves it.
#[derive(Clone, Copy)]
pub(crate) enum Trouble {
    /// It closes, while an answer is on its way.
    Vanishes,
    /// It breaks the connection off, while an answer is on its way.
    Resets,
    /// It sends until it is held up, and reads nothing of what it is answered.
    DoesNotRead,
    /// It sends byte by byte.
    SendsByteByByte,
}

/// The bound is for a server that never holds it up.
const MOST: usize = 64 << 20;

impl Trouble {
    /// Makes it once, on a connection of its own. An error says that the server is gone.
    fn make(self, address: SocketAddr) -> io::Result<()> {
        let mut socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(LONG))?;
        fault();
        match self {
            Self::Vanishes => socket.write_all(&[1; 4000])?,
            Self::Resets => {
                socket.write_all(&[2; 4000])?;
                reset(socket);
            }
            Self::DoesNotRead => {
                socket.set_write_timeout(Some(Duration::from_millis(100)))?;
                let piece = [3; 16 << 10];
                let mut sent = 0;
                while sent < MOST
                    && let Ok(count) = socket.write(&piece)
                {
                    sent += count;
                }
                assert!(sent < MOST, "a peer that does not read is read from without end");
            }
            Self::SendsByteByByte => {
                for byte in 0..50 {
                    let mut answer = [0];
                    socket.write_all(&[byte])?;
                    socket.read_exact(&mut answer)?;
                    check(answer == [byte], Guarantee::NoLoss, || format!("{byte} became {answer:?}"));
                }
            }
        }
        reached("trouble");
        Ok(())
    }
}

/// `peers` make trouble, again and again, while another goes on as if there was none.
pub(crate) fn beside_others(trouble: Trouble, peers: usize) {
    on_a_node(|node| {
        let server = serve(node, bind(), |_| Echo);
        let mut other = connect(server.address);
        exchange(&mut other, [0; 64]);
        thread::scope(|scope| {
            for _ in 0..peers {
                scope.spawn(|| {
                    for _ in 0..2 {
                        trouble.make(server.address).expect("the server goes on");
                    }
                });
            }
            (0..50).for_each(|message| exchange(&mut other, [message; 64]));
        });
        exchange(&mut other, [50; 64]);
        exchange(&mut connect(server.address), [51; 64]);
    });
}

/// The owner is killed while `peers` make trouble: then nobody is served any more.
pub(crate) fn while_the_owner_is_killed(trouble: Trouble, peers: usize) {
    on_a_node(|node| {
        let server = serve(node, bind(), |_| Echo);
        exchange(&mut connect(server.address), [0; 64]);
        let all_do = Barrier::new(peers + 1);
        thread::scope(|scope| {
            for _ in 0..peers {
                scope.spawn(|| {
                    trouble.make(server.address).expect("the owner lives until all have begun");
                    all_do.wait();
                    // The bound is for a listener that goes on without its owner.
                    let gone = (0..10_000).any(|_| trouble.make(server.address).is_err());
                    check(gone, Guarantee::Ownership, || "the listener outlives its owner".into());
                    reached("gone");
                });
            }
            all_do.wait();
            node.kill(&server.owner);
        });
    });
}
