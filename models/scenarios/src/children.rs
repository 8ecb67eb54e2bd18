//! Child processes of a model: what they do is written here, what ends them is told to them, and who has not been
//! waited for is found.

use std::io::{self, ErrorKind, IoSlice};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use antiphon::io::child::{
    Child, Command, Data, Options, Parts, Pipe, Process, Session, Stream as Output, Target,
};
use antiphon::io::{Readiness, Signal, Source};
use antiphon::{Address, Exit, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use platform::readiness::{self, Event, Stream, pair};
use platform::sync::{Arc, Mutex};

use crate::parts::{Gate, Mail, Parent, node, send, start, stop};
use crate::streams::{read, write};

/// A child process: what it has, as long as it runs, and what became of it.
struct Life {
    /// Whether it ends when it is asked to.
    obeys: bool,
    state: Mutex<State>,
}

struct State {
    /// Its end of the stream that is connected, if one is.
    stream: Option<Arc<Stream>>,
    /// What tells that it has exited.
    exit: Option<Stream>,
    status: Option<ExitStatus>,
    /// Its number means nothing any more.
    is_waited_for: bool,
}

impl Life {
    /// What it reads from, or writes to, while it runs.
    fn stream(&self) -> Option<Arc<Stream>> {
        self.state.lock().stream.clone()
    }

    /// It exits, unless it has: with a code, or by a signal.
    fn exit(&self, raw: i32) {
        let mut state = self.state.lock();
        if state.status.is_none() {
            state.status = Some(ExitStatus::from_raw(raw));
            // What it reads from or writes to is closed before anybody can know that it has exited.
            drop(state.stream.take());
            drop(state.exit.take());
        }
    }

    fn is_waited_for(&self) -> bool {
        self.state.lock().is_waited_for
    }
}

const KILL: i32 = 9;
const TERMINATE: i32 = 15;

/// A child, for the Reader.
#[derive(Debug)]
struct Ward(Known, Stream);

impl Process for Ward {
    fn source(&self) -> &dyn Source {
        &self.1
    }

    fn terminate(&self) {
        self.0.is_meant();
        if self.0.0.obeys {
            self.0.0.exit(TERMINATE);
        }
    }

    fn kill(&self) {
        self.0.is_meant();
        reached("killed");
        self.0.0.exit(KILL);
    }

    fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let mut state = self.0.0.state.lock();
        state.is_waited_for |= state.status.is_some();
        Ok(state.status)
    }

    fn wait(&mut self) -> io::Result<()> {
        let event = Event::new()?;
        while self.try_wait()?.is_none() {
            readiness::wait(&event, [Some((self.source(), Readiness::READ))], None)?;
        }
        Ok(())
    }
}

/// A child, for the Handler.
#[derive(Clone)]
struct Known(Arc<Life>);

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Known")
    }
}

impl Known {
    fn is_meant(&self) {
        check(!self.0.is_waited_for(), Guarantee::RightRecipient, || {
            "a signal went to a number that means another process by then".into()
        });
    }
}

impl Target for Known {
    fn signal(&self, _: Signal) -> io::Result<()> {
        self.0.exit(TERMINATE);
        Ok(())
    }

    fn kill(&self) -> io::Result<()> {
        self.0.exit(KILL);
        Ok(())
    }
}

/// This side's end of a stream of the child's.
#[derive(Debug)]
struct Wire(Stream);

impl Pipe for Wire {
    fn source(&self) -> &dyn Source {
        &self.0
    }

    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        // As a read may, it gives less than there is.
        self.0.read(&mut buffer[..1])
    }

    fn unread(&self) -> io::Result<usize> {
        self.0.unread()
    }

    fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        // A pipe knows no reset: whoever reads no more is gone.
        self.0.write(slices.first().map_or(&[], |slice| slice)).map_err(|error| match error.kind() {
            ErrorKind::ConnectionReset => ErrorKind::BrokenPipe.into(),
            _ => error,
        })
    }
}

/// A session that counts what it is told.
struct Ear {
    /// How much the child writes before it exits by itself.
    writes: usize,
    heard: usize,
    /// It has exited, as the session knows.
    exited: Gate,
    /// The session is over.
    over: Gate,
}

impl Session for Ear {
    type Unit = Data;

    fn output(&mut self, _: Output, data: Data, _: &mut Child<'_>) -> Result<(), Exit> {
        reached("output");
        self.heard += data.len();
        Ok(())
    }

    fn exited(&mut self, status: ExitStatus, _: &mut Child<'_>) -> Result<(), Exit> {
        reached(if status.success() { "exited" } else { "ended by a signal" });
        let all = !status.success() || self.heard == self.writes;
        check(all, Guarantee::NoLoss, || {
            format!("{} bytes of {} came before the exit", self.heard, self.writes)
        });
        self.exited.open();
        Ok(())
    }

    fn stdin_closed(&mut self, _: &mut Child<'_>) -> Result<(), Exit> {
        reached("it reads no more");
        Ok(())
    }

    fn closed(&mut self, _: &Exit, _: &mut Child<'_>) {
        self.over.open();
    }
}

/// What belongs to a child in a scenario.
struct Family {
    node: Node,
    parent: Address<Mail>,
    child: Address<Command>,
    life: Arc<Life>,
    exited: Gate,
    over: Gate,
}

/// How long a child has to obey: in a model, whether that is over is a choice.
const GRACE: Duration = Duration::from_millis(1);

