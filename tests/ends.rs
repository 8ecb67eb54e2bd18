//! Each way to end goes through the same steps, in the same order (the book's chapter on ends).
//!
//! The actor that is to end is held in a callback while the test says that it is to, and sends it one more message,
//! which nobody will handle. Nothing here depends on how long anything takes.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use antiphon::snapshot::{ActorSnapshot, ActorState};
use antiphon::{
    Actor, Address, Context, Down, Exit, Handler, HandlerContext, Interrupt, Node, Reader, ReaderContext,
};

/// Long enough for any machine; whoever waits for so long has found a fault.
const PATIENCE: Duration = Duration::from_secs(30);
const NAME: &str = "subject";

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<&'static str>>>);

impl Log {
    fn say(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    /// Says `good` or, if it is not so, `bad`, which no list of what should happen has.
    fn check(&self, so: bool, good: &'static str, bad: &'static str) {
        self.say(if so { good } else { bad });
    }
}

enum Order {
    /// Says that it has begun, and waits for the test.
    Wait,
    Fail,
    Panic,
    Letter(#[expect(dead_code, reason = "it is there to be dropped")] Letter),
}

/// Is not handled: with nobody subscribed, a dead letter is dropped where it would be handed over.
struct Letter {
    to: Address<Order>,
    log: Log,
}

impl Drop for Letter {
    fn drop(&mut self) {
        let closed = self.to.send(Order::Fail).is_err();
        self.log.check(closed, "dead letter", "dead letter of an open inbox");
    }
}

/// What a process and a Handler that are to end have in common.
struct Subject {
    log: Log,
    begun: Sender<()>,
    go: Receiver<()>,
    panics_in_terminate: bool,
}

impl Subject {
    fn obey(&mut self, order: Order) -> Result<(), Exit> {
        match order {
            Order::Wait => {
                self.begun.send(())?;
                Ok(self.go.recv_timeout(PATIENCE)?)
            }
            Order::Fail => Err(Exit::Failed("planned".into())),
            Order::Panic => resume_unwind(Box::new("planned")),
            Order::Letter(_) => {
                self.log.say("the letter was handled");
                Ok(())
            }
        }
    }

    fn terminated(&self, me: &Address<Order>) {
        self.log.check(me.send(Order::Fail).is_err(), "terminate", "terminate with an open inbox");
        if self.panics_in_terminate {
            resume_unwind(Box::new("planned too"));
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.log.say("state dropped");
    }
}

impl Handler for Subject {
    type Message = Order;

    fn handle(&mut self, order: Order, _: &mut HandlerContext<'_, Order>) -> Result<(), Exit> {
        self.obey(order)
    }

    fn terminate(&mut self, _: &Exit, context: &mut HandlerContext<'_, Order>) {
        self.terminated(&context.address());
    }
}

/// What a Reader is told.
#[derive(Clone, Copy)]
enum Word {
    Return,
    Panic,
}

struct Line {
    log: Log,
    interrupted: Sender<Word>,
    words: Receiver<Word>,
}

impl<M: Send + 'static> Reader<M> for Line {
    fn interrupt(&mut self) -> Interrupt {
        let (log, interrupted) = (self.log.clone(), self.interrupted.clone());
        Interrupt::new(move || {
            log.say("interrupted");
            // The Reader may have returned.
            let _ = interrupted.send(Word::Return);
        })
    }

    fn run(self, _: &ReaderContext<M>) -> Result<(), Exit> {
        let word = self.words.recv_timeout(PATIENCE)?;
        self.log.say("Reader returned");
        match word {
            Word::Return => Ok(()),
            Word::Panic => resume_unwind(Box::new("planned")),
        }
    }
}

/// A process with a name, and with a meta-process.
struct Named {
    subject: Subject,
    child: Option<(Line, Child)>,
}

impl Actor for Named {
    type Message = Order;

    fn init(&mut self, context: &mut Context<'_, Order>) -> Result<(), Exit> {
        let (line, child) = self.child.take().expect("init is called once");
        context.spawn_meta(line, child)?;
        Ok(())
    }

    fn handle(&mut self, order: Order, _: &mut Context<'_, Order>) -> Result<(), Exit> {
        self.subject.obey(order)
    }

