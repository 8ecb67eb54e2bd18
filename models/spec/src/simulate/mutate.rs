//! Breaks a legal trace so that it violates exactly one guarantee.
//!
//! Each mutation is what a faulty runtime would have recorded: a message is left out, a callback comes
//! twice, an end is reported too early. It changes as little as it can, so that nothing else is wrong.

mod lifecycles;
mod messages;
mod relations;

use std::ops::Range;

use super::Choices;
use crate::event::{ActorId, Event, MessageId};
use crate::guarantee::Guarantee;

/// A trace that violates one guarantee.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mutant {
    /// What was recorded.
    pub events: Vec<Event>,
    /// The one guarantee that it violates.
    pub violates: Guarantee,
}

/// A way to break a legal, complete trace; `None` if the trace offers no place for it.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// What the runtime gets wrong.
    pub name: &'static str,
    apply: fn(&[Event], &mut Choices<'_>) -> Option<Mutant>,
}

impl Mutation {
    /// All of them.
    pub const ALL: &[&[Self]] = &[messages::MUTATIONS, lifecycles::MUTATIONS, relations::MUTATIONS];

    /// Breaks `events`, which must be a complete legal trace, at a place that `choices` choose.
    pub fn apply(&self, events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
        (self.apply)(events, choices)
    }
}

/// The places at which something can be broken.
fn places(events: &[Event], place: impl Fn(usize, &Event) -> bool) -> Vec<usize> {
    events.iter().enumerate().filter(|(index, event)| place(*index, event)).map(|(index, _)| index).collect()
}

fn choose(places: &[usize], choices: &mut Choices<'_>) -> Option<usize> {
    (!places.is_empty()).then(|| places[choices.pick(places.len())])
}

fn position(events: &[Event], range: Range<usize>, is: impl Fn(&Event) -> bool) -> Option<usize> {
    events[range.clone()].iter().position(is).map(|offset| range.start + offset)
}

fn after(events: &[Event], index: usize, is: impl Fn(&Event) -> bool) -> Option<usize> {
    position(events, index + 1..events.len(), is)
}

fn contains(events: &[Event], is: impl Fn(&Event) -> bool) -> bool {
    events.iter().any(is)
}

fn without(events: &[Event], drop: impl Fn(usize, &Event) -> bool) -> Vec<Event> {
    let kept = events.iter().enumerate().filter(|(index, event)| !drop(*index, event));
    kept.map(|(_, event)| event.clone()).collect()
}

fn with(events: &[Event], at: usize, inserted: impl IntoIterator<Item = Event>) -> Vec<Event> {
    let mut events = events.to_vec();
    events.splice(at..at, inserted);
    events
}

/// The trace with the event at `from` moved to stand before what stands at `to`.
fn moved(events: &[Event], from: usize, to: usize) -> Vec<Event> {
    let mut events = events.to_vec();
    let event = events.remove(from);
    events.insert(if from < to { to - 1 } else { to }, event);
    events
}

fn mutant(events: Vec<Event>, violates: Guarantee) -> Option<Mutant> {
    Some(Mutant { events, violates })
}

fn handle_end(events: &[Event], begin: usize) -> Option<usize> {
    let Event::HandleBegin { message, .. } = events[begin] else { return None };
    after(events, begin, |event| matches!(event, Event::HandleEnd { message: m, .. } if *m == message))
}

fn terminate_begin(events: &[Event], actor: ActorId) -> Option<usize> {
    events.iter().position(|event| matches!(event, Event::TerminateBegin { actor: a, .. } if *a == actor))
}

fn terminate_end(events: &[Event], actor: ActorId) -> Option<usize> {
    events.iter().position(|event| *event == Event::TerminateEnd { actor })
}

fn ended(events: &[Event], actor: ActorId) -> Option<usize> {
    events.iter().position(|event| *event == Event::Ended { actor })
}

/// Whether a callback or the Reader of this actor failed.
fn failed(events: &[Event], actor: ActorId) -> bool {
    contains(events, |event| {
        matches!(event, Event::HandleEnd { actor: a, ok: false, .. } | Event::ReaderEnd { actor: a, ok: false }
            if *a == actor)
    })
}

fn send_end(events: &[Event], message: MessageId) -> Option<usize> {
    events.iter().position(|event| matches!(event, Event::SendEnd { message: m, .. } if *m == message))
}

fn is_watched(events: &[Event], actor: ActorId) -> bool {
    contains(events, |event| matches!(event, Event::Monitor { actor: a, .. } if *a == actor))
}
