//! Where to send messages.

use std::fmt;

use event::{ActorId, Class, Event};
use platform::record::{Stamp, emit};
use platform::sync::Arc;

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
}

impl<M> SendError<M> {
    /// The message, for another try elsewhere.
    pub fn into_message(self) -> M {
        match self {
            Self::Closed(message) => message,
        }
    }
}

impl<M> fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("Closed(..)"),
        }
    }
}

impl<M> fmt::Display for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("the actor has ended"),
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
    /// [`SendError::Closed`] with the message, once the actor is ending (`closed-is-closed`).
    #[inline]
    pub fn send(&self, message: M) -> Result<(), SendError<M>> {
        self.send_and(message, |task| self.0.shared().node.executor().execute(task))
    }

    /// Sends a message; if that wakes the actor, `run` is given its activation.
    #[inline]
    pub(crate) fn send_and(&self, message: M, run: impl FnOnce(Task)) -> Result<(), SendError<M>> {
        let (stamp, to, class) = (Stamp::new(), self.id(), Class::Main);
        emit(|r| Event::SendBegin { message: r.message(&stamp), from: Some(r.sender()), to, class });
        let returned = |accepted| emit(|r| Event::SendEnd { message: r.message(&stamp), accepted });
        let sent = post(&self.0, Envelope::Message { message, class, stamp }, returned, run);
        match sent {
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
