//! Calls, against ends, timeouts and each other.

use std::time::Duration;

use antiphon::{Address, CallError, Exit, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;

use crate::doer::{Deed, Doer, order};
use crate::parts::{EVER, Gate, node, start, stop};

fn call(node: &Node, to: &Address<Deed>, timeout: Duration) -> Result<u64, CallError> {
    let result = node.call(to, Deed::Answer, timeout);
    reached(outcome(&result));
    result
}

fn outcome(result: &Result<u64, CallError>) -> &'static str {
    match result {
        Ok(_) => "reply",
        Err(CallError::Refused) => "refused",
        Err(CallError::Terminated) => "terminated",
        Err(CallError::Timeout) => "timeout",
        Err(_) => "deadlock",
    }
}

/// Two threads call one actor.
pub(crate) fn two_callers() {
    let node = node();
    let callee = Doer::default().spawn(&node);
    let thread = {
        let (node, callee) = (node.clone(), callee.clone());
        start(move || _ = call(&node, &callee, EVER))
    };
    let replied = call(&node, &callee, EVER).is_ok();
    check(replied, Guarantee::CallOutcome, || "a live callee did not reply".into());
    thread.join();
    stop(&node);
}

/// A call while its callee ends: known at once, never by timeout.
pub(crate) fn call_against_end() {
    let node = node();
    let callee = Doer::default().spawn(&node);
    let thread = {
        let (node, callee) = (node.clone(), callee.clone());
        start(move || node.exit(&callee, Exit::Normal))
    };
    let result = call(&node, &callee, EVER);
    check(result != Err(CallError::Timeout), Guarantee::CallOutcome, || {
        "a timeout where none was set".into()
    });
    thread.join();
    stop(&node);
}

/// A callee that drops the reply, ends with it or panics.
pub(crate) fn dropped_reply() {
    let node = node();
    let callee = Doer::default().spawn(&node);
    let result = node.call(
        &callee,
        |reply: antiphon::Reply<u64>| {
            Deed::Do(Box::new(move |_| {
                drop(reply);
                Ok(())
            }))
        },
        EVER,
    );
    check(result == Err(CallError::Terminated), Guarantee::CallOutcome, || format!("{result:?}"));
    reached(outcome(&result));
    stop(&node);
}

/// A reply that is passed on, and given by another actor.
pub(crate) fn reply_passed_on() {
    let node = node();
    let second = Doer::default().spawn(&node);
    let first = Doer::default().spawn(&node);
    let thread = {
        let second = second.clone();
        start(move || _ = order(&second, |_| Ok(())))
    };
    let result = node.call(
        &first,
        |reply: antiphon::Reply<u64>| {
            Deed::Do(Box::new(move |_| {
                second.send(Deed::Answer(reply))?;
                Ok(())
            }))
        },
        EVER,
    );
    check(result == Ok(7), Guarantee::CallOutcome, || format!("{result:?}"));
    reached(outcome(&result));
    thread.join();
    stop(&node);
}

/// A callee that is busy for longer than the caller waits: the reply is late, dropped and counted.
pub(crate) fn late_reply() {
    let node = node();
    let callee = Doer::default().spawn(&node);
    let (busy, go_on) = (Gate::new(), Gate::new());
    let thread = {
        let (callee, busy, go_on) = (callee.clone(), busy.clone(), go_on.clone());
        start(move || {
            order(&callee, move |_| {
                busy.open();
                go_on.pass();
                Ok(())
            });
        })
    };
    busy.pass();
    let result = call(&node, &callee, Duration::from_millis(1));
    check(result == Err(CallError::Timeout), Guarantee::CallOutcome, || format!("{result:?}"));
    go_on.open();
    thread.join();
    check(node.late_replies() == 1, Guarantee::CallOutcome, || "the late reply was not counted".into());
    stop(&node);
}

fn call_from(caller: &Address<Deed>, callee: &Address<Deed>) {
    let callee = callee.clone();
    order(caller, move |context| {
        reached(outcome(&context.call(&callee, Deed::Answer, EVER)));
        Ok(())
    });
}

/// Two actors call each other at the same time: at least one is refused, and nobody waits for ever.
pub(crate) fn calls_that_close_a_cycle() {
    let node = node();
    let first = Doer::default().spawn(&node);
    let second = Doer::default().spawn(&node);
    let thread = {
        let (first, second) = (first.clone(), second.clone());
        start(move || call_from(&second, &first))
    };
    call_from(&first, &second);
    thread.join();
    stop(&node);
}

/// An actor that calls itself.
pub(crate) fn call_to_oneself() {
    let node = node();
    let doer = Doer::default().spawn(&node);
    call_from(&doer, &doer);
    stop(&node);
}
