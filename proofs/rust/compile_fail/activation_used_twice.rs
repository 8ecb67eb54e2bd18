//! An activation is used up by what ends it.

use antiphon::inbox::{Activation, Body};

fn twice<B: Body>(activation: Activation<B>) {
    let _ = activation.into_task();
    let _ = activation.close();
}

fn main() {}
