//! Actors on a node whose activations run when the sequence says so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use antiphon::executor::Executor;
use antiphon::inbox::Task;
use antiphon::{Actor, Address, Context, Exit, Node};

/// How many actors there are at first.
const ACTORS: usize = 3;

/// Something that can be done to a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Send a message that is only noted.
    Note {
        /// Which actor gets it.
        to: usize,
    },
    /// Send a message on which the actor ends.
    Fail {
        /// Which actor gets it.
        to: usize,
    },
    /// Send a message on which the actor panics.
    Panic {
        /// Which actor gets it.
        to: usize,
    },
    /// Ask for an end after what is queued.
    Finish {
        /// Which actor is asked.
        to: usize,
    },
    /// Ask for an end before the next message.
    Exit {
        /// Which actor is asked.
        to: usize,
    },
    /// Ask for an end before anything else.
    Kill {
        /// Which actor is asked.
        to: usize,
    },
    /// Run the oldest activation that waits.
    Run,
}

impl Operation {
    /// Any two bytes are an operation; sends and runs are the most frequent ones.
    pub fn decode(what: u8, with: u8) -> Self {
        let to = usize::from(with) % ACTORS;
        match what % 16 {
            0..=6 => Self::Note { to },
            7 => Self::Fail { to },
            8 => Self::Panic { to },
            9 => Self::Finish { to },
            10 => Self::Exit { to },
            11 => Self::Kill { to },
            _ => Self::Run,
        }
    }
}

/// Keeps activations until they are asked for.
#[derive(Clone, Default)]
struct Later(Arc<Mutex<VecDeque<Task>>>);

impl Later {
    fn run_one(&self) -> bool {
        // Not under the lock: what runs may wake somebody else.
        let task = self.0.lock().expect("nobody panics under it").pop_front();
        task.map(Task::run).is_some()
    }
}

impl Executor for Later {
    fn execute(&self, task: Task) {
        self.0.lock().expect("nobody panics under it").push_back(task);
    }

    fn yield_back(&self, task: Task) {
        self.execute(task);
    }

    fn stop(&self) {}
}

/// What an actor did.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Did {
    Handled { actor: usize, message: u64 },
    Terminated { actor: usize, reason: &'static str },
}

enum Message {
    Note(u64),
    Fail(u64),
    Panic(u64),
}

struct Noting {
    actor: usize,
    log: Arc<Mutex<Vec<Did>>>,
}

impl Noting {
    fn log(&self, did: Did) {
        self.log.lock().expect("nobody panics under it").push(did);
    }
}

impl Actor for Noting {
    type Message = Message;

    fn handle(&mut self, message: Message, _: &mut Context<'_, Message>) -> Result<(), Exit> {
        let (Message::Note(number) | Message::Fail(number) | Message::Panic(number)) = message;
        self.log(Did::Handled { actor: self.actor, message: number });
        match message {
            Message::Note(_) => Ok(()),
            Message::Fail(_) => Err(Exit::Failed("planned".into())),
            // Not a panic!: thousands of them would print thousands of messages.
            Message::Panic(_) => std::panic::resume_unwind(Box::new("planned")),
        }
    }

    fn terminate(&mut self, reason: &Exit, _: &mut Context<'_, Message>) {
        self.log(Did::Terminated { actor: self.actor, reason: name(reason) });
    }
}

fn name(reason: &Exit) -> &'static str {
    match reason {
        Exit::Normal => "finish",
        Exit::Shutdown => "exit",
        Exit::Killed => "kill",
        Exit::Failed(_) => "fail",
        Exit::Panicked(_) => "panic",
        _ => "another",
    }
}

/// An actor as anybody would write it down: what waits, most urgent class first.
#[derive(Default)]
struct Model {
    kills: usize,
    exits: usize,
    queued: VecDeque<Waiting>,
    active: bool,
    ended: bool,
}

