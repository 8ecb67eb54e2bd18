//! The Handler of a child process.

use platform::sync::Arc;

use super::Shared;
use super::session::{Child, Command, Request, Session, Stream};
use super::stdin::Stdin;
use crate::exit::Exit;
use crate::io::data::Data;
use crate::io::line::{Cut, Cutter, Hold};
use crate::meta::{Handler, HandlerContext};

/// What cuts a stream into what a session wants.
type CutterOf<S> = <<S as Session>::Unit as Cut>::Cutter;

/// Runs the session.
pub(super) struct Talk<S: Session> {
    shared: Arc<Shared>,
    stdin: Stdin,
    /// What cuts the two streams.
    cutters: [CutterOf<S>; 2],
    session: S,
    /// What the session was told last.
    told_congested: bool,
    told_closed: bool,
}

impl<S: Session> Talk<S> {
    pub(super) fn new(shared: Arc<Shared>, stdin: Stdin, cutters: [CutterOf<S>; 2], session: S) -> Self {
        Self { shared, stdin, cutters, session, told_congested: false, told_closed: false }
    }

    /// Tells the session of what was read, cut as it wants it.
    fn read(
        &mut self,
        stream: Stream,
        data: Data,
        context: &HandlerContext<'_, Command>,
    ) -> Result<(), Exit> {
        let Self { shared, stdin, session, .. } = self;
        let mut child = Child { shared, stdin, context };
        self.cutters[stream as usize]
            .feed_data(data, &Hold(&shared.window), |unit| session.output(stream, unit, &mut child))
    }

    /// Tells the session of the last line, if it had no end, and of the end.
    fn ended(&mut self, stream: Stream, context: &HandlerContext<'_, Command>) -> Result<(), Exit> {
        let hold = Hold(&self.shared.window);
        let last = self.cutters[stream as usize].finish(&hold);
        let mut child = Child { shared: &self.shared, stdin: &mut self.stdin, context };
        if let Some(unit) = last {
            self.session.output(stream, unit, &mut child)?;
        }
        self.session.output_ended(stream, &mut child)
    }

    /// Tells the session what has changed with the standard input since the last callback.
    fn settle(&mut self, context: &HandlerContext<'_, Command>) -> Result<(), Exit> {
        if self.told_congested != self.stdin.is_congested() {
            self.told_congested = self.stdin.is_congested();
            let mut child = Child { shared: &self.shared, stdin: &mut self.stdin, context };
            if self.told_congested {
                self.session.congested(&mut child)?;
            } else {
                self.session.drained(&mut child)?;
            }
        }
        if self.told_closed != self.stdin.is_broken() {
            self.told_closed = true;
            let mut child = Child { shared: &self.shared, stdin: &mut self.stdin, context };
            self.session.stdin_closed(&mut child)?;
        }
        Ok(())
    }
}

impl<S: Session> Handler for Talk<S> {
    type Message = Command;

    fn init(&mut self, context: &mut HandlerContext<'_, Command>) -> Result<(), Exit> {
        self.session.started(&mut Child { shared: &self.shared, stdin: &mut self.stdin, context })
    }

    fn handle(&mut self, command: Command, context: &mut HandlerContext<'_, Command>) -> Result<(), Exit> {
        let mut child = Child { shared: &self.shared, stdin: &mut self.stdin, context };
        match command.0 {
            Request::Read(stream, data) => self.read(stream, data, context)?,
            Request::Ended(stream) => self.ended(stream, context)?,
            Request::Exited(status) => self.session.exited(status, &mut child)?,
            Request::Writable => self.stdin.flush()?,
            // Whoever sent it cannot know yet.
            Request::Write(_) if child.stdin.is_broken() => {}
            Request::Write(bytes) => child.write(bytes)?,
            Request::CloseStdin => child.close_stdin(),
            Request::Signal(signal) => child.signal(signal)?,
            Request::Stop => child.stop(),
            Request::Kill => child.kill()?,
        }
        self.settle(context)
    }

    fn terminate(&mut self, reason: &Exit, context: &mut HandlerContext<'_, Command>) {
        let mut child = Child { shared: &self.shared, stdin: &mut self.stdin, context };
        self.session.closed(reason, &mut child);
        // If the child runs yet, this may be all that it waits for.
        self.stdin.abandon();
    }
}
