//! Child processes of the system.

use std::process::Command as Program;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use antiphon::io::child::{Child, Command, Data, Options, Session, Stream};
use antiphon::{Address, Exit, Node};
use antiphon_harness::{Scenario, check, reached};
use antiphon_spec::Guarantee;

use crate::parts::{LONG, on_a_node, own};
use crate::{COMMANDED, FAILED, SERVED};

pub(crate) const SCENARIOS: &[Scenario] = catalogue! {
    "child/lines/2000", SERVED, ["handled", "exited"], lines(2000);
    "child/echo/100", COMMANDED, ["handled", "exited"], echo(100);
    "child/ignores-sigterm", SERVED, ["handled", "interrupted"], owner_ends("trap '' TERM; echo; exec sleep 600");
    "child/closes-its-output", SERVED, ["handled", "interrupted"], owner_ends("echo; exec >&- 2>&-; exec sleep 600");
    "child/writes-without-end", SERVED, ["handled", "interrupted"], owner_ends("exec yes");
    "child/panic-in-session", FAILED, ["panicked"], panics();
};

/// Tells the scenario how many lines there were, and that it is over.
struct Count {
    lines: usize,
    panics: bool,
    tell: Sender<Told>,
}

enum Told {
    Started(u32),
    Line,
    Closed(usize),
}

impl Session for Count {
    fn started(&mut self, child: &mut Child<'_>) -> Result<(), Exit> {
        Ok(self.tell.send(Told::Started(child.pid()))?)
    }

    fn output(&mut self, _: Stream, _: Data, _: &mut Child<'_>) -> Result<(), Exit> {
        if self.panics {
            reached("panicked");
            panic!("planned panic");
        }
        self.lines += 1;
        reached("handled");
        if self.lines == 1 {
            self.tell.send(Told::Line)?;
        }
        Ok(())
    }

    fn exited(&mut self, _: std::process::ExitStatus, _: &mut Child<'_>) -> Result<(), Exit> {
        reached("exited");
        Ok(())
    }

    fn closed(&mut self, reason: &Exit, _: &mut Child<'_>) {
        if *reason == Exit::ParentEnded {
            reached("interrupted");
        }
        // The scenario may have heard enough.
        let _ = self.tell.send(Told::Closed(self.lines));
    }
}

struct Started {
    owner: Address<std::convert::Infallible>,
    child: Address<Command>,
    pid: u32,
    told: Receiver<Told>,
}

fn start(node: &Node, script: &str, panics: bool) -> Started {
    let (tell, told) = mpsc::channel();
    let session = Count { lines: 0, panics, tell };
    let options = Options::new().grace(Duration::from_millis(20));
    let lines = options.start(Program::new("sh").args(["-c", script]), session).expect("the system has sh");
    let (owner, child) = own(node, move |context| Ok(context.spawn_meta(lines.0, lines.1)?));
    let Ok(Told::Started(pid)) = told.recv_timeout(LONG) else { panic!("it is started first") };
    Started { owner, child, pid, told }
}

/// How many lines there were in the end.
fn count(told: &Receiver<Told>) -> Option<usize> {
    loop {
        match told.recv_timeout(LONG) {
            Ok(Told::Closed(lines)) => return Some(lines),
            Ok(Told::Started(_) | Told::Line) => {}
            Err(_) => return None,
        }
    }
}

/// Whoever is reported ended has left no process behind, and no zombie.
fn check_gone(pid: u32) {
    let gone = (0..500).any(|_| {
        let gone = !std::fs::exists(format!("/proc/{pid}")).unwrap_or(true);
        if !gone {
            std::thread::sleep(Duration::from_millis(10));
        }
        gone
    });
    check(gone, Guarantee::NoLeak, || format!("the child {pid} is still there, or its zombie is"));
}

/// A child writes lines, and exits.
fn lines(number: usize) {
    on_a_node(|node| {
        let started = start(node, &format!("seq {number}"), false);
        let lines = count(&started.told);
        check(lines == Some(number), Guarantee::NoLoss, || format!("{lines:?} of {number} lines"));
        check_gone(started.pid);
    });
}

/// A child gives back what it is sent.
fn echo(number: usize) {
    on_a_node(|node| {
        let started = start(node, "exec cat", false);
        (0..number).for_each(|line| drop(started.child.send(Command::write(format!("{line}\n")))));
        drop(started.child.send(Command::close_stdin()));
        let lines = count(&started.told);
        check(lines == Some(number), Guarantee::NoLoss, || format!("{lines:?} of {number} lines"));
        check_gone(started.pid);
    });
}

/// The owner ends while the child runs; the child ends with it, whatever it thinks of that.
fn owner_ends(script: &str) {
    on_a_node(|node| {
        let started = start(node, script, false);
        let first = started.told.recv_timeout(LONG);
        check(matches!(first, Ok(Told::Line)), Guarantee::NoLoss, || "no line came".into());
        node.exit(&started.owner, Exit::Normal);
        check_gone(started.pid);
    });
}

/// The session panics; its child ends, and nothing else.
fn panics() {
    on_a_node(|node| {
        let other = start(node, "exec cat", false);
        let fragile = start(node, "echo; exec sleep 600", true);
        check_gone(fragile.pid);
        drop(other.child.send(Command::write("still there\n")));
        let line = other.told.recv_timeout(LONG);
        check(matches!(line, Ok(Told::Line)), Guarantee::PanicContainment, || "no line came back".into());
    });
}
