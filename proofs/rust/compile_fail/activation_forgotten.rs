//! The activation that a push creates can't be forgotten.
#![deny(unused_must_use)]

use antiphon::inbox::{Body, Inbox, Refused};
use std::sync::Arc;

fn push<B: Body>(inbox: &Arc<Inbox<B>>, item: B::Item) -> Result<(), Refused<B::Item>> {
    // Only the outcome is looked at, not who has to run the actor now.
    Inbox::push(inbox, item)?;
    Ok(())
}

fn main() {}
