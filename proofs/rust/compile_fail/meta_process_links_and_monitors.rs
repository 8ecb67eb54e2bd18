//! A meta-process can't link or monitor, neither from its Reader nor from its Handler.

use antiphon::{Address, HandlerContext, ReaderContext};

fn reader(context: &ReaderContext<String>, other: &Address<u64>) {
    context.link(other);
    context.monitor(other);
}

fn handler(context: &mut HandlerContext<'_, String>, other: &Address<u64>) {
    context.link(other);
    context.monitor(other);
}

fn main() {}
