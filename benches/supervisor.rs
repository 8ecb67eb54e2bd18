//! What a restart costs: `cargo bench --bench supervisor`.
//!
//! The time goes from the first failure of a child until its last incarnation has come to life. A restart is an end,
//! a Down, a decision and a spawn.

mod support;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use antiphon::supervisor::Strategy;
use antiphon::{Actor, Child, Context, Exit, Node, Supervisor};
use support::{Subject, compare, scale};

const LONG: Duration = Duration::from_secs(60);

/// Fails at once, as long as it is one of many.
struct Failing {
    left: usize,
    done: mpsc::Sender<()>,
}

impl Actor for Failing {
    type Message = ();

    fn init(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        match self.left {
            0 => Ok(self.done.send(())?),
            _ => Ok(context.address().send(())?),
        }
    }

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Err(Exit::Failed(String::new()))
    }
}

/// Does nothing, for ever.
struct Idle;

impl Actor for Idle {
    type Message = ();

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }
}

/// One child fails again and again, beside so many siblings.
fn restarts(strategy: Strategy, siblings: usize) -> (Duration, usize) {
    let count = scale(100_000) / (1 + siblings);
    let node = Node::new();
    let (done, is_done) = mpsc::channel();
    let mut left = count + 1;
    let failing = Child::new(move || {
        left -= 1;
        Failing { left, done: done.clone() }
    });
    // Nothing is given up: each failure is in a period of its own.
    let supervisor = Supervisor::new(strategy).restarts(u32::MAX, Duration::ZERO);
    let supervisor = (0..siblings).fold(supervisor, |supervisor, _| supervisor.child(Child::new(|| Idle)));
    let begin = Instant::now();
    node.spawn(supervisor.child(failing)).expect("its children start");
    is_done.recv_timeout(LONG).expect("the last incarnation comes to life");
    let time = begin.elapsed();
    node.stop(LONG).expect("nothing hangs");
    (time, count)
}

fn main() {
    compare(vec![
        Subject::per_step("restart, one-for-one, 1 child", || restarts(Strategy::OneForOne, 0)),
        Subject::per_step("restart, one-for-one, 1 of 10 children", || restarts(Strategy::OneForOne, 9)),
        Subject::per_step("restart, one-for-all, 10 children", || restarts(Strategy::OneForAll, 9)),
    ]);
}
