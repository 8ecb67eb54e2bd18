//! Children that tell what they do, and a node to watch them on.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use antiphon::supervisor::{Request, Status, Strategy};
use antiphon::{Actor, Address, Child, Context, Down, Exit, Node, Supervisor};

/// Longer than anything takes, however loaded the machine is.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// What is told of an actor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    Up(&'static str),
    /// It is in a callback, and stays there.
    Waits(&'static str),
    Over(&'static str, Exit),
}

/// What an actor is told to do.
pub(crate) enum Order {
    End(Exit),
    Panic,
    /// Handle this until the other side is dropped.
    Wait(Receiver<()>),
}

/// Where an actor panics, other than in what it is told to do.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Place {
    Nowhere,
    Init,
    Terminate,
}

/// Tells when it comes to life and when it ends.
pub(crate) struct Fragile {
    name: &'static str,
    place: Place,
    told: Sender<Told>,
}

impl Fragile {
    pub(crate) fn new(name: &'static str, place: Place, told: Sender<Told>) -> Self {
        Self { name, place, told }
    }

    pub(crate) fn child(name: &'static str, place: Place, told: Sender<Told>) -> Child {
        Child::new(move || Self::new(name, place, told.clone())).named(name)
    }
}

/// Panics without a message on the terminal.
fn panic_quietly() -> ! {
    resume_unwind(Box::new("planned"))
}

impl Actor for Fragile {
    type Message = Order;

    fn init(&mut self, _: &mut Context<'_, Order>) -> Result<(), Exit> {
        if self.place == Place::Init {
            panic_quietly();
        }
        Ok(self.told.send(Told::Up(self.name))?)
    }

    fn handle(&mut self, order: Order, _: &mut Context<'_, Order>) -> Result<(), Exit> {
        match order {
            Order::End(reason) => Err(reason),
            Order::Panic => panic_quietly(),
            Order::Wait(gate) => {
                self.told.send(Told::Waits(self.name))?;
                assert!(gate.recv().is_err(), "nobody sends");
                Ok(())
            }
        }
    }

    fn terminate(&mut self, reason: &Exit, _: &mut Context<'_, Order>) {
        self.told.send(Told::Over(self.name, reason.clone())).expect("the test listens");
        if self.place == Place::Terminate {
            panic_quietly();
        }
    }
}

/// Monitors somebody, and tells of the Down.
struct Watcher<M: Send + 'static> {
    whom: Address<M>,
    told: Sender<Exit>,
}

impl<M: Send + 'static> Actor for Watcher<M> {
    type Message = ();

    fn init(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        context.monitor(&self.whom);
        Ok(())
    }

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }

    fn down(&mut self, down: Down, _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Ok(self.told.send(down.reason)?)
    }
}

/// A node, and what is told on it.
pub(crate) struct Stage {
    pub(crate) node: Node,
    pub(crate) told: Sender<Told>,
    events: Receiver<Told>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let (told, events) = channel();
        Self { node: Node::new(), told, events }
    }

    pub(crate) fn worker(&self, name: &'static str) -> Child {
        self.fragile(name, Place::Nowhere)
    }

    pub(crate) fn fragile(&self, name: &'static str, place: Place) -> Child {
        Fragile::child(name, place, self.told.clone())
    }

    pub(crate) fn start(&self, supervisor: Supervisor) -> Address<Request> {
        self.node.spawn(supervisor).expect("its children start")
    }

    /// A supervisor of workers with these names, which have come to life.
    pub(crate) fn supervise(&self, strategy: Strategy, names: &[&'static str]) -> Address<Request> {
        let workers = names.iter().map(|name| self.worker(name));
        let supervisor = self.start(workers.fold(Supervisor::new(strategy), Supervisor::child));
        self.expect(&names.iter().map(|name| Told::Up(name)).collect::<Vec<_>>());
        supervisor
    }

    pub(crate) fn children(&self, supervisor: &Address<Request>) -> Vec<Status> {
        self.node.call(supervisor, Request::children, SOON).expect("it answers")
    }

    /// Who has this name, which becomes known soon after its `init`.
    pub(crate) fn find(&self, name: &str) -> Address<Order> {
        soon(|| self.node.lookup(name), name)
    }

    /// Has an actor wait in a callback until what is returned is dropped.
    pub(crate) fn hold(&self, name: &'static str) -> Sender<()> {
        let (gate, closed) = channel();
        self.find(name).send(Order::Wait(closed)).expect("it is up");
        self.expect(&[Told::Waits(name)]);
        gate
    }

    pub(crate) fn fail(&self, name: &str) {
        self.find(name).send(Order::End(failed())).expect("it is up");
    }

    /// Where the reason comes for which somebody ends.
    pub(crate) fn watch<M: Send + 'static>(&self, whom: &Address<M>) -> Receiver<Exit> {
        let (told, down) = channel();
        self.node.spawn(Watcher { whom: whom.clone(), told }).expect("the node is up");
        down
    }

    /// Waits for these, in this order.
    pub(crate) fn expect(&self, expected: &[Told]) {
        for expected in expected {
            assert_eq!(self.events.recv_timeout(SOON).as_ref(), Ok(expected));
        }
    }

    /// Stops the node, which tells these, in this order, and nothing else.
    pub(crate) fn stop(self, expected: &[Told]) {
        self.node.stop(SOON).expect("nothing hangs");
        self.expect(expected);
        drop(self.told);
        drop(self.node);
        assert_eq!(self.events.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected));
    }
}

/// Asks again and again until there is an answer.
pub(crate) fn soon<R>(mut ask: impl FnMut() -> Option<R>, what: &str) -> R {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < SOON, "{what} never came");
        std::thread::yield_now();
    }
}

pub(crate) fn failed() -> Exit {
    Exit::Failed("planned".into())
}

pub(crate) fn panicked() -> Exit {
    Exit::Panicked("planned".into())
}

pub(crate) fn shut_down(name: &'static str) -> Told {
    Told::Over(name, Exit::Shutdown)
}