/// Which of a child's streams is connected.
#[derive(Clone, Copy)]
enum Connected {
    None,
    Stdin,
    /// And it writes so much to it if it exits by itself.
    Stdout(usize),
}

impl Family {
    /// A process with a child.
    fn begin(obeys: bool, connected: Connected) -> Self {
        let ends = |room| pair(room).expect("there is room for two descriptors");
        let (exit, its_exit) = ends(1);
        // All that it writes: it exits without waiting for anybody.
        let room = if let Connected::Stdout(writes) = connected { writes.max(1) } else { 1 };
        let (stream, its_stream) = match connected {
            Connected::None => (None, None),
            Connected::Stdin | Connected::Stdout(_) => {
                let (stream, its_stream) = ends(room);
                let stream: Box<dyn Pipe> = Box::new(Wire(stream));
                (Some(stream), Some(Arc::new(its_stream)))
            }
        };
        let state = State { stream: its_stream, exit: Some(its_exit), status: None, is_waited_for: false };
        let life = Arc::new(Life { obeys, state: Mutex::new(state) });
        let (stdin, stdout, writes) = match connected {
            Connected::None | Connected::Stdin => (stream, None, 0),
            Connected::Stdout(writes) => (None, stream, writes),
        };
        let parts = Parts {
            process: Box::new(Ward(Known(life.clone()), exit)),
            target: Box::new(Known(life.clone())),
            pid: 7,
            stdin,
            outputs: [stdout, None],
        };
        let (exited, over) = (Gate::new(), Gate::new());
        let ear = Ear { writes, heard: 0, exited: exited.clone(), over: over.clone() };
        let address = Arc::new(Mutex::new(None));
        let parent = {
            let address = address.clone();
            Parent::new(move |context: &antiphon::Context<'_, Mail>| {
                let (reader, handler) = Options::new().grace(GRACE).attach(parts, ear)?;
                *address.lock() = Some(context.spawn_meta(reader, handler)?);
                Ok(())
            })
        };
        let node = node();
        let parent = node.spawn(parent).expect("the node is up");
        let child = address.lock().take().expect("the parent is alive");
        Self { node, parent, child, life, exited, over }
    }

    /// Stops the node: no child is left then, and none that nobody has waited for.
    fn end(self) {
        stop(&self.node);
        let is_waited_for = self.life.is_waited_for();
        check(is_waited_for, Guarantee::NoLeak, || "a child is left that nobody has waited for".into());
    }
}

/// The child writes, and exits: what it wrote is told before its exit, and then the meta-process ends by itself.
pub(crate) fn output_against_exit() {
    let family = Family::begin(true, Connected::Stdout(2));
    let child = {
        let life = family.life.clone();
        start(move || {
            if let Some(stdout) = life.stream() {
                write(&stdout, 2);
            }
            life.exit(0);
        })
    };
    family.over.pass();
    child.join();
    family.end();
}

/// The owner ends while the child exits by itself.
pub(crate) fn end_against_exit() {
    let family = Family::begin(true, Connected::None);
    let child = {
        let life = family.life.clone();
        start(move || life.exit(0))
    };
    family.node.exit(&family.parent, Exit::Normal);
    child.join();
    family.end();
}

/// The owner ends, and the child does not obey, but may exit by itself before it is killed.
pub(crate) fn kill_against_exit() {
    let family = Family::begin(false, Connected::None);
    let child = {
        let life = family.life.clone();
        start(move || life.exit(0))
    };
    family.node.exit(&family.parent, Exit::Normal);
    family.over.pass();
    child.join();
    family.end();
}

/// The owner ends, and the child never obeys.
pub(crate) fn disobedience() {
    let family = Family::begin(false, Connected::None);
    family.node.exit(&family.parent, Exit::Normal);
    family.end();
}

/// The child is to be stopped, while it exits and leaves somebody behind who still holds its standard output.
pub(crate) fn stop_against_heir() {
    let family = Family::begin(true, Connected::Stdout(0));
    let heir = family.life.stream();
    let child = {
        let life = family.life.clone();
        start(move || life.exit(0))
    };
    send(&family.child, Command::stop());
    // Told at once, whoever holds the output.
    family.exited.pass();
    child.join();
    send(&family.child, Command::stop());
    drop(heir);
    family.over.pass();
    family.end();
}

/// The child is written to while it exits.
pub(crate) fn write_against_exit() {
    let family = Family::begin(true, Connected::Stdin);
    let child = {
        let life = family.life.clone();
        start(move || life.exit(0))
    };
    for _ in 0..2 {
        send(&family.child, Command::write(vec![7]));
    }
    family.over.pass();
    child.join();
    family.end();
}

/// More is written to the child than there is room for; it reads late, and up to the end, which is then closed.
pub(crate) fn close_against_room() {
    let family = Family::begin(true, Connected::Stdin);
    let child = {
        let life = family.life.clone();
        start(move || {
            if let Some(stdin) = life.stream() {
                let got = read(&stdin, 3);
                check(got == 2, Guarantee::NoLoss, || format!("{got} bytes of 2 came"));
                reached("all came");
            }
            life.exit(0);
        })
    };
    for _ in 0..2 {
        send(&family.child, Command::write(vec![7]));
    }
    send(&family.child, Command::close_stdin());
    // Where the pipe stays open, the child reads for ever.
    family.over.pass();
    child.join();
    family.end();
}
