//! Supervisors: failures, restarts and ends of them, against each other.
//!
//! What a supervisor may do is judged by the specification (`restart-discipline`); a scenario makes it happen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use antiphon::supervisor::{ChildId, Request, Restart, Strategy};
use antiphon::{Actor, Address, Child, Context, Exit, Node, Supervisor};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;

use crate::doer::{Doer, order};
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

/// A child that tells when it has come to life.
struct Ward {
    /// Not the first incarnation.
    again: bool,
    alive: Count,
    with_reader: bool,
    ended: Option<Gate>,
}

impl Actor for Ward {
    type Message = Mail;

    fn init(&mut self, context: &mut Context<'_, Mail>) -> Result<(), Exit> {
        if self.with_reader {
            context.spawn_meta(blocked(), Clerk::new())?;
        }
        if self.again {
            reached("restarted");
        }
        self.alive.down();
        Ok(())
    }

    fn handle(&mut self, mail: Mail, _: &mut Context<'_, Mail>) -> Result<(), Exit> {
        mail.obey()
    }

    fn terminate(&mut self, reason: &Exit, _: &mut Context<'_, Mail>) {
        if *reason == Exit::Killed {
            reached("killed");
        }
        self.ended.iter().for_each(Gate::open);
    }
}

const NAMES: [&str; 2] = ["first", "second"];

/// What is asked of the wards of a scenario.
#[derive(Clone)]
struct Wards {
    alive: Count,
    with_reader: bool,
    ended: Option<Gate>,
}

impl Wards {
    /// They tell when they have come to life so often, all together.
    fn telling(alive: &Count) -> Self {
        Self { alive: alive.clone(), with_reader: false, ended: None }
    }

    fn child(&self, name: &str) -> Child {
        let Self { alive, with_reader, ended } = self.clone();
        let mut again = false;
        let make = move || Ward {
            again: std::mem::replace(&mut again, true),
            alive: alive.clone(),
            with_reader,
            ended: ended.clone(),
        };
        Child::new(make).named(name).shutdown(EVER)
    }

    /// Starts a supervisor of so many of them, with the number of failures that it puts up with.
    fn supervised(
        &self,
        node: &Node,
        strategy: Strategy,
        restarts: u32,
        children: usize,
    ) -> Address<Request> {
        let supervisor = Supervisor::new(strategy).restarts(restarts, EVER);
        let children = NAMES[..children].iter().map(|name| self.child(name));
        node.spawn(children.fold(supervisor, Supervisor::child)).expect("the node is up")
    }
}

fn find(node: &Node, name: &str) -> Address<Mail> {
    node.lookup(name).expect("a child that is up can be found")
}

fn fail(child: &Address<Mail>) -> bool {
    send(child, Mail::order(Order::End(Exit::Failed("planned".into()))))
}

/// A child fails while another thread sends to it: it is restarted.
pub(crate) fn restart(with_reader: bool) {
    let node = node();
    let alive = Count::to(2);
    let wards = Wards { with_reader, ..Wards::telling(&alive) };
    let _supervisor = wards.supervised(&node, Strategy::OneForOne, 1, 1);
    let child = find(&node, NAMES[0]);
    let thread = (!with_reader).then(|| {
        let child = child.clone();
        start(move || {
            send(&child, Mail::new());
        })
    });
    fail(&child);
    // Without a restart this is a deadlock.
    alive.gate.pass();
    thread.into_iter().for_each(|thread| thread.join());
    stop(&node);
}

/// A child fails while another thread sends to its sibling: who has to be is restarted.
pub(crate) fn failure(strategy: Strategy, failing: usize, restarted: u64) {
    let node = node();
    let alive = Count::to(2 + restarted);
    let _supervisor = Wards::telling(&alive).supervised(&node, strategy, 2, 2);
    let [victim, sibling] = [failing, 1 - failing].map(|child| find(&node, NAMES[child]));
    let thread = start(move || {
        send(&sibling, Mail::new());
    });
    fail(&victim);
    alive.gate.pass();
    thread.join();
    stop(&node);
}

/// Both children fail at the same time: as one failure of the group, or as two.
pub(crate) fn two_failures(strategy: Strategy) {
    let node = node();
    let alive = Count::to(4);
    let _supervisor = Wards::telling(&alive).supervised(&node, strategy, 2, 2);
    let [first, second] = NAMES.map(|name| find(&node, name));
    let thread = start(move || {
        fail(&second);
    });
    fail(&first);
    alive.gate.pass();
    thread.join();
    stop(&node);
}

/// A transient child is done while another thread sends to it: it is left alone.
pub(crate) fn normal_end() {
    let node = node();
    let child = Wards::telling(&Count::to(1)).child(NAMES[0]).restart(Restart::Transient);
    let supervisor = Supervisor::new(Strategy::OneForOne).child(child);
    let supervisor = node.spawn(supervisor).expect("the node is up");
    let child = find(&node, NAMES[0]);
    let thread = {
        let child = child.clone();
        start(move || {
            send(&child, Mail::new());
        })
    };
    send(&child, Mail::order(Order::End(Exit::Normal)));
    thread.join();
    let children = node.call(&supervisor, Request::children, EVER).expect("it answers");
    check(children.is_empty(), Guarantee::RestartDiscipline, || format!("still there: {children:?}"));
    stop(&node);
}

