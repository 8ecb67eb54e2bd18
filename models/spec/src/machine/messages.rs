//! The rules about messages: `handler-exclusion`, `no-loss`, `no-duplication`, `right-recipient`,
//! `sender-order`, `class-order`, `closed-is-closed`, `wake-up`.
//!
//! Who owns which fault: a message that an ended actor swallowed is `no-loss`, unless it was accepted when
//! it should have been refused: then `closed-is-closed`, and nothing else. One that waits in a live actor's
//! mailbox is `wake-up`. One handled by the wrong actor is `right-recipient`, and counts as gone: it is
//! neither lost nor, if the right one handles it too, duplicated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::aside::{Aside, At};
use super::judge::Judge;
use super::lives::{Life, Lives};
use crate::event::{ActorId, Class, Event, MessageId, Sender};
use crate::guarantee::Guarantee;

/// Who sent a message; cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Origin {
    Actor(ActorId),
    Thread(Arc<str>),
}

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Fate {
    Handled,
    DeadLettered,
    /// The sender was told and has it back.
    Refused,
    /// Handled by another than its recipient; reported.
    Misdelivered,
    /// Swallowed by an ended actor; reported.
    Lost,
}

/// A message whose send has begun, and whose send or fate is still open.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Message {
    pub(super) to: ActorId,
    class: Class,
    from: Option<Origin>,
    pub(super) accepted: Option<At>,
    pub(super) fate: Option<(Fate, At)>,
    began: At,
    /// Its recipient had begun to terminate before the send began.
    late: Option<At>,
    /// The place of this send among those of its stream; see [`Stream`].
    began_after: u32,
    returned_as: u32,
    /// Its place among the accepted ones of its lane; see [`Lane`].
    place: u32,
    /// An earlier message of its stream was waiting when its send began: order is at stake.
    follows: Aside<bool>,
    /// It counts as waiting in its stream.
    waits: Aside<bool>,
}

/// The messages of one class from one sender to one recipient, for as long as one of them is in flight.
///
/// A message that returned as the n-th precedes each one that began after at least n had returned. The
/// numbers stand for positions in the trace, which are no part of a state's identity.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Stream {
    in_flight: u32,
    returned: u32,
    /// The largest `began_after` of a message that was handled; where that was.
    handled: u32,
    handled_at: At,
    waiting: Aside<u32>,
}

/// The messages of one class to one recipient, for as long as one of them is in flight.
///
/// Only a message of a higher class can be passed over, so the lowest class has no lane.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Lane {
    in_flight: u32,
    accepted: u32,
    /// How many had been accepted when the last callback ended.
    seen: u32,
    /// How many of them a message of a lower class was taken before; where that was.
    passed: u32,
    passed_at: At,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Mailbox {
    in_flight: u32,
    accepted: Aside<u64>,
    lanes: [Lane; 2],
}

/// All messages.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Messages {
    pub(super) in_flight: BTreeMap<MessageId, Message>,
    /// Those of which nothing more should be heard.
    pub(super) over: BTreeMap<MessageId, (Fate, At)>,
    streams: BTreeMap<(Origin, ActorId, Class), Stream>,
    mailboxes: BTreeMap<ActorId, Mailbox>,
    names: Aside<BTreeSet<Arc<str>>>,
}

pub(super) fn step(messages: &mut Messages, lives: &Lives, event: &Event, judge: &mut Judge<'_>) {
    match event {
        Event::SendBegin { message, from, to, class } => {
            messages.send_begin(*message, from.as_ref(), *to, *class, lives, judge);
        }
        Event::SendEnd { message, accepted } => messages.send_end(*message, *accepted, lives, judge),
        Event::HandleBegin { actor, message } => {
            let overlaps = exclusion(lives, *actor, "handle", judge);
            messages.handle_begin(*actor, *message, overlaps, judge);
        }
        Event::DeadLetter { message, .. } => messages.dead_letter(*message, lives, judge),
        Event::InitEnd { actor, .. } | Event::HandleEnd { actor, .. } => messages.callback_ended(*actor),
        // A second terminate is `terminate-once`, whether it overlaps the first or not.
        Event::TerminateBegin { actor, .. }
            if lives.of(*actor).is_none_or(|life| !life.terminate.has_begun()) =>
        {
            exclusion(lives, *actor, "terminate", judge);
            if let Some(mailbox) = messages.mailboxes.get(actor) {
                judge.premises(Guarantee::NoLoss, mailbox.accepted.0);
            }
        }
        Event::Ended { actor } => messages.swallowed(*actor, lives, judge),
        // A watcher is told after the end, whether the trace tells ends or not.
        Event::Down { actor, .. } if lives.of(*actor).is_some_and(|life| life.over_at().is_some()) => {
            messages.swallowed(*actor, lives, judge);
        }
        _ => {}
    }
}

