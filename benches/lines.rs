//! Lines per second of a pipe, against a bare loop over `BufRead::split`:
//! `cargo bench --bench lines [PART OF A NAME]`.
//!
//! A thread of this process fills the pipe, the same way for all, as fast as it is read.

mod support;

use std::convert::Infallible;
use std::io::{BufRead, BufReader, PipeReader, Write};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use antiphon::io::lines::{Forward, Input, Line};
use antiphon::{Actor, Context, Exit, Handler, HandlerContext, Node};
use support::{Subject, compare, scale};

/// Counts lines; says how many there were once all are there.
struct Count {
    left: usize,
    done: Sender<()>,
}

impl Count {
    fn count(&mut self) -> Result<(), Exit> {
        self.left -= 1;
        if self.left == 0 {
            self.done.send(())?;
        }
        Ok(())
    }
}

impl Handler for Count {
    type Message = Line;

    fn handle(&mut self, _: Line, _: &mut HandlerContext<'_, Line>) -> Result<(), Exit> {
        self.count()
    }
}

/// The same in an actor of its own.
impl Actor for Count {
    type Message = Line;

    fn handle(&mut self, _: Line, _: &mut Context<'_, Line>) -> Result<(), Exit> {
        self.count()
    }
}

/// The process that the input belongs to.
struct Owner<H>(Option<(PipeReader, H)>);

impl<H: Handler<Message = Line>> Actor for Owner<H> {
    type Message = Infallible;

    fn init(&mut self, context: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        let (pipe, handler) = self.0.take().expect("init is called once");
        context.spawn_meta(Input::of(OwnedFd::from(pipe))?, handler)?;
        Ok(())
    }

    fn handle(&mut self, message: Infallible, _: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        match message {}
    }
}

/// A pipe that gives so many lines, of seven bytes each, and then ends.
fn source(lines: usize) -> (PipeReader, JoinHandle<()>) {
    let (reader, mut writer) = std::io::pipe().expect("there are two descriptors");
    let block = b"1234567\n".repeat(2048);
    let thread = thread::spawn(move || {
        let mut left = lines * 8;
        while left > 0 {
            let part = left.min(block.len());
            writer.write_all(&block[..part]).expect("it is read to its end");
            left -= part;
        }
    });
    (reader, thread)
}

fn bare(lines: usize) -> (Duration, usize) {
    let begin = Instant::now();
    let (pipe, writer) = source(lines);
    let count = BufReader::new(pipe).split(b'\n').map_while(Result::ok).count();
    assert_eq!(count, lines);
    writer.join().expect("it has written all");
    (begin.elapsed(), lines)
}

fn through(node: &Node, lines: usize, forwarded: bool) -> (Duration, usize) {
    let (done, is_done) = mpsc::channel();
    let begin = Instant::now();
    let (pipe, writer) = source(lines);
    let count = Count { left: lines, done };
    if forwarded {
        let counter = node.spawn(count).expect("the node is up");
        node.spawn(Owner(Some((pipe, Forward::new(counter))))).expect("the node is up");
    } else {
        node.spawn(Owner(Some((pipe, count)))).expect("the node is up");
    }
    is_done.recv().expect("all come");
    writer.join().expect("it has written all");
    (begin.elapsed(), lines)
}

fn main() {
    let lines = scale(1_000_000);
    let node = Node::new();
    let medians = compare(vec![
        Subject::per_step("line: bare loop", || bare(lines)),
        Subject::per_step("line: io::lines, a Handler", || through(&node, lines, false)),
        Subject::per_step("line: io::lines, forwarded to an actor", || through(&node, lines, true)),
    ]);
    if let Some(bare) = medians.get("line: bare loop") {
        for (name, time) in &medians {
            println!("{name}: {:.1} million lines/s, {:.2} of bare", 1e3 / time, bare / time);
        }
    }
    node.stop(Duration::from_secs(10)).expect("everything ends");
}
