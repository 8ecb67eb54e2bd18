//! The user's side of a file that is read: what happens with what is read, and how to go elsewhere.

use std::fmt;
use std::io;

use platform::sync::{Arc, Mutex};

use crate::address::Address;
use crate::call::Reply;
use crate::exit::Exit;
use crate::io::data::Window;
use crate::io::line::{Line, Unit};
use crate::io::waker::{Requests, Waker};
use crate::meta::{Handler, HandlerContext};

/// What is done with a file: its callbacks run in the Handler, one at a time.
///
/// An error, or a panic, ends the meta-process, and nothing else (`panic-containment`).
pub trait Session: Send + Sized + 'static {
    /// What the file is cut into: [`Line`], or [`Data`](super::Data) for chunks.
    type Unit: Unit;

    /// Called first, before anything is read.
    ///
    /// # Errors
    /// The reason for which the meta-process does not come to life; nothing else is called then.
    fn opened(&mut self, _: &mut Reading<'_, Self::Unit>) -> Result<(), Exit> {
        Ok(())
    }

    /// Called with what was read, in order and without gaps.
    ///
    /// # Errors
    /// The reason for which the meta-process ends. [`Exit::Normal`] means that it is done.
    fn received(&mut self, unit: Self::Unit, reading: &mut Reading<'_, Self::Unit>) -> Result<(), Exit>;

    /// Called when a file that is followed is no longer what it was, before what is read from then on.
    ///
    /// # Errors
    /// As [`received`](Self::received).
    fn changed(&mut self, _: Change, _: &mut Reading<'_, Self::Unit>) -> Result<(), Exit> {
        Ok(())
    }

    /// Called at the end of a file that is not followed. Unless it is told otherwise, the meta-process then
    /// ends; if it does not, nothing is read before somebody seeks.
    ///
    /// # Errors
    /// As [`received`](Self::received).
    fn ended(&mut self, _: &mut Reading<'_, Self::Unit>) -> Result<(), Exit> {
        Err(Exit::Normal)
    }

    /// Called once, last, if [`opened`](Self::opened) succeeded (`terminate-once`).
    fn closed(&mut self, _reason: &Exit, _: &mut Reading<'_, Self::Unit>) {}
}

/// What has become of a file that is followed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Change {
    /// It is shorter than what was read of it; it is read from its begin.
    Truncated,
    /// Another file has its name, and is read from its begin.
    Replaced,
    /// Nothing has its name any more. What is written to it all the same is still read.
    Removed,
    /// There was none; now there is, and it is read from its begin.
    Appeared,
    /// The file that has its name now cannot be opened.
    Refused(io::Error),
}

impl Change {
    /// Whether reading goes on at the begin of a file.
    fn begins(&self) -> bool {
        match self {
            Self::Truncated | Self::Replaced | Self::Appeared => true,
            Self::Removed | Self::Refused(_) => false,
        }
    }
}

/// What can be sent to whoever reads a file, by whoever has its address.
pub struct Command<U: Unit = Line>(pub(super) Request<U>);

/// What the Handler is asked for. What its own Reader says counts only if the Reader had heard of the last
/// seek when it said it.
pub(super) enum Request<U> {
    /// The Reader has heard of a seek: it reads on from there.
    Sought {
        seeks: u64,
        at: u64,
    },
    Received {
        seeks: u64,
        unit: U,
        /// Where in the file the unit ends.
        end: u64,
    },
    Changed {
        seeks: u64,
        change: Change,
    },
    Ended {
        seeks: u64,
    },
    Seek(Target),
    Position(Reply<u64>),
    Stop,
}

/// Where to go.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    Offset(u64),
    End,
}

impl<U: Unit> Command<U> {
    /// Go on this many bytes behind the begin of the file, or at its end if it has less.
    pub fn seek(offset: u64) -> Self {
        Self(Request::Seek(Target::Offset(offset)))
    }

    /// Go on at the end of the file.
    pub fn seek_to_end() -> Self {
        Self(Request::Seek(Target::End))
    }

    /// Answer where in the file the last unit that was handled ends, in bytes from the begin.
    pub fn position(reply: Reply<u64>) -> Self {
        Self(Request::Position(reply))
    }

    /// End.
    pub fn stop() -> Self {
        Self(Request::Stop)
    }
}

