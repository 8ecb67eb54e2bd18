//! What is worth a line in a log: events of the crate `tracing`, under the feature of that name.
//!
//! Without the feature each of these functions is empty. With it, nothing that happens on the way of a message is
//! told of, only what happens in the life of an actor: it starts, panics, ends, leaves messages behind, is started
//! again, does not end in time. None is called under a lock of the runtime, for a subscriber is user code; and one
//! that panics has no part in what it was told of.

use event::Kind;

use crate::exit::Exit;
use crate::lifecycle::Lifecycle;
use crate::node::Unended;
use crate::process::SpawnError;

/// `say!(LEVEL, "what happened", [field = number or text, ..], [field = what is displayed, ..])`
#[cfg(feature = "tracing")]
macro_rules! say {
    ($level:ident, $what:literal, [$($name:ident = $value:expr),* $(,)?], [$($shown:ident = $display:expr),*]) => {
        drop(platform::panic::catch(|| tracing::event!(
            target: "antiphon", tracing::Level::$level, $($name = $value,)* $($shown = %$display,)* $what
        )))
    };
}

#[cfg(not(feature = "tracing"))]
macro_rules! say {
    ($level:ident, $what:literal, [$($name:ident = $value:expr),* $(,)?], [$($shown:ident = $display:expr),*]) => {
        { $(_ = $value;)* $(_ = &$display;)* }
    };
}

/// As `say!`, with the fields that each line about an actor has.
macro_rules! say_of {
    ($actor:expr, $level:ident, $what:literal, [$($field:tt)*], [$($shown:tt)*]) => {
        say!(
            $level,
            $what,
            [actor = $actor.id.0, kind = text($actor.kind()), label = $actor.label, $($field)*],
            [$($shown)*]
        )
    };
}

fn text(kind: Kind) -> &'static str {
    match kind {
        Kind::Process => "process",
        Kind::Meta => "meta",
    }
}

/// A spawn is about to return. `name` is the one that the actor got, or was to get.
#[inline]
pub(crate) fn spawned(actor: &Lifecycle, name: Option<&str>, result: &Result<(), SpawnError>) {
    let parent = actor.parent().map(|parent| parent.id.0);
    match result {
        Ok(()) => say_of!(actor, DEBUG, "started", [parent = parent, name = name], []),
        Err(error) => say_of!(actor, WARN, "not started", [parent = parent, name = name], [error = error]),
    }
}

/// A callback or a Reader has panicked; hands on what it is told.
#[cold]
pub(crate) fn panicked(actor: &Lifecycle, panic: Exit) -> Exit {
    say_of!(actor, ERROR, "panicked", [], [panic = panic]);
    panic
}

/// An actor has ended altogether, and nobody has been told yet.
#[inline]
pub(crate) fn ended(actor: &Lifecycle, reason: &Exit) {
    match reason {
        Exit::Normal | Exit::Shutdown | Exit::ParentEnded => {
            say_of!(actor, DEBUG, "ended", [], [reason = reason])
        }
        Exit::Killed | Exit::Failed(_) | Exit::Panicked(_) => {
            say_of!(actor, WARN, "ended", [], [reason = reason])
        }
    }
}

/// A message was accepted by an actor that ended before it was handled.
#[inline]
pub(crate) fn dead_letter<M>(actor: &Lifecycle) {
    say_of!(actor, INFO, "dead letter", [message = std::any::type_name::<M>()], []);
}

/// A supervisor has tried to start a child anew.
pub(crate) fn restarted(
    supervisor: &Lifecycle,
    child: u64,
    incarnation: u64,
    result: &Result<(), SpawnError>,
) {
    match result {
        Ok(()) => {
            say_of!(supervisor, INFO, "child started again", [child = child, incarnation = incarnation], [])
        }
        Err(error) => {
            say_of!(
                supervisor,
                WARN,
                "child not started again",
                [child = child, incarnation = incarnation],
                [error = error]
            )
        }
    }
}

/// A supervisor gives up.
#[cold]
pub(crate) fn gave_up(supervisor: &Lifecycle, reason: &Exit) {
    say_of!(supervisor, ERROR, "supervisor gave up", [], [reason = reason]);
}

/// A node has not stopped by its deadline, because of this actor among others.
#[cold]
pub(crate) fn unended(actor: &Unended) {
    say!(
        WARN,
        "not ended in time",
        [
            actor = actor.id.0,
            kind = text(actor.kind),
            label = actor.label,
            handler = actor.handler,
            reader = actor.reader
        ],
        []
    );
}
