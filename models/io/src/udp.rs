//! UDP on loopback.

mod faults;

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::Sender;
use std::thread;

use antiphon::io::udp::{self, Command, Datagram, Reason, Session, Socket, Unsent};
use antiphon::{Address, Exit, Node};
use antiphon_harness::{Scenario, reached};

use crate::parts::{LONG, on_a_node, own};
use crate::tally::ask;
use crate::{COMMANDED, Fault, SERVED};

pub(crate) const SCENARIOS: &[Scenario] = catalogue! {
    "udp/echo/4x50", SERVED, ["answered", "interrupted"], echo(4, 50);
    "udp/nobody-takes-them/2000", SERVED, ["kept", "interrupted", "answered"], faults::nobody_takes_them(2000);
    "udp/too-large/50", COMMANDED, ["handed back", "answered"], faults::too_large(50);
    "udp/nobody-listens/50", SERVED, ["told", "answered"], faults::nobody_listens(50);
    "udp/owner-is-killed-while-flooded/4", SERVED, ["gone"], faults::flooded_while_the_owner_is_killed(4);
    "udp/owner-is-killed-amid-too-large/4", SERVED, ["gone"],
        faults::too_large_while_the_owner_is_killed(4);
    "udp/owner-is-killed-while-nobody-listens/4", SERVED, ["gone"],
        faults::nobody_listens_while_the_owner_is_killed(4);
};

pub(crate) const FAULTS: &[Fault] = &[
    ("datagrams are too large", &["udp/too-large/50", "udp/owner-is-killed-amid-too-large/4"]),
    ("nobody listens at a port", &["udp/nobody-listens/50", "udp/owner-is-killed-while-nobody-listens/4"]),
    (
        "more datagrams come than are taken",
        &["udp/nobody-takes-them/2000", "udp/owner-is-killed-while-flooded/4"],
    ),
];

/// What a socket does with what comes.
enum Server {
    Echo,
    /// Hands it to somebody.
    Keeping(Sender<Datagram>),
    /// Says of each failure that it was told.
    Failing(Sender<()>),
}

impl Session for Server {
    fn received(&mut self, datagram: Datagram, socket: &mut Socket<'_>) -> Result<(), Exit> {
        match self {
            Self::Keeping(keeper) => keeper.send(datagram).map_err(|_| Exit::Normal),
            Self::Echo | Self::Failing(_) => Ok(socket.send(datagram.peer, datagram.data)?),
        }
    }

    fn unsent(&mut self, unsent: Unsent, _: &mut Socket<'_>) -> Result<(), Exit> {
        if matches!(unsent.reason, Reason::TooLarge) {
            reached("handed back");
        }
        Ok(())
    }

    fn failed(&mut self, _: io::Error, _: &mut Socket<'_>) -> Result<(), Exit> {
        if let Self::Failing(tell) = self {
            // The scenario may have heard enough.
            let _ = tell.send(());
        }
        Ok(())
    }

    fn closed(&mut self, reason: &Exit, _: &mut Socket<'_>) {
        if *reason == Exit::ParentEnded {
            reached("interrupted");
        }
    }
}

fn bind() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    socket.set_read_timeout(Some(LONG)).expect("a timeout of some length");
    socket
}

/// A socket's meta-process, and who owns it.
struct Served {
    owner: Address<Infallible>,
    meta: Address<Command>,
    at: SocketAddr,
}

fn serve(node: &Node, server: Server) -> Served {
    serve_on(node, bind(), server)
}

fn serve_on(node: &Node, socket: UdpSocket, server: Server) -> Served {
    let at = socket.local_addr().expect("it is bound");
    let (owner, meta) = own(node, move |context| {
        let (reader, handler) = udp::socket(socket, server)?;
        Ok(context.spawn_meta(reader, handler)?)
    });
    Served { owner, meta, at }
}

/// One datagram on its way at a time is not dropped on loopback.
fn exchange(client: &UdpSocket, at: SocketAddr, message: [u8; 64]) {
    ask(|| {
        let mut answer = [0; 64];
        let exchanged = client.send_to(&message, at).and_then(|_| client.recv(&mut answer));
        if exchanged.is_ok() && answer == message {
            return Ok(());
        }
        Err(format!("sent 64 bytes of {}, got {answer:?} ({exchanged:?})", message[0]))
    });
}

fn echo(clients: u8, messages: u8) {
    on_a_node(|node| {
        let at = serve(node, Server::Echo).at;
        thread::scope(|scope| {
            for client in 0..clients {
                scope.spawn(move || {
                    let socket = bind();
                    (0..messages).for_each(|message| exchange(&socket, at, [client ^ message; 64]));
                });
            }
        });
    });
}
