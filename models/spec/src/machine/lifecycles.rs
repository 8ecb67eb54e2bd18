//! The rules about how an actor begins and ends: `terminate-once`, `reader-lifetime`, `ownership`,
//! `interruption`, `panic-containment`, `unique-identity`.
//!
//! `terminate-once` owns the order of callbacks in one life: also a message handled after `terminate`, or
//! after a failed init, and an end reported while a callback is still in progress. What *overlaps* is
//! `handler-exclusion`.

use super::aside::At;
use super::judge::Judge;
use super::lives::{Life, Lives, Span};
use crate::event::{ActorId, Event, Kind};
use crate::guarantee::Guarantee;

pub(super) fn step(lives: &mut Lives, event: &Event, judge: &mut Judge<'_>) {
    match *event {
        Event::Spawn { actor, kind, parent, ok } => spawn(lives, actor, kind, parent, ok, judge),
        Event::InitBegin { actor, kind, parent } => init_begin(lives, actor, kind, parent, judge),
        Event::Ended { actor } => {
            lives.tells_ends = true;
            ended(lives, actor, judge);
        }
        Event::Down { actor, .. } => reported(lives, actor, Report::Down, judge),
        Event::ReaderBegin { actor } => {
            lives.tells_readers = true;
            with(lives, actor, judge, reader_begin);
        }
        Event::Interrupt { actor } => {
            lives.tells_ends = true;
            with(lives, actor, judge, |life, _, _| life.interrupted = true);
        }
        Event::TerminateBegin { actor, .. } => {
            count_children(lives, actor, judge);
            with(lives, actor, judge, terminate_begin);
        }
        Event::InitEnd { actor, ok } => with(lives, actor, judge, |life, _, judge| {
            if !ok {
                judge.premise(Guarantee::TerminateOnce);
                judge.premise(Guarantee::PanicContainment);
            }
            life.init.end(ok, judge.here());
        }),
        Event::HandleBegin { actor, message } => with(lives, actor, judge, |life, actor, judge| {
            handle_begin(life, actor, judge);
            life.handling.push((message, judge.here()));
            life.first_handled.get_or_insert(judge.here());
        }),
        Event::HandleEnd { actor, message, ok } => with(lives, actor, judge, |life, _, judge| {
            life.handling.retain(|(handled, _)| *handled != message);
            if !ok {
                judge.premise(Guarantee::PanicContainment);
                life.gave_up.get_or_insert(judge.here());
            }
        }),
        Event::ReaderEnd { actor, ok } => with(lives, actor, judge, |life, _, judge| {
            match life.extra_readers.checked_sub(1) {
                Some(fewer) => life.extra_readers = fewer,
                None => life.reader.end(ok, judge.here()),
            }
            if !ok {
                judge.premise(Guarantee::PanicContainment);
                life.reader_failed.get_or_insert(judge.here());
            }
        }),
        Event::TerminateEnd { actor } => {
            with(lives, actor, judge, |life, _, judge| match life.extra_terminates.checked_sub(1) {
                Some(fewer) => life.extra_terminates = fewer,
                None => life.terminate.end(true, judge.here()),
            })
        }
        Event::SendBegin { .. }
        | Event::SendEnd { .. }
        | Event::DeadLetter { .. }
        | Event::Monitor { .. }
        | Event::Demonitor { .. }
        | Event::Timer { .. }
        | Event::TimerFired { .. }
        | Event::TimerCancelled { .. }
        | Event::CallBegin { .. }
        | Event::CallEnd { .. }
        | Event::Reply { .. }
        | Event::Link { .. }
        | Event::ExitSignal { .. }
        | Event::Name { .. }
        | Event::Unname { .. }
        | Event::Supervisor { .. }
        | Event::ChildStart { .. }
        | Event::ChildRemove { .. }
        | Event::ChildStop { .. }
        | Event::ChildEnd { .. }
        | Event::SupervisorEnd { .. } => {}
    }
}