/// Both recorded intervals lie inside the real ones: if they overlap, the real ones do.
fn exclusion(lives: &Lives, actor: ActorId, what: &str, judge: &mut Judge<'_>) -> bool {
    judge.premise(Guarantee::HandlerExclusion);
    let Some((other, begin)) = lives.of(actor).and_then(Life::callback) else { return false };
    judge.violated(
        Guarantee::HandlerExclusion,
        [begin],
        format!("{what} of actor {actor} begins while its {other} is in progress"),
        format!("the end of {other}"),
    );
    true
}

impl Messages {
    /// Whether a send of this message has begun.
    pub(super) fn knows(&self, id: MessageId) -> bool {
        self.in_flight.contains_key(&id) || self.over.contains_key(&id)
    }

    fn origin(&mut self, sender: &Sender) -> Origin {
        match sender {
            Sender::Actor(actor) => Origin::Actor(*actor),
            Sender::Thread(name) => {
                let names = &mut self.names.0;
                let known = names.get(name.as_str()).cloned();
                Origin::Thread(known.unwrap_or_else(|| {
                    let name: Arc<str> = name.as_str().into();
                    names.insert(name.clone());
                    name
                }))
            }
        }
    }

    fn send_begin(
        &mut self,
        id: MessageId,
        from: Option<&Sender>,
        to: ActorId,
        class: Class,
        lives: &Lives,
        judge: &mut Judge<'_>,
    ) {
        if self.knows(id) {
            return; // Makes no sense: see `State::admits`.
        }
        // An actor that ended without terminate, its init having failed, swallows what it accepts.
        let late = lives.of(to).and_then(|life| life.terminate.begun_at());
        if late.is_some() {
            judge.premise(Guarantee::ClosedIsClosed);
        }
        let from = from.map(|sender| self.origin(sender));
        let mut began_after = 0;
        let mut follows = false;
        if let Some(origin) = &from {
            let stream = self.streams.entry((origin.clone(), to, class)).or_default();
            stream.in_flight += 1;
            began_after = stream.returned;
            follows = stream.waiting.0 > 0;
        }
        let mailbox = self.mailboxes.entry(to).or_default();
        mailbox.in_flight += 1;
        if let Some(lane) = mailbox.lanes.get_mut(class as usize) {
            lane.in_flight += 1;
        }
        let message = Message {
            to,
            class,
            from,
            accepted: None,
            fate: None,
            began: judge.here(),
            late,
            began_after,
            returned_as: 0,
            place: 0,
            follows: Aside(follows),
            waits: Aside(false),
        };
        self.in_flight.insert(id, message);
    }

    fn send_end(&mut self, id: MessageId, accepted: bool, lives: &Lives, judge: &mut Judge<'_>) {
        let Some(message) = self.in_flight.get_mut(&id).filter(|message| message.accepted.is_none()) else {
            return;
        };
        if !accepted {
            return self.refused(id, judge);
        }
        judge.premise(Guarantee::WakeUp);
        message.accepted = Some(judge.here());
        let waits = message.fate.is_none();
        message.waits.0 = waits;
        if let Some(origin) = &message.from
            && let Some(stream) = self.streams.get_mut(&(origin.clone(), message.to, message.class))
        {
            stream.returned += 1;
            stream.waiting.0 += u32::from(waits);
            message.returned_as = stream.returned;
        }
        if let Some(mailbox) = self.mailboxes.get_mut(&message.to) {
            mailbox.accepted.0 += 1;
            if let Some(lane) = mailbox.lanes.get_mut(message.class as usize) {
                lane.accepted += 1;
                message.place = lane.accepted;
            }
        }
        let life = lives.of(message.to);
        if life.is_some_and(|life| life.over_at().is_some()) {
            judge.premise(Guarantee::NoLoss);
        }
        comes_to_light(id, message, waits, lives, judge);
        if self.in_flight[&id].fate.is_some() {
            self.settle(id);
        }
    }

    fn refused(&mut self, id: MessageId, judge: &mut Judge<'_>) {
        let Some(message) = self.in_flight.get_mut(&id) else { return };
        if let Some((fate @ (Fate::Handled | Fate::DeadLettered), at)) = message.fate {
            let what = if fate == Fate::Handled { "handled" } else { "handed over as a dead letter" };
            judge.violated(
                Guarantee::NoDuplication,
                [at],
                format!("message {id} is refused, and was {what}"),
                "the send is accepted",
            );
        }
        message.fate = Some((Fate::Refused, judge.here()));
        self.settle(id);
    }

