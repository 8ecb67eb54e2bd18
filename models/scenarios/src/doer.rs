//! An actor that does what it is sent: deeds, as closures with its context.

use antiphon::{Actor, Address, Context, Down, Exit, Exited, Node, Reply};
use antiphon_harness::reached;

use crate::parts::{Gate, send};

type Act = dyn FnOnce(&Context<'_, Deed>) -> Result<(), Exit> + Send;

/// What a [`Doer`] is sent.
pub(crate) enum Deed {
    /// Do this.
    Do(Box<Act>),
    /// Answer a call.
    Answer(Reply<u64>),
}

/// Does deeds, and opens gates when it is told of ends.
#[derive(Default)]
pub(crate) struct Doer {
    down: Option<Gate>,
    exited: Option<Gate>,
}

impl Doer {
    /// Opens `gate` when it is told of a Down.
    pub(crate) fn opening_on_down(gate: &Gate) -> Self {
        Self { down: Some(gate.clone()), exited: None }
    }

    /// Traps exits, and opens `gate` when it is told of one.
    pub(crate) fn trapping(gate: &Gate) -> Self {
        Self { down: None, exited: Some(gate.clone()) }
    }

    pub(crate) fn spawn(self, node: &Node) -> Address<Deed> {
        node.spawn(self).expect("the node is up")
    }
}

impl Actor for Doer {
    type Message = Deed;

    fn handle(&mut self, deed: Deed, context: &mut Context<'_, Deed>) -> Result<(), Exit> {
        match deed {
            Deed::Do(act) => act(context),
            Deed::Answer(reply) => {
                if reply.send(7).is_err() {
                    reached("late reply");
                }
                Ok(())
            }
        }
    }

    fn down(&mut self, _: Down, _: &mut Context<'_, Deed>) -> Result<(), Exit> {
        reached("down");
        self.down.iter().for_each(Gate::open);
        Ok(())
    }

    fn exited(&mut self, exited: Exited, _: &mut Context<'_, Deed>) -> Result<(), Exit> {
        reached("linked actor exited");
        let Some(gate) = &self.exited else { return Err(exited.reason) };
        gate.open();
        Ok(())
    }
}

/// Has a doer do something.
pub(crate) fn order(
    doer: &Address<Deed>,
    act: impl FnOnce(&Context<'_, Deed>) -> Result<(), Exit> + Send + 'static,
) -> bool {
    send(doer, Deed::Do(Box::new(act)))
}