impl<U: Unit> fmt::Debug for Command<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.0 {
            Request::Sought { .. } => "Sought",
            Request::Received { .. } => "Received",
            Request::Changed { .. } => "Changed",
            Request::Ended { .. } => "Ended",
            Request::Seek(_) => "Seek",
            Request::Position(_) => "Position",
            Request::Stop => "Stop",
        };
        f.debug_tuple("Command").field(&name).finish()
    }
}

/// What Reader and Handler share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) window: Arc<Window>,
    /// The last seek, if the Reader has not heard of it.
    seek: Arc<Mutex<Option<Seek>>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Seek {
    pub(super) to: Target,
    /// How many seeks there were, with this one.
    pub(super) seeks: u64,
}

impl Shared {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { window: Window::new(Waker::new()?), seek: Arc::new(Mutex::new(None)) })
    }

    fn ask(&self, seek: Seek) {
        *self.seek.lock() = Some(seek);
        self.window.waker.wake(Requests::READ_ON);
    }

    /// Takes the last seek.
    pub(super) fn take(&self) -> Option<Seek> {
        self.seek.lock().take()
    }
}

/// How far the Handler is.
struct Progress {
    shared: Shared,
    position: u64,
    seeks: u64,
}

impl Progress {
    fn seek(&mut self, to: Target) {
        self.seeks += 1;
        if let Target::Offset(offset) = to {
            self.position = offset;
        }
        self.shared.ask(Seek { to, seeks: self.seeks });
    }
}

/// A file that is being read, as its own [`Session`] sees it during a callback.
pub struct Reading<'a, U: Unit> {
    progress: &'a mut Progress,
    context: &'a HandlerContext<'a, Command<U>>,
}

impl<U: Unit> Reading<'_, U> {
    /// Where in the file the last unit that was handed over ends, in bytes from the begin.
    pub fn position(&self) -> u64 {
        self.progress.position
    }

    /// Goes on this many bytes behind the begin of the file, or at its end if it has less: what is handed over
    /// next comes from there, whatever the Reader has read already.
    pub fn seek(&mut self, offset: u64) {
        self.progress.seek(Target::Offset(offset));
    }

    /// Goes on at the end of the file.
    pub fn seek_to_end(&mut self) {
        self.progress.seek(Target::End);
    }

    /// Where to send commands.
    pub fn address(&self) -> Address<Command<U>> {
        self.context.address()
    }

    /// The meta-process that reads, and what a Handler may do.
    pub fn context(&self) -> &HandlerContext<'_, Command<U>> {
        self.context
    }
}

impl<U: Unit> fmt::Debug for Reading<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("context", self.context).field("position", &self.position()).finish()
    }
}

/// The Handler.
pub(super) struct Talk<S> {
    session: S,
    progress: Progress,
}

impl<S: Session> Talk<S> {
    pub(super) fn new(shared: Shared, session: S, position: u64) -> Self {
        Self { session, progress: Progress { shared, position, seeks: 0 } }
    }
}

impl<S: Session> Handler for Talk<S> {
    type Message = Command<S::Unit>;

    fn init(&mut self, context: &mut HandlerContext<'_, Self::Message>) -> Result<(), Exit> {
        self.session.opened(&mut Reading { progress: &mut self.progress, context })
    }

    fn handle(
        &mut self,
        command: Self::Message,
        context: &mut HandlerContext<'_, Self::Message>,
    ) -> Result<(), Exit> {
        let Self { session, progress } = self;
        match command.0 {
            // Said before the Reader had heard of the last seek.
            Request::Sought { seeks, .. } | Request::Received { seeks, .. } | Request::Ended { seeks }
                if seeks != progress.seeks => {}
            Request::Sought { at, .. } => progress.position = at,
            Request::Received { unit, end, .. } => {
                progress.position = end;
                session.received(unit, &mut Reading { progress, context })?;
            }
            Request::Changed { seeks, change } => {
                // What has become of the file is so, wherever one is about to go.
                if seeks == progress.seeks && change.begins() {
                    progress.position = 0;
                }
                session.changed(change, &mut Reading { progress, context })?;
            }
            Request::Ended { .. } => session.ended(&mut Reading { progress, context })?,
            Request::Seek(to) => progress.seek(to),
            Request::Position(reply) => {
                // Whoever has given up waiting does not need it.
                let _ = reply.send(progress.position);
            }
            Request::Stop => return Err(Exit::Normal),
        }
        Ok(())
    }

    fn terminate(&mut self, reason: &Exit, context: &mut HandlerContext<'_, Self::Message>) {
        self.session.closed(reason, &mut Reading { progress: &mut self.progress, context });
    }
}
