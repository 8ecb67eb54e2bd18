//! Datagrams that are too large, too many, or to nobody, beside a socket to which none of it happens.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use antiphon::io::udp::{Command, Reason, Unsent};
use antiphon::{Address, CallError, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;

use super::{Server, bind, exchange, serve, serve_on};
use crate::parts::{LONG, kill_amid, on_a_node, on_a_node_beside};
use crate::tally::{ask, fault};

const LARGE: usize = 70_000;

/// Datagrams that are too large come back, between others that do not.
pub(crate) fn too_large(count: usize) {
    on_a_node(|node| {
        let server = serve(node, Server::Echo);
        let client = bind();
        let to = client.local_addr().expect("it is bound");
        for number in 0..count {
            fault();
            let accepted = server.meta.send(Command::send(to, vec![0; LARGE])).is_ok()
                && server.meta.send(Command::send(to, number.to_string())).is_ok();
            check(accepted, Guarantee::NoLoss, || "the command was refused".into());
        }
        for number in 0..count {
            ask(|| {
                let mut buffer = [0; 64];
                let got = client.recv(&mut buffer).map(|length| buffer[..length].to_vec());
                let in_order = got.as_ref().is_ok_and(|bytes| *bytes == number.to_string().into_bytes());
                if in_order { Ok(()) } else { Err(format!("{got:?} instead of {number}")) }
            });
        }
        exchange(&client, server.at, [1; 64]);
    });
}

/// Has a datagram sent, and says what became of it, if the socket is still there.
fn send(
    node: &Node,
    meta: &Address<Command>,
    to: SocketAddr,
    bytes: &[u8],
) -> Result<Result<(), Unsent>, CallError> {
    fault();
    let bytes = bytes.to_vec();
    node.call(meta, |answer| Command::send_and_answer(to, bytes, answer), LONG)
}

/// The owner is killed while others have datagrams sent that are too large.
pub(crate) fn too_large_while_the_owner_is_killed(peers: usize) {
    on_a_node(|node| {
        let (server, other) = (serve(node, Server::Echo), serve(node, Server::Echo));
        kill_amid(node, &server.owner, peers, || {
            let sent = send(node, &server.meta, other.at, &[0; LARGE])?;
            let handed_back = matches!(sent, Err(Unsent { reason: Reason::TooLarge, .. }));
            check(handed_back, Guarantee::NoLoss, || format!("{sent:?}, and it is too large"));
            Ok::<_, CallError>(())
        });
        exchange(&bind(), other.at, [1; 64]);
    });
}

/// A socket that is connected to a port at which nobody listens.
fn to_nobody() -> (UdpSocket, SocketAddr) {
    let socket = bind();
    let nobody = bind().local_addr().expect("it is bound");
    socket.connect(nobody).expect("loopback has a way to every port");
    (socket, nobody)
}

/// The socket is told each time, and goes on; so do others.
pub(crate) fn nobody_listens(count: u8) {
    on_a_node(|node| {
        let (tell, told) = mpsc::channel();
        let (socket, nobody) = to_nobody();
        let server = serve_on(node, socket, Server::Failing(tell));
        let (other, client) = (serve(node, Server::Echo), bind());
        for number in 0..count {
            fault();
            let accepted = server.meta.send(Command::send(nobody, [number].to_vec())).is_ok();
            check(accepted, Guarantee::CleanStop, || "the socket has ended".into());
            exchange(&client, other.at, [number; 64]);
            check(told.recv_timeout(LONG).is_ok(), Guarantee::WakeUp, || "it was not told".into());
            reached("told");
        }
    });
}

/// The owner is killed while others have datagrams sent to nobody.
pub(crate) fn nobody_listens_while_the_owner_is_killed(peers: usize) {
    on_a_node(|node| {
        let (socket, nobody) = to_nobody();
        let (server, other) = (serve_on(node, socket, Server::Echo), serve(node, Server::Echo));
        kill_amid(node, &server.owner, peers, || send(node, &server.meta, nobody, b"hello?").map(drop));
        exchange(&bind(), other.at, [1; 64]);
    });
}

/// More comes than is taken; what does not fit is dropped by the operating system, and the end comes at once.
pub(crate) fn nobody_takes_them(count: usize) {
    // What is kept outlives the node's actors.
    let body = |node: &Node| {
        let (keeper, kept) = mpsc::channel();
        let (server, other) = (serve(node, Server::Keeping(keeper)), serve(node, Server::Echo));
        let client = bind();
        for _ in 0..count {
            fault();
            client.send_to(&[7; 1000], server.at).expect("there is a way");
        }
        check(kept.recv_timeout(LONG).is_ok(), Guarantee::WakeUp, || "none was handled".into());
        reached("kept");
        exchange(&client, other.at, [1; 64]);
        kept
    };
    on_a_node_beside(body, drop);
}

/// The owner is killed meanwhile; whoever floods hears of it.
pub(crate) fn flooded_while_the_owner_is_killed(peers: usize) {
    let body = |node: &Node| {
        let (keeper, kept) = mpsc::channel();
        let (server, other) = (serve(node, Server::Keeping(keeper)), serve(node, Server::Echo));
        kill_amid(node, &server.owner, peers, || {
            let client = bind();
            client.connect(server.at)?;
            for _ in 0..50 {
                fault();
                client.send(&[7; 1000])?;
            }
            // Others need the processor, and so does the one that kills.
            thread::sleep(Duration::from_millis(1));
            client.send(&[7; 1000]).map(drop)
        });
        exchange(&bind(), other.at, [1; 64]);
        kept
    };
    on_a_node_beside(body, drop);
}
