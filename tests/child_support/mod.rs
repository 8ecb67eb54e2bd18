//! Child processes that leave everything to the test.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::convert::Infallible;
use std::fmt::Debug;
use std::process::{self, ExitStatus};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use antiphon::io::child::{Command, Event, Forward, Line, Options, Stream, Unit};
use antiphon::{Address, Exit, Node};

use crate::io_support::*;

/// A grace that no test waits for.
pub(crate) const NEVER: Duration = Duration::from_secs(600);

pub(crate) fn shell(script: &str) -> process::Command {
    let mut command = process::Command::new("sh");
    command.args(["-c", script]);
    command
}

/// A child that leaves everything to the test.
pub(crate) struct Running<U: Unit = Line> {
    pub(crate) meta: Address<Command>,
    pub(crate) pid: u32,
    pub(crate) owner: Address<Infallible>,
    pub(crate) events: Receiver<Event<U>>,
}

pub(crate) fn run(node: &Node, options: Options, command: &mut process::Command) -> Running {
    run_by(node, options, command)
}

/// Likewise; whoever uses it says what its output is cut into.
pub(crate) fn run_by<U: Unit + Debug>(
    node: &Node,
    options: Options,
    command: &mut process::Command,
) -> Running<U> {
    let (to, events) = collect(node);
    let (reader, handler) = options.start(command, Forward::new(to)).expect("it can be started");
    let owner = own(node, move |context| {
        context.spawn_meta(reader, handler)?;
        Ok(())
    });
    match events.recv_timeout(LONG) {
        Ok(Event::Started { child, pid }) => Running { meta: child, pid, owner, events },
        other => panic!("expected Started, not {other:?}"),
    }
}

/// What a line, or a part of one, says.
pub(crate) fn text(line: &Line) -> String {
    let (Line::Whole(text) | Line::Part { data: text, .. }) = line;
    String::from_utf8_lossy(text).into_owned()
}

impl<U: Unit + Debug> Running<U> {
    pub(crate) fn send(&self, command: Command) {
        self.meta.send(command).expect("the meta-process is there");
    }

    #[track_caller]
    pub(crate) fn next(&self) -> Event<U> {
        self.events.recv_timeout(LONG).expect("an event comes")
    }
}

impl Running {
    /// The next output, as text.
    #[track_caller]
    pub(crate) fn output(&self) -> (Stream, String) {
        match self.next() {
            Event::Output { stream, unit, .. } => (stream, text(&unit)),
            other => panic!("expected Output, not {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn line(&self) -> String {
        self.output().1
    }

    /// All that comes until the end, and what that is.
    #[track_caller]
    pub(crate) fn rest(&self) -> Rest {
        let mut rest = Rest { stdout: Vec::new(), stderr: Vec::new(), status: None, reason: Exit::Normal };
        loop {
            match self.next() {
                Event::Output { stream, unit, .. } => {
                    let lines = if stream == Stream::Stdout { &mut rest.stdout } else { &mut rest.stderr };
                    lines.push(text(&unit));
                }
                Event::Exited { status, .. } => rest.status = Some(status),
                Event::Closed { reason, .. } => {
                    rest.reason = reason;
                    return rest;
                }
                _ => {}
            }
        }
    }

    #[track_caller]
    pub(crate) fn exited(&self) -> ExitStatus {
        loop {
            match self.next() {
                Event::Exited { status, .. } => return status,
                Event::Closed { reason, .. } => panic!("closed before it exited: {reason:?}"),
                _ => {}
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: Vec<String>,
    pub(crate) status: Option<ExitStatus>,
    pub(crate) reason: Exit,
}

/// Whether there is such a process; a zombie is one.
pub(crate) fn is_there(pid: u32) -> bool {
    std::fs::exists(format!("/proc/{pid}")).expect("/proc is there")
}

/// The state of a process, as the system writes it.
pub(crate) fn state(pid: u32) -> Option<char> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(") ")?.1.chars().next()
}
