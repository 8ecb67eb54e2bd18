//! A meta-process can't call, neither from its Reader nor from its Handler.

use antiphon::{Address, HandlerContext, ReaderContext, Reply};
use std::time::Duration;

fn reader(context: &ReaderContext<String>, other: &Address<Reply<u64>>) {
    let _ = context.call(other, |reply| reply, Duration::ZERO);
}

fn handler(context: &mut HandlerContext<'_, String>, other: &Address<Reply<u64>>) {
    let _ = context.call(other, |reply| reply, Duration::ZERO);
}

fn main() {}
