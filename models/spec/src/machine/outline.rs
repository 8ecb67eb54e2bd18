//! What a state says of each actor in outline: enough to compare two ways to get into states.

use super::State;
use super::lives::{Life, Span};
use super::messages::Message;
use crate::event::{ActorId, Kind};

/// How far a life is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// The init callback is in progress.
    Init,
    /// The init callback failed.
    InitFailed,
    /// Alive, no callback in progress.
    Idle,
    /// A handler is in progress.
    Handling,
    /// A handler failed or asked to end, and `terminate` has not begun.
    GaveUp,
    /// `terminate` is in progress.
    Terminating,
    /// `terminate` is over.
    Terminated,
    /// The runtime said that it has ended.
    Ended,
}

/// How far a Reader is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ReaderPhase {
    /// There is none, or it has not begun.
    None,
    /// It runs.
    Running,
    /// It is over.
    Over,
}

/// One actor, in outline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Outline {
    /// What kind of actor it is.
    pub kind: Kind,
    /// How far its life is.
    pub phase: Phase,
    /// How far its Reader is.
    pub reader: ReaderPhase,
    /// Whether its Reader was asked to end.
    pub interrupted: bool,
    /// Whether an accepted message waits for it.
    pub mail: bool,
}

impl State {
    /// All actors whose life has begun, in outline, in the order of their ids.
    pub fn outlines(&self) -> Vec<Outline> {
        let lives = self.lives.lives.iter().filter(|(_, life)| life.init.has_begun());
        let outline = |(actor, life): (&ActorId, &Life)| Outline {
            kind: life.kind.unwrap_or(Kind::Process),
            phase: phase(life),
            reader: match life.reader {
                Span::Never => ReaderPhase::None,
                Span::Open(_) => ReaderPhase::Running,
                Span::Over { .. } => ReaderPhase::Over,
            },
            interrupted: life.interrupted,
            mail: self.has_mail(*actor),
        };
        lives.map(outline).collect()
    }

    fn has_mail(&self, actor: ActorId) -> bool {
        let waits = |sent: &Message| sent.to == actor && sent.accepted.is_some() && sent.fate.is_none();
        self.messages.in_flight.values().any(waits)
    }
}

fn phase(life: &Life) -> Phase {
    if life.ended.is_some() {
        Phase::Ended
    } else if life.init.is_open() {
        Phase::Init
    } else if life.init.failed() {
        Phase::InitFailed
    } else if life.terminate.is_open() {
        Phase::Terminating
    } else if life.terminate.has_begun() {
        Phase::Terminated
    } else if !life.handling.is_empty() {
        Phase::Handling
    } else if life.gave_up.is_some() {
        Phase::GaveUp
    } else {
        Phase::Idle
    }
}
