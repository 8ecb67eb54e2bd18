//! An activation can't be cloned.

use antiphon::inbox::{Activation, Body};

fn both<B: Body>(activation: Activation<B>) -> (Activation<B>, Activation<B>) {
    (activation.clone(), activation)
}

fn main() {}
