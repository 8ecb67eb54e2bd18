//! Faults with messages.

use super::{
    Choices, Mutant, Mutation, choose, contains, handle_end, moved, mutant, places, position, send_end,
    terminate_begin, terminate_end, with, without,
};
use crate::event::{ActorId, Class, Event, MessageId, Sender};
use crate::guarantee::Guarantee;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation { name: "a handler overlaps terminate", apply: overlap },
    Mutation { name: "a message is never handled", apply: not_handled },
    Mutation { name: "a dead letter is not handed over", apply: dead_letter_dropped },
    Mutation { name: "a message is handled twice", apply: handled_twice },
    Mutation { name: "a handled message becomes a dead letter", apply: handled_and_dead },
    Mutation { name: "a message is handled by another actor too", apply: misdelivered },
    Mutation { name: "two messages of one sender change places", apply: sender_order },
    Mutation { name: "a message passes one of a higher class", apply: class_order },
    Mutation { name: "a closed mailbox accepts", apply: closed_accepts },
];

fn is_handled(event: &Event) -> bool {
    matches!(event, Event::HandleBegin { .. })
}

/// The last handler ends after terminate has begun.
fn overlap(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let last = |index: usize, event: &Event| {
        let Event::HandleEnd { actor, .. } = *event else { return false };
        let begins = |event: &Event| matches!(event, Event::HandleBegin { actor: a, .. } if *a == actor);
        terminate_begin(events, actor)
            .is_some_and(|end| end > index && !contains(&events[index..end], begins))
    };
    let end = choose(&places(events, last), choices)?;
    let Event::HandleEnd { actor, .. } = events[end] else { return None };
    let terminate = terminate_begin(events, actor)?;
    mutant(moved(events, end, terminate + 1), Guarantee::HandlerExclusion)
}

fn not_handled(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let begin = choose(&places(events, |_, event| is_handled(event)), choices)?;
    let end = handle_end(events, begin)?;
    let Event::HandleBegin { actor, .. } = events[begin] else { return None };
    let is_over = terminate_end(events, actor).is_some();
    let violates = if is_over { Guarantee::NoLoss } else { Guarantee::WakeUp };
    mutant(without(events, |index, _| index == begin || index == end), violates)
}

fn dead_letter_dropped(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let dropped = choose(&places(events, |_, event| matches!(event, Event::DeadLetter { .. })), choices)?;
    mutant(without(events, |index, _| index == dropped), Guarantee::NoLoss)
}

/// The place just after a handler that succeeded: no callback of its actor is in progress there.
fn after_handling(events: &[Event], choices: &mut Choices<'_>) -> Option<(usize, ActorId, MessageId)> {
    let end =
        choose(&places(events, |_, event| matches!(event, Event::HandleEnd { ok: true, .. })), choices)?;
    let Event::HandleEnd { actor, message, .. } = events[end] else { return None };
    Some((end + 1, actor, message))
}

fn handling(actor: ActorId, message: MessageId) -> [Event; 2] {
    [Event::HandleBegin { actor, message }, Event::HandleEnd { actor, message, ok: true }]
}

fn handled_twice(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let (place, actor, message) = after_handling(events, choices)?;
    mutant(with(events, place, handling(actor, message)), Guarantee::NoDuplication)
}

fn handled_and_dead(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let (place, actor, message) = after_handling(events, choices)?;
    mutant(with(events, place, [Event::DeadLetter { actor, message }]), Guarantee::NoDuplication)
}

/// Another actor, just after a handler of its own, handles what is about to be handled by its recipient.
fn misdelivered(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let (place, actor, _) = after_handling(events, choices)?;
    let mut pending = None;
    for event in &events[..place] {
        match *event {
            Event::SendBegin { message, to, .. } if to != actor => pending = Some(message),
            _ => {}
        }
    }
    let message = pending?;
    let handled = |event: &Event| matches!(event, Event::HandleBegin { message: m, .. } if *m == message);
    let begin = events.iter().position(handled).filter(|begin| *begin >= place)?;
    debug_assert!(is_handled(&events[begin]));
    mutant(with(events, place, handling(actor, message)), Guarantee::RightRecipient)
}

/// Where and as what a message was sent.
fn sent(events: &[Event], message: MessageId) -> Option<(usize, &Option<Sender>, Class)> {
    events.iter().enumerate().find_map(|(index, event)| match event {
        Event::SendBegin { message: m, from, class, .. } if *m == message => Some((index, from, *class)),
        _ => None,
    })
}

/// Exchanges two messages that one actor handles next to each other, `first` and then `second`, if they
/// are as asked and the second had been sent when the first was handled.
fn exchanged(
    events: &[Event],
    choices: &mut Choices<'_>,
    fits: impl Fn(usize, MessageId, MessageId) -> bool,
) -> Option<Vec<Event>> {
    let next = |index: usize, actor: ActorId| {
        position(
            events,
            index + 1..events.len(),
            |event| matches!(event, Event::HandleBegin { actor: a, .. } if *a == actor),
        )
    };
    let pair = |index: usize| {
        let Event::HandleBegin { actor, message: first } = events[index] else { return None };
        let Event::HandleBegin { message: second, .. } = events[next(index, actor)?] else { return None };
        let was_sent = sent(events, second)?.0 < index;
        (was_sent && fits(index, first, second)).then_some((first, second))
    };
    let place = choose(&places(events, |index, _| pair(index).is_some()), choices)?;
    let (first, second) = pair(place)?;
    let mut events = events.to_vec();
    for event in &mut events {
        if let Event::HandleBegin { message, .. } | Event::HandleEnd { message, .. } = event {
            if *message == first {
                *message = second;
            } else if *message == second {
                *message = first;
            }
        }
    }
    Some(events)
}

fn sender_order(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let ordered = |_: usize, first: MessageId, second: MessageId| {
        let (Some((_, from, class)), Some((began, sender, same))) =
            (sent(events, first), sent(events, second))
        else {
            return false;
        };
        let returned = send_end(events, first).is_some_and(|returned| returned < began);
        from.is_some() && from == sender && class == same && returned
    };
    mutant(exchanged(events, choices, ordered)?, Guarantee::SenderOrder)
}

fn class_order(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let passed_over = |index: usize, first: MessageId, second: MessageId| {
        let (Some((.., higher)), Some((.., lower))) = (sent(events, first), sent(events, second)) else {
            return false;
        };
        let Event::HandleBegin { actor, .. } = events[index] else { return false };
        let previous = events[..index].iter().rposition(|event| {
            matches!(event, Event::HandleEnd { actor: a, .. } | Event::InitEnd { actor: a, .. } if *a == actor)
        });
        higher < lower && send_end(events, first) < previous && send_end(events, first).is_some()
    };
    mutant(exchanged(events, choices, passed_over)?, Guarantee::ClassOrder)
}

fn closed_accepts(events: &[Event], choices: &mut Choices<'_>) -> Option<Mutant> {
    let late = |index: usize, event: &Event| {
        let Event::SendEnd { message, accepted: false } = *event else { return false };
        let to = events[..index].iter().enumerate().find_map(|(began, event)| match event {
            Event::SendBegin { message: m, to, .. } if *m == message => Some((began, *to)),
            _ => None,
        });
        to.is_some_and(|(began, to)| terminate_begin(events, to).is_some_and(|closed| closed < began))
    };
    let place = choose(&places(events, late), choices)?;
    let mut events = events.to_vec();
    if let Event::SendEnd { accepted, .. } = &mut events[place] {
        *accepted = true;
    }
    mutant(events, Guarantee::ClosedIsClosed)
}
