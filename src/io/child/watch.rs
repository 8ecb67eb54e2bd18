//! The Reader of a child process.

use std::io::{self, ErrorKind};
use std::process::ExitStatus;

use platform::readiness::Readiness;
use platform::sync::Arc;

use super::Shared;
use super::leader::Leader;
use super::process::{Held, Pipe};
use super::session::{Command, Request, Stream};
use crate::exit::Exit;
use crate::io::connection::STACK_BYTES;
use crate::io::data::Data;
use crate::io::waker::Requests;
use crate::meta::{Interrupt, Reader, ReaderContext};

/// How much one system call reads at most.
const CHUNK: usize = 32 << 10;

/// Waits for what the child writes, for its exit, and for room in its standard input.
#[derive(Debug)]
pub(super) struct Watch {
    shared: Arc<Shared>,
    leader: Leader,
    /// Held only to be waited for.
    stdin: Option<Held>,
    /// The Handler waits for room in the standard input.
    write_wanted: bool,
    outputs: [Option<Output>; 2],
    told: Told,
    /// What is read is dropped: nobody is told any more.
    dropping: bool,
    buffer: Vec<u8>,
}

/// One of the streams that the child writes to.
#[derive(Debug)]
struct Output {
    pipe: Box<dyn Pipe>,
    /// Once the child has exited: how much is left of what it wrote itself. Whatever comes after that is from
    /// somebody else.
    left: Option<usize>,
}

/// What one attempt to read gave.
enum Taken {
    Nothing,
    /// So many bytes, in the buffer.
    Some(usize),
    /// The end of the stream.
    End,
}

/// How far the Handler was told.
#[derive(Clone, Copy, Debug)]
enum Told {
    /// There was no exit yet.
    Running,
    /// The child has exited: first what it wrote is told, then that.
    Exiting(ExitStatus),
    Exited,
}

/// What the Reader returns, now.
#[derive(Debug)]
struct Over(Result<(), Exit>);

impl From<io::Error> for Over {
    fn from(error: io::Error) -> Self {
        Self(Err(error.into()))
    }
}

impl Watch {
    pub(super) fn new(
        shared: Arc<Shared>,
        leader: Leader,
        stdin: Option<Held>,
        outputs: [Option<Box<dyn Pipe>>; 2],
    ) -> Self {
        let outputs = outputs.map(|pipe| pipe.map(|pipe| Output { pipe, left: None }));
        Self {
            shared,
            leader,
            stdin,
            write_wanted: false,
            outputs,
            told: Told::Running,
            dropping: false,
            buffer: Vec::new(),
        }
    }

    /// Waits for something to do, and does it.
    fn turn(&mut self, context: &ReaderContext<Command>) -> Result<(), Over> {
        let ([exit, stdin, outputs @ ..], requests) = self.wait()?;
        if requests.contains(Requests::END) {
            return Err(Over(Ok(())));
        }
        if requests.contains(Requests::LET_GO) {
            self.stdin = None;
        }
        if requests.contains(Requests::STOP) {
            self.leader.stop();
        }
        self.leader.kill_if_due(requests.contains(Requests::DUE));
        self.write_wanted |= requests.contains(Requests::WRITABLE);
        if self.write_wanted && !stdin.is_none() {
            self.write_wanted = false;
            deliver(Request::Writable, context)?;
        }
        for (stream, ready) in Stream::BOTH.into_iter().zip(outputs) {
            if !ready.is_none() {
                self.read(stream, context)?;
            }
        }
        if !exit.is_none() {
            self.note_exit()?;
        }
        self.settle(context)
    }

    fn wait(&self) -> io::Result<([Readiness; 4], Requests)> {
        let exit = (!self.leader.has_exited()).then(|| (self.leader.as_source(), Readiness::READ));
        let stdin = self.stdin.as_deref().filter(|_| self.write_wanted);
        let stdin = stdin.map(|pipe| (pipe.source(), Readiness::WRITE));
        // While reading is held up, not even the end of a pipe is waited for: it is there all the time.
        let read_on = self.dropping || !self.shared.window.is_held_up();
        let [stdout, stderr] = self.outputs.each_ref().map(|output| {
            let output = output.as_ref().filter(|_| read_on)?;
            Some((output.pipe.source(), Readiness::READ))
        });
        self.shared.window.waker.wait_any([exit, stdin, stdout, stderr], self.leader.patience())
    }

