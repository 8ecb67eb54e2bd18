//! A panic ends its actor and nothing else, wherever user code can panic (`panic-containment`).

use std::panic::resume_unwind;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use antiphon::{Actor, Address, Context, Exit, Interrupt, Node, Reader, ReaderContext, SpawnError};

const SOON: Duration = Duration::from_secs(10);

/// Where an actor panics, other than in what it is told to do.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Nowhere,
    Init,
    Terminate,
    Drop,
}

/// Panics without a message on the terminal.
fn panic_quietly() {
    resume_unwind(Box::new("planned"));
}

/// A message that panics when it is dropped unopened.
struct Sharp {
    opened: bool,
}

impl Drop for Sharp {
    fn drop(&mut self) {
        if !self.opened {
            panic_quietly();
        }
    }
}

enum Order {
    Panic,
    /// Sends itself a sharp message, then ends: it becomes a dead letter.
    EndOnSharp,
    Keep(#[allow(dead_code, reason = "it is there to be dropped")] Sharp),
}

struct Fragile {
    place: Place,
    terminated: Sender<Exit>,
}

impl Actor for Fragile {
    type Message = Order;

    fn init(&mut self, _: &mut Context<'_, Order>) -> Result<(), Exit> {
        if self.place == Place::Init {
            panic_quietly();
        }
        Ok(())
    }

    fn handle(&mut self, order: Order, context: &mut Context<'_, Order>) -> Result<(), Exit> {
        match order {
            Order::Panic => panic_quietly(),
            Order::EndOnSharp => {
                context.address().send(Order::Keep(Sharp { opened: false }))?;
                return Err(Exit::Normal);
            }
            Order::Keep(mut sharp) => sharp.opened = true,
        }
        Ok(())
    }

    fn terminate(&mut self, reason: &Exit, _: &mut Context<'_, Order>) {
        self.terminated.send(reason.clone()).expect("the test listens");
        if self.place == Place::Terminate {
            panic_quietly();
        }
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        if self.place == Place::Drop {
            panic_quietly();
        }
    }
}

/// Sends `order` to an actor that is fragile at `place`; the reason for which it terminated. The node stops.
fn end_of(place: Place, order: Order) -> Exit {
    let node = Node::new();
    let (terminated, reason) = channel();
    let other =
        node.spawn(Fragile { place: Place::Nowhere, terminated: terminated.clone() }).expect("it lives");
    let fragile = node.spawn(Fragile { place, terminated }).expect("its init succeeds");
    fragile.send(order).expect("it is alive");
    let reason = reason.recv_timeout(SOON).expect("it terminates");
    other.send(Order::Keep(Sharp { opened: false })).expect("another actor goes on");
    node.stop(SOON).expect("nothing hangs");
    reason
}

#[test]
fn in_handle() {
    assert_eq!(end_of(Place::Nowhere, Order::Panic), Exit::Panicked("planned".into()));
}

#[test]
fn in_terminate() {
    assert_eq!(end_of(Place::Terminate, Order::Panic), Exit::Panicked("planned".into()));
}

#[test]
fn in_the_destructor_of_the_actor() {
    assert_eq!(end_of(Place::Drop, Order::Panic), Exit::Panicked("planned".into()));
}

#[test]
fn in_the_destructor_of_a_dead_letter() {
    assert_eq!(end_of(Place::Nowhere, Order::EndOnSharp), Exit::Normal);
}

#[test]
fn in_init() {
    let node = Node::new();
    let (terminated, reason) = channel();
    let spawned = node.spawn(Fragile { place: Place::Init, terminated });
    assert_eq!(spawned.err(), Some(SpawnError::Init(Exit::Panicked("planned".into()))));
    node.stop(SOON).expect("nothing hangs");
    assert!(reason.try_recv().is_err(), "terminate ran though init had failed");
}

/// A Reader whose interrupt panics, and which ends all the same when its gate closes.
struct Stubborn(std::sync::mpsc::Receiver<()>);

impl Reader<Order> for Stubborn {
    fn interrupt(&mut self) -> Interrupt {
        let (gate, closed) = channel();
        self.0 = closed;
        Interrupt::new(move || {
            drop(gate);
            panic_quietly();
        })
    }

    fn run(self, _: &ReaderContext<Order>) -> Result<(), Exit> {
        // Ends when the gate is dropped.
        let _ = self.0.recv();
        Ok(())
    }
}

struct Parent;

impl Actor for Parent {
    type Message = ();

    fn init(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        let handler: Address<Order> = context.spawn_meta(Stubborn(channel().1), Mute)?;
        assert!(handler.send(Order::Keep(Sharp { opened: false })).is_ok());
        Ok(())
    }

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }
}

struct Mute;

impl antiphon::Handler for Mute {
    type Message = Order;

    fn handle(&mut self, order: Order, _: &mut antiphon::HandlerContext<'_, Order>) -> Result<(), Exit> {
        if let Order::Keep(mut sharp) = order {
            sharp.opened = true;
        }
        Ok(())
    }
}

#[test]
fn in_an_interrupt() {
    let node = Node::new();
    node.spawn(Parent).expect("its init succeeds");
    node.stop(SOON).expect("the Reader was interrupted, and the meta-process ended");
}

/// Panics as user code does, with a text that is made at run time.
struct Loud;

impl Actor for Loud {
    type Message = u32;

    fn handle(&mut self, number: u32, _: &mut Context<'_, u32>) -> Result<(), Exit> {
        panic!("number {number}")
    }
}

#[test]
fn the_reason_says_where_the_panic_came_from() {
    struct Watcher(Sender<Exit>);
    impl Actor for Watcher {
        type Message = Address<u32>;
        fn handle(
            &mut self,
            loud: Address<u32>,
            context: &mut Context<'_, Address<u32>>,
        ) -> Result<(), Exit> {
            context.monitor(&loud);
            loud.send(7).expect("it lives");
            Ok(())
        }
        fn down(&mut self, down: antiphon::Down, _: &mut Context<'_, Address<u32>>) -> Result<(), Exit> {
            Ok(self.0.send(down.reason)?)
        }
    }
    let node = Node::new();
    let (tell, told) = channel();
    let watcher = node.spawn(Watcher(tell)).unwrap();
    watcher.send(node.spawn(Loud).unwrap()).unwrap();
    let Exit::Panicked(text) = told.recv_timeout(SOON).unwrap() else { panic!("not a panic") };
    let here = file!();
    let place = text.strip_prefix(&format!("number 7, at {here}:")).unwrap_or_else(|| panic!("{text}"));
    let (line, column) = place.split_once(':').unwrap();
    assert!(line.parse::<u32>().is_ok() && column.parse::<u32>().is_ok(), "{text}");
    node.stop(SOON).unwrap();
}
