//! Child processes of the system.

mod trouble;

use std::process::{Command as Program, ExitStatus};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use antiphon::io::child::{Child, Command, Line, Options, Session, Stream};
use antiphon::{Address, Exit, Node};
use antiphon_harness::{Scenario, check, reached};
use antiphon_spec::Guarantee;

use crate::parts::{LONG, on_a_node, own, until_silence};
use crate::tally::fault;
use crate::{COMMANDED, FAILED, Fault, SERVED};
use trouble::Trouble::{DiskIsFull, ExitsWhileWrittenTo, IgnoresSigterm, LeavesProcesses, WritesWithoutEnd};
use trouble::{Other, beside_another, while_the_owner_is_killed};

pub(crate) const SCENARIOS: &[Scenario] = catalogue! {
    "child/lines/2000", SERVED, ["handled", "exited"], lines(2000);
    "child/echo/100", COMMANDED, ["handled", "exited"], echo(100);
    "child/closes-its-output", SERVED, ["handled", "interrupted"], owner_ends("echo; exec >&- 2>&-; exec sleep 600");
    "child/ignores-sigterm/4", SERVED, ["trouble", "answered"], beside_another(IgnoresSigterm, 4);
    "child/writes-without-end/4", SERVED, ["trouble", "answered"], beside_another(WritesWithoutEnd, 4);
    "child/exits-while-written-to/4", SERVED, ["trouble", "answered"], beside_another(ExitsWhileWrittenTo, 4);
    "child/leaves-processes-behind/4", SERVED, ["trouble", "answered"], beside_another(LeavesProcesses, 4);
    "child/disk-is-full/4", SERVED, ["trouble", "answered"], beside_another(DiskIsFull, 4);
    "child/owner-is-killed/ignores-sigterm/4", SERVED, ["interrupted", "answered"],
        while_the_owner_is_killed(IgnoresSigterm, 4);
    "child/owner-is-killed/writes-without-end/4", SERVED, ["interrupted", "answered"],
        while_the_owner_is_killed(WritesWithoutEnd, 4);
    "child/owner-is-killed/exits-while-written-to/4", SERVED, ["answered"],
        while_the_owner_is_killed(ExitsWhileWrittenTo, 4);
    "child/owner-is-killed/leaves-processes-behind/4", SERVED, ["interrupted", "answered"],
        while_the_owner_is_killed(LeavesProcesses, 4);
    "child/panic-in-session", FAILED, ["panicked"], panics();
};

pub(crate) const FAULTS: &[Fault] = &[
    ("a child ignores SIGTERM", &["child/ignores-sigterm/4", "child/owner-is-killed/ignores-sigterm/4"]),
    (
        "a child writes without end",
        &["child/writes-without-end/4", "child/owner-is-killed/writes-without-end/4"],
    ),
    (
        "a child exits while it is written to",
        &["child/exits-while-written-to/4", "child/owner-is-killed/exits-while-written-to/4"],
    ),
    (
        "a child leaves processes that hold its output",
        &["child/leaves-processes-behind/4", "child/owner-is-killed/leaves-processes-behind/4"],
    ),
    ("a child's disk is full", &["child/disk-is-full/4"]),
    ("the session of a child panics", &["child/panic-in-session"]),
];

/// Tells the scenario how many lines there were, and that it is over.
struct Count {
    lines: usize,
    panics: bool,
    tell: Sender<Told>,
}

enum Told {
    Started(u32),
    /// The first line.
    Line(Vec<u8>),
    Exited(ExitStatus),
    Closed(usize),
}

impl Session for Count {
    type Unit = Line;

    fn started(&mut self, child: &mut Child<'_>) -> Result<(), Exit> {
        Ok(self.tell.send(Told::Started(child.pid()))?)
    }

    fn output(&mut self, _: Stream, line: Line, _: &mut Child<'_>) -> Result<(), Exit> {
        if self.panics {
            reached("panicked");
            panic!("planned panic");
        }
        self.lines += 1;
        reached("handled");
        if self.lines == 1 {
            self.tell.send(Told::Line(text(&line)))?;
        }
        Ok(())
    }

    fn exited(&mut self, status: ExitStatus, _: &mut Child<'_>) -> Result<(), Exit> {
        reached("exited");
        Ok(self.tell.send(Told::Exited(status))?)
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

/// What a line, or a part of one, says.
fn text(line: &Line) -> Vec<u8> {
    let (Line::Whole(text) | Line::Part { data: text, .. }) = line;
    text.to_vec()
}

/// How many lines there were in the end.
fn count(told: &Receiver<Told>) -> Option<usize> {
    until_silence(told).find_map(|told| match told {
        Told::Closed(lines) => Some(lines),
        Told::Started(_) | Told::Line(_) | Told::Exited(_) => None,
    })
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
        check(matches!(first, Ok(Told::Line(_))), Guarantee::NoLoss, || "no line came".into());
        node.exit(&started.owner, Exit::Normal);
        check_gone(started.pid);
    });
}

/// The session panics; its child ends, and nothing else.
fn panics() {
    on_a_node(|node| {
        let other = Other::start(node);
        other.exchange(0);
        fault();
        let fragile = start(node, "echo; exec sleep 600", true);
        check_gone(fragile.pid);
        other.exchange(1);
    });
}