/// Applies a transition to the life of `actor`, unless its id is ambiguous.
fn with(
    lives: &mut Lives,
    actor: ActorId,
    judge: &mut Judge<'_>,
    transition: impl FnOnce(&mut Life, ActorId, &mut Judge<'_>),
) {
    let life = lives.lives.entry(actor).or_default();
    if !life.ambiguous {
        transition(life, actor, judge);
    }
}

fn spawn(
    lives: &mut Lives,
    actor: ActorId,
    kind: Kind,
    parent: Option<ActorId>,
    ok: bool,
    judge: &mut Judge<'_>,
) {
    with(lives, actor, judge, |life, actor, judge| {
        if !ok {
            life.refused = true;
        } else if let Some(first) = life.spawned {
            two_actors(life, actor, first, judge);
        } else {
            life.spawned = Some(judge.here());
            adopted(life, actor, judge);
        }
    });
    belongs_to(lives, actor, kind, parent);
}

/// A second init, or callbacks before the first one: whichever of them came first, the id named an actor
/// already.
fn init_begin(lives: &mut Lives, actor: ActorId, kind: Kind, parent: Option<ActorId>, judge: &mut Judge<'_>) {
    if lives.lives.keys().any(|other| *other != actor) {
        judge.premise(Guarantee::UniqueIdentity);
    }
    let parents = parent.and_then(|parent| lives.of(parent));
    let parent_reported = parents.and_then(|parent| parent.reported);
    if kind == Kind::Meta && parents.is_some_and(|parent| parent.closed_at().is_some()) {
        judge.premise(Guarantee::Ownership);
    }
    with(lives, actor, judge, |life, actor, judge| {
        if let Some(first) = life.init.begun_at().or(life.first_handled).or(life.terminate.begun_at()) {
            return two_actors(life, actor, first, judge);
        }
        if let Some(begin) = life.reader.begun_at() {
            too_early(actor, begin, judge);
        }
        life.init = Span::Open(judge.here());
        life.too_late = parent_reported.filter(|_| kind == Kind::Meta);
    });
    belongs_to(lives, actor, kind, parent);
}

fn two_actors(life: &mut Life, actor: ActorId, first: At, judge: &mut Judge<'_>) {
    life.ambiguous = true;
    judge.violated(
        Guarantee::UniqueIdentity,
        [first],
        format!("actor {actor} begins, but this id named an actor before"),
        "an id that was never used",
    );
}

/// Notes what kind of actor it is and whose.
fn belongs_to(lives: &mut Lives, actor: ActorId, kind: Kind, parent: Option<ActorId>) {
    if let Some(life) = lives.lives.get_mut(&actor) {
        life.kind = life.kind.or(Some(kind));
        life.parent = life.parent.or(parent);
    }
    let (Kind::Meta, Some(parent)) = (kind, parent) else { return };
    let children = &mut lives.lives.entry(parent).or_default().children;
    if let Err(place) = children.binary_search(&actor) {
        children.insert(place, actor);
    }
}

/// A meta-process turns out to have been taken in. If its parent was reported ended before, while this child
/// had not ended or not even begun, then under every reading the spawn came too late or the report too early.
fn adopted(life: &mut Life, actor: ActorId, judge: &mut Judge<'_>) {
    if let Some(reported) = life.too_late.take() {
        life.outlived = true;
        judge.violated(
            Guarantee::Ownership,
            [Some(reported), life.init.begun_at()].into_iter().flatten(),
            format!("meta-process {actor} is taken in although its parent was reported ended before its end"),
            "the spawn is refused",
        );
    }
}

fn reader_begin(life: &mut Life, actor: ActorId, judge: &mut Judge<'_>) {
    judge.premise(Guarantee::ReaderLifetime);
    if life.terminate.has_begun() {
        judge.premise(Guarantee::Interruption);
    }
    adopted(life, actor, judge);
    if let Some(first) = life.reader.begun_at() {
        life.extra_readers += 1;
        return judge.violated(
            Guarantee::ReaderLifetime,
            [first],
            format!("the Reader of {actor} begins a second time"),
            "one Reader in a life",
        );
    }
    // The init's recorded end is the last thing inside it, so a Reader recorded before it overlaps it.
    if let Span::Open(begin) = life.init {
        too_early(actor, begin, judge);
    } else if life.init.failed() {
        too_early(actor, life.init.ended_at().unwrap_or(judge.here()), judge);
    } else if let Some(reported) = life.reported {
        judge.violated(
            Guarantee::ReaderLifetime,
            [reported],
            format!("the Reader of {actor} begins after {actor} was reported ended"),
            "the Reader has ended before, or never begins",
        );
    }
    life.reader = Span::Open(judge.here());
}

fn too_early(actor: ActorId, proof: At, judge: &mut Judge<'_>) {
    judge.violated(
        Guarantee::ReaderLifetime,
        [proof],
        format!("the Reader of {actor} begins although its init has not succeeded"),
        "the Reader begins after init succeeded",
    );
}

fn handle_begin(life: &mut Life, actor: ActorId, judge: &mut Judge<'_>) {
    adopted(life, actor, judge);
    if life.callback().is_some() {
        return; // `handler-exclusion` owns what overlaps.
    }
    if let Some(over) = life.over_at() {
        let what = if life.init.failed() { "its init failed" } else { "it had ended" };
        judge.violated(
            Guarantee::TerminateOnce,
            [over],
            format!("actor {actor} handles a message after {what}"),
            "the message becomes a dead letter",
        );
    } else if let Some(gave_up) = life.gave_up {
        judge.violated(
            Guarantee::PanicContainment,
            [gave_up],
            format!("actor {actor} handles a message after a handler of it failed"),
            "terminate",
        );
    }
}

fn count_children(lives: &Lives, actor: ActorId, judge: &mut Judge<'_>) {
    let Some(life) = lives.of(actor).filter(|life| !life.terminate.has_begun()) else { return };
    judge.premises(Guarantee::Ownership, life.children.len() as u64);
}

fn terminate_begin(life: &mut Life, actor: ActorId, judge: &mut Judge<'_>) {
    judge.premise(Guarantee::TerminateOnce);
    if life.reader.is_open() {
        judge.premise(Guarantee::Interruption);
    }
    let wrong = match (life.terminate.begun_at(), life.ended) {
        (Some(first), _) => Some((first, "begins a second time")),
        (None, Some(ended)) => Some((ended, "begins after the actor was reported ended")),
        _ if life.init.failed() => life.init.ended_at().map(|end| (end, "begins although its init failed")),
        _ => None,
    };
    match wrong {
        Some((proof, what)) => {
            life.extra_terminates += 1;
            judge.violated(
                Guarantee::TerminateOnce,
                [proof],
                format!("terminate of {actor} {what}"),
                "terminate once, if init succeeded",
            );
        }
        None => life.terminate = Span::Open(judge.here()),
    }
}

/// The runtime says that the actor has ended.
fn ended(lives: &mut Lives, actor: ActorId, judge: &mut Judge<'_>) {
    let parent = lives.of(actor).and_then(|life| life.parent);
    if let Some(report) = parent.and_then(|parent| lives.of(parent)?.reported) {
        with(lives, actor, judge, |life, actor, judge| ends_after_its_parent(life, actor, report, judge));
    }
    with(lives, actor, judge, |life, actor, judge| {
        let wrong = if let Some(first) = life.ended {
            Some((first, "a second time".to_owned()))
        } else if !life.handling.is_empty() && life.terminate.has_begun() {
            None // That a handler overlaps or follows terminate was reported when the later one began.
        } else if let Some((callback, begin)) = life.callback() {
            Some((begin, format!("while its {callback} is in progress")))
        } else if life.init.succeeded() && !life.terminate.has_begun() {
            life.init.ended_at().map(|end| (end, "although terminate has not run".to_owned()))
        } else {
            None
        };
        if let Some((proof, how)) = wrong {
            judge.violated(
                Guarantee::TerminateOnce,
                [proof],
                format!("actor {actor} is reported ended {how}"),
                "its end, once, after its terminate",
            );
        }
        life.ended.get_or_insert(judge.here());
    });
    reported(lives, actor, Report::Ended, judge);
}

/// Where ends are told, a meta-process's comes first, also if its callbacks were over in time: before its parent's, and
/// before anybody is told of that.
fn ends_after_its_parent(life: &mut Life, actor: ActorId, report: At, judge: &mut Judge<'_>) {
    if life.adopted_at().is_some() && !life.outlived && life.ended.is_none() {
        life.outlived = true;
        judge.violated(
            Guarantee::Ownership,
            [report],
            format!(
                "meta-process {actor} is reported ended after its parent, or after a watcher was told of that"
            ),
            "the end of a meta-process before its parent's",
        );
    }
}

/// How it becomes known that an actor has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Report {
    Down,
    Ended,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Down => "a watcher was told",
            Self::Ended => "it was reported",
        })
    }
}

