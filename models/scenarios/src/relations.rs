//! Monitors, links and names, against the ends that they tell of.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use antiphon::{Address, Exit, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;

use crate::doer::{Deed, Doer, order};
use crate::parts::{Clerk, Gate, Mail, node, send, start, stop};

/// A monitor is placed while its target ends: the watcher is told, once.
pub(crate) fn monitor_against_end() {
    let node = node();
    let told = Gate::new();
    let watcher = Doer::opening_on_down(&told).spawn(&node);
    let target = node.spawn(Clerk::new()).expect("the node is up");
    let thread = {
        let target = target.clone();
        start(move || {
            order(&watcher, move |context| {
                context.monitor(&target);
                Ok(())
            });
        })
    };
    node.exit(&target, Exit::Failed("planned".into()));
    thread.join();
    // Without a Down this is a deadlock.
    told.pass();
    stop(&node);
}

/// A monitor is placed and taken back while its target ends: after that, no Down.
pub(crate) fn demonitor_against_end() {
    let node = node();
    let watcher = Doer::default().spawn(&node);
    let target = node.spawn(Clerk::new()).expect("the node is up");
    let thread = {
        let target = target.clone();
        start(move || {
            order(&watcher, move |context| {
                let monitor = context.monitor(&target);
                if context.demonitor(monitor) {
                    reached("taken back");
                }
                Ok(())
            });
        })
    };
    node.exit(&target, Exit::Normal);
    thread.join();
    stop(&node);
}

/// Watcher and target end at the same time; nobody is left with a registration.
pub(crate) fn both_ends_of_a_monitor() {
    let node = node();
    let watcher = Doer::default().spawn(&node);
    let target = node.spawn(Clerk::new()).expect("the node is up");
    {
        let target = target.clone();
        order(&watcher, move |context| {
            context.monitor(&target);
            Ok(())
        });
    }
    let thread = {
        let (node, target) = (node.clone(), target.clone());
        start(move || node.exit(&target, Exit::Normal))
    };
    node.exit(&watcher, Exit::Normal);
    thread.join();
    stop(&node);
}

fn link(from: &Address<Deed>, to: &Address<Mail>) {
    let to = to.clone();
    order(from, move |context| {
        context.link(&to);
        Ok(())
    });
}

/// A link is placed while the other ends abnormally: this one ends too, or traps it.
pub(crate) fn link_against_end(trap: bool) {
    let node = node();
    let told = Gate::new();
    let doer = if trap { Doer::trapping(&told) } else { Doer::default() }.spawn(&node);
    let other = node.spawn(Clerk::new()).expect("the node is up");
    let thread = {
        let (doer, other) = (doer.clone(), other.clone());
        start(move || link(&doer, &other))
    };
    node.exit(&other, Exit::Failed("planned".into()));
    thread.join();
    if trap {
        told.pass();
        check(order(&doer, |_| Ok(())), Guarantee::LinkPropagation, || "it trapped, and ended".into());
    } else {
        check(!order(&doer, |_| Ok(())), Guarantee::LinkPropagation, || {
            "its linked actor ended, it did not".into()
        });
    }
    stop(&node);
}

/// A normal end is not propagated.
pub(crate) fn link_and_normal_end() {
    let node = node();
    let doer = Doer::default().spawn(&node);
    let other = node.spawn(Clerk::new()).expect("the node is up");
    link(&doer, &other);
    let thread = {
        let (node, other) = (node.clone(), other.clone());
        start(move || node.exit(&other, Exit::Normal))
    };
    let alive = order(&doer, |_| Ok(()));
    thread.join();
    check(alive && order(&doer, |_| Ok(())), Guarantee::LinkPropagation, || {
        "a normal end was propagated".into()
    });
    stop(&node);
}

const NAME: &str = "clerk";

fn named(node: &Node) -> Option<Address<Mail>> {
    node.spawn_named(NAME, Clerk::new()).ok()
}

/// A name is looked up while its actor ends; when that is told, the name is free.
pub(crate) fn name_against_end() {
    let node = node();
    let told = Gate::new();
    let watcher = Doer::opening_on_down(&told).spawn(&node);
    let first = named(&node).expect("nobody has the name yet");
    {
        let first = first.clone();
        order(&watcher, move |context| {
            context.monitor(&first);
            Ok(())
        });
    }
    let thread = {
        let node = node.clone();
        start(move || match node.lookup::<Mail>(NAME) {
            Some(found) => {
                reached("found");
                send(&found, Mail::new());
            }
            None => reached("not found"),
        })
    };
    node.exit(&first, Exit::Normal);
    told.pass();
    check(named(&node).is_some(), Guarantee::NameValidity, || {
        "told of the end, and the name is taken".into()
    });
    thread.join();
    stop(&node);
}

/// Two actors want one name: one gets it.
pub(crate) fn two_want_a_name() {
    let node = node();
    // std's flag: telling is no part of what is explored.
    let theirs = Arc::new(AtomicBool::new(false));
    let thread = {
        let (node, theirs) = (node.clone(), theirs.clone());
        start(move || {
            let got = named(&node).is_some();
            theirs.store(got, Ordering::Relaxed);
            reached(if got { "the other got it" } else { "this one got it" });
        })
    };
    let ours = named(&node).is_some();
    check(ours || node.lookup::<Mail>(NAME).is_some(), Guarantee::NameValidity, || "nobody got it".into());
    thread.join();
    check(ours != theirs.load(Ordering::Relaxed), Guarantee::NameValidity, || "both got it".into());
    stop(&node);
}
