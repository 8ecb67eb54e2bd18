//! Dead letters: what was accepted and not handled.

use antiphon::{Actor, Context, DeadLetter, Exit, Node};
use std::error::Error;
use std::sync::mpsc;
use std::time::Duration;

/// Ends at the first message.
struct Tired;

impl Actor for Tired {
    type Message = &'static str;

    fn handle(&mut self, _: &'static str, context: &mut Context<'_, &'static str>) -> Result<(), Exit> {
        // Accepted, and never handled.
        context.address().send("one more")?;
        Err(Exit::Normal)
    }
}

// ANCHOR: office
struct Office(mpsc::Sender<&'static str>);

impl Actor for Office {
    type Message = DeadLetter;

    fn handle(&mut self, letter: DeadLetter, _: &mut Context<'_, DeadLetter>) -> Result<(), Exit> {
        if let Ok(text) = letter.message.downcast::<&'static str>() {
            self.0.send(*text)?;
        }
        Ok(())
    }
}
// ANCHOR_END: office

// ANCHOR: main
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let (letters, unhandled) = mpsc::channel();
    let node = Node::new();
    node.subscribe_dead_letters(&node.spawn(Office(letters))?);

    // It sends itself "one more", and ends before it handles it.
    node.spawn(Tired)?.send("that was enough")?;
    assert_eq!(unhandled.recv()?, "one more");

    node.stop(Duration::from_secs(10))?;
    Ok(())
}
// ANCHOR_END: main
