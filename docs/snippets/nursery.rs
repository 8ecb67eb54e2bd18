//! A supervisor, its children, and one that is added later.

use antiphon::supervisor::{Request, Restart, Strategy};
use antiphon::{Actor, Address, Child, Context, Exit, Node, Supervisor};
use std::error::Error;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(10);

/// Understands one word.
struct Clock;

impl Actor for Clock {
    type Message = &'static str;

    fn handle(&mut self, word: &'static str, _: &mut Context<'_, &'static str>) -> Result<(), Exit> {
        match word {
            "tick" => Ok(()),
            other => Err(Exit::Failed(format!("what is `{other}`?"))),
        }
    }
}

struct Guest;

impl Actor for Guest {
    type Message = ();

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Err(Exit::Normal)
    }
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    // ANCHOR: start
    let node = Node::new();
    let supervisor = Supervisor::new(Strategy::OneForOne)
        .restarts(3, Duration::from_secs(5))
        .child(Child::new(|| Clock).named("clock").shutdown(Duration::from_secs(1)));
    let supervisor = node.spawn(supervisor)?;
    // ANCHOR_END: start

    // ANCHOR: fail
    let clock: Address<&str> = node.lookup("clock").ok_or("its children are up")?;
    clock.send("tock")?; // It fails, and another one takes its place.
    // ANCHOR_END: fail
    let begun = Instant::now();
    while node.lookup("clock").is_none_or(|other: Address<&str>| other == clock) {
        assert!(begun.elapsed() < SOON, "it is not restarted");
    }

    // ANCHOR: add
    let guest = Child::new(|| Guest).restart(Restart::Temporary);
    let guest = node.call(&supervisor, |reply| Request::start(guest, reply), SOON)??;
    let address = node.call(&supervisor, |reply| Request::address::<()>(guest, reply), SOON)?;
    // ANCHOR_END: add
    address.ok_or("it is up")?.send(())?;

    node.stop(SOON)?;
    Ok(())
}
