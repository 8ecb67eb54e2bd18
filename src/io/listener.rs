//! The two lines of a listener, whatever kind of stream socket it accepts.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use platform::readiness::{Readiness, Source};

use super::connection;
use super::link::Socket;
use super::session::Session;
use super::stepwise::{Step, Steps, Stepwise, Wait, failed, shared};
use super::waker::{Ready, Waker};
use crate::exit::Exit;
use crate::meta::{Handler, HandlerContext, ReaderContext};
use crate::process::SpawnError;

/// How long an accept that failed waits before the next, at first and at most: each failure doubles it.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(320));

/// A socket that accepts connections and never blocks.
pub trait Listen: Send + Sync + 'static {
    /// What it accepts.
    type Socket: Socket;
    /// What is known of who connects.
    type Peer;

    /// What is waited for.
    fn source(&self) -> &dyn Source;

    /// Accepts a connection.
    ///
    /// # Errors
    /// `WouldBlock`, `ConnectionAborted` or `Interrupted` if nobody is there after all; `InvalidInput` or
    /// `Unsupported` if it will never accept anybody. After any other the listener tries again after a pause.
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
pub(crate) fn lines<L: Listen, A: Accept<L::Peer>>(socket: L, accept: A) -> (Steps<Acceptor<L, A>>, Door) {
    let waker = Waker::unbound();
    let acceptor = Acceptor { socket, accept, waker, shares: false, pausing: false, pause: PAUSES.0 };
    (Steps::new(acceptor), Door)
}

/// The Reader of a listener.
pub(crate) struct Acceptor<L, A> {
    socket: L,
    accept: A,
    waker: Waker,
    /// It shares a poller, and so do its connections.
    shares: bool,
    /// After a failure: somebody to accept is there all the time, so only the time is waited for.
    pausing: bool,
    /// How long the next pause is.
    pause: Duration,
}

impl<L: Listen, A: Accept<L::Peer>> Stepwise<Stop> for Acceptor<L, A> {
    fn source(&self) -> &dyn Source {
        self.socket.source()
    }

    fn waker(&self) -> &Waker {
        &self.waker
    }

    fn wait(&self) -> Wait {
        match self.pausing {
            true => Wait { interest: None, timeout: Some(self.pause) },
            false => Wait { interest: Some(Readiness::READ), timeout: None },
        }
    }

    fn step(&mut self, _: Ready, context: &ReaderContext<Stop>) -> Step {
        if std::mem::take(&mut self.pausing) {
            self.pause = (2 * self.pause).min(PAUSES.1);
        }
        self.attempt(context)
    }

    fn share(&mut self) {
        self.shares = true;
    }
}

impl<L: Listen, A: Accept<L::Peer>> Acceptor<L, A> {
    fn attempt(&mut self, context: &ReaderContext<Stop>) -> Step {
        // First what the connection will need, so that nobody is accepted only to be dropped.
        let waker = if self.shares { Ok(Waker::unbound()) } else { Waker::new() };
        let waker = match waker {
            Ok(waker) => waker,
            Err(error) => return self.failed(&error),
        };
        let (socket, peer) = match self.socket.accept() {
            Ok(accepted) => accepted,
            Err(error) => {
                return match error.kind() {
                    // It went away before it was accepted.
                    ErrorKind::WouldBlock | ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {
                        Step::Continue(())
                    }
                    // This is no listening socket.
                    ErrorKind::InvalidInput | ErrorKind::Unsupported => failed(error),
                    _ => self.failed(&error),
                };
            }
        };
        if let Err(error) = socket.prepare() {
            // Broken before it began.
            self.accept.failed(&error);
            return Step::Continue(());
        }
        let (reader, handler) = connection::lines(socket, waker, self.accept.accept(peer));
        let spawned = match self.shares {
            true => context.spawn_meta(shared(reader), handler),
            false => context.spawn_meta(reader, handler),
        };
        match spawned {
            Ok(_) => self.pause = PAUSES.0,
            // The owner of all this is ending.
            Err(SpawnError::Refused) => return Step::Break(Ok(())),
            Err(error @ SpawnError::Thread(_)) => return self.failed(&error),
            // The session would not have this peer; that says nothing about the next.
            Err(error) => self.accept.failed(&error),
        }
        Step::Continue(())
    }

    /// Tries again after a while.
    fn failed(&mut self, error: &dyn Error) -> Step {
        self.accept.failed(error);
        self.pausing = true;
        Step::Continue(())
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