    /// Forgets all of a message but its fate.
    fn settle(&mut self, id: MessageId) {
        let Some(message) = self.in_flight.remove(&id) else { return };
        let Some(fate) = message.fate else { return };
        self.over.insert(id, fate);
        if let Some(origin) = message.from {
            let key = (origin, message.to, message.class);
            if let Some(stream) = self.streams.get_mut(&key) {
                stream.in_flight -= 1;
                stream.waiting.0 -= u32::from(message.waits.0);
                if stream.in_flight == 0 {
                    self.streams.remove(&key);
                }
            }
        }
        if let Some(mailbox) = self.mailboxes.get_mut(&message.to) {
            mailbox.in_flight -= 1;
            if let Some(lane) = mailbox.lanes.get_mut(message.class as usize) {
                lane.in_flight -= 1;
                if lane.in_flight == 0 {
                    *lane = Lane::default();
                }
            }
        }
    }

    fn handle_begin(&mut self, actor: ActorId, id: MessageId, overlaps: bool, judge: &mut Judge<'_>) {
        judge.premise(Guarantee::RightRecipient);
        judge.premise(Guarantee::NoDuplication);
        let Some(message) = self.in_flight.get_mut(&id) else {
            if let Some((fate, at)) = self.over.get(&id).copied() {
                handled_again(actor, id, fate, at, judge);
            }
            return;
        };
        if message.to != actor {
            judge.violated(
                Guarantee::RightRecipient,
                [message.began],
                format!("actor {actor} handles message {id}, which was addressed to {}", message.to),
                format!("a message addressed to {actor}"),
            );
            message.fate.get_or_insert((Fate::Misdelivered, judge.here()));
        } else if let Some((fate, at)) = message.fate {
            handled_again(actor, id, fate, at, judge);
        } else {
            message.fate = Some((Fate::Handled, judge.here()));
            // Which of two overlapping callbacks really began first is not known.
            if !overlaps {
                self.judge_order(id, judge);
            }
        }
        self.taken(id);
    }

    /// A message whose fate is known is over when its send is.
    fn taken(&mut self, id: MessageId) {
        if self.in_flight.get(&id).is_some_and(|message| message.accepted.is_some()) {
            self.settle(id);
        }
    }

    /// `sender-order` and `class-order`, both judged when the message that was passed over is handled: one
    /// that never is, is lost or waits for ever, and that is another guarantee's.
    fn judge_order(&mut self, id: MessageId, judge: &mut Judge<'_>) {
        let message = &self.in_flight[&id];
        if let Some(origin) = &message.from
            && let Some(stream) = self.streams.get_mut(&(origin.clone(), message.to, message.class))
        {
            if message.follows.0 {
                judge.premise(Guarantee::SenderOrder);
            }
            if message.accepted.is_some() && message.returned_as <= stream.handled {
                judge.violated(
                    Guarantee::SenderOrder,
                    [message.began, stream.handled_at],
                    format!("message {id} is handled after one that the same sender sent later"),
                    "messages of one sender in the order of their sends",
                );
            } else if message.began_after > stream.handled {
                stream.handled = message.began_after;
                stream.handled_at = judge.here();
            }
        }
        let Some(mailbox) = self.mailboxes.get_mut(&message.to) else { return };
        let class = message.class as usize;
        if let Some(lane) = mailbox.lanes.get(class)
            && message.accepted.is_some()
        {
            judge.premise(Guarantee::ClassOrder);
            if message.place <= lane.passed {
                judge.violated(
                    Guarantee::ClassOrder,
                    [message.began, lane.passed_at],
                    format!("message {id} waited while one of a lower class was handled"),
                    "messages of a higher class first",
                );
            }
        }
        for lane in mailbox.lanes.iter_mut().take(class) {
            if lane.seen > lane.passed {
                lane.passed = lane.seen;
                lane.passed_at = judge.here();
            }
        }
    }

    /// What has been accepted by now must be taken before anything of a lower class.
    fn callback_ended(&mut self, actor: ActorId) {
        let Some(mailbox) = self.mailboxes.get_mut(&actor) else { return };
        for lane in &mut mailbox.lanes {
            lane.seen = lane.accepted;
        }
    }

