//! The event recorder that records nothing.
//!
//! [`Recording`] has no value, so a closure that needs one can never run: that the ordinary build pays
//! nothing for its recorder is checked by the compiler, not by a benchmark.

use event::{ActorId, Event, MessageId, Sender};

/// What a recorded event may be made from; here, a type without values.
#[derive(Debug)]
pub enum Recording {}

impl Recording {
    /// The identity of a message in the trace.
    pub fn message(&self, _: &Stamp) -> MessageId {
        match *self {}
    }

    /// Who is running: an actor, or a plain thread.
    pub fn sender(&self) -> Sender {
        match *self {}
    }
}

/// What makes a message recognisable in a trace; here, nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(());

impl Stamp {
    /// A stamp that no other message has.
    #[inline(always)]
    #[allow(clippy::new_without_default, reason = "a default that differs each time would mislead")]
    pub fn new() -> Self {
        Self(())
    }
}

/// For as long as it lives, what this thread sends is sent by the actor it was made for.
#[derive(Debug)]
#[must_use = "the actor's line ends when this is dropped"]
pub struct Line(());

/// Says that this thread acts for `actor` until the returned value is dropped.
#[inline(always)]
pub fn enter(_: ActorId) -> Line {
    Line(())
}

/// Records one event; here, does nothing.
#[inline(always)]
pub fn emit(_: impl FnOnce(&Recording) -> Event) {}
