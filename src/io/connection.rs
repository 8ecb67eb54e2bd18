//! The two lines of a connection, whatever kind of stream socket it is.

use std::io::{self, ErrorKind};

use platform::readiness::Readiness;
use platform::sync::Arc;

use super::data::Data;
use super::link::{Link, Socket};
use super::output::Output;
use super::session::{Command, Connection, Request, Session};
use super::waker::{Ready, Requests, Waker};
use crate::exit::Exit;
use crate::meta::{Handler, HandlerContext, Interrupt, Reader, ReaderContext};

/// Room for a session's callbacks, which run on the Reader's thread, and for a backtrace if one panics.
/// Only what is used of it becomes resident.
pub(crate) const STACK_BYTES: usize = 256 << 10;

/// How much one system call reads at most.
const CHUNK: usize = 16 << 10;

/// The two lines of one connection.
pub(crate) fn lines<S: Session>(socket: impl Socket, waker: Waker, session: S) -> (Input, Talk<S>) {
    let link = Link::new(socket, waker);
    let output = Output::new(Arc::clone(&link));
    (Input { link, ended: false, write_wanted: false }, Talk { output, session, told_congested: false })
}

/// The Reader of a connection.
#[derive(Debug)]
pub(crate) struct Input {
    link: Arc<Link>,
    /// The peer will send nothing more.
    ended: bool,
    /// The Handler waits for room in the socket.
    write_wanted: bool,
}

/// What the Reader returns, now.
#[derive(Debug)]
struct Over(Result<(), Exit>);

impl From<io::Error> for Over {
    fn from(error: io::Error) -> Self {
        Self(Err(error.into()))
    }
}

impl Input {
    /// Waits for something to do, and does it.
    fn turn(&mut self, buffer: &mut Vec<u8>, context: &ReaderContext<Command>) -> Result<(), Over> {
        let Ready { source, requests } = self.wait()?;
        if requests.contains(Requests::END) {
            return Err(Over(Ok(())));
        }
        self.write_wanted |= requests.contains(Requests::WRITABLE);
        if self.write_wanted && source.intersects(Readiness::WRITE.union(Readiness::BROKEN)) {
            self.write_wanted = false;
            deliver(Request::Writable, context)?;
        }
        if self.ended && source.intersects(Readiness::BROKEN) {
            // Both halves are closed, or the peer is gone: there is nothing left to wait for.
            return Err(Over(self.link.socket.take_error()?.map_or(Ok(()), |error| Err(error.into()))));
        }
        // What is broken is read to its end even when reading is held up: no more can come, and until it is
        // read the wait would end at once.
        if !self.ended && source.intersects(Readiness::READ.union(Readiness::BROKEN)) {
            self.read(buffer, context)?;
        }
        Ok(())
    }

    fn wait(&self) -> io::Result<Ready> {
        let mut interest = Readiness::NONE;
        if !self.ended && !self.link.is_held_up() {
            interest = interest.union(Readiness::READ);
        }
        if self.write_wanted {
            interest = interest.union(Readiness::WRITE);
        }
        self.link.waker.wait(Some((&*self.link.socket, interest)), None)
    }

    /// Reads once, and delivers what came.
    fn read(&mut self, buffer: &mut Vec<u8>, context: &ReaderContext<Command>) -> Result<(), Over> {
        // Made when something is there to be read: an idle connection needs none.
        buffer.resize(CHUNK, 0);
        let request = match self.link.socket.read(buffer) {
            Ok(0) => {
                self.ended = true;
                Request::Ended
            }
            Ok(count) => Request::Received(Data::new(&buffer[..count], &self.link)),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        deliver(request, context)
    }
}

/// Tells the Handler; when it has ended, the Reader is over too.
fn deliver(request: Request, context: &ReaderContext<Command>) -> Result<(), Over> {
    context.deliver(Command(request)).map_err(|_| Over(Ok(())))
}

impl Reader<Command> for Input {
    const STACK_BYTES: usize = STACK_BYTES;

    fn interrupt(&mut self) -> Interrupt {
        let link = Arc::clone(&self.link);
        Interrupt::new(move || link.waker.wake(Requests::END))
    }

    fn run(mut self, context: &ReaderContext<Command>) -> Result<(), Exit> {
        let mut buffer = Vec::new();
        loop {
            if let Err(Over(result)) = self.turn(&mut buffer, context) {
                return result;
            }
        }
    }
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
