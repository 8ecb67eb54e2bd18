//! Timers: a message later, and one again and again.

use antiphon::{Actor, Context, Exit, Node, Timer};
use std::error::Error;
use std::sync::mpsc;
use std::time::Duration;

// ANCHOR: pulse
const PERIOD: Duration = Duration::from_millis(5);
const TOO_LONG: Duration = Duration::from_secs(3600);

#[derive(Clone, Copy)]
enum Message {
    Tick,
    GiveUp,
}

struct Pulse {
    left: u32,
    give_up: Option<Timer>,
    news: mpsc::Sender<&'static str>,
}

impl Actor for Pulse {
    type Message = Message;

    fn init(&mut self, context: &mut Context<'_, Message>) -> Result<(), Exit> {
        let me = context.address();
        context.send_every(&me, Message::Tick, PERIOD)?;
        self.give_up = Some(context.send_after(&me, Message::GiveUp, TOO_LONG)?);
        Ok(())
    }

    fn handle(&mut self, message: Message, context: &mut Context<'_, Message>) -> Result<(), Exit> {
        match message {
            Message::Tick if self.left > 0 => self.left -= 1,
            Message::Tick => {
                // In time: from now on, no `GiveUp` comes.
                let in_time = self.give_up.take().is_some_and(|timer| context.cancel(timer));
                self.news.send(if in_time { "done" } else { "too late" })?;
                // The ticks end with their owner.
                return Err(Exit::Normal);
            }
            Message::GiveUp => self.news.send("gave up")?,
        }
        Ok(())
    }
}
// ANCHOR_END: pulse

// ANCHOR: main
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let node = Node::new();
    let (news, heard) = mpsc::channel();
    node.spawn(Pulse { left: 3, give_up: None, news })?;
    assert_eq!(heard.recv()?, "done");

    node.stop(Duration::from_secs(10))?;
    assert_eq!(node.snapshot(Duration::ZERO).timers, 0, "a node that has stopped has no timers");
    Ok(())
}
// ANCHOR_END: main
