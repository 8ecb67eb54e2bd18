//! Messages of a higher class go first (`class-order`), to a meta-process as to a process.

use std::sync::mpsc::{Receiver, Sender, channel};

use antiphon::executor::Manual;
use antiphon::{
    Actor, Address, Class, Context, Exit, Handler, HandlerContext, Interrupt, Node, Reader, ReaderContext,
};

/// Passes on what it handles.
struct Ear(Sender<Class>);

impl Actor for Ear {
    type Message = Class;

    fn handle(&mut self, class: Class, _: &mut Context<'_, Class>) -> Result<(), Exit> {
        Ok(self.0.send(class)?)
    }
}

impl Handler for Ear {
    type Message = Class;

    fn handle(&mut self, class: Class, _: &mut HandlerContext<'_, Class>) -> Result<(), Exit> {
        Ok(self.0.send(class)?)
    }
}

/// A Reader that only waits for its interrupt.
struct Idle(Option<Sender<()>>, Receiver<()>);

impl Reader<Class> for Idle {
    fn interrupt(&mut self) -> Interrupt {
        let door = self.0.take();
        Interrupt::new(move || drop(door))
    }

    fn run(self, _: &ReaderContext<Class>) -> Result<(), Exit> {
        let _ = self.1.recv();
        Ok(())
    }
}

/// Its meta-process is an ear.
struct Owner(Option<Ear>, Sender<Address<Class>>);

impl Actor for Owner {
    type Message = ();

    fn init(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        let (door, closed) = channel();
        let ear = self.0.take().expect("init is called once");
        Ok(self.1.send(context.spawn_meta(Idle(Some(door), closed), ear)?)?)
    }

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }
}

/// The order in which an actor handles messages of all classes that wait, sent the least urgent first.
fn handled(spawn: impl FnOnce(&Node, Ear) -> Address<Class>) -> Vec<Class> {
    let manual = Manual::new();
    let node = Node::with_executor(manual.clone());
    let (heard, hears) = channel();
    let ear = spawn(&node, Ear(heard));
    for class in [Class::Main, Class::System, Class::Urgent, Class::Main] {
        ear.send_as(class, class).expect("it is alive");
    }
    manual.run_until_idle();
    let handled = hears.try_iter().collect();
    node.kill(&ear);
    manual.run_until_idle();
    handled
}

const MOST_URGENT_FIRST: [Class; 4] = [Class::Urgent, Class::System, Class::Main, Class::Main];

#[test]
fn a_process_handles_the_most_urgent_first() {
    assert_eq!(handled(|node, ear| node.spawn(ear).unwrap()), MOST_URGENT_FIRST);
}

#[test]
fn a_meta_process_has_the_same_three_classes() {
    let through_an_owner = |node: &Node, ear| {
        let (address, addresses) = channel();
        node.spawn(Owner(Some(ear), address)).unwrap();
        addresses.recv().unwrap()
    };
    assert_eq!(handled(through_an_owner), MOST_URGENT_FIRST);
}
