//! Which events make no sense, whatever the runtime did: the recording is wrong, not the runtime.
//!
//! The line between the two: if some runtime, however broken, could truthfully have recorded the event, it
//! is a violation or nothing. The end of what never began, or a second send of one message, is a fault of
//! the recorder. Here, too, the benefit of the doubt is the trace's: what is said of an id that turned out
//! to name two actors is not examined.

use std::fmt;

use super::State;
use super::lives::{Life, Span};
use crate::event::{ActorId, CallId, Event, Kind, MessageId, MonitorId};

/// The event contradicts what was recorded before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// The field of the event that is wrong, by its name in the trace format.
    pub field: &'static str,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Malformed {}

fn malformed(field: &'static str, message: String) -> Result<(), Malformed> {
    Err(Malformed { field, message })
}

impl State {
    /// Whether the event can follow what was recorded so far, be it allowed or a violation.
    ///
    /// # Errors
    ///
    /// What contradicts the events before it; the state of a machine that took it would mean nothing.
    pub fn admits(&self, event: &Event) -> Result<(), Malformed> {
        match *event {
            Event::Spawn { actor, kind, parent, ok } => self.admits_spawn(actor, kind, parent, ok),
            Event::InitBegin { actor, kind, parent } => {
                let fresh = |life: &&Life| !life.init.has_begun();
                self.lives
                    .of(actor)
                    .filter(fresh)
                    .map_or(Ok(()), |life| same_actor(life, actor, kind, parent))
            }
            Event::InitEnd { actor, .. } => {
                self.ends("init", actor, |life| life.init.is_open(), !self.is_ambiguous(actor))
            }
            Event::ReaderBegin { actor } | Event::Interrupt { actor } => self.has_reader(actor),
            Event::ReaderEnd { actor, .. } => {
                self.has_reader(actor)?;
                let open = |life: &Life| life.reader.is_open() || life.extra_readers > 0;
                self.ends("reader", actor, open, !self.is_ambiguous(actor))
            }
            Event::TerminateEnd { actor } => {
                let open = |life: &Life| matches!(life.terminate, Span::Open(_)) || life.extra_terminates > 0;
                self.ends("terminate", actor, open, !self.is_ambiguous(actor))
            }
            Event::HandleEnd { actor, message, .. } => {
                let open = |life: &Life| life.handling.iter().any(|(handled, _)| *handled == message);
                self.ends("handle", actor, open, !self.is_ambiguous(actor))
            }
            Event::SendBegin { message, .. } if self.messages.knows(message) => {
                malformed("msg", format!("message {message} was sent before"))
            }
            Event::SendEnd { message, .. } => self.admits_send_end(message),
            Event::HandleBegin { message, .. } => self.was_sent(message),
            Event::DeadLetter { actor, message } => self.admits_dead_letter(actor, message),
            Event::Monitor { monitor, watcher, actor } => {
                if self.relations.monitors.get(&monitor).is_some_and(|known| known.placed.is_some()) {
                    return malformed("ref", format!("monitor {monitor} was placed before"));
                }
                self.same_monitor(monitor, watcher, actor)
            }
            Event::Down { monitor, watcher, actor, .. } => self.same_monitor(monitor, watcher, actor),
            Event::Demonitor { monitor } if !self.relations.monitors.contains_key(&monitor) => {
                malformed("ref", format!("monitor {monitor} was not placed"))
            }
            Event::Timer { timer, .. } if self.timers.knows(timer) => {
                malformed("ref", format!("timer {timer} was set before"))
            }
            Event::TimerFired { timer } | Event::TimerCancelled { timer } if !self.timers.knows(timer) => {
                malformed("ref", format!("timer {timer} was not set"))
            }
            Event::CallBegin { call, .. } if self.calls.calls.contains_key(&call) => {
                malformed("call", format!("call {call} was begun before"))
            }
            Event::CallEnd { call, .. } | Event::Reply { call } => self.was_begun(call),
            Event::SendBegin { .. }
            | Event::TerminateBegin { .. }
            | Event::CallBegin { .. }
            | Event::Demonitor { .. }
            | Event::Timer { .. }
            | Event::TimerFired { .. }
            | Event::TimerCancelled { .. }
            | Event::Link { .. }
            | Event::ExitSignal { .. }
            | Event::Name { .. }
            | Event::Unname { .. }
            | Event::Ended { .. } => Ok(()),
            Event::Supervisor { actor, .. } if self.supervision.knows(actor) => {
                malformed("actor", format!("supervisor {actor} was introduced before"))
            }
            Event::Supervisor { .. } => Ok(()),
            Event::ChildStart { actor, .. } | Event::SupervisorEnd { actor, .. } => self.supervises(actor),
            Event::ChildRemove { actor, child } | Event::ChildStop { actor, child, .. } => {
                self.supervises(actor)?;
                match self.supervision.has(actor, child) {
                    true => Ok(()),
                    false => malformed("child", format!("supervisor {actor} has no child {child}")),
                }
            }
            Event::ChildEnd { actor, child, .. } => {
                self.supervises(actor)?;
                match self.supervision.runs(actor, child) {
                    true => Ok(()),
                    false => malformed("child", format!("child {child} of {actor} does not run")),
                }
            }
        }
    }

