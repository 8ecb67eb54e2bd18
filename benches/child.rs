//! Lines per second of a child process, against a bare loop over `BufRead::split`:
//! `cargo bench --bench child [PART OF A NAME]`.
//!
//! The child is `seq`: a part of each time is the child's own.

mod support;

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use antiphon::io::child::{self, Child, Event, Forward, Line, Session, Stream};
use antiphon::{Actor, Context, Exit, Node};
use support::{Subject, compare, scale};

fn seq(lines: usize) -> Command {
    let mut command = Command::new("seq");
    command.arg(lines.to_string());
    command
}

/// Counts lines; says how many there were.
struct Count {
    lines: usize,
    tell: Sender<usize>,
}

impl Session for Count {
    type Unit = Line;

    fn output(&mut self, _: Stream, _: Line, _: &mut Child<'_>) -> Result<(), Exit> {
        self.lines += 1;
        Ok(())
    }

    fn closed(&mut self, _: &Exit, _: &mut Child<'_>) {
        self.tell.send(self.lines).expect("somebody waits for it");
    }
}

/// The same in an actor of its own.
impl Actor for Count {
    type Message = Event;

    fn handle(&mut self, event: Event, _: &mut Context<'_, Event>) -> Result<(), Exit> {
        match event {
            Event::Output { .. } => self.lines += 1,
            Event::Closed { .. } => self.tell.send(self.lines)?,
            _ => {}
        }
        Ok(())
    }
}

/// The process that a child belongs to.
struct Owner<S>(Option<(Command, S)>);

impl<S: Session> Actor for Owner<S> {
    type Message = Infallible;

    fn init(&mut self, context: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        let (mut command, session) = self.0.take().expect("init is called once");
        let (reader, handler) = child::start(&mut command, session)?;
        context.spawn_meta(reader, handler)?;
        Ok(())
    }

    fn handle(&mut self, message: Infallible, _: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        match message {}
    }
}

fn bare(lines: usize) -> (Duration, usize) {
    let begin = Instant::now();
    let mut child = seq(lines).stdout(Stdio::piped()).spawn().expect("the system has seq");
    let output = BufReader::new(child.stdout.take().expect("it is piped"));
    let count = output.split(b'\n').map_while(Result::ok).count();
    assert_eq!(count, lines);
    assert!(child.wait().expect("it is our child").success());
    (begin.elapsed(), lines)
}

fn through(node: &Node, lines: usize, forwarded: bool) -> (Duration, usize) {
    let (tell, told) = mpsc::channel();
    let count = Count { lines: 0, tell };
    let begin = Instant::now();
    if forwarded {
        let counter = node.spawn(count).expect("the node is up");
        node.spawn(Owner(Some((seq(lines), Forward::<Event>::new(counter))))).expect("the node is up");
    } else {
        node.spawn(Owner(Some((seq(lines), count)))).expect("the node is up");
    }
    assert_eq!(told.recv().expect("it ends"), lines);
    (begin.elapsed(), lines)
}

fn main() {
    let lines = scale(1_000_000);
    let node = Node::new();
    let medians = compare(vec![
        Subject::per_step("line: bare loop", || bare(lines)),
        Subject::per_step("line: io::child, a session", || through(&node, lines, false)),
        Subject::per_step("line: io::child, forwarded to an actor", || through(&node, lines, true)),
    ]);
    if let Some(bare) = medians.get("line: bare loop") {
        for (name, time) in &medians {
            println!("{name}: {:.1} million lines/s, {:.2} of bare", 1e3 / time, bare / time);
        }
    }
    node.stop(Duration::from_secs(10)).expect("everything ends");
}
