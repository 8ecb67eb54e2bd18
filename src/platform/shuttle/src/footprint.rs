//! Which recorded events may not be exchanged: what an observer of all events can tell by their order.
//!
//! An engine that explores interleavings up to equivalence lets an observer see *one* order of the events of
//! each class. That is sound only if exchanging two neighbouring events of different threads changes neither
//! what the observer accepts nor what it knows afterwards; where it would, the two must count as conflicting, so
//! that both orders are explored. So an event has a footprint, as an operation has: what it reads and writes of
//! what the specification keeps about each actor. An event without a footprint commutes with all events of other
//! threads, and is recorded at once.
//!
//! The argument, aspect by aspect (events of one thread keep their order anyway):
//!
//! * [`CALLBACK`](Aspect::Callback): callbacks of one actor, and its end, must not overlap (`handler-exclusion`,
//!   `terminate-once`); each begin and end writes. Where the runtime is right they are ordered already, and this
//!   costs no execution.
//! * [`CLOSED`](Aspect::Closed): a send that begins after `terminate` began must be refused (`closed-is-closed`);
//!   `SendBegin` reads what `TerminateBegin` writes. Two sends commute.
//! * [`READER`](Aspect::Reader): the Reader begins after init and ends before the end is reported
//!   (`reader-lifetime`). It runs beside the callbacks, hence an aspect of its own.
//! * [`ENDED`](Aspect::Ended): what must come before or after the end of an actor (`no-loss`, `ownership`,
//!   `monitor-once`, `restart-discipline`): dead letters, the ends of its meta-processes, monitors and Downs, and
//!   what a supervisor starts in its stead read, `Ended` writes. Whom a supervisor has started is its child here.
//! * [`CLASS`](Aspect::Class): a message of a higher class that was accepted before a callback ended goes first
//!   (`class-order`): `SendEnd` of such a message writes what the end of a callback reads.
//! * [`CALL`](Aspect::Call) and [`NAME`](Aspect::Name): the outcome of a call against its reply, and the
//!   publication of a name against its end.
//! * [`TIMER`](Aspect::Timer): a timer is not fired after it was cancelled (`timer-outcome`), nor after its owner
//!   began to terminate or ended, for which it reads what these write.
//!
//! The rest (`SendEnd` of main messages, `Spawn`, `Interrupt`, links and exit signals) only adds to what is
//! known, and is judged at the end of the execution or against events of its own thread.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use event::{ActorId, ChildId, Class, Event, MessageId, TimerId};

use crate::model::Mode;

/// What an observer keeps about one thing, as far as the order of events matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "the module says what each is for")]
#[repr(u8)]
pub enum Aspect {
    Callback,
    Closed,
    Reader,
    Ended,
    Class,
    Call,
    Name,
    Timer,
    /// All that happens, for an observer of the whole order; see [`all_in_order`](crate::record::all_in_order).
    Order,
}

/// One part of a footprint: how an event touches what is kept about the thing with this number.
pub type Touch = (Aspect, u64, Mode);

/// Tells the footprint of each event of one trace; it must be asked for all events, in order.
#[derive(Clone, Debug, Default)]
pub struct Footprints {
    parents: HashMap<ActorId, ActorId>,
    urgent: HashMap<MessageId, ActorId>,
    /// The incarnation that was started last of each child of each supervisor.
    incarnations: HashMap<(ActorId, ChildId), ActorId>,
    owners: HashMap<TimerId, ActorId>,
}

impl Footprints {
    pub(crate) fn clear(&mut self) {
        self.parents.clear();
        self.urgent.clear();
        self.incarnations.clear();
        self.owners.clear();
    }

    /// The footprint of `event`, into `to`.
    pub fn of(&mut self, event: &Event, mut to: impl FnMut(Touch)) {
        use Aspect::{Call, Callback, Class as InClass, Closed, Ended, Name, Reader, Timer};
        use Mode::{Read, Write};
        match event {
            Event::InitBegin { actor, parent, .. } => {
                if let Some(parent) = parent {
                    self.parents.insert(*actor, *parent);
                }
                to((Callback, actor.0, Write));
            }
            Event::InitEnd { actor, .. } => {
                to((Callback, actor.0, Write));
                to((Reader, actor.0, Write));
                to((InClass, actor.0, Read));
            }
            Event::SendBegin { message, to: actor, class, .. } => {
                if *class != Class::Main {
                    self.urgent.insert(*message, *actor);
                }
                to((Closed, actor.0, Read));
            }
            Event::SendEnd { message, .. } => {
                if let Some(actor) = self.urgent.get(message) {
                    to((InClass, actor.0, Write));
                }
            }
            Event::HandleBegin { actor, .. } => to((Callback, actor.0, Write)),
            Event::HandleEnd { actor, .. } => {
                to((Callback, actor.0, Write));
                to((InClass, actor.0, Read));
            }
            Event::TerminateBegin { actor, .. } => {
                to((Callback, actor.0, Write));
                to((Closed, actor.0, Write));
            }
            Event::TerminateEnd { actor } => to((Callback, actor.0, Write)),
            Event::ReaderBegin { actor } | Event::ReaderEnd { actor, .. } => to((Reader, actor.0, Write)),
            Event::DeadLetter { actor, .. } | Event::Monitor { actor, .. } | Event::Down { actor, .. } => {
                to((Ended, actor.0, Read));
            }
            Event::Ended { actor } => {
                to((Callback, actor.0, Write));
                to((Reader, actor.0, Write));
                to((Ended, actor.0, Write));
                if let Some(parent) = self.parents.get(actor) {
                    to((Ended, parent.0, Read));
                }
            }
            Event::ChildStart { actor, child, incarnation, .. } => {
                let Some(incarnation) = incarnation else { return };
                self.parents.insert(*incarnation, *actor);
                let before = self.incarnations.insert((*actor, *child), *incarnation);
                if let Some(before) = before {
                    to((Ended, before.0, Read));
                }
            }
            Event::CallEnd { call, .. } | Event::Reply { call } => to((Call, call.0, Write)),
            Event::Name { name, .. } | Event::Unname { name, .. } => {
                let mut hasher = DefaultHasher::new();
                name.hash(&mut hasher);
                to((Name, hasher.finish(), Write));
            }
            Event::Timer { timer, actor, .. } => {
                self.owners.insert(*timer, *actor);
                to((Timer, timer.0, Write));
            }
            Event::TimerFired { timer } => {
                to((Timer, timer.0, Write));
                if let Some(owner) = self.owners.get(timer) {
                    to((Closed, owner.0, Read));
                    to((Ended, owner.0, Read));
                }
            }
            Event::TimerCancelled { timer } => to((Timer, timer.0, Write)),
            Event::Spawn { .. }
            | Event::Interrupt { .. }
            | Event::CallBegin { .. }
            | Event::Demonitor { .. }
            | Event::Link { .. }
            | Event::ExitSignal { .. }
            | Event::Supervisor { .. }
            | Event::ChildRemove { .. }
            | Event::ChildStop { .. }
            | Event::ChildEnd { .. }
            | Event::SupervisorEnd { .. } => {}
        }
    }
}