    /// Reads once, and delivers what came.
    fn read(&mut self, stream: Stream, context: &ReaderContext<Command>) -> Result<(), Over> {
        let request = match self.take(stream)? {
            Taken::Nothing => return Ok(()),
            Taken::Some(count) => {
                Request::Read(stream, Data::new(&self.buffer[..count], &self.shared.window))
            }
            Taken::End => Request::Ended(stream),
        };
        deliver(request, context)
    }

    /// Reads once, into the buffer.
    fn take(&mut self, stream: Stream) -> io::Result<Taken> {
        let place = &mut self.outputs[stream as usize];
        let Some(output) = place else { return Ok(Taken::Nothing) };
        // Made when something is there to be read: a silent child needs none.
        self.buffer.resize(CHUNK, 0);
        match output.pipe.read(&mut self.buffer) {
            Ok(0) => {
                *place = None;
                Ok(Taken::End)
            }
            Ok(count) => {
                output.left = output.left.and_then(|left| left.checked_sub(count));
                Ok(Taken::Some(count))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                output.left = None;
                Ok(Taken::Nothing)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Taken::Nothing),
            Err(error) => Err(error),
        }
    }

    /// The child has exited: finds out how much of its output is left.
    fn note_exit(&mut self) -> io::Result<()> {
        if let Some(status) = self.leader.exit()? {
            self.told = Told::Exiting(status);
            for output in self.outputs.iter_mut().flatten() {
                output.left = Some(output.pipe.unread()?);
            }
        }
        Ok(())
    }

    /// Tells of the exit after all that the child wrote itself; says when there is nothing left to wait for.
    fn settle(&mut self, context: &ReaderContext<Command>) -> Result<(), Over> {
        if let Told::Exiting(status) = self.told {
            for stream in Stream::BOTH {
                while self.outputs[stream as usize].as_ref().is_some_and(|output| output.left.is_some()) {
                    if self.shared.window.is_held_up() {
                        return Ok(());
                    }
                    self.read(stream, context)?;
                }
            }
            self.told = Told::Exited;
            deliver(Request::Exited(status), context)?;
        }
        let is_over = matches!(self.told, Told::Exited) && self.outputs.iter().all(Option::is_none);
        if is_over { Err(Over(Ok(()))) } else { Ok(()) }
    }

    /// Has the child end, if it has not, and waits for that, whatever it still writes.
    fn end(&mut self) -> io::Result<()> {
        self.stdin = None;
        self.write_wanted = false;
        self.dropping = true;
        self.leader.stop();
        while !self.leader.has_exited() {
            let ([exit, _, outputs @ ..], requests) = self.wait()?;
            for (stream, ready) in Stream::BOTH.into_iter().zip(outputs) {
                if !ready.is_none() {
                    self.take(stream)?;
                }
            }
            if exit.is_none() {
                self.leader.kill_if_due(requests.contains(Requests::DUE));
            } else {
                self.leader.exit()?;
            }
        }
        Ok(())
    }
}

/// Tells the Handler; when it has ended, the Reader is over too.
fn deliver(request: Request, context: &ReaderContext<Command>) -> Result<(), Over> {
    context.deliver(Command(request)).map_err(|_| Over(Ok(())))
}

impl Reader<Command> for Watch {
    const STACK_BYTES: usize = STACK_BYTES;

    fn interrupt(&mut self) -> Interrupt {
        let shared = Arc::clone(&self.shared);
        Interrupt::new(move || shared.window.waker.wake(Requests::END))
    }

    fn run(mut self, context: &ReaderContext<Command>) -> Result<(), Exit> {
        let _until_over = self.shared.window.waker.until_over();
        let result = loop {
            if let Err(Over(result)) = self.turn(context) {
                break result;
            }
        };
        self.end()?;
        result
    }
}
