//! A call is answered with what was asked for.

use antiphon::Reply;

fn answer(reply: Reply<u64>) {
    let _ = reply.send("five");
}

fn main() {}
