//! Calls, monitors, names and bounded mailboxes.

use antiphon::{Actor, Address, CallError, Context, Down, Exit, Node, Reply};
use std::error::Error;
use std::num::NonZeroU32;
use std::sync::mpsc;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

// ANCHOR: desk
enum Question {
    Sum(u64, u64, Reply<u64>),
    Hopeless(Reply<u64>),
}

struct Desk;

impl Actor for Desk {
    type Message = Question;

    fn capacity(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(100)
    }

    fn handle(&mut self, question: Question, _: &mut Context<'_, Question>) -> Result<(), Exit> {
        match question {
            Question::Sum(a, b, reply) => {
                // An error means that the caller waits no more; that is its own affair.
                let _ = reply.send(a + b);
                Ok(())
            }
            Question::Hopeless(reply) => {
                drop(reply);
                Err(Exit::Failed("asked too much".into()))
            }
        }
    }
}
// ANCHOR_END: desk

// ANCHOR: watcher
struct Watcher {
    desk: Address<Question>,
    news: mpsc::Sender<Exit>,
}

impl Actor for Watcher {
    type Message = ();

    fn init(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        context.monitor(&self.desk);
        let sum = context.call(&self.desk, |reply| Question::Sum(2, 3, reply), SOON)?;
        assert_eq!(sum, 5);
        Ok(())
    }

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }

    fn down(&mut self, down: Down, _: &mut Context<'_, ()>) -> Result<(), Exit> {
        self.news.send(down.reason)?;
        Ok(())
    }
}
// ANCHOR_END: watcher

// ANCHOR: main
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let node = Node::new();
    node.spawn_named("desk", Desk)?;
    let desk = node.lookup::<Question>("desk").ok_or("nobody has that name")?;
    let (news, heard) = mpsc::channel();
    node.spawn(Watcher { desk: desk.clone(), news })?;

    // The desk ends over this question. The caller hears at once, not after ten seconds.
    assert_eq!(node.call(&desk, Question::Hopeless, SOON), Err(CallError::Terminated));
    assert_eq!(heard.recv()?, Exit::Failed("asked too much".into()));
    assert!(node.lookup::<Question>("desk").is_none(), "a name is released before anybody is told");

    node.stop(SOON)?;
    Ok(())
}
// ANCHOR_END: main