    fn terminate(&mut self, _: &Exit, context: &mut Context<'_, Order>) {
        self.subject.terminated(&context.address());
    }
}

/// The Handler of a meta-process that ends with its parent.
struct Child {
    log: Log,
    node: Node,
}

impl Handler for Child {
    type Message = ();

    fn handle(&mut self, (): (), _: &mut HandlerContext<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }

    fn terminate(&mut self, reason: &Exit, _: &mut HandlerContext<'_, ()>) {
        assert_eq!(*reason, Exit::ParentEnded);
        let released = self.node.lookup::<Order>(NAME).is_none();
        self.log.check(released, "child terminated", "child terminated before the name was released");
    }
}

/// The process that a meta-process which is to end belongs to.
struct Owner {
    meta: Option<(Line, Subject)>,
    address: Sender<Address<Order>>,
}

impl Actor for Owner {
    type Message = ();

    fn init(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        let (line, subject) = self.meta.take().expect("init is called once");
        self.address.send(context.spawn_meta(line, subject)?)?;
        Ok(())
    }

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }
}

/// Waits for the end of the subject, also when it is asked to end itself.
struct Watcher {
    log: Log,
    subject: Address<Order>,
    heard: Sender<Exit>,
}

impl Actor for Watcher {
    type Message = ();

    fn init(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        context.monitor(&self.subject);
        Ok(())
    }

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }

    fn exit(&mut self, _: Exit, _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }

    fn down(&mut self, down: Down, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        let released = context.node().lookup::<Order>(NAME).is_none();
        self.log.check(released, "down", "down before the name was released");
        self.heard.send(down.reason)?;
        Err(Exit::Normal)
    }
}

/// Links itself to the subject, and fails.
struct Peer(Address<Order>);

impl Actor for Peer {
    type Message = ();

    fn handle(&mut self, (): (), context: &mut Context<'_, ()>) -> Result<(), Exit> {
        context.link(&self.0);
        Err(Exit::Failed("linked".into()))
    }
}

/// An actor that is about to end, held in a callback.
struct Scene {
    node: Node,
    subject: Address<Order>,
    /// Of a meta-process.
    owner: Option<Address<()>>,
    words: Sender<Word>,
}

impl Scene {
    /// Waits until an actor is seen in a certain state.
    fn await_state(&self, seen: impl Fn(&ActorSnapshot) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !self.node.snapshot(Duration::ZERO).actors.iter().any(&seen) {
            assert!(Instant::now() < deadline, "it does not come to that");
            thread::yield_now();
        }
    }

    /// Has the Reader return or panic, and waits until its Handler's mailbox knows.
    fn end_reader(&self, word: Word) {
        self.words.send(word).expect("the Reader listens");
        self.await_state(|actor| actor.id == self.subject.id() && !actor.reader);
    }

    /// Ends the owner, and waits until the subject's mailbox knows.
    fn end_owner(&self) {
        let owner = self.owner.as_ref().expect("a meta-process has one");
        self.node.exit(owner, Exit::Shutdown);
        self.await_state(|actor| actor.id == owner.id() && actor.state == ActorState::Ending);
    }

    /// Has a linked actor fail, and waits until the subject's mailbox knows: nobody is seen any more who has not told.
    fn end_linked(&self) {
        let peer = self.node.spawn(Peer(self.subject.clone())).unwrap();
        peer.send(()).unwrap();
        let deadline = Instant::now() + PATIENCE;
        while self.node.snapshot(Duration::ZERO).actors.iter().any(|actor| actor.id == peer.id()) {
            assert!(Instant::now() < deadline, "the linked actor does not end");
            thread::yield_now();
        }
    }

    fn kill_twice_at_once(&self) {
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| self.node.kill(&self.subject));
            }
        });
    }

    fn order(&self, order: Order) {
        self.subject.send(order).expect("it has not ended");
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Process,
    Meta,
}

