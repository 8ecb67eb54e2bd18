//! A look into a node, while it works.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use antiphon::executor::{Executor, Manual};
use antiphon::snapshot::{ActorState, Snapshot};
use antiphon::{
    Actor, Address, Class, Context, Exit, Handler, HandlerContext, Interrupt, Kind, Node, Reader,
    ReaderContext, Reply,
};

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// For who is sure that no answer will come.
const NONE: Duration = Duration::ZERO;

struct Plain;

impl Actor for Plain {
    type Message = u32;

    fn handle(&mut self, _: u32, _: &mut Context<'_, u32>) -> Result<(), Exit> {
        Ok(())
    }
}

#[test]
fn what_waits_is_counted_by_class_and_what_was_handled_too() {
    let (node, manual) = {
        let manual = Manual::new();
        (Node::with_executor(manual.clone()), manual)
    };
    let plain = node.spawn_named("plain", Plain).unwrap();
    plain.send(1).unwrap();
    plain.send(2).unwrap();
    manual.run_until_idle();
    for class in [Class::Main, Class::Urgent, Class::Main, Class::Main] {
        plain.send_as(class, 3).unwrap();
    }
    // Nobody runs the actor: it is asked, and has no time to answer.
    let busy = node.snapshot(NONE);
    assert_eq!(busy.actors[0].state, ActorState::Busy);
    assert_eq!(busy.actors[0].figures, None);
    // The urgent message goes before the question, the three others after it.
    let helper = {
        let node = node.clone();
        std::thread::spawn(move || node.snapshot(PATIENCE))
    };
    while !helper.is_finished() {
        manual.run_one();
    }
    let seen = helper.join().unwrap();
    assert_eq!(seen.actors.len(), 1);
    let actor = &seen.actors[0];
    assert_eq!((actor.id, actor.kind, actor.parent), (plain.id(), Kind::Process, None));
    assert_eq!(actor.names, ["plain"]);
    let figures = actor.figures.unwrap();
    assert!(figures.handled >= 3 && figures.handled as usize + figures.queued[2] == 6, "{figures:?}");
    manual.run_until_idle();
    manual.stop();
    drop(plain);
}

/// Calls whom it is told to.
struct Caller;

impl Actor for Caller {
    type Message = Address<Reply<()>>;

    fn handle(
        &mut self,
        callee: Address<Reply<()>>,
        context: &mut Context<'_, Self::Message>,
    ) -> Result<(), Exit> {
        Ok(context.call(&callee, |reply| reply, PATIENCE)?)
    }
}

/// Is busy until it is told otherwise, then answers.
struct Slow(Receiver<()>, Sender<()>);

impl Actor for Slow {
    type Message = Reply<()>;

    fn handle(&mut self, reply: Reply<()>, _: &mut Context<'_, Reply<()>>) -> Result<(), Exit> {
        let _ = self.1.send(());
        let _ = self.0.recv();
        let _ = reply.send(());
        Ok(())
    }
}

/// A Reader that waits for its interrupt.
struct Watch(Option<Sender<()>>, Receiver<()>);

impl Reader<u8> for Watch {
    fn interrupt(&mut self) -> Interrupt {
        let door = self.0.take();
        Interrupt::new(move || drop(door))
    }

    fn run(self, _: &ReaderContext<u8>) -> Result<(), Exit> {
        let _ = self.1.recv();
        Ok(())
    }
}

struct Hand;

impl Handler for Hand {
    type Message = u8;

    fn handle(&mut self, _: u8, _: &mut HandlerContext<'_, u8>) -> Result<(), Exit> {
        Ok(())
    }
}

struct Parent;

impl Actor for Parent {
    type Message = ();

    fn init(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        let (open, closed) = channel();
        context.spawn_meta(Watch(Some(open), closed), Hand)?;
        Ok(())
    }

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }
}

fn line<'a>(table: &'a str, of: &str) -> &'a str {
    table.lines().find(|line| line.contains(of)).unwrap_or_else(|| panic!("no {of} in:\n{table}"))
}

#[test]
fn whoever_waits_is_seen_waiting_and_whoever_is_busy_is_seen_busy() {
    let node = Node::new();
    let ((go, wait), (begin, begun)) = (channel(), channel());
    let slow = node.spawn(Slow(wait, begin)).unwrap();
    let caller = node.spawn(Caller).unwrap();
    node.spawn(Parent).unwrap();
    node.send_after(&caller, slow.clone(), Duration::from_secs(3600)).unwrap();
    caller.send(slow.clone()).unwrap();
    begun.recv_timeout(PATIENCE).unwrap();

    let seen: Snapshot = node.snapshot(Duration::from_millis(50));
    let find = |id| seen.actors.iter().find(|actor| actor.id == id).unwrap();
    assert_eq!(find(caller.id()).waits_for, Some(slow.id()));
    assert_eq!(find(slow.id()).state, ActorState::Busy);
    assert_eq!(seen.timers, 1);
    let meta = seen.actors.iter().find(|actor| actor.kind == Kind::Meta).unwrap();
    let parent = seen.actors.iter().find(|actor| Some(actor.id) == meta.parent).unwrap();
    assert!(meta.reader && !parent.reader);

    let table = seen.to_string();
    assert!(table.starts_with("4 actors, 1 timers"), "{table}");
    assert!(
        line(&table, "Caller").ends_with(&format!("Caller, waits for a reply of {}", slow.id())),
        "{table}"
    );
    assert!(line(&table, "Hand").contains("    snapshot::Hand, its Reader runs"), "{table}");

    drop(go);
    node.stop(PATIENCE).unwrap();
    assert_eq!(node.snapshot(PATIENCE).actors, []);
}
