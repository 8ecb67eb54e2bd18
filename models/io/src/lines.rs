//! Lines from pipes and FIFOs.

mod trouble;

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use std::{process, thread};

use antiphon::io::lines::{Input, Line};
use antiphon::{Exit, Handler, HandlerContext, Node};
use antiphon_harness::{Scenario, check, reached};
use antiphon_spec::Guarantee;
use rustix::fs::{CWD, Mode, OFlags, fcntl_getfl, fcntl_setfl, mkfifoat};

use crate::parts::{LONG, on_a_node, on_a_node_beside, own};
use crate::{Fault, SERVED};
use trouble::Trouble::{Vanishes, WritesByteByByte};
use trouble::{beside_another, fifo_is_removed, while_the_owner_is_killed};

pub(crate) const SCENARIOS: &[Scenario] = catalogue! {
    "lines/pipe/200", SERVED, ["handled", "ended"], pipe(200);
    "lines/owner-ends/4", SERVED, ["handled", "interrupted"], owner_ends(4);
    "lines/nobody-takes-them", SERVED, ["held up", "interrupted"], nobody_takes_them();
    "lines/fifo/20", SERVED, ["handled", "interrupted"], fifo(20);
    "lines/writers-vanish/20", SERVED, ["trouble", "handled", "answered"], beside_another(Vanishes, 20);
    "lines/writers-write-byte-by-byte/20", SERVED, ["trouble", "handled", "answered"],
        beside_another(WritesByteByByte, 20);
    "lines/owner-is-killed-while-writers-vanish/4", SERVED, ["trouble", "gone", "interrupted", "answered"],
        while_the_owner_is_killed(Vanishes, 4);
    "lines/owner-is-killed-while-writers-write-byte-by-byte/4", SERVED,
        ["trouble", "gone", "interrupted", "answered"], while_the_owner_is_killed(WritesByteByByte, 4);
    "lines/fifo-is-removed/5", SERVED, ["failed", "handled", "answered"], fifo_is_removed(5);
};

pub(crate) const FAULTS: &[Fault] = &[
    (
        "writers vanish in the middle of a line",
        &["lines/writers-vanish/20", "lines/owner-is-killed-while-writers-vanish/4"],
    ),
    (
        "writers write byte by byte",
        &["lines/writers-write-byte-by-byte/20", "lines/owner-is-killed-while-writers-write-byte-by-byte/4"],
    ),
    ("a FIFO is removed", &["lines/fifo-is-removed/5"]),
];

/// Hands lines to the scenario.
struct Collect(Sender<Line>);

impl Handler for Collect {
    type Message = Line;

    fn handle(&mut self, line: Line, _: &mut HandlerContext<'_, Line>) -> Result<(), Exit> {
        self.0.send(line).map_err(|_| Exit::Normal)
    }

    fn terminate(&mut self, reason: &Exit, _: &mut HandlerContext<'_, Line>) {
        match reason {
            Exit::ParentEnded => reached("interrupted"),
            Exit::Normal => reached("ended"),
            Exit::Failed(_) => reached("failed"),
            _ => {}
        }
    }
}

fn is(line: &Result<Line, RecvTimeoutError>, number: usize) -> bool {
    matches!(line, Ok(Line::Whole(line)) if **line == *number.to_string().as_bytes())
}

/// Expects a number as the next line.
fn expect(lines: &Receiver<Line>, number: usize) {
    let line = lines.recv_timeout(LONG);
    check(is(&line, number), Guarantee::NoLoss, || format!("{line:?} instead of {number}"));
    reached("handled");
}

/// Lines come in order while they are written, then the end.
fn pipe(count: usize) {
    on_a_node(|node| {
        let (source, mut sink) = io::pipe().expect("there are descriptors");
        let (tell, lines) = mpsc::channel();
        own(node, move |context| Ok(context.spawn_meta(Input::of(source)?, Collect(tell))?));
        thread::scope(|scope| {
            scope.spawn(move || (0..count).for_each(|number| drop(writeln!(sink, "{number}"))));
            (0..count).for_each(|number| expect(&lines, number));
        });
        let end = lines.recv_timeout(LONG);
        check(end.is_err(), Guarantee::NoDuplication, || format!("{end:?} instead of an end"));
    });
}

/// The owner of Readers that wait ends: each returns, whoever could still write.
fn owner_ends(count: usize) {
    on_a_node(|node| {
        let (sources, sinks): (Vec<_>, Vec<_>) =
            (0..count).map(|_| io::pipe().expect("there are descriptors")).unzip();
        let (tell, lines) = mpsc::channel();
        let (owner, ()) = own(node, move |context| {
            for source in sources {
                context.spawn_meta(Input::of(source)?, Collect(tell.clone()))?;
            }
            Ok(())
        });
        for mut sink in &sinks {
            writeln!(sink, "7").expect("it is read");
            expect(&lines, 7);
        }
        node.exit(&owner, Exit::Normal);
        check(lines.recv_timeout(LONG).is_err(), Guarantee::Interruption, || "a line of nobody's".into());
    });
}

/// Lines are kept until the Reader is held up; it returns all the same.
fn nobody_takes_them() {
    let body = |node: &Node| {
        let (source, mut sink) = io::pipe().expect("there are descriptors");
        let flags = fcntl_getfl(&sink).expect("it is open");
        fcntl_setfl(&sink, flags | OFlags::NONBLOCK).expect("it is a pipe");
        let (tell, lines) = mpsc::channel();
        own(node, move |context| Ok(context.spawn_meta(Input::of(source)?, Collect(tell))?));
        // The bound is for a Reader that is never held up.
        let mut refused = 0;
        for _ in 0..10_000 {
            match sink.write(&[b'x'; 4096]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock && refused == 10 => {
                    reached("held up");
                    break;
                }
                Err(_) => {
                    refused += 1;
                    thread::sleep(Duration::from_millis(1));
                }
                Ok(_) => refused = 0,
            }
        }
        (lines, sink)
    };
    on_a_node_beside(body, drop);
}

/// A FIFO of the scenario's own, removed at its end.
struct Fifo(PathBuf);

impl Fifo {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("antiphon-scenario-{}", process::id()));
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).expect("temporary files can be made");
        Self(path)
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        // Nothing depends on it, but for the next one, which would say so.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Writers come and go, each with one line.
fn fifo(count: usize) {
    let fifo = Fifo::new();
    on_a_node(|node| {
        let (tell, lines) = mpsc::channel();
        let input = Input::fifo(&fifo.0).expect("it is a FIFO");
        own(node, move |context| Ok(context.spawn_meta(input, Collect(tell))?));
        for number in 0..count {
            let mut writer = OpenOptions::new().write(true).open(&fifo.0).expect("it is read");
            writeln!(writer, "{number}").expect("it is read");
            if number % 2 == 0 {
                drop(writer);
            }
            expect(&lines, number);
        }
    });
}
