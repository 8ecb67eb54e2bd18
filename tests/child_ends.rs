//! How child processes end, and that nothing of them is left.

mod child_support;
mod io_support;

use std::os::unix::process::ExitStatusExt;
use std::process;
use std::sync::mpsc;
use std::time::Duration;

use antiphon::io::Signal;
use antiphon::io::child::{self, Child, Command, Event, Line, Options, Session, Stream};
use antiphon::{Exit, Node};
use child_support::*;
use io_support::*;

#[test]
fn grandchildren_that_hold_the_pipes_do_not_hold_back_the_exit() {
    let node = Node::new();
    let script = "(read line; echo late $line) <&3 & echo early; exit 7";
    let mut command = shell(&format!("exec 3<&0; {script}"));
    let child = run(&node, Options::new(), &mut command);
    assert_eq!(child.line(), "early");
    assert_eq!(child.exited().code(), Some(7));
    wait_until(|| !is_there(child.pid));
    child.send(Command::write("venite\n"));
    let rest = child.rest();
    assert_eq!(rest.stdout, ["late venite"]);
    assert_eq!(rest.reason, Exit::Normal);
    stop(&node);
}

#[test]
fn a_meta_process_that_ends_leaves_grandchildren_alone_unless_they_are_a_group() {
    for group in [false, true] {
        let node = Node::new();
        let mut options = Options::new();
        if group {
            options = options.group();
        }
        let child = run(&node, options, &mut shell("sleep 600 & echo $!; wait"));
        let grandchild: u32 = child.line().parse().expect("a number");
        assert!(is_there(grandchild));
        stop(&node);
        assert!(!is_there(child.pid));
        if group {
            wait_until(|| state(grandchild).is_none_or(|state| state == 'Z'));
        } else {
            assert!(state(grandchild).is_some_and(|state| state != 'Z'));
            let killed = process::Command::new("kill").arg(grandchild.to_string()).status();
            assert!(killed.expect("the system has kill").success());
        }
    }
}

#[test]
fn a_group_ends_when_its_first_process_has_exited() {
    let node = Node::new();
    let child = run(&node, Options::new().group(), &mut shell("sleep 600 & echo $!; exit 0"));
    child.line();
    let rest = child.rest();
    assert!(rest.status.is_some_and(|status| status.success()));
    assert_eq!(rest.reason, Exit::Normal);
    stop(&node);
}

#[test]
fn a_child_that_obeys_is_told_to_stop_and_heard_to_its_end() {
    let node = Node::new();
    let script = "trap 'echo last words; exit 4' TERM; echo ready; while :; do sleep 0.01; done";
    let child = run(&node, Options::new().grace(NEVER), &mut shell(script));
    assert_eq!(child.line(), "ready");
    child.send(Command::stop());
    child.send(Command::stop());
    let rest = child.rest();
    assert_eq!(rest.stdout, ["last words"]);
    assert_eq!(rest.status.and_then(|status| status.code()), Some(4));
    stop(&node);
}

#[test]
fn a_child_that_ignores_sigterm_is_killed_after_the_grace() {
    let node = Node::new();
    let grace = Duration::from_millis(50);
    // The shell is replaced: nobody is left behind who would hold the pipe.
    let script = "trap '' TERM; echo ready; exec sleep 600";
    let child = run(&node, Options::new().grace(grace), &mut shell(script));
    assert_eq!(child.line(), "ready");
    child.send(Command::stop());
    assert_eq!(child.rest().status.and_then(|status| status.signal()), Some(9));

    let child = run(&node, Options::new().grace(grace), &mut shell(script));
    assert_eq!(child.line(), "ready");
    node.exit(&child.owner, Exit::Normal);
    wait_until(|| !is_there(child.pid));

    let child = run(&node, Options::new().grace(Duration::ZERO), &mut shell(script));
    assert_eq!(child.line(), "ready");
    child.send(Command::stop());
    assert_eq!(child.rest().status.and_then(|status| status.signal()), Some(9));
    stop(&node);
}

#[test]
fn a_stopped_child_ends_too() {
    let node = Node::new();
    let child = run(&node, Options::new().grace(Duration::from_millis(50)), &mut shell("kill -STOP $$"));
    wait_until(|| state(child.pid) == Some('T'));
    stop(&node);
    assert!(!is_there(child.pid));
}

#[test]
fn a_child_is_gone_when_its_owner_is_reported_ended() {
    let node = Node::new();
    // It writes without end, and its last words do not fit into a pipe.
    let script = "trap 'yes last | head -c 1000000; exit 0' TERM; echo ready; while :; do echo more; done";
    for _ in 0..5 {
        let child = run(&node, Options::new().grace(NEVER), &mut shell(script));
        assert_eq!(child.line(), "ready");
        node.exit(&child.owner, Exit::Normal);
        wait_until(|| child.events.try_iter().any(|event| matches!(event, Event::Closed { .. })));
        wait_until(|| !is_there(child.pid));
    }
    stop(&node);
}

