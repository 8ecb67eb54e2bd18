//! A refused message can't be overlooked.
#![deny(unused_must_use)]

use antiphon::Address;

fn send(address: &Address<String>) {
    address.send("venite".into());
}

fn main() {}
