//! Nobody but the inbox makes an activation.

use antiphon::inbox::{Activation, Body, Inbox};
use std::mem::ManuallyDrop;
use std::sync::Arc;

fn make<B: Body>(inbox: Arc<Inbox<B>>) -> Activation<B> {
    Activation { inbox: ManuallyDrop::new(inbox) }
}

fn main() {}
