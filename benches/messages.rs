//! What a message and a spawn cost: `cargo bench --bench messages`.
//!
//! "Burst" is a sender that never gives way, "yields" one that does after each 256 messages. The time goes from
//! the first send until the last message is handled.

mod support;

use std::convert::Infallible;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use antiphon::{Actor, Address, Context, Exit, Node};
use support::{Subject, compare, scale};

const LONG: Duration = Duration::from_secs(60);

/// Tells when it has handled as many messages as expected.
struct Counter {
    left: usize,
    done: mpsc::Sender<()>,
}

impl Actor for Counter {
    type Message = u64;

    fn handle(&mut self, _: u64, _: &mut Context<'_, u64>) -> Result<(), Exit> {
        self.left -= 1;
        if self.left == 0 {
            self.done.send(())?;
        }
        Ok(())
    }
}

fn give_way(message: usize, every: Option<usize>) {
    if every.is_some_and(|every| message % every == every - 1) {
        thread::yield_now();
    }
}

/// `senders` threads send to one actor.
fn sends(senders: usize, every: Option<usize>) -> (Duration, usize) {
    let each = scale(1_000_000) / senders;
    let node = Node::new();
    let (done, is_done) = mpsc::channel();
    let counter = node.spawn(Counter { left: senders * each, done }).expect("the node is up");
    let begin = Instant::now();
    thread::scope(|scope| {
        for _ in 0..senders {
            scope.spawn(|| {
                for message in 0..each {
                    counter.send(message as u64).expect("the counter lives");
                    give_way(message, every);
                }
            });
        }
    });
    is_done.recv_timeout(LONG).expect("all messages are handled");
    let time = begin.elapsed();
    node.stop(LONG).expect("nothing hangs");
    (time, senders * each)
}

/// The same between two bare threads.
fn bare_sends(senders: usize, every: Option<usize>) -> (Duration, usize) {
    let each = scale(1_000_000) / senders;
    let (sender, receiver) = mpsc::channel();
    let begin = Instant::now();
    thread::scope(|scope| {
        for _ in 0..senders {
            let sender = sender.clone();
            scope.spawn(move || {
                for message in 0..each {
                    sender.send(message as u64).expect("the receiver lives");
                    give_way(message, every);
                }
            });
        }
        drop(sender);
        assert_eq!(receiver.iter().count(), senders * each);
    });
    (begin.elapsed(), senders * each)
}

/// Sends back what it is sent, one less.
struct Player {
    other: Option<Address<Ball>>,
    done: mpsc::Sender<()>,
}

enum Ball {
    Meet(Address<Ball>),
    Hops(usize),
}

impl Actor for Player {
    type Message = Ball;

    fn handle(&mut self, ball: Ball, _: &mut Context<'_, Ball>) -> Result<(), Exit> {
        match ball {
            Ball::Meet(other) => self.other = Some(other),
            Ball::Hops(0) => self.done.send(())?,
            Ball::Hops(left) => {
                if let Some(other) = &self.other {
                    other.send(Ball::Hops(left - 1))?;
                }
            }
        }
        Ok(())
    }
}

fn ping_pong() -> (Duration, usize) {
    let hops = scale(1_000_000);
    let node = Node::new();
    let (done, is_done) = mpsc::channel();
    let player = || Player { other: None, done: done.clone() };
    let (ping, pong) = (node.spawn(player()).expect("up"), node.spawn(player()).expect("up"));
    ping.send(Ball::Meet(pong.clone())).expect("both live");
    pong.send(Ball::Meet(ping.clone())).expect("both live");
    let begin = Instant::now();
    ping.send(Ball::Hops(hops)).expect("both live");
    is_done.recv_timeout(LONG).expect("all hops are made");
    let time = begin.elapsed();
    node.stop(LONG).expect("nothing hangs");
    (time, hops)
}

/// Does nothing, for ever.
struct Idle;

impl Actor for Idle {
    type Message = Infallible;

    fn handle(&mut self, message: Infallible, _: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        match message {}
    }
}

/// Spawns processes that stay; their end is not counted.
fn spawns() -> (Duration, usize) {
    let count = scale(100_000);
    let node = Node::new();
    let begin = Instant::now();
    for _ in 0..count {
        node.spawn(Idle).expect("the node is up");
    }
    let time = begin.elapsed();
    node.stop(LONG).expect("nothing hangs");
    (time, count)
}

fn main() {
    let yields = Some(256);
    compare(vec![
        Subject::per_step("send 1->1, burst", || sends(1, None)),
        Subject::per_step("send 1->1, yields", || sends(1, yields)),
        Subject::per_step("send 2->1, burst", || sends(2, None)),
        Subject::per_step("send 2->1, yields", || sends(2, yields)),
        Subject::per_step("bare std channel 1->1, burst", || bare_sends(1, None)),
        Subject::per_step("bare std channel 1->1, yields", || bare_sends(1, yields)),
        Subject::per_step("bare std channel 2->1, burst", || bare_sends(2, None)),
        Subject::per_step("ping-pong, one hop between two actors", ping_pong),
        Subject::per_step("spawn a process", spawns),
    ]);
}