    fn dead_letter(&mut self, id: MessageId, lives: &Lives, judge: &mut Judge<'_>) {
        judge.premise(Guarantee::NoDuplication);
        let fate = match self.in_flight.get_mut(&id) {
            Some(message) => message.fate.replace((Fate::DeadLettered, judge.here())),
            None => self.over.get(&id).copied(),
        };
        let before = match fate {
            Some((Fate::Handled, at)) => Some(("it was handled", at)),
            Some((Fate::DeadLettered, at)) => Some(("it was one already", at)),
            Some((Fate::Refused, at)) => Some(("its sender has it back", at)),
            Some((Fate::Misdelivered | Fate::Lost, _)) | None => None,
        };
        if let Some((before, at)) = before {
            judge.violated(
                Guarantee::NoDuplication,
                [at],
                format!("message {id} is handed over as a dead letter although {before}"),
                "each message handled or handed over, once",
            );
        } else if let Some(message) = self.in_flight.get_mut(&id) {
            // Only what was accepted is a dead letter, whatever its send has still to say.
            comes_to_light(id, message, true, lives, judge);
        }
        self.taken(id);
    }

    /// The actor has ended: everything that it had accepted must be accounted for.
    fn swallowed(&mut self, actor: ActorId, lives: &Lives, judge: &mut Judge<'_>) {
        let Some(mailbox) = self.mailboxes.get(&actor) else { return };
        let Some(life) = lives.of(actor) else { return };
        if !life.terminate.has_begun() {
            judge.premises(Guarantee::NoLoss, mailbox.accepted.0);
        }
        if mailbox.in_flight == 0 {
            return;
        }
        let left: Vec<MessageId> = self.waiting().filter(|(_, m)| m.to == actor).map(|(id, _)| id).collect();
        for id in left {
            if let Some(message) = self.in_flight.get_mut(&id) {
                let proof = [Some(message.began), message.accepted].into_iter().flatten();
                lost(id, message, proof, judge);
            }
            self.settle(id);
        }
    }

    /// Accepted, and not heard of since.
    fn waiting(&self) -> impl Iterator<Item = (MessageId, &Message)> {
        let waits = |message: &Message| message.accepted.is_some() && message.fate.is_none();
        self.in_flight.iter().filter(move |(_, message)| waits(message)).map(|(id, message)| (*id, message))
    }
}

/// A message turns out to have been accepted; `waits` if nothing had become of it before.
fn comes_to_light(id: MessageId, message: &mut Message, waits: bool, lives: &Lives, judge: &mut Judge<'_>) {
    // Of an id that turned out to name two actors, nothing is known to be late.
    let Some(life) = lives.of(message.to) else { return };
    let began = message.began;
    if let Some(closed) = message.late.take() {
        // The send began after a point inside terminate: its moment lies after that under each reading.
        let what = format!("a send to {} begins after its terminate and is accepted", message.to);
        judge.violated(Guarantee::ClosedIsClosed, [closed, began], what, "the send is refused");
        message.fate.get_or_insert((Fate::Lost, judge.here()));
    } else if let Some(ended) = life.ended
        && waits
    {
        // All dead letters were handed over before the end was reported.
        lost(id, message, [began, ended], judge);
    }
}

fn lost(id: MessageId, message: &mut Message, proof: impl IntoIterator<Item = At>, judge: &mut Judge<'_>) {
    judge.violated(
        Guarantee::NoLoss,
        proof,
        format!("actor {} has ended, and message {id}, which it had accepted, is gone", message.to),
        "the message is handled or handed over as a dead letter before",
    );
    message.fate = Some((Fate::Lost, judge.here()));
}

fn handled_again(actor: ActorId, id: MessageId, fate: Fate, at: At, judge: &mut Judge<'_>) {
    let before = match fate {
        Fate::Handled => "was handled",
        Fate::DeadLettered => "was handed over as a dead letter",
        Fate::Refused => "was refused",
        Fate::Misdelivered | Fate::Lost => return,
    };
    let message = format!("actor {actor} handles message {id}, which {before}");
    judge.violated(Guarantee::NoDuplication, [at], message, "a message that waits");
}

/// Everything is at rest: nothing that was accepted may be waiting.
pub(super) fn finish(messages: &Messages, lives: &Lives, judge: &mut Judge<'_>) {
    for (id, message) in messages.waiting() {
        let to = message.to;
        let Some(life) = lives.of(to) else { continue };
        let proof = [Some(message.began), message.accepted];
        if let Some(over) = life.over_at() {
            judge.violated(
                Guarantee::NoLoss,
                proof.into_iter().flatten().chain([over]),
                format!("actor {to} has ended, and message {id}, which it had accepted, is gone"),
                "the message is handled or handed over as a dead letter",
            );
        } else if life.is_idle() && lives.must_end(life).is_none() {
            // A failed actor that goes on living is `panic-containment`.
            judge.violated(
                Guarantee::WakeUp,
                proof.into_iter().flatten(),
                format!("message {id} waits in the mailbox of {to}, which is alive and idle"),
                "the message is handled",
            );
        }
    }
}
