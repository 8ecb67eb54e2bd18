//! Signals that the process is sent.

use std::convert::Infallible;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use antiphon::io::Signal;
use antiphon::io::signals::{self, Command};
use antiphon::{Address, Exit, Node};
use antiphon_harness::{Scenario, check, reached};
use antiphon_spec::Guarantee;
use rustix::process::{self, getpid, kill_process};

use crate::parts::{LONG, on_a_node, own};
use crate::tally::{ask, fault};
use crate::{Fault, SERVED};

pub(crate) const SCENARIOS: &[Scenario] = catalogue! {
    "signals/storm/500", SERVED, ["received", "last one received"], storm(500);
    "signals/storm-of-another/500", SERVED, ["received", "answered"], another_storms(500);
    "signals/owner-is-killed-in-a-storm/500", SERVED, ["received", "answered"], owner_is_killed(500);
};

pub(crate) const FAULTS: &[Fault] =
    &[("signals in storms", &["signals/storm-of-another/500", "signals/owner-is-killed-in-a-storm/500"])];

fn raise(signal: process::Signal) {
    kill_process(getpid(), signal).expect("a process may signal itself");
}

/// Signals come faster than they are taken; the last is received all the same, after a change of the set.
fn storm(number: usize) {
    on_a_node(|node| {
        let (tell, told) = mpsc::channel();
        let (reader, handler) = signals::signals([Signal::User1], move |received| {
            reached("received");
            tell.send(received.signal()).map_err(|_| Exit::Normal)
        })
        .expect("there are descriptors");
        let (_, meta) = own(node, move |context| Ok(context.spawn_meta(reader, handler)?));
        (0..number).for_each(|_| raise(process::Signal::USR1));
        drop(meta.send(Command::add(Signal::WindowChange)));
        let mut received = told.recv_timeout(LONG);
        check(received == Ok(Signal::User1), Guarantee::NoLoss, || "no signal of a storm came".into());
        // By itself it does nothing, so it may be sent before it is listened for.
        while received != Ok(Signal::WindowChange) {
            raise(process::Signal::WINCH);
            received = told.recv_timeout(std::time::Duration::from_millis(5));
        }
        reached("last one received");
    });
}

/// Starts a process that listens for one signal.
fn listen(node: &Node, signal: Signal) -> (Address<Infallible>, Receiver<Signal>) {
    let (tell, told) = mpsc::channel();
    let (reader, handler) = signals::signals([signal], move |received| {
        reached("received");
        // The scenario may have heard enough.
        let _ = tell.send(received.signal());
        Ok(())
    })
    .expect("there are descriptors");
    let (owner, _) = own(node, move |context| Ok(context.spawn_meta(reader, handler)?));
    (owner, told)
}

/// Sends another signal than the storm's, and waits for it: one by one they are not merged.
fn exchange(told: &Receiver<Signal>) {
    ask(|| {
        raise(process::Signal::USR2);
        let received = told.recv_timeout(LONG);
        if received == Ok(Signal::User2) { Ok(()) } else { Err(format!("{received:?} instead of a signal")) }
    });
}

/// Sends the process `number` signals of one kind, one after the other without waiting.
fn rage(number: usize) {
    for _ in 0..number {
        fault();
        raise(process::Signal::USR1);
    }
}

/// Signals of one kind storm; each of another kind is received all the same.
fn another_storms(number: usize) {
    on_a_node(|node| {
        let (_, storm) = listen(node, Signal::User1);
        let (_, other) = listen(node, Signal::User2);
        thread::scope(|scope| {
            scope.spawn(|| rage(number));
            (0..20).for_each(|_| exchange(&other));
        });
        let first = storm.recv_timeout(LONG);
        check(first == Ok(Signal::User1), Guarantee::NoLoss, || "no signal of a storm came".into());
    });
}

/// The owner of one that listens is killed while signals storm; another listens on.
fn owner_is_killed(number: usize) {
    on_a_node(|node| {
        let (owner, storm) = listen(node, Signal::User1);
        let (_, other) = listen(node, Signal::User2);
        thread::scope(|scope| {
            scope.spawn(|| rage(number));
            let first = storm.recv_timeout(LONG);
            check(first == Ok(Signal::User1), Guarantee::NoLoss, || "no signal of a storm came".into());
            exchange(&other);
            node.kill(&owner);
            (0..10).for_each(|_| exchange(&other));
        });
        // What it had is dropped with it.
        let ended = storm.iter().count() <= number;
        check(ended, Guarantee::NoDuplication, || "there are more signals than were sent".into());
    });
}