/// Somebody learns that the actor has ended: its Reader must have, and each of its meta-processes.
fn reported(lives: &mut Lives, actor: ActorId, how: Report, judge: &mut Judge<'_>) {
    let Some(life) = lives.of(actor) else { return };
    let known = life.reported.is_some();
    if known && how == Report::Down {
        return;
    }
    // The Reader's recorded end lies inside the real interval: it was still in progress.
    if let Span::Open(begin) = life.reader
        && !known
    {
        judge.violated(
            Guarantee::ReaderLifetime,
            [begin],
            format!("{how} that {actor} ended while its Reader is in progress"),
            "the Reader's end",
        );
    }
    let here = judge.here();
    for child in life.children.clone() {
        let Some(left) = lives.lives.get_mut(&child).filter(|left| !left.ambiguous && !left.outlived) else {
            continue;
        };
        // It has not ended before its Reader has. A child that was itself reported too early has been reported.
        let reads = left.reader.is_open() && left.ended.is_none();
        if left.over_at().is_some() && !reads {
            continue;
        }
        match left.adopted_at() {
            Some(adopted) => {
                left.outlived = true;
                judge.violated(
                    Guarantee::Ownership,
                    [adopted],
                    format!("{how} that {actor} ended before its meta-process {child} ended"),
                    format!("the end of {child}"),
                );
            }
            // Its spawn may yet be refused.
            None => {
                left.too_late.get_or_insert(here);
            }
        }
    }
    with(lives, actor, judge, |life, _, _| {
        life.reported.get_or_insert(here);
    });
}

