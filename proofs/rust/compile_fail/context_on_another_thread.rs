//! A context can't be taken to another thread.

use antiphon::HandlerContext;

fn handle(context: &mut HandlerContext<'_, String>) {
    std::thread::spawn(move || context.address());
}

fn main() {}
