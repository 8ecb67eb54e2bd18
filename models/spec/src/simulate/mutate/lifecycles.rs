//! Faults with how actors begin and end.

use super::{
    Choices, Mutant, Mutation, after, choose, contains, ended, failed, is_watched, moved, mutant, places,
    terminate_begin, terminate_end, with, without,
};
use crate::event::{ActorId, Event, Kind};
use crate::guarantee::Guarantee;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation { name: "terminate runs twice", apply: terminates_twice },
    Mutation { name: "terminate never runs", apply: never_terminates },
    Mutation { name: "the Reader runs twice", apply: reads_twice },
    Mutation { name: "the Reader begins before init has ended", apply: reads_early },
    Mutation { name: "an end is reported before the Reader's", apply: reader_not_awaited },
    Mutation { name: "a meta-process is left", apply: orphan },
    Mutation { name: "a parent's end is reported before its child's", apply: child_not_awaited },
    Mutation { name: "a Reader is left blocked", apply: not_interrupted },
    Mutation { name: "a failed actor goes on", apply: failure_ignored },
    Mutation { name: "an id is used again", apply: id_reused },
    Mutation { name: "a name outlives its actor", apply: name_kept },
];

fn terminates_twice(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let end = choose(&places(events, |_, event| matches!(event, Event::TerminateEnd { .. })), choices)?;
    let Event::TerminateEnd { actor } = events[end] else { return None };
    let again = [Event::TerminateBegin { actor, reason: None }, Event::TerminateEnd { actor }];
    mutant(with(events, end + 1, again), Guarantee::TerminateOnce)
}

/// Only where the end is reported: who knows nothing of it may think the actor alive.
fn never_terminates(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let reported = |_: usize, event: &Event| match *event {
        Event::TerminateBegin { actor, .. } => ended(events, actor).is_some(),
        _ => false,
    };
    let begin = choose(&places(events, reported), choices)?;
    let Event::TerminateBegin { actor, .. } = events[begin] else { return None };
    let end = terminate_end(events, actor)?;
    mutant(without(events, |index, _| index == begin || index == end), Guarantee::TerminateOnce)
}

fn reads_twice(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let end = choose(&places(events, |_, event| matches!(event, Event::ReaderEnd { .. })), choices)?;
    let Event::ReaderEnd { actor, .. } = events[end] else { return None };
    let again = [Event::ReaderBegin { actor }, Event::ReaderEnd { actor, ok: true }];
    mutant(with(events, end + 1, again), Guarantee::ReaderLifetime)
}

fn reads_early(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let begin = choose(&places(events, |_, event| matches!(event, Event::ReaderBegin { .. })), choices)?;
    let Event::ReaderBegin { actor } = events[begin] else { return None };
    let init = events.iter().position(|event| *event == Event::InitEnd { actor, ok: true })?;
    mutant(moved(events, begin, init), Guarantee::ReaderLifetime)
}

fn reader_not_awaited(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let last = |index: usize, event: &Event| match *event {
        Event::ReaderEnd { actor, .. } => {
            ended(events, actor).is_some() && terminate_end(events, actor).is_some_and(|end| end < index)
        }
        _ => false,
    };
    let end = choose(&places(events, last), choices)?;
    let Event::ReaderEnd { actor, .. } = events[end] else { return None };
    mutant(moved(events, ended(events, actor)?, end), Guarantee::ReaderLifetime)
}

/// The meta-processes that were taken in by a parent which has ended.
fn meta(event: &Event, events: &[Event]) -> Option<(ActorId, ActorId)> {
    match *event {
        Event::Spawn { actor, kind: Kind::Meta, parent: Some(parent), ok: true } => {
            terminate_end(events, parent).map(|_| (actor, parent))
        }
        _ => None,
    }
}

