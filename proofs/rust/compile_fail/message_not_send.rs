//! What can't cross threads can't be a message.

use antiphon::{Actor, Context, Exit};
use std::rc::Rc;

struct Clerk;

impl Actor for Clerk {
    type Message = Rc<str>;

    fn handle(&mut self, _: Rc<str>, _: &mut Context<'_, Rc<str>>) -> Result<(), Exit> {
        Ok(())
    }
}

fn main() {}
