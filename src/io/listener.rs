//! The two lines of a listener, whatever kind of stream socket it accepts.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use platform::readiness::{Readiness, Source};
use platform::sync::Arc;

use super::connection::{self, STACK_BYTES};
use super::link::Socket;
use super::session::Session;
use super::waker::{Requests, Waker};
use crate::exit::Exit;
use crate::meta::{Handler, HandlerContext, Interrupt, Reader, ReaderContext};
use crate::process::SpawnError;

/// How long an accept that failed waits before the next, at first and at most: each failure doubles it.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(320));

/// A socket that accepts connections and never blocks.
pub(crate) trait Listen: Source + Send + Sync + 'static {
    type Socket: Socket;
    type Peer;

    fn accept(&self) -> io::Result<(Self::Socket, Self::Peer)>;
}

/// Decides what the connections of a listener do. Called by the listener's Reader, one call at a time.
///
/// A closure that makes a [`Session`] from the peer's address is one.
pub trait Accept<P>: Send + 'static {
    /// What each connection does.
    type Session: Session;

    /// Makes the session of a connection that was accepted.
    fn accept(&mut self, peer: P) -> Self::Session;

    /// Called when a connection could not be accepted or not be started, for example because the process has
    /// no descriptors left. The listener goes on: it tries again after a pause that grows from 5 ms up to
    /// 320 ms while nothing succeeds.
    fn failed(&mut self, _error: &dyn Error) {}
}

impl<P, S: Session, F: FnMut(P) -> S + Send + 'static> Accept<P> for F {
    type Session = S;

    fn accept(&mut self, peer: P) -> S {
        self(peer)
    }
}

/// Tells a listener to accept nothing more, and to end. Its connections live on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stop;

/// The two lines of one listener.
pub(crate) fn lines<L: Listen, A: Accept<L::Peer>>(
    socket: L,
    accept: A,
) -> io::Result<(Acceptor<L, A>, Door)> {
    Ok((Acceptor { socket, accept, waker: Arc::new(Waker::new()?), pause: PAUSES.0 }, Door))
}

/// The Reader of a listener.
pub(crate) struct Acceptor<L, A> {
    socket: L,
    accept: A,
    waker: Arc<Waker>,
    /// How long to wait after the next failure.
    pause: Duration,
}

/// What became of an attempt to accept.
enum Attempt {
    /// Try again when there is somebody to accept.
    Done,
    /// Try again after a while.
    Pause,
    /// The listener is of no use any more.
    Over(Result<(), Exit>),
}

impl<L: Listen, A: Accept<L::Peer>> Acceptor<L, A> {
    fn attempt(&mut self, context: &ReaderContext<Stop>) -> Attempt {
        // First what the connection will need, so that nobody is accepted only to be dropped.
        let waker = match Waker::new() {
            Ok(waker) => waker,
            Err(error) => return self.failed(&error),
        };
        let (socket, peer) = match self.socket.accept() {
            Ok(accepted) => accepted,
            Err(error) => {
                return match error.kind() {
                    // It went away before it was accepted.
                    ErrorKind::WouldBlock | ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {
                        Attempt::Done
                    }
                    // This is no listening socket.
                    ErrorKind::InvalidInput | ErrorKind::Unsupported => Attempt::Over(Err(error.into())),
                    _ => self.failed(&error),
                };
            }
        };
        if let Err(error) = socket.prepare() {
            // Broken before it began.
            self.accept.failed(&error);
            return Attempt::Done;
        }
        let (reader, handler) = connection::lines(socket, waker, self.accept.accept(peer));
        match context.spawn_meta(reader, handler) {
            Ok(_) => {
                self.pause = PAUSES.0;
                Attempt::Done
            }
            // The owner of all this is ending.
            Err(SpawnError::Refused) => Attempt::Over(Ok(())),
            Err(error @ SpawnError::Thread(_)) => self.failed(&error),
            // The session would not have this peer; that says nothing about the next.
            Err(error) => {
                self.accept.failed(&error);
                Attempt::Done
            }
        }
    }

    fn failed(&mut self, error: &dyn Error) -> Attempt {
        self.accept.failed(error);
        Attempt::Pause
    }

    /// How long to wait now, after a failure.
    fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (2 * pause).min(PAUSES.1);
        pause
    }
}

impl<L: Listen, A: Accept<L::Peer>> Reader<Stop> for Acceptor<L, A> {
    const STACK_BYTES: usize = STACK_BYTES;

    fn interrupt(&mut self) -> Interrupt {
        let waker = Arc::clone(&self.waker);
        Interrupt::new(move || waker.wake(Requests::END))
    }

    fn run(mut self, context: &ReaderContext<Stop>) -> Result<(), Exit> {
        let mut pause = None;
        loop {
            // During a pause the waker alone ends the wait: somebody to accept is there all the time.
            let socket: &dyn Source = &self.socket;
            let source = pause.is_none().then_some((socket, Readiness::READ));
            let ready = self.waker.wait(source, pause.take())?;
            if ready.requests.contains(Requests::END) {
                return Ok(());
            }
            match self.attempt(context) {
                Attempt::Done => {}
                Attempt::Pause => pause = Some(self.next_pause()),
                Attempt::Over(result) => return result,
            }
        }
    }
}

/// The Handler of a listener.
#[derive(Debug)]
pub(crate) struct Door;

impl Handler for Door {
    type Message = Stop;

    fn handle(&mut self, _: Stop, _: &mut HandlerContext<'_, Stop>) -> Result<(), Exit> {
        Err(Exit::Normal)
    }
}
