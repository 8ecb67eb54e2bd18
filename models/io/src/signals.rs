//! Signals that the process is sent.

use std::sync::mpsc;

use antiphon::Exit;
use antiphon::io::Signal;
use antiphon::io::signals::{self, Command};
use antiphon_harness::{Scenario, check, reached};
use antiphon_spec::Guarantee;
use rustix::process::{self, getpid, kill_process};

use crate::SERVED;
use crate::parts::{LONG, on_a_node, own};

pub(crate) const SCENARIOS: &[Scenario] = catalogue! {
    "signals/storm/500", SERVED, ["received", "last one received"], storm(500);
    "signals/owner-ends-in-a-storm/200", SERVED, ["received"], owner_ends(200);
};

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

/// The owner ends while signals come.
fn owner_ends(number: usize) {
    on_a_node(|node| {
        let (tell, told) = mpsc::channel();
        let (reader, handler) = signals::signals([Signal::User1], move |received| {
            reached("received");
            // The scenario may have heard enough.
            let _ = tell.send(received.signal());
            Ok(())
        })
        .expect("there are descriptors");
        let (owner, _) = own(node, move |context| Ok(context.spawn_meta(reader, handler)?));
        raise(process::Signal::USR1);
        let first = told.recv_timeout(LONG);
        check(first == Ok(Signal::User1), Guarantee::NoLoss, || "no signal came".into());
        for place in 0..number {
            raise(process::Signal::USR1);
            if place == number / 2 {
                node.exit(&owner, Exit::Normal);
            }
        }
    });
}
