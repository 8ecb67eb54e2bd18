//! UDP on loopback.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Sender};
use std::thread;

use antiphon::io::udp::{self, Command, Datagram, Reason, Session, Socket, Unsent};
use antiphon::{Address, Exit, Node};
use antiphon_harness::{Scenario, check, reached};
use antiphon_spec::Guarantee;

use crate::parts::{LONG, on_a_node, on_a_node_beside, own};
use crate::{COMMANDED, SERVED};

pub(crate) const SCENARIOS: &[Scenario] = catalogue! {
    "udp/echo/4x50", SERVED, ["answered", "interrupted"], echo(4, 50);
    "udp/nobody-takes-them/2000", SERVED, ["kept", "interrupted"], nobody_takes_them(2000);
    "udp/too-large/50", COMMANDED, ["handed back", "answered"], too_large(50);
};

/// Echoes; or, if it has somebody to hand datagrams to, does that.
struct Server(Option<Sender<Datagram>>);

impl Session for Server {
    fn received(&mut self, datagram: Datagram, socket: &mut Socket<'_>) -> Result<(), Exit> {
        match &self.0 {
            Some(keeper) => keeper.send(datagram).map_err(|_| Exit::Normal),
            None => Ok(socket.send(datagram.peer, datagram.data)?),
        }
    }

    fn unsent(&mut self, unsent: Unsent, _: &mut Socket<'_>) -> Result<(), Exit> {
        if matches!(unsent.reason, Reason::TooLarge) {
            reached("handed back");
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

fn serve(node: &Node, keeper: Option<Sender<Datagram>>) -> (Address<Command>, SocketAddr) {
    let socket = bind();
    let at = socket.local_addr().expect("it is bound");
    let (_, address) = own(node, move |context| {
        let (reader, handler) = udp::socket(socket, Server(keeper))?;
        Ok(context.spawn_meta(reader, handler)?)
    });
    (address, at)
}

/// One datagram on its way at a time is not dropped on loopback.
fn exchange(client: &UdpSocket, at: SocketAddr, message: [u8; 64]) {
    let mut answer = [0; 64];
    let exchanged = client.send_to(&message, at).and_then(|_| client.recv(&mut answer));
    check(exchanged.is_ok() && answer == message, Guarantee::NoLoss, || {
        format!("sent 64 bytes of {}, got {answer:?} ({exchanged:?})", message[0])
    });
    reached("answered");
}

fn echo(clients: u8, messages: u8) {
    on_a_node(|node| {
        let (_, at) = serve(node, None);
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

/// More comes than is taken; what does not fit is dropped by the operating system, and the end comes at once.
fn nobody_takes_them(count: usize) {
    // What is kept outlives the node's actors.
    let body = |node: &Node| {
        let (keeper, kept) = mpsc::channel();
        let (_, at) = serve(node, Some(keeper));
        let client = bind();
        for _ in 0..count {
            client.send_to(&[7; 1000], at).expect("there is a way");
        }
        check(kept.recv_timeout(LONG).is_ok(), Guarantee::WakeUp, || "none was handled".into());
        reached("kept");
        kept
    };
    on_a_node_beside(body, drop);
}

/// Datagrams that are too large come back, between others that do not.
fn too_large(count: usize) {
    on_a_node(|node| {
        let (address, at) = serve(node, None);
        let client = bind();
        let to = client.local_addr().expect("it is bound");
        for number in 0..count {
            let accepted = address.send(Command::send(to, vec![0; 70_000])).is_ok()
                && address.send(Command::send(to, number.to_string())).is_ok();
            check(accepted, Guarantee::NoLoss, || "the command was refused".into());
        }
        for number in 0..count {
            let mut buffer = [0; 64];
            let got = client.recv(&mut buffer).map(|length| buffer[..length].to_vec());
            let in_order = got.as_ref().is_ok_and(|bytes| *bytes == number.to_string().into_bytes());
            check(in_order, Guarantee::SenderOrder, || format!("{got:?} instead of {number}"));
        }
        exchange(&client, at, [1; 64]);
    });
}
