//! Any sequence of events at all, about a handful of actors and messages.

use super::Choices;
use crate::event::{
    ActorId, CallId, CallOutcome, ChildId, Class, Event, Kind, MessageId, MonitorId, Restart, Sender,
    Strategy, TimerId,
};

/// As many events as the choices last for, each of any kind: mostly nonsense, sometimes illegal.
pub fn any_events(choices: &mut Choices<'_>) -> Vec<Event> {
    let mut events = Vec::new();
    while !choices.is_over() {
        events.push(any_event(choices));
    }
    events
}

fn any_event(choices: &mut Choices<'_>) -> Event {
    let kind = choices.pick(31);
    let actor = ActorId(choices.pick(4) as u64);
    let message = MessageId(choices.pick(4) as u64);
    let (monitor, call) = (MonitorId(message.0), CallId(message.0));
    let other = ActorId(choices.pick(4) as u64);
    let ok = choices.pick(4) != 0;
    let name = format!("n{}", message.0 % 2);
    match kind {
        0 => Event::Spawn { actor, kind: any_kind(choices), parent: any_parent(choices), ok },
        1 => Event::InitBegin { actor, kind: any_kind(choices), parent: any_parent(choices) },
        2 => Event::InitEnd { actor, ok },
        3 | 4 => {
            Event::SendBegin { message, from: any_sender(choices), to: other, class: any_class(choices) }
        }
        5 | 6 => Event::SendEnd { message, accepted: ok },
        7 => Event::HandleBegin { actor, message },
        8 => Event::HandleEnd { actor, message, ok },
        9 => Event::ReaderBegin { actor },
        10 => Event::ReaderEnd { actor, ok },
        11 => Event::Interrupt { actor },
        12 => Event::TerminateBegin { actor, reason: (!ok).then(|| "\"\\\u{1}\u{e9}".to_owned()) },
        13 => Event::TerminateEnd { actor },
        14 => Event::DeadLetter { actor, message },
        15 => Event::Monitor { monitor, watcher: other, actor },
        16 => Event::Down { monitor, watcher: other, actor, reason: None },
        17 => Event::Demonitor { monitor },
        18 => Event::CallBegin { call, from: any_sender(choices), to: other },
        19 => Event::CallEnd { call, outcome: any_outcome(choices) },
        20 => Event::Reply { call },
        21 if ok => Event::Link { a: actor, b: other },
        21 => Event::ExitSignal { from: actor, to: other, reason: None },
        22 if ok => Event::Name { name, actor },
        22 => Event::Unname { name, actor },
        23 => Event::Ended { actor },
        24 if ok => Event::Timer { timer: TimerId(message.0), actor, repeats: actor.0 == 0 },
        24 if actor.0.is_multiple_of(2) => Event::TimerFired { timer: TimerId(message.0) },
        24 => Event::TimerCancelled { timer: TimerId(message.0) },
        _ => any_supervision(kind - 25, actor, ok, choices),
    }
}

fn any_supervision(kind: usize, actor: ActorId, ok: bool, choices: &mut Choices<'_>) -> Event {
    use Strategy::{Dynamic, OneForAll, OneForOne, RestForOne};
    let child = ChildId(choices.pick(3) as u64);
    let number = choices.pick(3);
    match kind {
        0 => {
            let strategy = [OneForOne, OneForAll, RestForOne, Dynamic][choices.pick(4)];
            Event::Supervisor { actor, strategy, restarts: number as u32, within: u64::MAX }
        }
        1 => {
            let restart = [Restart::Permanent, Restart::Transient, Restart::Temporary][number];
            let incarnation = (choices.pick(4) != 0).then(|| ActorId(choices.pick(4) as u64));
            Event::ChildStart { actor, child, restart, incarnation, ok }
        }
        2 => Event::ChildStop { actor, child, kill: !ok },
        3 => Event::ChildRemove { actor, child },
        4 => Event::ChildEnd { actor, child, normal: !ok, at: number as u64 },
        _ => Event::SupervisorEnd { actor, gave_up: !ok },
    }
}

fn any_kind(choices: &mut Choices<'_>) -> Kind {
    [Kind::Meta, Kind::Process][choices.pick(2)]
}

fn any_parent(choices: &mut Choices<'_>) -> Option<ActorId> {
    (choices.pick(2) == 0).then(|| ActorId(choices.pick(4) as u64))
}

fn any_class(choices: &mut Choices<'_>) -> Class {
    [Class::Main, Class::System, Class::Urgent][choices.pick(3)]
}

fn any_outcome(choices: &mut Choices<'_>) -> CallOutcome {
    use CallOutcome::{CalleeTerminated, Deadlock, Refused, Reply, Timeout};
    [Reply, Refused, Timeout, CalleeTerminated, Deadlock][choices.pick(5)]
}

fn any_sender(choices: &mut Choices<'_>) -> Option<Sender> {
    match choices.pick(5) {
        0 => None,
        1 => Some(Sender::Thread("t".to_owned())),
        actor => Some(Sender::Actor(ActorId(actor as u64 - 1))),
    }
}
