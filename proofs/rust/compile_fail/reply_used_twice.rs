//! A call is answered at most once.

use antiphon::Reply;

fn answer(reply: Reply<u64>) {
    let _ = reply.send(1);
    let _ = reply.send(2);
}

fn main() {}