pub(super) fn finish(lives: &Lives, judge: &mut Judge<'_>) {
    for (actor, life) in lives.lives.iter().filter(|(_, life)| !life.ambiguous) {
        if let Some(failed) = lives.must_end(life).filter(|_| life.is_idle() && !life.terminate.has_begun()) {
            judge.violated(
                Guarantee::PanicContainment,
                [failed],
                format!("actor {actor} goes on living after a callback or its Reader failed"),
                "terminate",
            );
        } else if life.is_idle() && life.kind == Some(Kind::Meta) {
            finish_meta(lives, *actor, life, judge);
        }
        if let (Span::Open(begin), Some(end)) = (life.reader, life.terminate.ended_at())
            && lives.tells_ends
            && !life.interrupted
            && life.ended.is_none()
        {
            judge.violated(
                Guarantee::Interruption,
                [begin, end],
                format!("{actor} has terminated and its Reader was left blocked without an interrupt"),
                "an interrupt of the Reader",
            );
        }
    }
}

/// A live meta-process at rest.
fn finish_meta(lives: &Lives, actor: ActorId, life: &Life, judge: &mut Judge<'_>) {
    let Some(init) = life.init.ended_at() else { return };
    if let Some(parent) = life.parent
        && let Some(over) = lives.of(parent).and_then(Life::over_at)
    {
        judge.violated(
            Guarantee::Ownership,
            [init, over],
            format!("meta-process {actor} is left although its parent {parent} has ended"),
            "the end of the meta-process",
        );
    } else if lives.tells_readers && !life.reader.has_begun() && !life.refused {
        judge.violated(
            Guarantee::ReaderLifetime,
            [init],
            format!("the Reader of {actor} never began"),
            "the Reader begins after init succeeded",
        );
    }
}