/// One failure too many, while another thread sends to a sibling: the supervisor gives up.
pub(crate) fn gives_up() {
    let node = node();
    let told = Gate::new();
    let watcher = Doer::opening_on_down(&told).spawn(&node);
    let supervisor = Wards::telling(&Count::to(2)).supervised(&node, Strategy::OneForOne, 0, 2);
    order(&watcher, move |context| {
        context.monitor(&supervisor);
        Ok(())
    });
    let [victim, sibling] = NAMES.map(|name| find(&node, name));
    let thread = start(move || {
        send(&sibling, Mail::new());
    });
    fail(&victim);
    // Unless it gives up, this is a deadlock.
    told.pass();
    let left = NAMES.iter().find(|name| node.lookup::<Mail>(name).is_some());
    check(left.is_none(), Guarantee::RestartDiscipline, || format!("{left:?} outlives its supervisor"));
    thread.join();
    stop(&node);
}

/// How a supervisor is told to end.
#[derive(Clone, Copy)]
pub(crate) enum Told {
    Exit,
    Kill,
}

/// A child fails while its supervisor is told to end: it may be restarted, and ends in any case.
pub(crate) fn end_against_failure(told: Told, strategy: Strategy) {
    let node = node();
    let supervisor = Wards::telling(&Count::to(4)).supervised(&node, strategy, 1, 2);
    let victim = find(&node, NAMES[0]);
    let thread = start(move || {
        fail(&victim);
    });
    match told {
        Told::Exit => node.exit(&supervisor, Exit::Shutdown),
        Told::Kill => node.kill(&supervisor),
    }
    thread.join();
    stop(&node);
    let left = NAMES.iter().find(|name| node.lookup::<Mail>(name).is_some());
    check(left.is_none(), Guarantee::RestartDiscipline, || format!("{left:?} outlives its supervisor"));
}

/// A child is added while the supervisor is told to end: it is started and ends, or is refused.
pub(crate) fn start_against_exit() {
    let node = node();
    let wards = Wards::telling(&Count::to(2));
    let supervisor = wards.supervised(&node, Strategy::Dynamic, 1, 1);
    let thread = {
        let (node, supervisor, child) = (node.clone(), supervisor.clone(), wards.child(NAMES[1]));
        start(move || {
            let started = node.call(&supervisor, |reply| Request::start(child, reply), EVER);
            reached(if matches!(started, Ok(Ok(_))) { "started" } else { "not started" });
        })
    };
    node.exit(&supervisor, Exit::Shutdown);
    thread.join();
    stop(&node);
}

/// A child is removed while it fails: whichever came first, it is gone in the end.
pub(crate) fn stop_against_failure() {
    let node = node();
    let supervisor = Wards::telling(&Count::to(1)).supervised(&node, Strategy::OneForOne, 1, 1);
    let victim = find(&node, NAMES[0]);
    let thread = start(move || {
        fail(&victim);
    });
    let stopped = node.call(&supervisor, |reply| Request::stop(ChildId(0), reply), EVER);
    check(stopped == Ok(true), Guarantee::RestartDiscipline, || format!("{stopped:?}"));
    thread.join();
    check(node.lookup::<Mail>(NAMES[0]).is_none(), Guarantee::RestartDiscipline, || {
        "a child that was removed is there".into()
    });
    stop(&node);
}

/// A leaf fails, so its supervisor gives up, and is restarted by the one above it.
pub(crate) fn tree() {
    let node = node();
    let alive = Count::to(2);
    let wards = Wards::telling(&alive);
    let branch = Child::new(move || {
        Supervisor::new(Strategy::OneForOne).restarts(0, EVER).child(wards.child(NAMES[0]))
    });
    let root = Supervisor::new(Strategy::OneForOne).restarts(1, EVER).child(branch.shutdown(EVER));
    node.spawn(root).expect("the node is up");
    let leaf = find(&node, NAMES[0]);
    let thread = {
        let leaf = leaf.clone();
        start(move || {
            send(&leaf, Mail::new());
        })
    };
    fail(&leaf);
    alive.gate.pass();
    reached("the branch was restarted");
    thread.join();
    stop(&node);
}

/// A child is in a callback when it has to end: when its time is over it is killed, and the next is told.
pub(crate) fn overdue() {
    let node = node();
    let ended = Gate::new();
    let wards = Wards::telling(&Count::to(2));
    let first = Wards { ended: Some(ended.clone()), ..wards.clone() }.child(NAMES[0]);
    let second = wards.child(NAMES[1]).shutdown(Duration::from_millis(1));
    let supervisor = Supervisor::new(Strategy::OneForOne).child(first).child(second);
    let supervisor = node.spawn(supervisor).expect("the node is up");
    let (busy, hold) = (Gate::new(), Gate::new());
    let thread = {
        let (busy, hold, child) = (busy.clone(), hold.clone(), find(&node, NAMES[1]));
        start(move || {
            let deed = move || {
                busy.open();
                hold.pass();
            };
            send(&child, Mail::order(Order::Do(Box::new(deed))));
        })
    };
    busy.pass();
    node.exit(&supervisor, Exit::Shutdown);
    // Without a deadline this is a deadlock.
    ended.pass();
    hold.open();
    thread.join();
    stop(&node);
}
