//! Lines from descriptors that the engine knows: on a model, the platform's own; on threads, real sockets.

use std::io::{self, ErrorKind};

use antiphon::io::Source;
use antiphon::io::lines::{Feed, Input, Line};
use antiphon::{Address, Context, Exit, Handler, HandlerContext, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use platform::readiness::{Event, Stream, pair};
use platform::sync::{Arc, Mutex};

use crate::parts::{Gate, Mail, Parent, node, start, stop};
use crate::streams::read;

/// More than any scenario has on its way.
const ROOM: usize = 8;

/// A stream of the platform as a feed.
#[derive(Debug)]
struct Pipe(Stream);

impl Feed for Pipe {
    fn source(&self) -> &dyn Source {
        &self.0
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// A FIFO: one buffer, whoever has it open.
#[derive(Clone, Debug)]
struct Fifo {
    buffer: Arc<Mutex<Buffer>>,
    event: Arc<Event>,
    /// What somebody writes who comes and goes before the Reader opens it again for the first time.
    between: Option<&'static str>,
}

#[derive(Debug)]
struct Buffer {
    bytes: Vec<u8>,
    writers: usize,
    /// Since the Reader opened it, there were writers: that they have gone is told.
    had_writers: bool,
}

impl Fifo {
    /// Opened by its Reader.
    fn new() -> Self {
        let event = Event::new().expect("there is room for a descriptor");
        let buffer = Buffer { bytes: Vec::new(), writers: 0, had_writers: false };
        Self { buffer: Arc::new(Mutex::new(buffer)), event: Arc::new(event), between: None }
    }

    /// Changes it, and tells the Reader whether there is something to read, or an end.
    fn change<R>(&self, change: impl FnOnce(&mut Buffer) -> R) -> R {
        let buffer = &mut *self.buffer.lock();
        let result = change(buffer);
        if !buffer.bytes.is_empty() || (buffer.had_writers && buffer.writers == 0) {
            self.event.raise();
        } else {
            self.event.clear();
        }
        result
    }

    /// A writer comes, says this, and goes.
    fn visit(&self, text: &str) {
        self.change(|buffer| (buffer.writers, buffer.had_writers) = (buffer.writers + 1, true));
        self.change(|buffer| buffer.bytes.extend_from_slice(text.as_bytes()));
        self.change(|buffer| buffer.writers -= 1);
    }
}

impl Feed for Fifo {
    fn source(&self) -> &dyn Source {
        &*self.event
    }

    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.change(|buffer| {
            if buffer.bytes.is_empty() && buffer.writers > 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            let count = buffer.bytes.len();
            bytes[..count].copy_from_slice(&buffer.bytes);
            buffer.bytes.clear();
            Ok(count)
        })
    }

    /// Opened anew, it knows of those writers that are there now.
    fn begin_again(&mut self) -> io::Result<bool> {
        reached("began again");
        if let Some(text) = self.between.take() {
            self.visit(text);
        }
        self.change(|buffer| buffer.had_writers = buffer.writers > 0);
        Ok(true)
    }
}

/// What a Handler of lines is sent.
enum Word {
    Line(Line),
    End,
}

impl From<Line> for Word {
    fn from(line: Line) -> Self {
        Self::Line(line)
    }
}

/// A Handler that knows what is to come.
struct Scribe {
    expected: &'static [&'static str],
    came: Vec<String>,
    /// Opened when all have come.
    all: Gate,
    /// Opened when the Handler is gone.
    gone: Gate,
    /// Where it keeps the first line, if it does.
    shelf: Option<Shelf>,
}

/// Where a line is kept until somebody who waits for it lets it go.
#[derive(Clone)]
struct Shelf {
    kept: Arc<Mutex<Option<Line>>>,
    full: Gate,
}

impl Shelf {
    fn new() -> Self {
        Self { kept: Arc::new(Mutex::new(None)), full: Gate::new() }
    }

    fn keep(&self, line: Line) {
        *self.kept.lock() = Some(line);
        self.full.open();
    }

    fn let_go(&self) {
        self.full.pass();
        let line = self.kept.lock().take();
        drop(line);
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.gone.open();
    }
}

impl Handler for Scribe {
    type Message = Word;

    fn handle(&mut self, word: Word, _: &mut HandlerContext<'_, Word>) -> Result<(), Exit> {
        let Word::Line(line) = word else { return Err(Exit::Shutdown) };
        reached("handled");
        let (Line::Whole(data) | Line::Part { data, .. }) = &line;
        self.came.push(String::from_utf8_lossy(data).into_owned());
        if let Some(shelf) = self.shelf.take() {
            shelf.keep(line);
        }
        if self.came.len() == self.expected.len() {
            self.all.open();
        }
        Ok(())
    }

    fn terminate(&mut self, reason: &Exit, _: &mut HandlerContext<'_, Word>) {
        let Self { expected, came, .. } = self;
        let in_order = came.iter().zip(*expected).all(|(line, expected)| line == expected);
        check(in_order && came.len() <= expected.len(), Guarantee::SenderOrder, || format!("{came:?}"));
        reached(match reason {
            Exit::Normal => {
                check(came.len() == expected.len(), Guarantee::NoLoss, || {
                    format!("the input has ended, and of {expected:?} only {came:?} came")
                });
                "ended"
            }
            Exit::ParentEnded => "interrupted",
            _ => "told to end",
        });
    }
}

/// A process that has lines read, and how it goes.
struct Reading {
    parent: Address<Mail>,
    address: Address<Word>,
    all: Gate,
    gone: Gate,
}

fn lines(node: &Node, feed: impl Feed, expected: &'static [&'static str], shelf: Option<Shelf>) -> Reading {
    let (all, gone) = (Gate::new(), Gate::new());
    let address = Arc::new(Mutex::new(None));
    let parent = {
        let (all, gone, address) = (all.clone(), gone.clone(), address.clone());
        Parent::new(move |context: &Context<'_, Mail>| {
            let scribe = Scribe { expected, came: Vec::new(), all, gone, shelf };
            *address.lock() = Some(context.spawn_meta(Input::from_feed(feed)?, scribe)?);
            Ok(())
        })
    };
    let parent = node.spawn(parent).expect("the node is up");
    let address = address.lock().take().expect("the parent is alive");
    Reading { parent, address, all, gone }
}

