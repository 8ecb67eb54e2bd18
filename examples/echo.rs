//! A TCP echo server. Start it with `cargo run --example echo [ADDRESS]`, talk to it with `nc 127.0.0.1 7000`,
//! end it with Ctrl-C.
use std::convert::Infallible;
use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

// ANCHOR: server
use antiphon::io::{Signal, signals, tcp};
use antiphon::{Actor, Context, Exit, Node};

/// What each connection does: it writes what it reads.
struct Echo;

impl tcp::Session for Echo {
    fn received(&mut self, data: tcp::Data, connection: &mut tcp::Connection<'_>) -> Result<(), Exit> {
        Ok(connection.write(data)?)
    }
}

/// The process that the listener and its connections belong to. When it ends, they end.
struct Server {
    socket: Option<TcpListener>,
    signalled: Sender<signals::Received>,
}

impl Actor for Server {
    type Message = Infallible;

    fn init(&mut self, context: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        let socket = self.socket.take().expect("init is called once");
        let (reader, handler) = tcp::listener(socket, |_peer| Echo)?;
        context.spawn_meta(reader, handler)?;
        let signalled = self.signalled.clone();
        let tell = move |signal| signalled.send(signal).map_err(|_| Exit::Normal);
        let (reader, handler) = signals::signals([Signal::Interrupt, Signal::Terminate], tell)?;
        context.spawn_meta(reader, handler)?;
        Ok(())
    }

    fn handle(&mut self, message: Infallible, _: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        match message {}
    }
}
// ANCHOR_END: server

fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let socket =
        TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let address = socket.local_addr()?;
    let (signalled, signal) = mpsc::channel();
    let node = Node::new();
    node.spawn(Server { socket: Some(socket), signalled })?;
    println!("listening on {address}");
    signal.recv()?;
    node.stop(Duration::from_secs(5))?;
    println!("stopped");
    Ok(())
}

fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7000".into());
    match run(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo: {error}");
            ExitCode::FAILURE
        }
    }
}
