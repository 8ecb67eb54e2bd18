//! Peers that come and go as they like.

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use antiphon::io::stream::{Command, Connection, Data, Session, Stop};
use antiphon::{Address, Exit, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;

use super::{Client, Echo, Server, ends, exchange};
use crate::parts::{on_a_node, on_a_node_beside};

/// `clients` exchange `messages` each, all at the same time.
pub(crate) fn echo<C: Client>(clients: u8, messages: u8) {
    on_a_node(|node| {
        let server = &Server::<C>::new(node, |_| Echo);
        thread::scope(|scope| {
            for client in 0..clients {
                scope.spawn(move || {
                    let mut socket = server.connect();
                    (0..messages).for_each(|message| exchange(&mut socket, [client ^ message; 64]));
                });
            }
        });
    });
}

/// Clients close their sending half at once after what they send; the answer comes all the same.
pub(crate) fn half_closed<C: Client>(clients: u8) {
    on_a_node(|node| {
        let server = &Server::<C>::new(node, |_| Echo);
        thread::scope(|scope| {
            for client in 0..clients {
                scope.spawn(move || {
                    let mut socket = server.connect();
                    let sent = [client; 1000];
                    let mut answer = Vec::new();
                    let exchanged = socket
                        .write_all(&sent)
                        .and_then(|()| socket.end())
                        .and_then(|()| socket.read_to_end(&mut answer));
                    check(answer == sent, Guarantee::NoLoss, || {
                        format!("{exchanged:?}, {} bytes", answer.len())
                    });
                    reached("answered after the end");
                });
            }
        });
    });
}

/// The owner ends while all its connections wait for their peers.
pub(crate) fn owner_ends<C: Client>(clients: u8) {
    on_a_node(|node| {
        let server = Server::<C>::new(node, |_| Echo);
        let mut sockets: Vec<_> = (0..clients).map(|_| server.connect()).collect();
        sockets.iter_mut().for_each(|socket| exchange(socket, [7; 64]));
        node.exit(&server.owner, Exit::Normal);
        for socket in &mut sockets {
            check(ends(socket), Guarantee::Interruption, || "the connection is still open".into());
        }
    });
}

/// The listener stops while `clients` connect: each is served or told that it is not.
pub(crate) fn listener_stops<C: Client>(clients: u8) {
    on_a_node(|node| {
        let server = Server::<C>::new(node, |_| Echo);
        let mut kept = server.connect();
        exchange(&mut kept, [1; 64]);
        thread::scope(|scope| {
            for _ in 0..clients {
                scope.spawn(|| {
                    // As long as the listener lives, each is served; the bound is for one that never ends.
                    for _ in 0..10_000 {
                        let Ok(mut socket) = C::connect(&server.place) else { break };
                        let mut answer = [0; 4];
                        if socket.write_all(b"ping").and_then(|()| socket.read_exact(&mut answer)).is_err() {
                            break;
                        }
                        reached("answered");
                    }
                    reached("not answered");
                });
            }
            thread::yield_now();
            check(server.listener.send(Stop).is_ok(), Guarantee::ClosedIsClosed, || {
                "the listener had ended".into()
            });
        });
        exchange(&mut kept, [2; 64]);
    });
}

/// The node stops while `clients` connect.
pub(crate) fn node_stops<C: Client>(clients: u8) {
    let connect_clients = |node: &Node| -> Vec<JoinHandle<()>> {
        let server = Arc::new(Server::<C>::new(node, |_| Echo));
        exchange(&mut server.connect(), [1; 64]);
        let connecting = |server: Arc<Server<C>>| {
            for _ in 0..50 {
                let Ok(mut socket) = C::connect(&server.place) else { break };
                let _ = socket.write_all(b"ping");
            }
        };
        let spawn = |_| {
            let server = Arc::clone(&server);
            thread::spawn(move || connecting(server))
        };
        (0..clients).map(spawn).collect()
    };
    on_a_node_beside(connect_clients, |clients| {
        clients.into_iter().for_each(|client| client.join().expect("there is nothing to panic about"));
    });
}

/// A session that tells the scenario where to send its connection commands.
struct Commanded(mpsc::Sender<Address<Command>>);

impl Session for Commanded {
    fn opened(&mut self, connection: &mut Connection<'_>) -> Result<(), Exit> {
        Ok(self.0.send(connection.address())?)
    }

    fn received(&mut self, _: Data, _: &mut Connection<'_>) -> Result<(), Exit> {
        Ok(())
    }
}

/// Somebody else has a connection write `count` messages, then close: they come out whole and in order.
pub(crate) fn commands<C: Client>(count: u8) {
    on_a_node(|node| {
        let (tell, told) = mpsc::channel();
        let server = Server::<C>::new(node, move |_| Commanded(tell.clone()));
        let mut client = server.connect();
        let connection = told.recv().expect("the connection is accepted");
        for number in 0..count {
            let accepted = connection.send(Command::write(vec![number; 64])).is_ok();
            check(accepted, Guarantee::NoLoss, || format!("write {number} was refused"));
        }
        let _ = connection.send(Command::close());
        let mut written = Vec::new();
        let read = client.read_to_end(&mut written);
        let expected: Vec<u8> = (0..count).flat_map(|number| [number; 64]).collect();
        check(written == expected, Guarantee::SenderOrder, || format!("{read:?}, {} bytes", written.len()));
        reached("answered");
    });
}
