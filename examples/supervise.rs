//! Runs commands, restarts those that fail, and forwards signals to them. Start it with
//! `cargo run --example supervise 'COMMAND' ...`; end it and all of them with Ctrl-C.
use std::collections::HashMap;
use std::error::Error;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use antiphon::io::child::{self, Event, Forward, Line, Options};
use antiphon::io::{Signal, signals};
use antiphon::{Actor, ActorId, Address, Context, Exit, Node};

/// How often each command is started again.
const RESTARTS: u32 = 3;
/// How long each has to end by itself.
const GRACE: Duration = Duration::from_secs(2);

enum Message {
    Child(Event),
    Signal(signals::Received),
}

impl From<Event> for Message {
    fn from(event: Event) -> Self {
        Self::Child(event)
    }
}

/// A command that runs.
struct Running {
    command: usize,
    restarts: u32,
    child: Address<child::Command>,
}

/// The process that all children belong to. When it ends, they end.
struct Supervisor {
    commands: Vec<String>,
    running: HashMap<ActorId, Running>,
    ending: bool,
    end: Sender<Exit>,
}

impl Supervisor {
    // ANCHOR: start
    fn start(&mut self, command: usize, restarts: u32, context: &Context<'_, Message>) -> Result<(), Exit> {
        let mut shell = Command::new("sh");
        shell.args(["-c", &self.commands[command]]);
        let session = Forward::<Message>::new(context.address());
        let (reader, handler) = Options::new().group().grace(GRACE).start(&mut shell, session)?;
        let child = context.spawn_meta(reader, handler)?;
        self.running.insert(child.id(), Running { command, restarts, child });
        Ok(())
    }
    // ANCHOR_END: start

    /// A hang-up is for the children to deal with; any other signal is the end, of which they hear by SIGTERM.
    fn signal(&mut self, signal: Signal) {
        self.ending |= signal != Signal::HangUp;
        for Running { child, .. } in self.running.values() {
            let command = if self.ending { child::Command::stop() } else { child::Command::signal(signal) };
            // A child that has just ended needs no signal.
            let _ = child.send(command);
        }
    }

    fn exited(
        &mut self,
        child: ActorId,
        status: ExitStatus,
        context: &Context<'_, Message>,
    ) -> Result<(), Exit> {
        let Some(Running { command, restarts, .. }) = self.running.remove(&child) else { return Ok(()) };
        println!("[{command}] ended: {status}");
        if !self.ending && !status.success() {
            if restarts == RESTARTS {
                return Err(Exit::Failed(format!("{:?} fails again and again", self.commands[command])));
            }
            self.start(command, restarts + 1, context)?;
        }
        if self.running.is_empty() { Err(Exit::Normal) } else { Ok(()) }
    }
}

impl Actor for Supervisor {
    type Message = Message;

    fn init(&mut self, context: &mut Context<'_, Message>) -> Result<(), Exit> {
        let set = [Signal::HangUp, Signal::Interrupt, Signal::Terminate];
        let supervisor = context.address();
        let tell = move |signal| Ok(supervisor.send(Message::Signal(signal))?);
        let (reader, handler) = signals::signals(set, tell)?;
        context.spawn_meta(reader, handler)?;
        (0..self.commands.len()).try_for_each(|command| self.start(command, 0, context))
    }

    fn handle(&mut self, message: Message, context: &mut Context<'_, Message>) -> Result<(), Exit> {
        match message {
            Message::Signal(received) => self.signal(received.signal()),
            Message::Child(Event::Output { child, unit, .. }) => {
                let (Line::Whole(line) | Line::Part { data: line, .. }) = unit;
                if let Some(Running { command, .. }) = self.running.get(&child) {
                    println!("[{command}] {}", String::from_utf8_lossy(&line));
                }
            }
            Message::Child(Event::Exited { child, status }) => return self.exited(child, status, context),
            Message::Child(_) => {}
        }
        Ok(())
    }

    fn terminate(&mut self, reason: &Exit, _: &mut Context<'_, Message>) {
        // Whoever waits for it may be gone.
        let _ = self.end.send(reason.clone());
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let commands: Vec<String> = std::env::args().skip(1).collect();
    if commands.is_empty() {
        return Err("usage: supervise 'COMMAND' ...".into());
    }
    let (end, ended) = mpsc::channel();
    let node = Node::new();
    node.spawn(Supervisor { commands, running: HashMap::new(), ending: false, end })?;
    let reason = ended.recv()?;
    node.stop(2 * GRACE)?;
    println!("stopped");
    if reason == Exit::Normal { Ok(()) } else { Err(reason.to_string().into()) }
}
