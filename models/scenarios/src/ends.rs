//! How a node ends, also when something does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use antiphon::{Actor, Context, Exit, Interrupt, Reader, ReaderContext};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;

use crate::parts::{Clerk, Gate, Mail, Parent, node, sender, stop};

/// Tells when it has ended; std's flag on purpose: telling is no part of what is explored.
struct Teller(Arc<AtomicBool>);

impl Actor for Teller {
    type Message = Mail;

    fn handle(&mut self, _: Mail, _: &mut Context<'_, Mail>) -> Result<(), Exit> {
        reached("handled");
        Ok(())
    }

    fn terminate(&mut self, _: &Exit, _: &mut Context<'_, Mail>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// `stop` waits for an actor whose activation is on another thread.
pub(crate) fn stop_against_sender() {
    let node = node();
    let ended = Arc::new(AtomicBool::new(false));
    let teller = node.spawn(Teller(ended.clone())).expect("the node is up");
    let thread = sender(&teller, 1);
    stop(&node);
    check(ended.load(Ordering::Relaxed), Guarantee::CleanStop, || "stopped before an actor ended".into());
    thread.join();
}

/// A Reader that ignores its interrupt, until the gate opens.
struct Deaf(Gate);

impl Reader<Mail> for Deaf {
    fn interrupt(&mut self) -> Interrupt {
        Interrupt::none()
    }

    fn run(self, _: &ReaderContext<Mail>) -> Result<(), Exit> {
        self.0.pass();
        Ok(())
    }
}

/// `stop` names a Reader that does not return at its deadline, and succeeds once it has.
pub(crate) fn deaf_reader() {
    let node = node();
    let gate = Gate::new();
    let reader = Deaf(gate.clone());
    let parent = Parent::new(move |context: &antiphon::Context<'_, Mail>| {
        context.spawn_meta(reader, Clerk::new())?;
        Ok(())
    });
    node.spawn(parent).expect("the node is up");
    match node.stop(Duration::from_millis(1)) {
        Ok(()) => check(false, Guarantee::CleanStop, || "stopped while a Reader went on".into()),
        Err(error) => {
            let named = error.0.iter().any(|actor| actor.reader && !actor.handler);
            check(named, Guarantee::Interruption, || format!("the deaf Reader is not named: {error}"));
            reached("named");
        }
    }
    gate.open();
    stop(&node);
}
