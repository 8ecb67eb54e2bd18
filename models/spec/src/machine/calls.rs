//! The rules about synchronous calls: `call-outcome`, `deadlock-refusal`.

use std::collections::BTreeMap;

use super::aside::At;
use super::judge::Judge;
use super::lives::{Life, Lives};
use crate::event::{ActorId, CallId, CallOutcome, Event, Sender};
use crate::guarantee::Guarantee;

/// One call.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Call {
    /// The caller, if it is an actor: only then can it be a part of a cycle.
    from: Option<ActorId>,
    to: ActorId,
    began: At,
    /// The callee had been reported ended before the call began.
    too_late: Option<At>,
    pub(super) outcome: Option<(CallOutcome, At)>,
    answered: bool,
}

/// All calls.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Calls {
    pub(super) calls: BTreeMap<CallId, Call>,
    /// The trace tells of replies at all.
    pub(super) tells_replies: bool,
}

pub(super) fn step(calls: &mut Calls, lives: &Lives, event: &Event, judge: &mut Judge<'_>) {
    match event {
        Event::CallBegin { call, from, to } => {
            let from = match from {
                Some(Sender::Actor(actor)) => Some(*actor),
                Some(Sender::Thread(_)) | None => None,
            };
            let too_late = lives.of(*to).and_then(|life| life.ended);
            let new = Call { from, to: *to, began: judge.here(), too_late, outcome: None, answered: false };
            calls.calls.entry(*call).or_insert(new);
        }
        Event::CallEnd { call, outcome } => {
            if let Some(known) = calls.calls.get_mut(call) {
                known.end(*call, *outcome, judge);
            }
        }
        Event::Reply { call } => {
            calls.tells_replies = true;
            if let Some(known) = calls.calls.get_mut(call) {
                known.answered = true;
            }
        }
        _ => {}
    }
}

impl Call {
    fn end(&mut self, id: CallId, outcome: CallOutcome, judge: &mut Judge<'_>) {
        judge.premise(Guarantee::CallOutcome);
        if outcome == CallOutcome::Deadlock {
            judge.premise(Guarantee::DeadlockRefusal);
        }
        if let Some((_, first)) = self.outcome {
            return judge.violated(
                Guarantee::CallOutcome,
                [first],
                format!("call {id} has a second outcome"),
                "one outcome",
            );
        }
        self.outcome = Some((outcome, judge.here()));
        // Under every reading the whole call lies after the callee's end: there was nothing to wait for.
        if let (CallOutcome::Timeout, Some(ended)) = (outcome, self.too_late) {
            judge.violated(
                Guarantee::CallOutcome,
                [ended, self.began],
                format!("call {id} to {}, which had ended before it, is told by timeout", self.to),
                "the caller is told at once that the callee has terminated",
            );
        }
    }
}

pub(super) fn finish(calls: &Calls, lives: &Lives, judge: &mut Judge<'_>) {
    for (id, call) in &calls.calls {
        match call.outcome {
            None => unanswered(*id, call, lives, judge),
            Some((CallOutcome::Reply, end)) if calls.tells_replies && !call.answered => judge.violated(
                Guarantee::CallOutcome,
                [call.began, end],
                format!("call {id} has a reply that nobody gave"),
                "another outcome",
            ),
            Some(_) => {}
        }
    }
    cycles(calls, lives, judge);
}

/// A call that still waits although nothing moves any more.
fn unanswered(id: CallId, call: &Call, lives: &Lives, judge: &mut Judge<'_>) {
    if let Some(over) = lives.of(call.to).and_then(Life::over_at) {
        judge.violated(
            Guarantee::CallOutcome,
            [call.began, over],
            format!("call {id} waits for ever: its callee {} has ended", call.to),
            "the caller is told at once that the callee has terminated",
        );
    }
}

/// At rest, callers that wait for each other in a cycle will do so for ever. A caller waits in a callback.
fn cycles(calls: &Calls, lives: &Lives, judge: &mut Judge<'_>) {
    let mut waits: BTreeMap<ActorId, (ActorId, At)> = BTreeMap::new();
    for call in calls.calls.values().filter(|call| call.outcome.is_none()) {
        if let Some(from) = call.from
            && lives.of(from).is_some_and(|life| life.callback().is_some())
        {
            waits.insert(from, (call.to, call.began));
        }
    }
    // Each caller waits for one callee, so a walk from a caller ends or runs into its only cycle. What was
    // walked is taken out: each caller is looked at once.
    while let Some((start, _)) = waits.first_key_value() {
        let mut path: Vec<(ActorId, At)> = Vec::new();
        let mut current = *start;
        while let Some((to, began)) = waits.remove(&current) {
            path.push((current, began));
            current = to;
        }
        if let Some(entry) = path.iter().position(|(actor, _)| *actor == current) {
            let cycle = &path[entry..];
            let names: Vec<String> = cycle.iter().map(|(actor, _)| actor.to_string()).collect();
            judge.violated(
                Guarantee::DeadlockRefusal,
                cycle.iter().map(|(_, began)| *began),
                format!("callers wait for each other: {}", names.join(", ")),
                "the call that closes the cycle is refused",
            );
        }
    }
}
