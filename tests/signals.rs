//! `io::signals` with real signals. Each test runs in a process of its own, for signals are the process's.

mod io_support;

use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use antiphon::io::Signal;
use antiphon::io::signals::{self, Received};
use antiphon::{Address, Exit, Node};
use io_support::*;
use rustix::process::{getpid, kill_process};

const ALL: [Signal; 9] = [
    Signal::HangUp,
    Signal::Interrupt,
    Signal::Quit,
    Signal::User1,
    Signal::User2,
    Signal::Terminate,
    Signal::Child,
    Signal::Continue,
    Signal::WindowChange,
];

fn raise(signal: Signal) {
    let signal = rustix::process::Signal::from_named_raw(signal.number()).expect("it is one of the system's");
    kill_process(getpid(), signal).expect("a process may signal itself");
}

/// A meta-process that receives `set`, and what it has received.
struct Listener {
    meta: Address<signals::Command>,
    received: Receiver<Received>,
}

fn listen(node: &Node, set: impl IntoIterator<Item = Signal>) -> Listener {
    let (to, received) = collect(node);
    let (reader, handler) = signals::signals(set, signals::forward(to)).expect("there are descriptors");
    let (tell, told) = std::sync::mpsc::channel();
    own(node, move |context| Ok(tell.send(context.spawn_meta(reader, handler)?)?));
    Listener { meta: told.recv().expect("the owner has begun"), received }
}

impl Listener {
    #[track_caller]
    fn next(&self) -> Received {
        self.received.recv_timeout(LONG).expect("a signal is received")
    }

    #[track_caller]
    fn expect(&self, signal: Signal) {
        assert_eq!(self.next().signal(), signal);
    }

    fn is_quiet(&self) -> bool {
        self.received.recv_timeout(Duration::from_millis(50)).is_err()
    }
}

#[test]
fn each_signal_is_received_under_its_name() {
    in_own_process("each_signal_is_received_under_its_name", &[], || {
        let node = Node::new();
        let listener = listen(&node, ALL);
        for signal in ALL {
            raise(signal);
            listener.expect(signal);
        }
        stop(&node);
    });
}

#[test]
fn the_command_kill_is_heard() {
    in_own_process("the_command_kill_is_heard", &[], || {
        let node = Node::new();
        let listener = listen(&node, [Signal::Terminate, Signal::User1]);
        for (option, signal) in [("-TERM", Signal::Terminate), ("-USR1", Signal::User1)] {
            let killed = Command::new("kill").args([option, &std::process::id().to_string()]).status();
            assert!(killed.expect("the system has kill").success());
            listener.expect(signal);
        }
        stop(&node);
    });
}

#[test]
fn a_signal_before_the_reader_begins_is_not_missed() {
    in_own_process("a_signal_before_the_reader_begins_is_not_missed", &[], || {
        let node = Node::new();
        let (to, received) = collect::<Received>(&node);
        let (reader, handler) =
            signals::signals([Signal::Terminate], signals::forward(to)).expect("there are descriptors");
        raise(Signal::Terminate);
        own(&node, move |context| {
            context.spawn_meta(reader, handler)?;
            Ok(())
        });
        assert_eq!(received.recv_timeout(LONG).expect("it is received").signal(), Signal::Terminate);
        stop(&node);
    });
}

#[test]
fn the_set_changes_while_it_runs() {
    in_own_process("the_set_changes_while_it_runs", &[], || {
        let node = Node::new();
        let listener = listen(&node, [Signal::User1]);
        let tell = |command| listener.meta.send(command).expect("it runs");
        tell(signals::Command::add(Signal::User2));
        // Only what is in the set has no other effect: until then User2 would end the process.
        let echo = listen(&node, [Signal::User2]);
        wait_until(|| {
            raise(Signal::User2);
            echo.expect(Signal::User2);
            listener.received.try_recv().is_ok_and(|received| received.signal() == Signal::User2)
        });
        tell(signals::Command::remove(Signal::User1));
        tell(signals::Command::add(Signal::WindowChange));
        wait_until(|| {
            raise(Signal::WindowChange);
            listener.received.try_recv().is_ok_and(|received| received.signal() == Signal::WindowChange)
        });
        while !listener.is_quiet() {}
        raise(Signal::User1);
        raise(Signal::User2);
        listener.expect(Signal::User2);
        assert!(listener.is_quiet(), "User1 is not in the set any more");
        stop(&node);
    });
}

