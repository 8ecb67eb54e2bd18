//! Peers that make trouble, beside others and while the owner ends.

use std::io;
use std::thread;
use std::time::Duration;

use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;

use super::{Client, Echo, Server, exchange};
use crate::parts::{kill_amid, on_a_node};
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
    fn make<C: Client>(self, place: &C::Place) -> io::Result<()> {
        let mut socket = C::connect(place)?;
        fault();
        match self {
            Self::Vanishes => socket.write_all(&[1; 4000])?,
            Self::Resets => {
                socket.write_all(&[2; 4000])?;
                socket.reset()?;
            }
            Self::DoesNotRead => {
                socket.patience(Duration::from_millis(100))?;
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
pub(crate) fn beside_others<C: Client>(trouble: Trouble, peers: usize) {
    on_a_node(|node| {
        let server = Server::<C>::new(node, |_| Echo);
        let mut other = server.connect();
        exchange(&mut other, [0; 64]);
        thread::scope(|scope| {
            for _ in 0..peers {
                scope.spawn(|| {
                    for _ in 0..2 {
                        trouble.make::<C>(&server.place).expect("the server goes on");
                    }
                });
            }
            (0..50).for_each(|message| exchange(&mut other, [message; 64]));
        });
        exchange(&mut other, [50; 64]);
        exchange(&mut server.connect(), [51; 64]);
    });
}

/// The owner is killed while `peers` make trouble: then nobody is served any more.
pub(crate) fn while_the_owner_is_killed<C: Client>(trouble: Trouble, peers: usize) {
    on_a_node(|node| {
        let server = Server::<C>::new(node, |_| Echo);
        exchange(&mut server.connect(), [0; 64]);
        kill_amid(node, &server.owner, peers, || trouble.make::<C>(&server.place));
    });
}
