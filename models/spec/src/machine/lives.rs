//! What is known of each actor's life.

use std::collections::BTreeMap;

use super::aside::At;
use crate::event::{ActorId, Kind, MessageId};

/// Something that begins and ends at most once in a life.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) enum Span {
    #[default]
    Never,
    Open(At),
    Over {
        ok: bool,
        begin: At,
        end: At,
    },
}

impl Span {
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    /// Whether it has at least begun.
    pub(super) fn has_begun(&self) -> bool {
        *self != Self::Never
    }

    pub(super) fn begun_at(&self) -> Option<At> {
        match self {
            Self::Never => None,
            Self::Open(begin) | Self::Over { begin, .. } => Some(*begin),
        }
    }

    pub(super) fn ended_at(&self) -> Option<At> {
        match self {
            Self::Over { end, .. } => Some(*end),
            _ => None,
        }
    }

    pub(super) fn succeeded(&self) -> bool {
        matches!(self, Self::Over { ok: true, .. })
    }

    pub(super) fn failed(&self) -> bool {
        matches!(self, Self::Over { ok: false, .. })
    }

    /// Ends it; without effect unless it is open.
    pub(super) fn end(&mut self, ok: bool, end: At) {
        if let Self::Open(begin) = *self {
            *self = Self::Over { ok, begin, end };
        }
    }
}

/// The life of one actor.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Life {
    pub(super) kind: Option<Kind>,
    pub(super) parent: Option<ActorId>,
    pub(super) init: Span,
    pub(super) reader: Span,
    pub(super) terminate: Span,
    /// Runs of the Reader and of terminate beyond the first, reported and still in progress.
    pub(super) extra_readers: u32,
    pub(super) extra_terminates: u32,
    /// The handler callbacks in progress: at most one, unless a guarantee is broken.
    pub(super) handling: Vec<(MessageId, At)>,
    pub(super) first_handled: Option<At>,
    /// A handler failed or asked to end: nothing may be handled any more.
    pub(super) gave_up: Option<At>,
    /// The Reader ended with `ok: false`.
    pub(super) reader_failed: Option<At>,
    pub(super) interrupted: bool,
    /// The spawn returned with success.
    pub(super) spawned: Option<At>,
    /// The spawn returned without success.
    pub(super) refused: bool,
    /// Its parent was reported ended before it began, or before it ended while nothing showed yet that it
    /// was taken in.
    pub(super) too_late: Option<At>,
    /// That its parent did not wait for its end was reported.
    pub(super) outlived: bool,
    /// A watcher was told of its end, or the runtime said so.
    pub(super) reported: Option<At>,
    /// The runtime said that it has ended.
    pub(super) ended: Option<At>,
    /// Its meta-processes, sorted.
    pub(super) children: Vec<ActorId>,
    /// Its id names more than one actor: nothing that is said of it can be judged.
    pub(super) ambiguous: bool,
}

impl Life {
    /// A callback in progress: what it is, and where it began.
    pub(super) fn callback(&self) -> Option<(&'static str, At)> {
        match (self.init, self.handling.last(), self.terminate) {
            (Span::Open(begin), _, _) => Some(("init", begin)),
            (_, Some((_, begin)), _) => Some(("handle", *begin)),
            (_, _, Span::Open(begin)) => Some(("terminate", begin)),
            _ => None,
        }
    }

    /// Whether it will surely run no callback any more, and why that is known.
    pub(super) fn over_at(&self) -> Option<At> {
        if self.init.failed() {
            return self.init.ended_at();
        }
        self.terminate.ended_at().or(self.ended)
    }

    /// Where it began to end, after which nothing may be accepted.
    pub(super) fn closed_at(&self) -> Option<At> {
        self.terminate.begun_at().or(self.ended)
    }

    /// Whether it came to life as a part of its parent, as far as can be known.
    pub(super) fn adopted_at(&self) -> Option<At> {
        self.spawned.or(self.reader.begun_at()).or(self.first_handled)
    }

    /// Whether it is idle: alive, and no callback in progress.
    ///
    /// Of an actor that is only mentioned, as a parent for example, no callback is recorded at all.
    pub(super) fn is_idle(&self) -> bool {
        let tells = self.init.has_begun() || self.first_handled.is_some();
        tells && self.over_at().is_none() && self.callback().is_none()
    }
}

/// The lives of all actors.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Lives {
    pub(super) lives: BTreeMap<ActorId, Life>,
    /// Nothing is left out of the recording.
    pub(super) instrumented: bool,
    /// The trace tells of Readers at all.
    pub(super) tells_readers: bool,
    /// The trace tells of interrupts, or of ends as the runtime sees them, at all.
    pub(super) tells_ends: bool,
}

impl Lives {
    /// The life of this actor, if anything can be judged of it.
    pub(super) fn of(&self, actor: ActorId) -> Option<&Life> {
        self.lives.get(&actor).filter(|life| !life.ambiguous)
    }

    /// Why this actor must end, if it must.
    ///
    /// A foreign trace does not say whether its Reader panicked or only returned an error, which binds it to
    /// nothing; in the runtime that this specification comes with, each of both ends the meta-process.
    pub(super) fn must_end(&self, life: &Life) -> Option<At> {
        life.gave_up.or(life.reader_failed.filter(|_| self.instrumented))
    }

    pub(super) fn is_meta(&self, actor: ActorId) -> bool {
        self.of(actor).is_some_and(|life| life.kind == Some(Kind::Meta))
    }
}