enum Waiting {
    Message { number: u64, ends: Option<&'static str> },
    Finish,
}

/// A node beside its model.
pub struct Pair {
    node: Node,
    executor: Later,
    log: Arc<Mutex<Vec<Did>>>,
    addresses: Vec<Address<Message>>,
    models: [Model; ACTORS],
    /// The activations that wait, by actor.
    activations: VecDeque<usize>,
    expected: Vec<Did>,
    sent: u64,
}

impl Default for Pair {
    fn default() -> Self {
        let executor = Later::default();
        let node = Node::with_executor(executor.clone());
        let log = Arc::new(Mutex::new(Vec::new()));
        let spawn = |actor| node.spawn(Noting { actor, log: Arc::clone(&log) }).expect("the node is up");
        let addresses = (0..ACTORS).map(spawn).collect();
        Self {
            addresses,
            executor,
            log,
            node,
            models: Default::default(),
            activations: VecDeque::new(),
            expected: Vec::new(),
            sent: 0,
        }
    }
}

impl Pair {
    /// Does one operation on the node and on the model.
    ///
    /// # Panics
    /// Where the node does not do what the model says.
    pub fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Note { to } => self.send(to, None, Message::Note),
            Operation::Fail { to } => self.send(to, Some("fail"), Message::Fail),
            Operation::Panic { to } => self.send(to, Some("panic"), Message::Panic),
            Operation::Finish { to } => {
                self.node.finish(&self.addresses[to]);
                self.signal(to, |model| model.queued.push_back(Waiting::Finish));
            }
            Operation::Exit { to } => {
                self.node.exit(&self.addresses[to], Exit::Shutdown);
                self.signal(to, |model| model.exits += 1);
            }
            Operation::Kill { to } => {
                self.node.kill(&self.addresses[to]);
                self.signal(to, |model| model.kills += 1);
            }
            Operation::Run => {
                self.run();
            }
        }
        assert_eq!(*self.log.lock().expect("nobody panics under it"), self.expected);
    }

    /// Runs what is left, then stops the node: every actor ends, and ends once.
    ///
    /// # Panics
    /// Where the node does not do what the model says.
    pub fn finish(mut self) {
        while self.run() {}
        let waiting = self.models.iter().filter(|model| !model.queued.is_empty()).count();
        assert_eq!(waiting, 0, "at rest nothing waits");
        let stopped = self.node.stop(Duration::ZERO).is_ok();
        assert_eq!(stopped, self.models.iter().all(|model| model.ended), "nobody ends before its turn");
        while self.executor.run_one() {}
        self.node.stop(Duration::ZERO).expect("all have run");
        let ends = |did: &&Did| matches!(did, Did::Terminated { .. });
        let log = self.log.lock().expect("nobody panics under it");
        assert_eq!(log.iter().filter(ends).count(), ACTORS);
    }

    fn send(&mut self, to: usize, ends: Option<&'static str>, message: fn(u64) -> Message) {
        self.sent += 1;
        let number = self.sent;
        let accepted = self.addresses[to].send(message(number)).is_ok();
        assert_eq!(accepted, !self.models[to].ended);
        self.signal(to, |model| model.queued.push_back(Waiting::Message { number, ends }));
    }

    /// Adds something to the model of a live actor, which wakes it.
    fn signal(&mut self, to: usize, add: impl FnOnce(&mut Model)) {
        let model = &mut self.models[to];
        if model.ended {
            return;
        }
        add(model);
        if !model.active {
            model.active = true;
            self.activations.push_back(to);
        }
    }

    fn run(&mut self) -> bool {
        let ran = self.executor.run_one();
        let Some(actor) = self.activations.pop_front() else {
            assert!(!ran, "an activation that nothing accounts for");
            return false;
        };
        assert!(ran, "an activation was lost");
        self.run_model(actor);
        true
    }

    fn run_model(&mut self, actor: usize) {
        let model = &mut self.models[actor];
        let reason = if model.kills > 0 {
            Some("kill")
        } else if model.exits > 0 {
            Some("exit")
        } else {
            loop {
                match model.queued.pop_front() {
                    Some(Waiting::Message { number, ends }) => {
                        self.expected.push(Did::Handled { actor, message: number });
                        if ends.is_some() {
                            break ends;
                        }
                    }
                    Some(Waiting::Finish) => break Some("finish"),
                    None => break None,
                }
            }
        };
        model.active = false;
        if let Some(reason) = reason {
            model.ended = true;
            model.queued.clear();
            self.expected.push(Did::Terminated { actor, reason });
        }
    }
}