fn pipe() -> (Pipe, Stream) {
    let (near, far) = pair(ROOM).expect("there is room for two descriptors");
    (Pipe(near), far)
}

/// Writes what there is room for, if anybody reads it.
fn write(far: &Stream, text: &str) {
    let _ = far.write(text.as_bytes());
}

/// The owner ends while the Reader waits, or reads a line, or the begin of one.
pub(crate) fn interrupt_against_readiness() {
    let node = node();
    let (near, far) = pipe();
    let reading = lines(&node, near, &["a"], None);
    write(&far, "a\n");
    write(&far, "b");
    node.exit(&reading.parent, Exit::Normal);
    stop(&node);
}

/// A writer says two lines, the last of them without a line feed, and goes: both are handled, then it is over.
pub(crate) fn last_line() {
    let node = node();
    let (near, far) = pipe();
    let reading = lines(&node, near, &["a", "b"], None);
    write(&far, "a\nb");
    drop(far);
    // Where the end goes unheard, this is a deadlock.
    reading.gone.pass();
    stop(&node);
}

/// A line comes in two pieces, and the Reader may look between them.
pub(crate) fn pieces() {
    let node = node();
    let (near, far) = pipe();
    let reading = lines(&node, near, &["ab"], None);
    write(&far, "a");
    write(&far, "b\n");
    reading.all.pass();
    stop(&node);
}

/// Somebody has the Handler end while the Reader delivers: the Reader ends, and lets go of its source.
pub(crate) fn handler_ends_against_delivery() {
    let node = node();
    let (near, far) = pipe();
    let reading = lines(&node, near, &["a", "b"], None);
    write(&far, "a\nb\n");
    reached(if reading.address.send(Word::End).is_ok() { "accepted" } else { "refused" });
    // Where the Reader goes on, this is a deadlock.
    read(&far, 1);
    reading.gone.pass();
    stop(&node);
}

/// Whoever keeps a line lets it go while the next is on its way: reading is held up, and goes on.
pub(crate) fn hold_against_release() {
    let node = node();
    let (near, far) = pipe();
    let shelf = Shelf::new();
    let reading = lines(&node, near, &["a", "b"], Some(shelf.clone()));
    let keeper = start(move || shelf.let_go());
    write(&far, "a\n");
    write(&far, "b\n");
    drop(far);
    keeper.join();
    // Where reading does not go on, this is a deadlock.
    reading.gone.pass();
    stop(&node);
}

/// A FIFO's writer goes, and another comes and goes, who leaves a line without a line feed.
pub(crate) fn next_writer() {
    let (node, fifo) = (node(), Fifo::new());
    let reading = lines(&node, fifo.clone(), &["a", "b"], None);
    fifo.visit("a\n");
    fifo.visit("b");
    // Where what the second left is not handed over, this is a deadlock.
    reading.all.pass();
    stop(&node);
}

/// The second comes and goes after the Reader was told that the first has gone, and before it opens the FIFO again.
pub(crate) fn writer_between_openings() {
    let node = node();
    let fifo = Fifo { between: Some("b"), ..Fifo::new() };
    fifo.visit("a\n");
    let reading = lines(&node, fifo, &["a", "b"], None);
    reading.all.pass();
    stop(&node);
}

/// The owner ends while a FIFO's writer has gone, and another may come.
pub(crate) fn interrupt_against_next_writer() {
    let (node, fifo) = (node(), Fifo::new());
    let reading = lines(&node, fifo.clone(), &["a", "b"], None);
    fifo.visit("a\n");
    node.exit(&reading.parent, Exit::Normal);
    fifo.visit("b");
    stop(&node);
}