#[test]
fn signals_and_the_kill_arrive() {
    let node = Node::new();
    let script = "trap 'echo two' USR2; trap 'echo one' USR1; echo ready; while :; do sleep 0.01; done";
    let child = run(&node, Options::new(), &mut shell(script));
    assert_eq!(child.line(), "ready");
    // Not the hang-up: whoever runs the tests may ignore it, and then a shell cannot trap it.
    child.send(Command::signal(Signal::User2));
    assert_eq!(child.line(), "two");
    child.send(Command::signal(Signal::User1));
    assert_eq!(child.line(), "one");
    child.send(Command::kill());
    assert_eq!(child.rest().status.and_then(|status| status.signal()), Some(9));
    stop(&node);
}

#[test]
fn whoever_signals_a_child_that_has_exited_signals_nobody() {
    let node = Node::new();
    // A grandchild keeps the meta-process there.
    let child = run(&node, Options::new(), &mut shell("sleep 600 & echo $!; exit 0"));
    let grandchild = child.line();
    assert!(child.exited().success());
    for command in [Command::signal(Signal::Terminate), Command::kill(), Command::stop()] {
        child.send(command);
    }
    let killed = process::Command::new("kill").arg(grandchild).status();
    assert!(killed.expect("the system has kill").success());
    assert_eq!(child.rest().reason, Exit::Normal);
    stop(&node);
}

#[test]
fn a_child_that_is_held_up_ends_all_the_same() {
    let node = Node::new();
    let child = run(&node, Options::new().grace(NEVER), &mut process::Command::new("yes"));
    let mut kept = Vec::new();
    while let Ok(event) = child.events.recv_timeout(Duration::from_millis(100)) {
        kept.push(event);
    }
    stop(&node);
    assert!(!is_there(child.pid));
    drop(kept);
}

/// Panics, or has enough, at the first line.
struct Fragile(Option<Exit>, mpsc::Sender<u32>);

impl Session for Fragile {
    type Unit = Line;

    fn started(&mut self, child: &mut Child<'_>) -> Result<(), Exit> {
        Ok(self.1.send(child.pid())?)
    }

    fn output(&mut self, _: Stream, _: Line, _: &mut Child<'_>) -> Result<(), Exit> {
        Err(self.0.take().unwrap_or_else(|| panic!("planned panic")))
    }
}

#[test]
fn a_session_that_panics_or_has_enough_ends_its_child_and_no_other() {
    let node = Node::new();
    let other = run(&node, Options::new(), process::Command::new("cat").arg("-"));
    for end in [None, Some(Exit::Normal)] {
        let (tell, told) = mpsc::channel();
        let script = "echo ready; exec sleep 600";
        let lines = child::start(&mut shell(script), Fragile(end, tell)).expect("it can be started");
        own(&node, move |context| {
            context.spawn_meta(lines.0, lines.1)?;
            Ok(())
        });
        let pid = told.recv_timeout(LONG).expect("it is started");
        wait_until(|| !is_there(pid));
    }
    other.send(Command::write("still there\n"));
    assert_eq!(other.line(), "still there");
    stop(&node);
}

#[test]
fn a_child_whose_meta_process_never_begins_is_ended() {
    struct Unwilling(mpsc::Sender<u32>);
    impl Session for Unwilling {
        type Unit = Line;

        fn started(&mut self, child: &mut Child<'_>) -> Result<(), Exit> {
            self.0.send(child.pid())?;
            Err(Exit::Failed("unwilling".into()))
        }
        fn output(&mut self, _: Stream, _: Line, _: &mut Child<'_>) -> Result<(), Exit> {
            Ok(())
        }
    }
    let node = Node::new();
    let (tell, told) = mpsc::channel();
    let command = || {
        let mut command = process::Command::new("sleep");
        command.arg("600");
        command
    };
    drop(child::start(&mut command(), Unwilling(tell.clone())).expect("it can be started"));
    let lines = child::start(&mut command(), Unwilling(tell)).expect("it can be started");
    own(&node, move |context| {
        assert!(context.spawn_meta(lines.0, lines.1).is_err());
        Ok(())
    });
    let pid = told.recv_timeout(LONG).expect("it was started");
    wait_until(|| !is_there(pid));
    stop(&node);
}

#[test]
fn nothing_is_left_when_a_node_has_stopped() {
    in_own_process("nothing_is_left_when_a_node_has_stopped", &[], || {
        let (files, threads) = (descriptors(), count("/proc/self/task"));
        for round in 0..3 {
            let node = Node::new();
            let scripts =
                ["exec sleep 600", "exec cat", "exec yes", "exit 1", "exec >&- 2>&- <&-; exec sleep 600"];
            let children: Vec<_> =
                (0..20).map(|number| run(&node, Options::new(), &mut shell(scripts[number % 5]))).collect();
            for child in &children {
                let _ = child.meta.send(Command::write(vec![b'x'; 200_000]));
            }
            assert!(descriptors() > files, "the test counts what it should");
            stop(&node);
            assert!(children.iter().all(|child| !is_there(child.pid)));
            // There is no child any more, not even a zombie.
            let waited = rustix::process::wait(rustix::process::WaitOptions::NOHANG);
            assert_eq!(waited.map(drop), Err(rustix::io::Errno::CHILD));
            assert_eq!(descriptors(), files, "descriptors after round {round}, although output is kept");
            drop(children);
            drop(node);
            expect_threads(threads);
        }
    });
}