    fn is_ambiguous(&self, actor: ActorId) -> bool {
        self.lives.lives.get(&actor).is_some_and(|life| life.ambiguous)
    }

    fn admits_spawn(
        &self,
        actor: ActorId,
        kind: Kind,
        parent: Option<ActorId>,
        ok: bool,
    ) -> Result<(), Malformed> {
        match self.lives.of(actor).filter(|life| ok && life.spawned.is_none()) {
            Some(life) => same_actor(life, actor, kind, parent),
            None => Ok(()),
        }
    }

    fn has_reader(&self, actor: ActorId) -> Result<(), Malformed> {
        match self.lives.of(actor).and_then(|life| life.kind) {
            Some(Kind::Process) => {
                malformed("actor", format!("actor {actor} is a process, which has no Reader"))
            }
            Some(Kind::Meta) | None => Ok(()),
        }
    }

    fn ends(
        &self,
        what: &str,
        actor: ActorId,
        open: impl Fn(&Life) -> bool,
        judged: bool,
    ) -> Result<(), Malformed> {
        if judged && !self.lives.of(actor).is_some_and(open) {
            return malformed("ev", format!("{what} of actor {actor} ends, but it is not in progress"));
        }
        Ok(())
    }

    fn admits_send_end(&self, message: MessageId) -> Result<(), Malformed> {
        match self.messages.in_flight.get(&message) {
            Some(open) if open.accepted.is_none() => Ok(()),
            Some(_) => malformed("msg", format!("the send of message {message} ended before")),
            None if self.messages.knows(message) => {
                malformed("msg", format!("the send of message {message} ended before"))
            }
            None => malformed("msg", format!("no send of message {message} has begun")),
        }
    }

    fn was_sent(&self, message: MessageId) -> Result<(), Malformed> {
        if self.messages.knows(message) {
            return Ok(());
        }
        malformed("msg", format!("no send of message {message} has begun"))
    }

    fn admits_dead_letter(&self, actor: ActorId, message: MessageId) -> Result<(), Malformed> {
        self.was_sent(message)?;
        match self.messages.in_flight.get(&message) {
            Some(sent) if sent.to != actor => malformed(
                "actor",
                format!("message {message} was addressed to actor {}, not {actor}", sent.to),
            ),
            _ => Ok(()),
        }
    }

    fn same_monitor(&self, id: MonitorId, watcher: ActorId, actor: ActorId) -> Result<(), Malformed> {
        match self.relations.monitors.get(&id) {
            Some(known) if known.watcher != watcher => {
                malformed("watcher", format!("the watcher of monitor {id} is {}", known.watcher))
            }
            Some(known) if known.actor != actor => {
                malformed("actor", format!("monitor {id} watches actor {}", known.actor))
            }
            _ => Ok(()),
        }
    }

    fn supervises(&self, actor: ActorId) -> Result<(), Malformed> {
        match self.supervision.knows(actor) {
            true => Ok(()),
            false => malformed("actor", format!("actor {actor} was not introduced as a supervisor")),
        }
    }

    fn was_begun(&self, call: CallId) -> Result<(), Malformed> {
        if self.calls.calls.contains_key(&call) {
            return Ok(());
        }
        malformed("call", format!("no call {call} has begun"))
    }
}

/// The two events that introduce an actor agree.
fn same_actor(life: &Life, actor: ActorId, kind: Kind, parent: Option<ActorId>) -> Result<(), Malformed> {
    if life.kind.is_some_and(|known| known != kind) {
        return malformed("kind", format!("actor {actor} was said to be of the other kind"));
    }
    match (life.parent, parent) {
        (Some(known), Some(parent)) if known != parent => {
            malformed("parent", format!("actor {actor} was said to be a child of {known}"))
        }
        _ => Ok(()),
    }
}