fn orphan(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let sound = |_: usize, event: &Event| {
        meta(event, events).is_some_and(|(actor, _)| !failed(events, actor) && !is_watched(events, actor))
    };
    let spawned = choose(&places(events, sound), choices)?;
    let (actor, parent) = meta(&events[spawned], events)?;
    let kept = without(events, |_, event| match event {
        Event::TerminateBegin { actor: a, .. } | Event::TerminateEnd { actor: a } => *a == actor,
        // The parent waits for it for ever; nobody hears of its end either.
        Event::Ended { actor: a } | Event::Down { actor: a, .. } => *a == actor || *a == parent,
        Event::Monitor { actor: a, .. } => *a == parent,
        _ => false,
    });
    mutant(kept, Guarantee::Ownership)
}

fn child_not_awaited(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let outlived = |index: usize, event: &Event| {
        meta(event, events).is_some_and(|(actor, parent)| {
            let named = |event: &Event| matches!(event, Event::Name { actor, .. } if *actor == parent);
            let over = terminate_end(events, parent).filter(|over| *over > index);
            let later = over.is_some_and(|over| terminate_end(events, actor) > Some(over));
            later && ended(events, parent).is_some() && !contains(events, named)
        })
    };
    let spawned = choose(&places(events, outlived), choices)?;
    let (_, parent) = meta(&events[spawned], events)?;
    let (report, over) = (ended(events, parent)?, terminate_end(events, parent)?);
    mutant(moved(events, report, over + 1), Guarantee::Ownership)
}

fn not_interrupted(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let interrupted = |index: usize, event: &Event| match *event {
        Event::Interrupt { actor } => {
            let others = |event: &Event| match event {
                Event::Interrupt { actor: a } => *a != actor,
                Event::Ended { actor: a } => *a != actor && !owns(events, *a, actor),
                _ => false,
            };
            let reads = after(events, index, |event| *event == Event::ReaderEnd { actor, ok: true });
            reads.is_some() && contains(events, others) && !is_watched(events, actor)
        }
        _ => false,
    };
    let interrupt = choose(&places(events, interrupted), choices)?;
    let Event::Interrupt { actor } = events[interrupt] else { return None };
    let parent = events.iter().find_map(|event| match event {
        Event::InitBegin { actor: a, parent, .. } if *a == actor => *parent,
        _ => None,
    });
    let kept = without(events, |_, event| match event {
        Event::Interrupt { actor: a } | Event::ReaderEnd { actor: a, .. } => *a == actor,
        // It never ends, and its parent waits for it for ever; nobody hears of their ends.
        Event::Ended { actor: a } | Event::Down { actor: a, .. } => *a == actor || Some(*a) == parent,
        Event::Monitor { actor: a, .. } => Some(*a) == parent,
        _ => false,
    });
    mutant(kept, Guarantee::Interruption)
}

fn owns(events: &[Event], parent: ActorId, child: ActorId) -> bool {
    contains(
        events,
        |event| matches!(event, Event::InitBegin { actor, parent: Some(owner), .. } if *actor == child && *owner == parent),
    )
}

fn failure_ignored(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let goes_on = |index: usize, event: &Event| match *event {
        Event::HandleEnd { actor, ok: true, .. } => {
            let handles = |event: &Event| matches!(event, Event::HandleBegin { actor: a, .. } if *a == actor);
            after(events, index, handles).is_some() || terminate_begin(events, actor).is_none()
        }
        _ => false,
    };
    let place = choose(&places(events, goes_on), choices)?;
    let mut events = events.to_vec();
    if let Event::HandleEnd { ok, .. } = &mut events[place] {
        *ok = false;
    }
    mutant(events, Guarantee::PanicContainment)
}

fn id_reused(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let begin = choose(&places(events, |_, event| matches!(event, Event::InitBegin { .. })), choices)?;
    let Event::InitBegin { actor, kind, parent } = events[begin] else { return None };
    let again = [Event::InitBegin { actor, kind, parent }, Event::InitEnd { actor, ok: true }];
    mutant(with(events, events.len(), again), Guarantee::UniqueIdentity)
}

fn name_kept(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let told = |_: usize, event: &Event| match event {
        Event::Unname { actor, .. } => ended(events, *actor).is_some(),
        _ => false,
    };
    let release = choose(&places(events, told), choices)?;
    mutant(without(events, |index, _| index == release), Guarantee::NameValidity)
}
