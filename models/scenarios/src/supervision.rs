//! Supervisors: failures, restarts and ends of them, against each other.
//!
//! What a supervisor may do is judged by the specification (`restart-discipline`); a scenario makes it happen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use antiphon::supervisor::{Request, Strategy};
use antiphon::{Actor, Address, Child, Context, Exit, Node, Supervisor};
use antiphon_harness::reached;

use crate::parts::{Clerk, EVER, Gate, Mail, Order, blocked, node, send, start, stop};

/// Opens when something has happened so often.
#[derive(Clone)]
struct Count {
    left: Arc<AtomicU64>,
    gate: Gate,
}

impl Count {
    fn to(number: u64) -> Self {
        // std's counter on purpose: telling is no part of what is explored.
        Self { left: Arc::new(AtomicU64::new(number)), gate: Gate::new() }
    }

    fn down(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.gate.open();
        }
    }
}

/// A child that tells when it has come to life, with a Reader beside it or without.
struct Ward {
    alive: Count,
    with_reader: bool,
}

impl Actor for Ward {
    type Message = Mail;

    fn init(&mut self, context: &mut Context<'_, Mail>) -> Result<(), Exit> {
        if self.with_reader {
            context.spawn_meta(blocked(), Clerk::new())?;
        }
        self.alive.down();
        Ok(())
    }

    fn handle(&mut self, mail: Mail, _: &mut Context<'_, Mail>) -> Result<(), Exit> {
        mail.obey()
    }
}

const NAMES: [&str; 3] = ["first", "second", "third"];

fn ward(name: &str, alive: &Count) -> Child {
    let alive = alive.clone();
    Child::new(move || Ward { alive: alive.clone(), with_reader: false }).named(name).shutdown(EVER)
}

/// Starts a supervisor of `children` that tells how often they have come to life.
fn supervised(node: &Node, strategy: Strategy, children: usize, alive: &Count) -> Address<Request> {
    let supervisor = Supervisor::new(strategy).restarts(2, EVER);
    let children = NAMES[..children].iter().map(|name| ward(name, alive));
    node.spawn(children.fold(supervisor, Supervisor::child)).expect("the node is up")
}

fn find(node: &Node, name: &str) -> Address<Mail> {
    node.lookup(name).expect("a child that is up can be found")
}

fn fail(child: &Address<Mail>) -> bool {
    send(child, Mail::order(Order::End(Exit::Failed("planned".into()))))
}

/// A child fails while another thread sends to it and to its sibling: who has to be is restarted.
pub(crate) fn failure(strategy: Strategy, failing: usize, restarted: u64) {
    let node = node();
    let alive = Count::to(2 + restarted);
    let _supervisor = supervised(&node, strategy, 2, &alive);
    let [victim, sibling] = [failing, 1 - failing].map(|child| find(&node, NAMES[child]));
    let thread = start(move || {
        send(&sibling, Mail::new());
    });
    fail(&victim);
    // Without a restart this is a deadlock.
    alive.gate.pass();
    reached("restarted");
    thread.join();
    stop(&node);
}
