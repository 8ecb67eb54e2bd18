//! Where to send messages.

use std::fmt;
use std::time::Duration;

use event::{ActorId, Class, Event};
use platform::record::{Stamp, emit};
use platform::sync::Arc;

use crate::capacity::Capacity;
use crate::executor::blocking;
use crate::inbox::{Refused, Task};
use crate::mailbox::{Envelope, Mailbox, post};

/// Where to send messages of type `M`: names one actor for ever (`unique-identity`).
///
/// Cloning is cheap, and an address keeps no actor alive: when its actor has ended, a send gives the
/// message back.
pub struct Address<M: Send + 'static>(pub(crate) Arc<Mailbox<M>>);

/// A message that was not accepted, handed back.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError<M> {
    /// The actor has ended, or is ending: it accepts nothing any more.
    Closed(M),
    /// As many messages wait for the actor as its capacity allows.
    Full(M),
}

impl<M> SendError<M> {
    /// The message, for another try elsewhere.
    pub fn into_message(self) -> M {
        match self {
            Self::Closed(message) | Self::Full(message) => message,
        }
    }
}

impl<M> fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("Closed(..)"),
            Self::Full(_) => f.write_str("Full(..)"),
        }
    }
}

impl<M> fmt::Display for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("the actor has ended"),
            Self::Full(_) => f.write_str("the actor's mailbox is full"),
        }
    }
}

impl<M> std::error::Error for SendError<M> {}

impl<M: Send + 'static> Address<M> {
    /// Sends a message; it is accepted or handed back, never swallowed (`no-loss`).
    ///
    /// Never waits. What the sender did before is visible to the handler (`handover`), and two messages
    /// that one sender sends one after the other are handled in that order (`sender-order`).
    ///
    /// # Errors
    /// [`SendError`] with the message: `Closed` once the actor is ending (`closed-is-closed`), `Full` while as
    /// many messages wait for it as its capacity allows (`capacity`).
    #[inline]
    pub fn send(&self, message: M) -> Result<(), SendError<M>> {
        self.send_as(Class::Main, message)
    }

    /// Sends a message that is handled before those of a lower class that wait (`class-order`); else as
    /// [`send`](Self::send).
    ///
    /// Processes and meta-processes have the same three classes. What ends an actor has a class too: a kill is
    /// urgent, a request to end is of the system's, and the end of a Reader comes after what it had sent as
    /// [`Class::Main`].
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[inline]
    pub fn send_as(&self, class: Class, message: M) -> Result<(), SendError<M>> {
        self.send_with(class, message, Capacity::reserve, |task| self.execute(task))
    }

    /// Sends a message, waiting for room at most for `timeout` while as many messages wait for the actor as its
    /// capacity allows: back-pressure. Meant for threads outside; in an actor it blocks the callback.
    ///
    /// # Errors
    /// As [`send`](Self::send); `Full` when there was no room in time.
    pub fn send_timeout(&self, message: M, timeout: Duration) -> Result<(), SendError<M>> {
        let reserve = |room: &Capacity| room.reserve() || blocking(|| room.reserve_within(timeout));
        self.send_with(Class::Main, message, reserve, |task| self.execute(task))
    }

    /// Has the executor run this actor.
    pub(crate) fn execute(&self, task: Task) {
        self.0.shared().node.executor().execute(task);
    }

    /// Sends a message, if the actor is unbounded or `reserve` finds room; if that wakes the actor, `run` is
    /// given its activation.
    #[inline]
    pub(crate) fn send_with(
        &self,
        class: Class,
        message: M,
        reserve: impl FnOnce(&Capacity) -> bool,
        run: impl FnOnce(Task),
    ) -> Result<(), SendError<M>> {
        let (stamp, to) = (Stamp::new(), self.id());
        emit(|r| Event::SendBegin { message: r.message(&stamp), from: Some(r.sender()), to, class });
        let returned = |accepted| emit(|r| Event::SendEnd { message: r.message(&stamp), accepted });
        if let Some(room) = &self.0.shared().capacity
            && !reserve(room)
        {
            returned(false);
            return Err(SendError::Full(message));
        }
        match post(&self.0, Envelope::Message { message, class, stamp }, returned, run) {
            Ok(()) => Ok(()),
            Err(Refused(Envelope::Message { message, .. })) => Err(SendError::Closed(message)),
            Err(Refused(Envelope::Signal(_))) => unreachable!("a refused envelope comes back as it went"),
        }
    }

    /// Which actor it is.
    #[inline]
    pub fn id(&self) -> ActorId {
        self.0.shared().id
    }
}

impl<M: Send + 'static> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Send + 'static> PartialEq for Address<M> {
    /// Two addresses are equal if they name the same actor.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<M: Send + 'static> Eq for Address<M> {}

impl<M: Send + 'static> fmt::Debug for Address<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({} {})", self.0.shared().label, self.id())
    }
}
