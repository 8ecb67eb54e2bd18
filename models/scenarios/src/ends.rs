//! How a node ends when something does not.

use std::time::Duration;

use antiphon::{Exit, Interrupt, Reader, ReaderContext};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;

use crate::parts::{Clerk, Gate, Mail, Parent, node, stop};

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
