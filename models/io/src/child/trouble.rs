//! Children that make trouble, beside one that makes none.

use std::os::unix::process::ExitStatusExt;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use antiphon::Exit;
use antiphon::Node;
use antiphon::io::child::{self, Child, Command, Line, Session, Stream};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use rustix::process::{Pid, Signal, kill_process};

use super::{Started, Told, check_gone, start, text};
use crate::parts::{LONG, on_a_node, own, until_silence};
use crate::tally::{ask, fault};

/// What a child does to whoever started it.
#[derive(Clone, Copy)]
pub(crate) enum Trouble {
    /// It does not end when it is asked to.
    IgnoresSigterm,
    /// It writes as fast as it is read.
    WritesWithoutEnd,
    /// It exits while it is written to.
    ExitsWhileWrittenTo,
    /// It exits, and a process that it has started goes on and holds its standard output.
    LeavesProcesses,
    /// It finds no room for what it writes, and fails.
    DiskIsFull,
}

impl Trouble {
    /// Each writes a line when it has begun.
    fn script(self) -> &'static str {
        match self {
            Self::IgnoresSigterm => "trap '' TERM; echo; exec sleep 600",
            Self::WritesWithoutEnd => "exec yes",
            Self::ExitsWhileWrittenTo => "echo; read -r line; exit 3",
            Self::LeavesProcesses => "sleep 600 & echo $!",
            Self::DiskIsFull => "echo; read -r line; echo >/dev/full 2>/dev/null || exit 28",
        }
    }

    /// Has one begin.
    fn begin(self, node: &Node) -> Troubled {
        fault();
        let started = start(node, self.script(), false);
        let Ok(Told::Line(line)) = started.told.recv_timeout(LONG) else { panic!("it writes a line first") };
        let left = matches!(self, Self::LeavesProcesses).then(|| Left::named(&line));
        if matches!(self, Self::ExitsWhileWrittenTo | Self::DiskIsFull) {
            let _ = started.child.send(Command::write("\n"));
        }
        Troubled { started, left }
    }

    /// Goes on until it is over.
    fn run(self, troubled: Troubled) {
        let Troubled { started, left } = troubled;
        if matches!(self, Self::IgnoresSigterm | Self::WritesWithoutEnd) {
            let _ = started.child.send(Command::stop());
        }
        if matches!(self, Self::ExitsWhileWrittenTo) {
            // The bound is for a meta-process that outlives its child; less waits than the most that may.
            let refused = (0..10_000).any(|_| {
                thread::sleep(Duration::from_micros(200));
                started.child.send(Command::write(vec![b'x'; 512])).is_err()
            });
            check(refused, Guarantee::CleanStop, || "a child that has exited is written to".into());
        }
        let Ok(Told::Exited(status)) = started.told.recv_timeout(LONG) else { panic!("its exit is told") };
        let as_it_should = match self {
            Self::IgnoresSigterm => status.signal() == Some(Signal::KILL.as_raw()),
            Self::WritesWithoutEnd => status.signal() == Some(Signal::TERM.as_raw()),
            Self::ExitsWhileWrittenTo => status.code() == Some(3),
            Self::LeavesProcesses => status.success(),
            Self::DiskIsFull => status.code() == Some(28),
        };
        assert!(as_it_should, "it exits as it does not: {status}");
        reached("trouble");
        // Until then whoever was left behind could be read from.
        drop(left);
        let closed = started.told.recv_timeout(LONG);
        check(matches!(closed, Ok(Told::Closed(_))), Guarantee::CleanStop, || {
            "the child has exited, and its meta-process goes on".into()
        });
        check_gone(started.pid);
    }
}

struct Troubled {
    started: Started,
    left: Option<Left>,
}

/// A process that a child has left behind. It ends when this is dropped.
struct Left(Pid);

impl Left {
    fn named(line: &[u8]) -> Self {
        let number = str::from_utf8(line).ok().and_then(|text| text.trim().parse().ok());
        Self(number.and_then(Pid::from_raw).expect("it writes the number of a process"))
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        kill_process(self.0, Signal::KILL).expect("it sleeps longer than that");
    }
}

/// A child that gives back each line that it is sent.
pub(super) struct Other {
    child: antiphon::Address<Command>,
    lines: Receiver<Vec<u8>>,
}

struct Answers(Sender<Vec<u8>>);

impl Session for Answers {
    type Unit = Line;

    fn output(&mut self, _: Stream, line: Line, _: &mut Child<'_>) -> Result<(), Exit> {
        Ok(self.0.send(text(&line))?)
    }
}

impl Other {
    pub(super) fn start(node: &Node) -> Self {
        let (tell, lines) = mpsc::channel();
        let (_, child) = own(node, move |context| {
            let (reader, handler) = child::start(&mut std::process::Command::new("cat"), Answers(tell))?;
            Ok(context.spawn_meta(reader, handler)?)
        });
        Self { child, lines }
    }

    pub(super) fn exchange(&self, number: usize) {
        ask(|| {
            let sent = self.child.send(Command::write(format!("{number}\n")));
            let answer = self.lines.recv_timeout(LONG);
            if answer.as_deref() == Ok(number.to_string().as_bytes()) {
                return Ok(());
            }
            Err(format!("{number}: {sent:?}, {answer:?}"))
        });
    }
}

/// `times` children make trouble, one after the other, beside one that makes none.
pub(crate) fn beside_another(trouble: Trouble, times: usize) {
    on_a_node(|node| {
        let other = Other::start(node);
        for time in 0..times {
            other.exchange(time);
            let troubled = trouble.begin(node);
            other.exchange(time);
            trouble.run(troubled);
        }
        other.exchange(times);
    });
}

/// The owner of each is killed in the middle; the child ends with it, whatever it thinks of that.
pub(crate) fn while_the_owner_is_killed(trouble: Trouble, times: usize) {
    on_a_node(|node| {
        let other = Other::start(node);
        for time in 0..times {
            let Troubled { started, left } = trouble.begin(node);
            other.exchange(time);
            node.kill(&started.owner);
            check_gone(started.pid);
            // Whoever is left behind has not kept the meta-process from its end.
            let closed = until_silence(&started.told).any(|told| matches!(told, Told::Closed(_)));
            check(closed, Guarantee::Ownership, || "the meta-process outlives its owner".into());
            drop(left);
        }
        other.exchange(times);
    });
}
