//! A job system: clients send work over TCP, workers do it, a supervisor replaces workers that fail.
//!
//! ```console
//! $ cargo run --example jobs &
//! $ nc 127.0.0.1 7001
//! factor 360360
//! 13
//! crash
//! given up: each worker that tried it has failed
//! status
//! 2 workers, 0 jobs in work, 0 waiting
//! ```
//!
//! Ctrl-C ends it. The actors are in `desk.rs`, which is also compiled into a model of its own.
#[allow(unreachable_pub, reason = "it is also a library: of its model")]
mod desk;

use std::convert::Infallible;
use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use antiphon::io::tcp::{self, Command, Connection, Data};
use antiphon::io::{Signal, signals};
use antiphon::supervisor::{Strategy, Supervisor};
use antiphon::{Actor, Address, Child, Context, Exit, Node};

use desk::{Desk, Job, Order, Status, Work, Worker};

/// The longest line, in bytes.
const LONGEST: usize = 1024;

/// One client's side of the conversation.
struct Counter {
    desk: Address<Order>,
    clerk: Address<Question>,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
}

impl Counter {
    fn said(&self, line: &str, connection: &mut Connection<'_>) -> Result<(), Exit> {
        let client = connection.address();
        let work = match line.split_once(' ').unwrap_or((line, "")) {
            ("", "") => return Ok(()),
            ("crash", "") => Work::Crash,
            ("status", "") => return Ok(self.clerk.send(Question(client))?),
            ("factor", number) if number.parse::<u32>().is_ok() => {
                Work::Factor(number.parse().expect("it was tried"))
            }
            _ => return Ok(connection.write("say: factor NUMBER (below 2^32), crash, or status\n")?),
        };
        let job = Job::new(work, move |outcome| {
            let text = match outcome {
                Some(result) => format!("{result}\n"),
                None => "given up: each worker that tried it has failed\n".to_owned(),
            };
            // A client that has gone needs no answer.
            let _ = client.send(Command::write(text));
        });
        Ok(self.desk.send(Order::Submit(job))?)
    }
}

impl tcp::Session for Counter {
    fn received(&mut self, data: Data, connection: &mut Connection<'_>) -> Result<(), Exit> {
        self.begun.extend_from_slice(&data);
        while let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.begun.drain(..=end).collect();
            self.said(String::from_utf8_lossy(&line).trim(), connection)?;
        }
        if self.begun.len() > LONGEST {
            connection.close();
        }
        Ok(())
    }
}

/// Who wants to know how things stand.
struct Question(Address<Command>);

/// Asks the desk for those who can't call: a meta-process handles, it never waits.
struct Clerk(Address<Order>);

impl Actor for Clerk {
    type Message = Question;

    fn handle(&mut self, question: Question, context: &mut Context<'_, Question>) -> Result<(), Exit> {
        let text = match context.call(&self.0, Order::Status, Duration::from_secs(1)) {
            Ok(Status { workers, doing, waiting }) => {
                format!("{workers} workers, {doing} jobs in work, {waiting} waiting\n")
            }
            Err(error) => format!("nobody knows: {error}\n"),
        };
        // A client that has gone needs no answer.
        let _ = question.0.send(Command::write(text));
        Ok(())
    }
}

/// Owns the listener, and so all connections; and hears of Ctrl-C.
struct Front {
    socket: Option<TcpListener>,
    desk: Address<Order>,
    clerk: Address<Question>,
    signalled: Sender<signals::Received>,
}

impl Actor for Front {
    type Message = Infallible;

    fn init(&mut self, context: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        let socket = self.socket.take().expect("init is called once");
        let (desk, clerk) = (self.desk.clone(), self.clerk.clone());
        let counter = move |_| Counter { desk: desk.clone(), clerk: clerk.clone(), begun: Vec::new() };
        let (reader, handler) = tcp::listener(socket, counter)?;
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

fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let socket =
        TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let address = socket.local_addr()?;
    let (signalled, signal) = mpsc::channel();
    let node = Node::new();
    let desk = node.spawn(Desk::default())?;
    let worker = || {
        let desk = desk.clone();
        Child::new(move || Worker::new(&desk))
    };
    let workers = Supervisor::new(Strategy::OneForOne).restarts(100, Duration::from_secs(1));
    node.spawn(workers.child(worker()).child(worker()))?;
    let clerk = node.spawn(Clerk(desk.clone()))?;
    node.spawn(Front { socket: Some(socket), desk, clerk, signalled })?;
    println!("listening on {address}");
    signal.recv()?;
    node.stop(Duration::from_secs(5))?;
    println!("stopped");
    Ok(())
}

fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7001".into());
    match run(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jobs: {error}");
            ExitCode::FAILURE
        }
    }
}
