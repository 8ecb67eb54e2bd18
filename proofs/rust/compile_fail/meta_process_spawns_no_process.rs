//! A meta-process can't spawn processes, only meta-processes that belong to its own owner.

use antiphon::{Actor, Context, Exit, HandlerContext};

struct Clerk;

impl Actor for Clerk {
    type Message = ();

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }
}

fn handler(context: &mut HandlerContext<'_, String>) {
    let _ = context.spawn(Clerk);
}

fn main() {}
