//! A context can't be kept beyond its callback.

use antiphon::{Actor, Context, Exit};

struct Clerk<'a> {
    context: Option<&'a mut Context<'a, ()>>,
}

impl Actor for Clerk<'static> {
    type Message = ();

    fn handle(&mut self, (): (), context: &mut Context<'_, ()>) -> Result<(), Exit> {
        self.context = Some(context);
        Ok(())
    }
}

fn main() {}
