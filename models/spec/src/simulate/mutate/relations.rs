//! Faults with what actors know of each other.

use super::{
    Choices, Mutant, Mutation, choose, contains, mutant, places, terminate_begin, terminate_end, with,
    without,
};
use crate::event::{ActorId, CallId, CallOutcome, Event, Kind, Sender};
use crate::guarantee::Guarantee;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation { name: "a watcher is told twice", apply: told_twice },
    Mutation { name: "a watcher is never told", apply: never_told },
    Mutation { name: "a call has two outcomes", apply: two_outcomes },
    Mutation { name: "a call to the dead waits for ever", apply: waits_for_ever },
    Mutation { name: "a reply comes from nobody", apply: reply_of_nobody },
    Mutation { name: "a meta-process calls", apply: meta_calls },
];

fn told_twice(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let down = choose(&places(events, |_, event| matches!(event, Event::Down { .. })), choices)?;
    mutant(with(events, down + 1, [events[down].clone()]), Guarantee::MonitorOnce)
}

fn never_told(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let owed = |_: usize, event: &Event| match *event {
        Event::Down { watcher, actor, .. } => {
            terminate_begin(events, watcher).is_none() && terminate_end(events, actor).is_some()
        }
        _ => false,
    };
    let down = choose(&places(events, owed), choices)?;
    mutant(without(events, |index, _| index == down), Guarantee::MonitorOnce)
}

fn two_outcomes(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let end = choose(&places(events, |_, event| matches!(event, Event::CallEnd { .. })), choices)?;
    mutant(with(events, end + 1, [events[end].clone()]), Guarantee::CallOutcome)
}

fn callee(events: &[Event], call: CallId) -> Option<ActorId> {
    events.iter().find_map(|event| match event {
        Event::CallBegin { call: c, to, .. } if *c == call => Some(*to),
        _ => None,
    })
}

fn waits_for_ever(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let to_the_dead = |_: usize, event: &Event| match *event {
        Event::CallEnd { call, .. } => {
            callee(events, call).is_some_and(|callee| terminate_end(events, callee).is_some())
        }
        _ => false,
    };
    let end = choose(&places(events, to_the_dead), choices)?;
    mutant(without(events, |index, _| index == end), Guarantee::CallOutcome)
}

fn reply_of_nobody(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let heard = |_: usize, event: &Event| match *event {
        Event::Reply { call } => {
            let reply = Event::CallEnd { call, outcome: CallOutcome::Reply };
            let others = |event: &Event| matches!(event, Event::Reply { call: c } if *c != call);
            events.contains(&reply) && contains(events, others)
        }
        _ => false,
    };
    let reply = choose(&places(events, heard), choices)?;
    mutant(without(events, |index, _| index == reply), Guarantee::CallOutcome)
}

fn meta_calls(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let meta = |_: usize, event: &Event| matches!(event, Event::InitBegin { kind: Kind::Meta, .. });
    let begin = choose(&places(events, meta), choices)?;
    let Event::InitBegin { actor, parent: Some(parent), .. } = events[begin] else { return None };
    let call = CallId(u64::MAX);
    let called = [
        Event::CallBegin { call, from: Some(Sender::Actor(actor)), to: parent },
        Event::CallEnd { call, outcome: CallOutcome::Refused },
    ];
    mutant(with(events, begin + 1, called), Guarantee::CallIsolation)
}