/// What happened when `end` told an actor to end, and the reason that its monitor heard.
fn happened(kind: Kind, panics_in_terminate: bool, end: impl FnOnce(&Scene)) -> (Vec<&'static str>, Exit) {
    let (node, log) = (Node::new(), Log::default());
    let ((begun, begins), (gate, go), (words, heard)) = (channel(), channel(), channel());
    let line = Line { log: log.clone(), interrupted: words.clone(), words: heard };
    let subject = Subject { log: log.clone(), begun, go, panics_in_terminate };
    let (subject, owner) = match kind {
        Kind::Process => {
            let child = Child { log: log.clone(), node: node.clone() };
            (node.spawn_named(NAME, Named { subject, child: Some((line, child)) }).unwrap(), None)
        }
        Kind::Meta => {
            let (address, addresses) = channel();
            let owner = node.spawn(Owner { meta: Some((line, subject)), address }).unwrap();
            (addresses.recv_timeout(PATIENCE).unwrap(), Some(owner))
        }
    };
    let (heard, reasons) = channel();
    node.spawn(Watcher { log: log.clone(), subject: subject.clone(), heard }).unwrap();

    let scene = Scene { node, subject, owner, words };
    scene.order(Order::Wait);
    begins.recv_timeout(PATIENCE).unwrap();
    end(&scene);
    scene.order(Order::Letter(Letter { to: scene.subject.clone(), log: log.clone() }));
    gate.send(()).unwrap();
    let reason = reasons.recv_timeout(PATIENCE).unwrap();
    scene.node.stop(PATIENCE).unwrap();
    let log = log.0.lock().unwrap().clone();
    (log, reason)
}

/// Asserts that the log has all of `steps`, in this order and once each.
fn in_order(log: &[&str], steps: &[&str], way: &str) {
    let found: Vec<&str> = log.iter().copied().filter(|step| steps.contains(step)).collect();
    assert_eq!(found, steps, "{way}: {log:?}");
}

type Way = (&'static str, fn(&Scene), Exit);

/// The ways in which any actor can end.
fn ways() -> Vec<Way> {
    vec![
        ("exit", |s| s.node.exit(&s.subject, Exit::Failed("asked".into())), Exit::Failed("asked".into())),
        ("finish", |s| s.node.finish(&s.subject), Exit::Normal),
        ("kill", |s| s.node.kill(&s.subject), Exit::Killed),
        ("two kills", Scene::kill_twice_at_once, Exit::Killed),
        ("a link", Scene::end_linked, Exit::Failed("linked".into())),
        ("an error", |s| s.order(Order::Fail), Exit::Failed("planned".into())),
        ("a panic", |s| s.order(Order::Panic), Exit::Panicked("planned".into())),
    ]
}

#[test]
fn a_process_ends_in_one_order_whatever_ends_it() {
    let mut ways = ways();
    // Not in time: it is held. But every actor has been told.
    ways.push(("the node's end", |s| drop(s.node.stop(Duration::ZERO).unwrap_err()), Exit::Shutdown));
    for (way, end, expected) in ways {
        for panics_in_terminate in [false, true] {
            let (log, reason) = happened(Kind::Process, panics_in_terminate, end);
            assert_eq!(reason, expected, "{way}");
            let steps =
                ["dead letter", "terminate", "state dropped", "interrupted", "child terminated", "down"];
            in_order(&log, &steps, way);
            in_order(&log, &["interrupted", "Reader returned", "down"], way);
            assert_eq!(log.len(), steps.len() + 1, "{way}: {log:?}");
        }
    }
}

#[test]
fn a_meta_process_ends_in_one_order_whatever_ends_it() {
    let mut ways = ways();
    ways.push(("its Reader returns", |s| s.end_reader(Word::Return), Exit::Normal));
    ways.push(("its Reader panics", |s| s.end_reader(Word::Panic), Exit::Panicked("planned".into())));
    ways.push(("its parent's end", Scene::end_owner, Exit::ParentEnded));
    for (way, end, expected) in ways {
        for panics_in_terminate in [false, true] {
            let (log, reason) = happened(Kind::Meta, panics_in_terminate, end);
            assert_eq!(reason, expected, "{way}");
            let steps = ["interrupted", "dead letter", "terminate", "state dropped", "down"];
            in_order(&log, &steps, way);
            in_order(&log, &["Reader returned", "down"], way);
            assert_eq!(log.len(), steps.len() + 1, "{way}: {log:?}");
        }
    }
}
