//! Timers, against whoever cancels them and against the ends of their owners.
//!
//! One that is due at once is fired at any moment from when it is set, on every engine; one that is due later is
//! fired whenever the engine lets its time come.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use antiphon::{Actor, Address, Context, Exit, Node, Timer};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use platform::sync::Arc;

use crate::doer::{Doer, order};
use crate::parts::{Clerk, EVER, Gate, Mail, Order, node, planned_panic, start, stop};

/// A delay of which the model decides how long it takes.
pub(crate) const SOME: Duration = Duration::from_millis(1);

/// How often something was heard; std's count on purpose: telling is no part of what is explored. The `Arc` is
/// the engine's, so that it sees it freed.
#[derive(Clone)]
struct Tally(Arc<AtomicU64>);

impl Tally {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(0)))
    }

    fn mail(&self) -> Mail {
        let tally = self.clone();
        Mail::order(Order::Do(Box::new(move || _ = tally.0.fetch_add(1, Ordering::Relaxed))))
    }

    fn mail_opening(&self, gate: &Gate) -> Mail {
        let (tally, gate) = (self.clone(), gate.clone());
        Mail::order(Order::Do(Box::new(move || {
            tally.0.fetch_add(1, Ordering::Relaxed);
            gate.open();
        })))
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Cancels a timer while it is fired: it was cancelled, or its message came.
pub(crate) fn cancel_against_fire(delay: Duration) {
    let node = node();
    let clerk = node.spawn(Clerk::new()).expect("the node is up");
    let tally = Tally::new();
    let gate = Gate::new();
    let timer = node.send_after(&clerk, tally.mail_opening(&gate), delay).expect("the clerk lives");
    let cancelled = node.cancel(timer);
    reached(if cancelled { "cancelled" } else { "too late" });
    check(!node.cancel(timer), Guarantee::TimerOutcome, || "it was cancelled twice".into());
    if !cancelled {
        // Where it was not sent either, this is a deadlock.
        gate.pass();
    }
    stop(&node);
    check(u64::from(cancelled) + tally.count() == 1, Guarantee::TimerOutcome, || {
        format!("cancelled: {cancelled}, and handled: {}", tally.count())
    });
}

/// Two threads cancel one timer: at most one comes in time.
pub(crate) fn two_cancel() {
    let node = node();
    let clerk = node.spawn(Clerk::new()).expect("the node is up");
    let timer = node.send_after(&clerk, Mail::new(), EVER).expect("the clerk lives");
    let theirs = Tally::new();
    let thread = {
        let (node, theirs) = (node.clone(), theirs.clone());
        start(move || _ = theirs.0.fetch_add(u64::from(node.cancel(timer)), Ordering::Relaxed))
    };
    let ours = node.cancel(timer);
    thread.join();
    reached(if ours { "this one came in time" } else { "the other came in time" });
    check(u64::from(ours) + theirs.count() == 1, Guarantee::TimerOutcome, || {
        "not exactly one has cancelled it".into()
    });
    stop(&node);
}

/// The owner ends while its timer for another actor is fired: when it has ended, nothing is sent any more.
pub(crate) fn owner_ends_against_fire(delay: Duration) {
    let node = node();
    let owner = Doer::default().spawn(&node);
    let clerk = node.spawn(Clerk::new()).expect("the node is up");
    let tally = Tally::new();
    {
        let (clerk, mail) = (clerk.clone(), tally.mail());
        order(&owner, move |context| {
            context.send_after(&clerk, mail, delay)?;
            Ok(())
        });
    }
    node.exit(&owner, Exit::Normal);
    stop(&node);
    let (handled, refused) = (tally.count(), node.refused_timers());
    reached(if handled + refused == 0 { "not sent" } else { "sent" });
    check(handled + refused <= 1, Guarantee::TimerOutcome, || {
        format!("handled {handled}, refused {refused}")
    });
}

/// A plain thread sets a timer for an actor that ends: it belongs to that actor, or comes too late.
pub(crate) fn set_against_end() {
    let node = node();
    let clerk = node.spawn(Clerk::new()).expect("the node is up");
    let thread = {
        let (node, clerk) = (node.clone(), clerk.clone());
        start(move || node.exit(&clerk, Exit::Normal))
    };
    let set = node.send_after(&clerk, Mail::new(), EVER);
    reached(if set.is_ok() { "set" } else { "refused" });
    thread.join();
    if let Ok(timer) = set {
        check(!node.cancel(timer), Guarantee::TimerOutcome, || "a timer has outlived its owner".into());
    }
    stop(&node);
}

/// What a timer can send, a few times: then its copying panics, which ends the timer. A model's time may run for
/// ever while nobody else does.
struct Tick(Tally);

impl Clone for Tick {
    fn clone(&self) -> Self {
        if self.0.0.fetch_add(1, Ordering::Relaxed) == 3 {
            reached("clone panicked");
            planned_panic();
        }
        Self(self.0.clone())
    }
}

/// Ends at its second tick.
struct Clock(u64);

impl Actor for Clock {
    type Message = Tick;

    fn handle(&mut self, _: Tick, _: &mut Context<'_, Tick>) -> Result<(), Exit> {
        self.0 += 1;
        reached(if self.0 == 1 { "first tick" } else { "second tick" });
        if self.0 < 2 { Ok(()) } else { Err(Exit::Normal) }
    }
}

fn clock(node: &Node) -> (Address<Tick>, Timer) {
    let clock = node.spawn(Clock(0)).expect("the node is up");
    let timer = node.send_every(&clock, Tick(Tally::new()), SOME).expect("the clock lives");
    (clock, timer)
}

/// A timer that repeats, against the end of its node.
pub(crate) fn every_against_stop() {
    let node = node();
    clock(&node);
    stop(&node);
}

/// A timer that repeats, against whoever cancels it.
pub(crate) fn every_against_cancel() {
    let node = node();
    let (_, timer) = clock(&node);
    reached(if node.cancel(timer) { "cancelled" } else { "too late" });
    check(!node.cancel(timer), Guarantee::TimerOutcome, || "it was cancelled, and goes on".into());
    stop(&node);
}

/// The node stops with timers pending that are never due.
pub(crate) fn stop_with_pending() {
    let node = node();
    let clerk = node.spawn(Clerk::new()).expect("the node is up");
    let thread = {
        let (node, clerk) = (node.clone(), clerk.clone());
        start(move || {
            let set = node.send_after(&clerk, Mail::new(), EVER);
            reached(if set.is_ok() { "set" } else { "refused" });
        })
    };
    stop(&node);
    thread.join();
}

/// A second timer is set when the first is over, and the thread of the timers has had nothing to wait for.
pub(crate) fn one_after_another() {
    let node = node();
    let clerk = node.spawn(Clerk::new()).expect("the node is up");
    for over in ["the first", "the second"] {
        let gate = Gate::new();
        let set = node.send_after(&clerk, Mail::order(Order::Open(gate.clone())), Duration::ZERO);
        check(set.is_ok(), Guarantee::TimerOutcome, || format!("{over} is refused, and the clerk lives"));
        // Where the thread sleeps on, this is a deadlock.
        gate.pass();
        reached(over);
    }
    stop(&node);
}

/// A timer that was set later and is due earlier goes first; the thread that sleeps for the other is woken.
pub(crate) fn earlier_one_set_later() {
    let node = node();
    let clerk = node.spawn(Clerk::new()).expect("the node is up");
    node.send_after(&clerk, Mail::new(), EVER).expect("the clerk lives");
    let gate = Gate::new();
    node.send_after(&clerk, Mail::order(Order::Open(gate.clone())), Duration::ZERO).expect("the clerk lives");
    // Where the thread sleeps on, this is a deadlock.
    gate.pass();
    reached("woken");
    stop(&node);
}
