//! The first actor of the book.

use antiphon::{Actor, Context, Exit, Node};
use std::error::Error;
use std::sync::mpsc;
use std::time::Duration;

// ANCHOR: actor
struct Counter {
    total: u64,
}

enum Message {
    Add(u64),
    Tell(mpsc::Sender<u64>),
}

impl Actor for Counter {
    type Message = Message;

    fn handle(&mut self, message: Message, _: &mut Context<'_, Message>) -> Result<(), Exit> {
        match message {
            Message::Add(n) => self.total += n,
            Message::Tell(who) => who.send(self.total)?,
        }
        Ok(())
    }
}
// ANCHOR_END: actor

// ANCHOR: main
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let node = Node::new();
    let counter = node.spawn(Counter { total: 0 })?;

    counter.send(Message::Add(2))?;
    counter.send(Message::Add(3))?;
    let (who, answer) = mpsc::channel();
    counter.send(Message::Tell(who))?;
    assert_eq!(answer.recv()?, 5);

    node.stop(Duration::from_secs(10))?;
    assert!(counter.send(Message::Add(1)).is_err(), "the actor has ended");
    Ok(())
}
// ANCHOR_END: main
