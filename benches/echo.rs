//! TCP echo against servers without any runtime, one with a thread for each connection and one with a poller
//! loop: `cargo bench --bench echo [PART OF A NAME]`.
//!
//! All servers run in this process and are asked in turns by the same clients, one thread each. Compare only
//! within one run: how long an idle core takes to wake up differs from machine to machine and from minute to
//! minute, and is most of what an exchange costs.

mod support;

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use antiphon::io::{shared, tcp};
use antiphon::{Actor, Context, Exit, Node};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use support::{Subject, compare, scale};

/// How many bytes one message has.
const SIZES: [(&str, usize); 2] = [("64 B", 64), ("16 KiB", 16 << 10)];

/// How many clients there are at once.
const CONNECTIONS: [usize; 3] = [1, 100, 1000];

struct Echo;

impl tcp::Session for Echo {
    fn received(&mut self, data: tcp::Data, connection: &mut tcp::Connection<'_>) -> Result<(), Exit> {
        Ok(connection.write(data)?)
    }
}

struct Server {
    socket: Option<TcpListener>,
    /// Whether the Readers share a poller.
    shared: bool,
}

impl Actor for Server {
    type Message = Infallible;

    fn init(&mut self, context: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        let (reader, handler) = tcp::listener(self.socket.take().expect("init is called once"), |_| Echo)?;
        match self.shared {
            true => drop(context.spawn_meta(shared(reader), handler)?),
            false => drop(context.spawn_meta(reader, handler)?),
        }
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

fn serve(node: &Node, shared: bool) -> SocketAddr {
    let (socket, address) = bind();
    node.spawn(Server { socket: Some(socket), shared }).expect("the node is up");
    address
}

/// A server with a thread for each connection. It goes on until this program ends.
fn bare_threads() -> SocketAddr {
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

/// A server with one thread that waits for all connections. It goes on until this program ends.
///
/// Its clients read what they are answered before they send more, so there is always room to write.
fn bare_poller() -> SocketAddr {
    let (socket, address) = bind();
    thread::spawn(move || poll_loop(&socket).expect("the operating system has descriptors and memory"));
    address
}

fn poll_loop(listener: &TcpListener) -> std::io::Result<()> {
    let poller = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&poller, listener, EventData::new_u64(0), EventFlags::IN)?;
    let mut connections = HashMap::new();
    let mut buffer = [0; 16 << 10];
    for key in 1.. {
        let mut events = [MaybeUninit::uninit(); 256];
        for event in epoll::wait(&poller, &mut events, None)?.0 {
            let Some(connection) = connections.get_mut(&event.data.u64()) else {
                let (connection, _) = listener.accept()?;
                connection.set_nodelay(true)?;
                connection.set_nonblocking(true)?;
                epoll::add(&poller, &connection, EventData::new_u64(key), EventFlags::IN)?;
                connections.insert(key, connection);
                // One for each wait, so that each has its own key.
                break;
            };
            if !answer(connection, &mut buffer) {
                connections.remove(&event.data.u64());
            }
        }
    }
    Ok(())
}

/// Says whether the connection goes on.
fn answer(connection: &mut TcpStream, buffer: &mut [u8]) -> bool {
    match connection.read(buffer) {
        Ok(count @ 1..) => connection.write_all(&buffer[..count]).is_ok(),
        Ok(0) => false,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

/// `clients` exchange messages of `size` bytes, each as fast as it can; the time is that of all together.
fn exchange(address: SocketAddr, clients: usize, size: usize) -> (Duration, usize) {
    let each = scale(4_000).max(clients * 2) / clients;
    let begin = Barrier::new(clients + 1);
    let time = thread::scope(|scope| {
        let client = || {
            let mut socket = TcpStream::connect(address).expect("the server listens");
            socket.set_nodelay(true).expect("it is a TCP socket");
            let mut message = vec![7; size];
            begin.wait();
            for _ in 0..each {
                socket.write_all(&message).expect("the server reads");
                socket.read_exact(&mut message).expect("the server answers");
            }
        };
        let threads: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();
        begin.wait();
        let begin = Instant::now();
        threads.into_iter().for_each(|thread| thread.join().expect("the server goes on"));
        begin.elapsed()
    });
    (time, clients * each)
}

fn main() {
    let node = Node::new();
    let servers = [
        ("bare threads", bare_threads()),
        ("antiphon threads", serve(&node, false)),
        ("bare poller", bare_poller()),
        ("antiphon shared", serve(&node, true)),
    ];
    let mut cases = Vec::new();
    for (text, size) in SIZES {
        cases.extend(CONNECTIONS.map(|clients| (format!("{text}, {clients} connections"), clients, size)));
    }
    let name = |server: &str, case: &str| format!("{server}, {case}");
    let named: Vec<_> = cases
        .iter()
        .flat_map(|(case, clients, size)| {
            servers.map(|(server, address)| (name(server, case), address, *clients, *size))
        })
        .collect();
    let subjects = named.iter().map(|(name, address, clients, size)| {
        Subject::per_step(name, || exchange(*address, *clients, *size))
    });
    let medians = compare(subjects.collect());
    println!("\n{:<56} {:>8}", "exchanges per second, antiphon / bare", "ratio");
    for (case, ..) in &cases {
        for (ours, bare) in [("antiphon threads", "bare threads"), ("antiphon shared", "bare poller")] {
            let median = |server| medians.get(name(server, case).as_str());
            if let (Some(ours_time), Some(bare_time)) = (median(ours), median(bare)) {
                println!("{:<56} {:>8.2}", format!("{ours} / {bare}, {case}"), bare_time / ours_time);
            }
        }
    }
    node.stop(Duration::from_secs(10)).expect("nothing hangs");
}
