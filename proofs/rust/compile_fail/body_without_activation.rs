//! Without the activation there is no way to an actor's state.

use antiphon::inbox::{Body, Inbox};

fn reach<B: Body>(inbox: &Inbox<B>) {
    inbox.body.with_mut(|_| ());
}

fn main() {}
