//! Runs commands, restarts those that fail, and forwards signals to them. Start it with
//! `cargo run --example supervise 'COMMAND' ...`; end it and all of them with Ctrl-C.
use std::collections::HashMap;
use std::error::Error;
use std::process::{Command, ExitCode, ExitStatus};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use antiphon::io::child::{self, Event, Forward, Options};
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

impl From<signals::Received> for Message {
    fn from(received: signals::Received) -> Self {
        Self::Signal(received)
    }
}

/// A command that runs.
struct Running {
    command: usize,
    child: Address<child::Command>,
    status: Option<ExitStatus>,
}

/// The process that all children belong to. When it ends, they end.
struct Supervisor {
    commands: Vec<String>,
    restarts: Vec<u32>,
    running: HashMap<ActorId, Running>,
    ending: bool,
    end: Sender<Exit>,
}

impl Supervisor {
    // ANCHOR: start
    fn start(&mut self, command: usize, context: &Context<'_, Message>) -> Result<(), Exit> {
        let mut shell = Command::new("sh");
        shell.args(["-c", &self.commands[command]]);
        let session = Forward::<Message>::new(context.address());
        let (reader, handler) = Options::new().group().grace(GRACE).start(&mut shell, session)?;
        let child = context.spawn_meta(reader, handler)?;
        self.running.insert(child.id(), Running { command, child, status: None });
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

    fn closed(&mut self, child: ActorId, context: &Context<'_, Message>) -> Result<(), Exit> {
        let Some(Running { command, status, .. }) = self.running.remove(&child) else { return Ok(()) };
        let status = status.map_or("it was lost".into(), |status| status.to_string());
        println!("[{command}] ended: {status}");
        if !self.ending && status != ExitStatus::default().to_string() {
            if self.restarts[command] == RESTARTS {
                return Err(Exit::Failed(format!("{:?} fails again and again", self.commands[command])));
            }
            self.restarts[command] += 1;
            self.start(command, context)?;
        }
        if self.running.is_empty() { Err(Exit::Normal) } else { Ok(()) }
    }
}

impl Actor for Supervisor {
    type Message = Message;

    fn init(&mut self, context: &mut Context<'_, Message>) -> Result<(), Exit> {
        let set = [Signal::HangUp, Signal::Interrupt, Signal::Terminate];
        let (reader, handler) = signals::signals(set, signals::forward(context.address()))?;
        context.spawn_meta(reader, handler)?;
        (0..self.commands.len()).try_for_each(|command| self.start(command, context))
    }

    fn handle(&mut self, message: Message, context: &mut Context<'_, Message>) -> Result<(), Exit> {
        match message {
            Message::Signal(received) => self.signal(received.signal()),
            Message::Child(Event::Output { child, data, .. }) => {
                if let Some(Running { command, .. }) = self.running.get(&child) {
                    println!("[{command}] {}", String::from_utf8_lossy(&data));
                }
            }
            Message::Child(Event::Exited { child, status }) => {
                self.running.entry(child).and_modify(|running| running.status = Some(status));
            }
            Message::Child(Event::Closed { child, .. }) => return self.closed(child, context),
            Message::Child(_) => {}
        }
        Ok(())
    }

    fn terminate(&mut self, reason: &Exit, _: &mut Context<'_, Message>) {
        // Whoever waits for it may be gone.
        let _ = self.end.send(reason.clone());
    }
}

fn run(commands: Vec<String>) -> Result<(), Box<dyn Error>> {
    if commands.is_empty() {
        return Err("usage: supervise 'COMMAND' ...".into());
    }
    let (end, ended) = mpsc::channel();
    let node = Node::new();
    let restarts = vec![0; commands.len()];
    node.spawn(Supervisor { commands, restarts, running: HashMap::new(), ending: false, end })?;
    let reason = ended.recv()?;
    node.stop(2 * GRACE)?;
    println!("stopped");
    match reason {
        Exit::Normal => Ok(()),
        Exit::Failed(text) => Err(text.into()),
        other => Err(format!("{other:?}").into()),
    }
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("supervise: {error}");
            ExitCode::FAILURE
        }
    }
}
