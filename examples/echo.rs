//! A TCP echo server. Start it with `cargo run --example echo [ADDRESS]`, talk to it with `nc 127.0.0.1 7000`,
//! end it with Ctrl-C.
use std::convert::Infallible;
use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use antiphon::io::tcp;
use antiphon::{Actor, Context, Exit, Node};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What each connection does: it writes what it reads.
struct Echo;

impl tcp::Session for Echo {
    fn received(&mut self, data: tcp::Data, connection: &mut tcp::Connection<'_>) -> Result<(), Exit> {
        Ok(connection.write(data)?)
    }
}

/// The process that the listener and its connections belong to. When it ends, they end.
struct Server(Option<TcpListener>);

impl Actor for Server {
    type Message = Infallible;

    fn init(&mut self, context: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        let socket = self.0.take().expect("init is called once");
        let (reader, handler) = tcp::listener(socket, |_peer| Echo)?;
        context.spawn_meta(reader, handler)?;
        Ok(())
    }

    fn handle(&mut self, message: Infallible, _: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        match message {}
    }
}

fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let socket =
        TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("listening on {}", socket.local_addr()?);
    let node = Node::new();
    node.spawn(Server(Some(socket)))?;
    signals.forever().next();
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