#[test]
fn everybody_who_listens_is_told() {
    in_own_process("everybody_who_listens_is_told", &[], || {
        let nodes = [Node::new(), Node::new()];
        let listeners = [0, 0, 1].map(|node| listen(&nodes[node], [Signal::HangUp]));
        raise(Signal::HangUp);
        listeners.iter().for_each(|listener| listener.expect(Signal::HangUp));
        let [first, rest @ ..] = listeners;
        first.meta.send(signals::Command::stop()).expect("it runs");
        drop(first.meta);
        raise(Signal::HangUp);
        rest.iter().for_each(|listener| listener.expect(Signal::HangUp));
        for node in &nodes {
            stop(node);
        }
    });
}

#[test]
fn a_storm_is_one_signal_of_each_kind_in_hand_and_none_is_lost() {
    in_own_process("a_storm_is_one_signal_of_each_kind_in_hand_and_none_is_lost", &[], || {
        let node = Node::new();
        let kinds = [Signal::User1, Signal::User2, Signal::HangUp];
        let listener = listen(&node, kinds);
        thread::scope(|scope| {
            for kind in kinds {
                scope.spawn(move || (0..20_000).for_each(|_| raise(kind)));
            }
            // While the storm goes on nobody takes more than one of each.
            let held: Vec<_> = kinds.iter().map(|_| listener.next()).collect();
            let mut seen: Vec<_> = held.iter().map(Received::signal).collect();
            seen.sort();
            assert_eq!(seen, [Signal::HangUp, Signal::User1, Signal::User2]);
            assert!(listener.is_quiet(), "a second of a kind while the first is kept");
        });
        // What is kept was dropped during the storm or at its end, and the last of each kind came after that.
        let mut last = Vec::new();
        while let Ok(received) = listener.received.recv_timeout(Duration::from_millis(200)) {
            last.push(received.signal());
        }
        last.sort();
        last.dedup();
        assert_eq!(last, [Signal::HangUp, Signal::User1, Signal::User2]);
        raise(Signal::User1);
        listener.expect(Signal::User1);
        stop(&node);
    });
}

#[test]
fn a_closure_that_receives_says_when_it_is_done() {
    in_own_process("a_closure_that_receives_says_when_it_is_done", &[], || {
        let node = Node::new();
        let (tell, told) = std::sync::mpsc::channel();
        let (reader, handler) = signals::signals([Signal::User1], move |received| {
            tell.send(received.signal())?;
            Err(Exit::Normal)
        })
        .expect("there are descriptors");
        own(&node, move |context| {
            context.spawn_meta(reader, handler)?;
            Ok(())
        });
        raise(Signal::User1);
        assert_eq!(told.recv_timeout(LONG), Ok(Signal::User1));
        assert_eq!(told.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected), "the closure is gone");
        stop(&node);
    });
}

#[test]
fn when_nobody_listens_any_more_a_signal_has_no_effect() {
    in_own_process("when_nobody_listens_any_more_a_signal_has_no_effect", &[], || {
        let node = Node::new();
        let listener = listen(&node, [Signal::Terminate, Signal::Interrupt]);
        listener.meta.send(signals::Command::stop()).expect("it runs");
        wait_until(|| listener.meta.send(signals::Command::stop()).is_err());
        raise(Signal::Terminate);
        raise(Signal::Interrupt);
        stop(&node);
        // A child has the usual effects again.
        let child = Command::new("sh").args(["-c", "kill -TERM $$"]).status().expect("the system has sh");
        assert!(!child.success());
    });
}

#[test]
fn nothing_is_left_when_a_node_has_stopped_in_a_storm() {
    in_own_process("nothing_is_left_when_a_node_has_stopped_in_a_storm", &[], || {
        let (files, threads) = (descriptors(), count("/proc/self/task"));
        for round in 0..5 {
            let node = Node::new();
            let listeners: Vec<_> =
                (0..5).map(|_| listen(&node, [Signal::User1, Signal::Terminate])).collect();
            assert!(descriptors() > files, "the test counts what it should");
            thread::scope(|scope| {
                scope.spawn(|| (0..2_000).for_each(|_| raise(Signal::User1)));
                listeners[0].expect(Signal::User1);
                stop(&node);
            });
            assert_eq!(descriptors(), files, "descriptors after round {round}, although signals are kept");
            drop(listeners);
            drop(node);
            expect_threads(threads);
        }
    });
}
