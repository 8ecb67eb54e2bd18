//! An address accepts only its actor's messages.

use antiphon::Address;

fn send(address: &Address<String>) {
    let _ = address.send(42);
}

fn main() {}
