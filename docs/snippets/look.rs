//! Looking into a node while an actor is busy.

use antiphon::snapshot::ActorState;
use antiphon::{Actor, Context, Exit, Node};
use std::error::Error;
use std::sync::mpsc;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

/// Is busy until the other end of the channel is gone.
struct Busy;

impl Actor for Busy {
    type Message = (mpsc::Sender<()>, mpsc::Receiver<()>);

    fn handle(
        &mut self,
        (begun, done): Self::Message,
        _: &mut Context<'_, Self::Message>,
    ) -> Result<(), Exit> {
        begun.send(())?;
        let _ = done.recv();
        Ok(())
    }
}

// ANCHOR: main
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let node = Node::new();
    let busy = node.spawn_named("busy", Busy)?;
    let ((begun, begins), (done, until)) = (mpsc::channel(), mpsc::channel());
    busy.send((begun, until))?;
    begins.recv()?;

    // It has no time to answer.
    let seen = node.snapshot(Duration::from_millis(20));
    let actor = &seen.actors[0];
    assert_eq!((actor.id, &*actor.names[0]), (busy.id(), "busy"));
    assert_eq!((actor.state, actor.figures), (ActorState::Busy, None));
    println!("{seen}");

    drop(done);
    let seen = node.snapshot(SOON);
    let figures = seen.actors[0].figures.ok_or("it answers now")?;
    assert_eq!((seen.actors[0].state, figures.handled), (ActorState::Idle, 1));

    node.stop(SOON)?;
    Ok(())
}
// ANCHOR_END: main
