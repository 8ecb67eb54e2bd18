//! Actors on a node whose activations run when the sequence says so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use antiphon::executor::Executor;
use antiphon::inbox::Task;
use antiphon::{Actor, Address, Context, DeadLetter, Exit, Node};

/// How many actors there are.
const ACTORS: usize = 3;
/// The actor after them, which notes their dead letters.
const OFFICE: usize = ACTORS;

/// Something that can be done to a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Send a message that is only noted.
    Note {
        /// Which actor gets it.
        to: usize,
    },
    /// Send a message on which the actor sends two to itself, behind what is queued by then.
    Twice {
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
            0..=4 => Self::Note { to },
            5 | 6 => Self::Twice { to },
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
    DeadLetter { actor: usize, message: u64 },
    Terminated { actor: usize, reason: &'static str },
}

type Log = Arc<Mutex<Vec<Did>>>;

fn note(log: &Log, did: Did) {
    log.lock().expect("nobody panics under it").push(did);
}

/// A message, with the actor that it is for.
struct Message {
    to: usize,
    number: u64,
    then: Then,
}

#[derive(Clone, Copy)]
enum Then {
    Nothing,
    SendTwo,
    Fail,
    Panic,
}

impl Then {
    /// How many messages the actor sends to itself while it handles this one.
    fn copies(self) -> u64 {
        match self {
            Self::Nothing | Self::Panic => 0,
            Self::SendTwo => 2,
            // So that something is in the word, not yet taken, when the actor closes.
            Self::Fail => 1,
        }
    }
}

struct Noting(Log);

impl Actor for Noting {
    type Message = Message;

    fn handle(&mut self, message: Message, context: &mut Context<'_, Message>) -> Result<(), Exit> {
        let Message { to, number, then } = message;
        note(&self.0, Did::Handled { actor: to, message: number });
        for copy in 1..=then.copies() {
            context.address().send(Message { to, number: number + copy * COPY, then: Then::Nothing })?;
        }
        match then {
            Then::Nothing | Then::SendTwo => Ok(()),
            Then::Fail => Err(Exit::Failed("planned".into())),
            // Not a panic!: thousands of them would print thousands of messages.
            Then::Panic => std::panic::resume_unwind(Box::new("planned")),
        }
    }

    fn terminate(&mut self, reason: &Exit, context: &mut Context<'_, Message>) {
        // Identities are given in order, the office's first.
        let actor = usize::try_from(context.id().0).expect("a small number") - 2;
        note(&self.0, Did::Terminated { actor, reason: name(reason) });
    }
}

struct Office(Log);

impl Actor for Office {
    type Message = DeadLetter;

    fn handle(&mut self, letter: DeadLetter, _: &mut Context<'_, DeadLetter>) -> Result<(), Exit> {
        let message = letter.message.downcast::<Message>().expect("actors here are sent nothing else");
        note(&self.0, Did::DeadLetter { actor: message.to, message: message.number });
        Ok(())
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
    Message {
        number: u64,
        then: Then,
    },
    /// For the office: a dead letter of that actor.
    DeadLetter {
        actor: usize,
        number: u64,
    },
    Finish,
}

/// What is added to a message's number for what its handling sends.
const COPY: u64 = 1_000_000;

/// A node beside its model.
pub struct Pair {
    node: Node,
    executor: Later,
    log: Log,
    addresses: Vec<Address<Message>>,
    models: [Model; ACTORS + 1],
    /// The activations that wait, by actor.
    activations: VecDeque<usize>,
    expected: Vec<Did>,
    sent: u64,
}

impl Default for Pair {
    fn default() -> Self {
        let executor = Later::default();
        let node = Node::with_executor(executor.clone());
        let log = Log::default();
        let office = node.spawn(Office(Arc::clone(&log))).expect("the node is up");
        node.subscribe_dead_letters(&office);
        let spawn = |_| node.spawn(Noting(Arc::clone(&log))).expect("the node is up");
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
            Operation::Note { to } => self.send(to, Then::Nothing),
            Operation::Twice { to } => self.send(to, Then::SendTwo),
            Operation::Fail { to } => self.send(to, Then::Fail),
            Operation::Panic { to } => self.send(to, Then::Panic),
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
        assert!(!stopped, "nobody ends before its turn, and the office has not had it");
        while self.executor.run_one() {}
        self.node.stop(Duration::ZERO).expect("all have run");
        let ends = |did: &&Did| matches!(did, Did::Terminated { .. });
        let log = self.log.lock().expect("nobody panics under it");
        assert_eq!(log.iter().filter(ends).count(), ACTORS);
    }

    fn send(&mut self, to: usize, then: Then) {
        self.sent += 1;
        let number = self.sent;
        let accepted = self.addresses[to].send(Message { to, number, then }).is_ok();
        assert_eq!(accepted, !self.models[to].ended);
        self.signal(to, |model| model.queued.push_back(Waiting::Message { number, then }));
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
        let reason = self.handle_all(actor);
        let model = &mut self.models[actor];
        model.active = false;
        let Some(reason) = reason else { return };
        model.ended = true;
        for waiting in std::mem::take(&mut model.queued) {
            if let Waiting::Message { number, .. } = waiting {
                self.signal(OFFICE, |office| office.queued.push_back(Waiting::DeadLetter { actor, number }));
            }
        }
        self.expected.push(Did::Terminated { actor, reason });
    }

    /// What one activation handles; the reason for which the actor ends, if it does.
    fn handle_all(&mut self, actor: usize) -> Option<&'static str> {
        let model = &mut self.models[actor];
        if model.kills > 0 {
            return Some("kill");
        }
        if model.exits > 0 {
            return Some("exit");
        }
        while let Some(waiting) = model.queued.pop_front() {
            match waiting {
                Waiting::Finish => return Some("finish"),
                Waiting::DeadLetter { actor, number } => {
                    self.expected.push(Did::DeadLetter { actor, message: number });
                }
                Waiting::Message { number, then } => {
                    self.expected.push(Did::Handled { actor, message: number });
                    model.queued.extend(
                        (1..=then.copies()).map(|copy| Waiting::Message {
                            number: number + copy * COPY,
                            then: Then::Nothing,
                        }),
                    );
                    match then {
                        Then::Nothing | Then::SendTwo => (),
                        Then::Fail => return Some("fail"),
                        Then::Panic => return Some("panic"),
                    }
                }
            }
        }
        None
    }
}
