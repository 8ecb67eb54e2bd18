//! A meta-process gets no handle on its owner or its node, neither from the Reader's context nor from the Handler's.

use antiphon::{HandlerContext, ReaderContext};

fn reader(context: &ReaderContext<String>) {
    context.node();
}

fn handler(context: &mut HandlerContext<'_, String>) {
    context.node();
}

fn main() {}
