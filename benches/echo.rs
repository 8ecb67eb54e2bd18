//! TCP echo of 64 bytes against a bare server with a thread for each connection: `cargo bench --bench echo`.
//!
//! Both servers run in this process and are asked in turns by the same clients, one thread each. Compare only
//! within one run: how long an idle core takes to wake up differs from machine to machine and from minute to
//! minute, and is most of what an exchange costs.

mod support;

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use antiphon::io::tcp;
use antiphon::{Actor, Context, Exit, Node};
use support::{Subject, compare, scale};

const MESSAGE: [u8; 64] = [7; 64];

struct Echo;

impl tcp::Session for Echo {
    fn received(&mut self, data: tcp::Data, connection: &mut tcp::Connection<'_>) -> Result<(), Exit> {
        Ok(connection.write(data)?)
    }
}

struct Server(Option<TcpListener>);

impl Actor for Server {
    type Message = Infallible;

    fn init(&mut self, context: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        let (reader, handler) = tcp::listener(self.0.take().expect("init is called once"), |_| Echo)?;
        context.spawn_meta(reader, handler)?;
        Ok(())
    }

    fn handle(&mut self, message: Infallible, _: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        match message {}
    }
}

fn bind() -> (TcpListener, SocketAddr) {
    let socket = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = socket.local_addr().expect("it is bound");
    (socket, address)
}

/// A server as it is written without any runtime. It goes on until this program ends.
fn bare() -> SocketAddr {
    let (socket, address) = bind();
    thread::spawn(move || {
        for connection in socket.incoming() {
            let Ok(mut connection) = connection else { continue };
            thread::spawn(move || {
                let _ = connection.set_nodelay(true);
                let mut buffer = [0; 16 << 10];
                while let Ok(count @ 1..) = connection.read(&mut buffer) {
                    if connection.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

/// `clients` exchange messages, each as fast as it can; the time is that of all together.
fn exchange(address: SocketAddr, clients: usize) -> (Duration, usize) {
    let each = scale(20_000 * clients.min(5)) / clients;
    let begin = Barrier::new(clients + 1);
    let time = thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    let mut socket = TcpStream::connect(address).expect("the server listens");
                    socket.set_nodelay(true).expect("it is a TCP socket");
                    let mut answer = [0; 64];
                    begin.wait();
                    for _ in 0..each {
                        socket.write_all(&MESSAGE).expect("the server reads");
                        socket.read_exact(&mut answer).expect("the server answers");
                    }
                })
            })
            .collect();
        begin.wait();
        let begin = Instant::now();
        threads.into_iter().for_each(|thread| thread.join().expect("the server goes on"));
        begin.elapsed()
    });
    (time, clients * each)
}

fn main() {
    let node = Node::new();
    let (socket, address) = bind();
    node.spawn(Server(Some(socket))).expect("the node is up");
    let bare = bare();
    let medians = compare(vec![
        Subject::per_step("bare, 1 connection", || exchange(bare, 1)),
        Subject::per_step("antiphon, 1 connection", || exchange(address, 1)),
        Subject::per_step("bare, 100 connections", || exchange(bare, 100)),
        Subject::per_step("antiphon, 100 connections", || exchange(address, 100)),
    ]);
    for connections in ["1 connection", "100 connections"] {
        let median = |server: &str| medians.get(format!("{server}, {connections}").as_str());
        if let (Some(bare), Some(antiphon)) = (median("bare"), median("antiphon")) {
            let name = format!("exchanges per second, antiphon / bare, {connections}");
            println!("{name:<60} {:>5.2}", bare / antiphon);
        }
    }
    node.stop(Duration::from_secs(10)).expect("nothing hangs");
}
