//! The two lines of a connection, whatever kind of stream socket it is.

use std::cell::RefCell;
use std::io::{self, ErrorKind};

use platform::readiness::{Readiness, Source};
use platform::sync::Arc;

use super::data::Data;
use super::link::{Link, Socket};
use super::output::Output;
use super::session::{Command, Connection, Request, Session};
use super::stepwise::{Step, Steps, Stepwise, Wait, failed};
use super::waker::{Ready, Requests, Waker};
use crate::exit::Exit;
use crate::meta::{Handler, HandlerContext, ReaderContext};

/// Room for a session's callbacks, which run on the Reader's thread, and for a backtrace if one panics.
/// Only what is used of it becomes resident.
pub(crate) const STACK_BYTES: usize = 256 << 10;

/// How much one system call reads at most.
const CHUNK: usize = 16 << 10;

platform::thread_local! {
    /// What a connection reads into, whichever it is: an idle one needs none.
    #[allow(clippy::missing_const_for_thread_local, reason = "not every platform has the const form")]
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(Vec::new());
}

/// The two lines of one connection.
pub(crate) fn lines<S: Session>(socket: impl Socket, waker: Waker, session: S) -> (Steps<Input>, Talk<S>) {
    let link = Link::new(socket, waker);
    let output = Output::new(Arc::clone(&link));
    let input = Input { link, ended: false, write_wanted: false, used_up: false };
    (Steps::new(input), Talk { output, session, told_congested: false })
}

/// The Reader of a connection.
#[derive(Debug)]
pub(crate) struct Input {
    link: Arc<Link>,
    /// The peer will send nothing more.
    ended: bool,
    /// The Handler waits for room in the socket.
    write_wanted: bool,
    /// The last step left nothing to read.
    used_up: bool,
}

impl Stepwise<Command> for Input {
    fn source(&self) -> &dyn Source {
        self.link.socket.source()
    }

    fn waker(&self) -> &Waker {
        &self.link.waker
    }

    fn wait(&self) -> Wait {
        let mut interest = Readiness::NONE;
        if !self.ended && !self.link.is_held_up() {
            interest = interest.union(Readiness::READ);
        }
        if self.write_wanted {
            interest = interest.union(Readiness::WRITE);
        }
        Wait { interest: Some(interest), timeout: None }
    }

    fn has_used_up(&self) -> bool {
        self.used_up
    }

    fn step(&mut self, Ready { source, requests }: Ready, context: &ReaderContext<Command>) -> Step {
        self.used_up = false;
        self.write_wanted |= requests.contains(Requests::WRITABLE);
        if self.write_wanted && source.intersects(Readiness::WRITE.union(Readiness::BROKEN)) {
            self.write_wanted = false;
            deliver(Request::Writable, context)?;
        }
        if self.ended && source.intersects(Readiness::BROKEN) {
            // Both halves are closed, or the peer is gone: there is nothing left to wait for.
            return match self.link.socket.take_error() {
                Ok(None) => Step::Break(Ok(())),
                Ok(Some(error)) | Err(error) => failed(error),
            };
        }
        // What is broken is read to its end even when reading is held up: no more can come, and until it is
        // read the wait would end at once.
        if !self.ended && source.intersects(Readiness::READ.union(Readiness::BROKEN)) {
            self.read(context)?;
        }
        Step::Continue(())
    }
}

impl Input {
    /// Reads once, notes whether that was all, and delivers what came.
    fn read(&mut self, context: &ReaderContext<Command>) -> Step {
        let read: io::Result<_> = BUFFER.with(|buffer| {
            let mut buffer = buffer.borrow_mut();
            buffer.resize(CHUNK, 0);
            let count = self.link.socket.read(&mut buffer)?;
            self.used_up = self.link.socket.reads_all() && (1..CHUNK).contains(&count);
            Ok((count > 0).then(|| Data::new(&buffer[..count], &self.link)))
        });
        let request = match read {
            Ok(None) => {
                self.ended = true;
                Request::Ended
            }
            Ok(Some(data)) => Request::Received(data),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.used_up = self.link.socket.reads_all();
                return Step::Continue(());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return Step::Continue(()),
            Err(error) => return failed(error),
        };
        deliver(request, context)
    }
}

/// Tells the Handler; when it has ended, the Reader is over too.
fn deliver(request: Request, context: &ReaderContext<Command>) -> Step {
    context.deliver(Command(request)).map_or(Step::Break(Ok(())), Step::Continue)
}

/// The Handler of a connection.
#[derive(Debug)]
pub(crate) struct Talk<S> {
    output: Output,
    session: S,
    /// What the session was told last.
    told_congested: bool,
}

impl<S: Session> Talk<S> {
    /// Tells the session what has changed since the last callback; says whether the connection goes on.
    fn settle(&mut self, context: &HandlerContext<'_, Command>) -> Result<(), Exit> {
        if self.told_congested != self.output.is_congested() {
            self.told_congested = self.output.is_congested();
            let mut connection = Connection { output: &mut self.output, context };
            if self.told_congested {
                self.session.congested(&mut connection)?;
            } else {
                self.session.drained(&mut connection)?;
            }
        }
        if self.output.is_closed() { Err(Exit::Normal) } else { Ok(()) }
    }
}

impl<S: Session> Handler for Talk<S> {
    type Message = Command;

    fn init(&mut self, context: &mut HandlerContext<'_, Command>) -> Result<(), Exit> {
        self.session.opened(&mut Connection { output: &mut self.output, context })
    }

    fn handle(&mut self, command: Command, context: &mut HandlerContext<'_, Command>) -> Result<(), Exit> {
        let closing = self.output.is_closing();
        let mut connection = Connection { output: &mut self.output, context };
        match command.0 {
            // The session is done with its peer.
            Request::Received(_) | Request::Ended if closing => {}
            Request::Received(data) => self.session.received(data, &mut connection)?,
            Request::Ended => self.session.ended(&mut connection)?,
            Request::Writable => self.output.flush()?,
            Request::Write(bytes) => self.output.write(bytes)?,
            Request::ShutdownWrite => self.output.shutdown_write()?,
            Request::Close => self.output.close(),
        }
        self.settle(context)
    }

    fn terminate(&mut self, reason: &Exit, context: &mut HandlerContext<'_, Command>) {
        self.session.closed(reason, &mut Connection { output: &mut self.output, context });
    }
}
