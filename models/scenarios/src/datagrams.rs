//! Sockets for datagrams on descriptors that the engine knows: each byte of a stream of the platform's is a datagram.
//!
//! Each is told for a Reader with a thread of its own and for one that shares a poller.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use antiphon::io::udp::{self, Arrived, Command, Datagram, Port, Session, Socket};
use antiphon::io::{Source, shared};
use antiphon::{Address, CallError, Exit, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use platform::readiness::{Stream, pair};
use platform::sync::{Arc, Mutex};

use crate::parts::{EVER, Gate, Mail, Parent, node, start, stop};
use crate::streams::{On, read, write};

/// Where every datagram comes from, and goes to.
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7);

/// A byte that stands for what the network says of a datagram that was sent: nobody listens there.
const REFUSAL: u8 = 0;

/// What the operating system calls that.
const ECONNREFUSED: i32 = 111;

/// A stream of the platform as a socket for datagrams of one byte.
#[derive(Debug)]
struct Wire(Stream);

impl Port for Wire {
    fn source(&self) -> &dyn Source {
        &self.0
    }

    fn receive(&self, buffer: &mut [u8]) -> io::Result<Arrived> {
        match self.0.read(&mut buffer[..1])? {
            // Datagrams have no end.
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ if buffer[0] == REFUSAL => Err(io::Error::from_raw_os_error(ECONNREFUSED)),
            length => Ok(Arrived { length, peer: PEER, dropped: None }),
        }
    }

    fn send(&self, bytes: &[u8], _: SocketAddr) -> io::Result<()> {
        self.0.write(bytes).map(drop)
    }
}

/// A session that notes what it is told, and opens its gate when a datagram comes.
struct Voice {
    told: Gate,
    /// That nobody listens there.
    refusals: usize,
}

impl Session for Voice {
    fn received(&mut self, datagram: Datagram, _: &mut Socket<'_>) -> Result<(), Exit> {
        reached("received");
        drop(datagram);
        if self.refusals > 0 {
            reached("received after an error");
        }
        self.told.open();
        Ok(())
    }

    fn failed(&mut self, _: io::Error, _: &mut Socket<'_>) -> Result<(), Exit> {
        reached("an error was told");
        self.refusals += 1;
        Ok(())
    }

    fn closed(&mut self, reason: &Exit, _: &mut Socket<'_>) {
        reached(match reason {
            Exit::ParentEnded => "interrupted",
            _ => "ended by itself",
        });
    }
}

/// A process with one socket; its peer; and a gate that is open once a datagram has come.
fn socket(node: &Node, on: On) -> (Address<Mail>, Address<Command>, Stream, Gate) {
    let (near, far) = pair(1).expect("there is room for two descriptors");
    let told = Gate::new();
    let address = Arc::new(Mutex::new(None));
    let parent = {
        let (address, told) = (address.clone(), told.clone());
        Parent::new(move |context: &antiphon::Context<'_, Mail>| {
            let (reader, handler) = udp::on(Wire(near), Voice { told, refusals: 0 });
            *address.lock() = Some(match on {
                On::Thread => context.spawn_meta(reader, handler)?,
                On::Poller => context.spawn_meta(shared(reader), handler)?,
            });
            Ok(())
        })
    };
    let parent = node.spawn(parent).expect("the node is up");
    let socket = address.lock().take().expect("the parent is alive");
    (parent, socket, far, told)
}

/// The owner ends while the Reader waits, or receives.
pub(crate) fn interrupt_against_readiness(on: On) {
    let node = node();
    let (parent, _, far, _) = socket(&node, on);
    write(&far, 1);
    node.exit(&parent, Exit::Normal);
    stop(&node);
}

/// A datagram has to wait for room, until the peer receives; whoever wants it sent hears that it was.
pub(crate) fn send_against_room(on: On) {
    let node = node();
    let (_, socket, far, _) = socket(&node, on);
    let far = Arc::new(far);
    let peer = {
        let far = far.clone();
        start(move || {
            let got = read(&far, 2);
            check(got == 2, Guarantee::NoLoss, || format!("{got} datagrams of 2 came"));
            reached("all came");
        })
    };
    crate::parts::send(&socket, Command::send(PEER, vec![7]));
    let answer = node.call(&socket, |reply| Command::send_and_answer(PEER, vec![7], reply), EVER);
    check(matches!(answer, Ok(Ok(()))), Guarantee::CallOutcome, || format!("{answer:?}"));
    peer.join();
    stop(&node);
}

/// The socket is closed while a datagram waits for room: whoever wants it sent hears that it was not.
pub(crate) fn close_against_room(on: On) {
    let node = node();
    let (_, socket, far, _) = socket(&node, on);
    crate::parts::send(&socket, Command::send(PEER, vec![7]));
    let other = {
        let socket = socket.clone();
        start(move || drop(socket.send(Command::close())))
    };
    let answer = node.call(&socket, |reply| Command::send_and_answer(PEER, vec![7], reply), EVER);
    match answer {
        Err(CallError::Refused) => reached("refused"),
        Err(CallError::Terminated) => reached("dropped"),
        // On real sockets there is room.
        Ok(Ok(())) => reached("sent"),
        answer => check(false, Guarantee::CallOutcome, || format!("{answer:?}")),
    }
    other.join();
    stop(&node);
    drop(far);
}

/// The network says that nobody listens where something was sent; then a datagram comes. Neither hides the other.
pub(crate) fn error_against_datagram(on: On) {
    let node = node();
    let (_, _, far, told) = socket(&node, on);
    let refused = far.write(&[REFUSAL]);
    check(refused.is_ok(), Guarantee::NoLoss, || "there is room for one".into());
    write(&far, 1);
    // Where an error ends the socket, this is a deadlock.
    told.pass();
    stop(&node);
}
