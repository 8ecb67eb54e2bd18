//! A Reader can't reach into its Handler: it may hold no borrow of it.

use antiphon::{Context, Exit, Handler, HandlerContext, Interrupt, Reader, ReaderContext};

struct Mouth {
    said: u64,
}

impl Handler for Mouth {
    type Message = String;

    fn handle(&mut self, _: String, _: &mut HandlerContext<'_, String>) -> Result<(), Exit> {
        Ok(())
    }
}

struct Ears<'a>(&'a mut u64);

impl Reader<String> for Ears<'static> {
    fn interrupt(&mut self) -> Interrupt {
        Interrupt::none()
    }

    fn run(self, _: &ReaderContext<String>) -> Result<(), Exit> {
        *self.0 += 1;
        Ok(())
    }
}

fn spawn(context: &mut Context<'_, ()>) {
    let mut mouth = Mouth { said: 0 };
    let ears = Ears(&mut mouth.said);
    let _ = context.spawn_meta(ears, mouth);
}

fn main() {}
