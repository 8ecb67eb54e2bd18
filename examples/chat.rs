//! A chat room over TCP. Start it with `cargo run --example chat [ADDRESS]`, join it with `nc 127.0.0.1 7000` as
//! often as you like, end it with Ctrl-C.
//!
//! A client that does not read holds up nobody: it misses lines, and is told how many when it has caught up.
use std::collections::HashMap;
use std::error::Error;
use std::net::TcpListener;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use antiphon::io::tcp::{self, Command, Event, Forward};
use antiphon::io::{Signal, signals};
use antiphon::{Actor, ActorId, Address, Context, Exit, Node};

/// The longest line, in bytes.
const LONGEST: usize = 4096;

/// Somebody who is connected.
struct Member {
    connection: Address<Command>,
    /// The first line they say.
    name: Option<String>,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    /// While they are slow: how many lines they have missed.
    missed: Option<usize>,
}

impl Member {
    fn send(&self, command: Command) {
        // A connection that has ended accepts nothing; its `Closed` is on the way.
        let _ = self.connection.send(command);
    }

    fn tell(&mut self, line: &str) {
        match &mut self.missed {
            Some(missed) => *missed += 1,
            None => self.send(Command::write(format!("{line}\n"))),
        }
    }

    /// The lines that end in `data`; whoever begins one that is too long has to go.
    fn lines(&mut self, data: &[u8]) -> String {
        self.begun.extend_from_slice(data);
        let end = self.begun.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let lines: Vec<u8> = self.begun.drain(..end).collect();
        if self.begun.len() > LONGEST {
            self.send(Command::close());
        }
        String::from_utf8_lossy(&lines).into_owned()
    }
}

/// The process that owns the listener, and so all connections, which leave the decisions to it.
struct Room {
    socket: Option<TcpListener>,
    members: HashMap<ActorId, Member>,
    signalled: Sender<signals::Received>,
}

impl Room {
    fn member(&mut self, id: ActorId) -> &mut Member {
        self.members.get_mut(&id).expect("`Opened` comes first, and `Closed` last")
    }

    /// Tells everybody who has a name, but the one whom it is about.
    fn tell_others(&mut self, than: ActorId, line: &str) {
        let others = self.members.iter_mut().filter(|(id, member)| **id != than && member.name.is_some());
        others.for_each(|(_, member)| member.tell(line));
    }

    fn said(&mut self, id: ActorId, line: &str) {
        let is_taken = self.members.values().any(|member| member.name.as_deref() == Some(line));
        let member = self.member(id);
        let news = match &member.name {
            Some(name) => format!("{name}: {line}"),
            None if is_taken || line.contains(char::is_whitespace) => {
                return member.tell("* take another name: one word, and nobody else's");
            }
            None => {
                member.tell(&format!("* welcome, {line}"));
                member.name = Some(line.to_owned());
                format!("* {line} joins")
            }
        };
        self.tell_others(id, &news);
    }
}

impl Actor for Room {
    type Message = Event;

    fn init(&mut self, context: &mut Context<'_, Event>) -> Result<(), Exit> {
        let socket = self.socket.take().expect("init is called once");
        let room = context.address();
        let (reader, handler) = tcp::listener(socket, move |peer| Forward::new(room.clone(), peer))?;
        context.spawn_meta(reader, handler)?;
        let signalled = self.signalled.clone();
        let tell = move |signal| signalled.send(signal).map_err(|_| Exit::Normal);
        let (reader, handler) = signals::signals([Signal::Interrupt, Signal::Terminate], tell)?;
        context.spawn_meta(reader, handler)?;
        Ok(())
    }

    fn handle(&mut self, event: Event, _: &mut Context<'_, Event>) -> Result<(), Exit> {
        match event {
            Event::Opened { connection, .. } => {
                let id = connection.id();
                let mut member = Member { connection, name: None, begun: Vec::new(), missed: None };
                member.tell("* what is your name?");
                self.members.insert(id, member);
            }
            Event::Data { connection, data } => {
                let lines = self.member(connection).lines(&data);
                let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
                lines.for_each(|line| self.said(connection, line));
            }
            Event::Congested { connection } => self.member(connection).missed = Some(0),
            Event::Drained { connection } => {
                let member = self.member(connection);
                if let Some(missed @ 1..) = member.missed.take() {
                    member.tell(&format!("* you missed {missed} lines"));
                }
            }
            Event::Ended { connection } => self.member(connection).send(Command::close()),
            Event::Closed { connection, .. } => {
                if let Some(Member { name: Some(name), .. }) = self.members.remove(&connection) {
                    self.tell_others(connection, &format!("* {name} leaves"));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7000".into());
    let socket =
        TcpListener::bind(&address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let listening = format!("listening on {}", socket.local_addr()?);
    let (signalled, signal) = mpsc::channel();
    let node = Node::new();
    node.spawn(Room { socket: Some(socket), members: HashMap::new(), signalled })?;
    println!("{listening}");
    signal.recv()?;
    node.stop(Duration::from_secs(5))?;
    println!("stopped");
    Ok(())
}
