//! The rule about supervisors: `restart-discipline`.
//!
//! Everything that it judges is told by one line of execution, the supervisor's own: what it started, whom it
//! told to end, which ends it took note of and when by its own clock. So there is one reading of all that, and
//! the rule does the supervisor's sums again. The ends of the children themselves are told by theirs.

use std::collections::{BTreeMap, VecDeque};

use super::aside::At;
use super::judge::Judge;
use super::lives::Lives;
use crate::event::{ActorId, ChildId, Event, Restart, Strategy};
use crate::guarantee::Guarantee::RestartDiscipline;

/// How far a child is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Run {
    Up,
    /// Its start did not succeed, and its end is still to come.
    Failed,
    /// It was told to end.
    Told,
    /// It was told, and is waited for no longer.
    Killed,
    Down,
}

/// What has to become of a child.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Fate {
    Stays,
    /// It is to be started once it and its group are down, since the failure that is named.
    Restarts(At),
    /// It is to end for good.
    Leaves,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Child {
    restart: Restart,
    /// The actor that came of its last start, if any.
    incarnation: Option<ActorId>,
    started: At,
    run: Run,
    fate: Fate,
    /// Somebody asked for its end.
    removed: bool,
}

impl Child {
    /// It has to be down before its group is started. One whose end was asked for is no part of a group.
    fn is_in_the_way(&self) -> bool {
        self.fate != Fate::Stays && !self.removed && self.run != Run::Down
    }
}

/// What one supervisor has said.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Supervisor {
    strategy: Strategy,
    restarts: u32,
    within: u64,
    begun: At,
    /// In the order in which they are started. Those that have ended for good are forgotten.
    children: BTreeMap<ChildId, Child>,
    /// The first number that no child has had.
    next: ChildId,
    /// The failures of the last period, each with its time by the supervisor's clock.
    failures: VecDeque<(u64, At)>,
    /// The failure that was one too many.
    exceeded: Option<At>,
    /// It began to end its children.
    ending: Option<At>,
    /// A fault of it was reported: what follows may be a consequence.
    faulty: bool,
}

/// All supervisors.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Supervision(BTreeMap<ActorId, Supervisor>);

impl Supervision {
    /// Whether there is a supervisor at all.
    pub(super) fn tells(&self) -> bool {
        !self.0.is_empty()
    }

    pub(super) fn knows(&self, supervisor: ActorId) -> bool {
        self.0.contains_key(&supervisor)
    }

    pub(super) fn has(&self, supervisor: ActorId, child: ChildId) -> bool {
        self.0.get(&supervisor).is_some_and(|supervisor| supervisor.children.contains_key(&child))
    }

    pub(super) fn runs(&self, supervisor: ActorId, child: ChildId) -> bool {
        let child = self.0.get(&supervisor).and_then(|supervisor| supervisor.children.get(&child));
        child.is_some_and(|child| child.run != Run::Down)
    }
}

/// What is wrong, if something is: what proves it, what happened, what would have been allowed.
type Fault = (At, String, &'static str);

pub(super) fn step(supervision: &mut Supervision, lives: &Lives, event: &Event, judge: &mut Judge<'_>) {
    let (Event::Supervisor { actor, .. }
    | Event::ChildStart { actor, .. }
    | Event::ChildRemove { actor, .. }
    | Event::ChildStop { actor, .. }
    | Event::ChildEnd { actor, .. }
    | Event::SupervisorEnd { actor, .. }
    | Event::Ended { actor }) = *event
    else {
        return;
    };
    if let Event::Supervisor { strategy, restarts, within, .. } = *event {
        let supervisor = Supervisor::new(strategy, restarts, within, judge.here());
        supervision.0.entry(actor).or_insert(supervisor);
    }
    let Some(supervisor) = supervision.0.get_mut(&actor).filter(|supervisor| !supervisor.faulty) else {
        return;
    };
    if let Some((proof, message, allowed)) = supervisor.take(actor, lives, event, judge) {
        supervisor.faulty = true;
        judge.violated(RestartDiscipline, [proof], message, allowed);
    }
}

/// Since when an actor has lived, if it surely still does: a callback or its Reader is not over, or the runtime,
/// which tells of all ends, has not told of this one.
fn living(lives: &Lives, actor: ActorId) -> Option<At> {
    let life = lives.of(actor)?;
    let begun = life.init.begun_at()?;
    let over = !lives.instrumented && life.over_at().is_some() && !life.reader.is_open();
    (life.ended.is_none() && !over).then_some(begun)
}

impl Supervisor {
    fn new(strategy: Strategy, restarts: u32, within: u64, begun: At) -> Self {
        Self {
            strategy,
            restarts,
            within,
            begun,
            children: BTreeMap::new(),
            next: ChildId(0),
            failures: VecDeque::new(),
            exceeded: None,
            ending: None,
            faulty: false,
        }
    }

    /// Takes one event of this supervisor; says what is wrong with it.
    fn take(&mut self, me: ActorId, lives: &Lives, event: &Event, judge: &mut Judge<'_>) -> Option<Fault> {
        match *event {
            Event::ChildStart { child, restart, incarnation, ok, .. } => {
                if self.children.contains_key(&child) {
                    judge.premise(RestartDiscipline);
                }
                let fault = self.may_start(child, lives);
                self.start(child, restart, incarnation, ok, judge.here());
                fault
            }
            Event::ChildRemove { child, .. } => {
                self.remove(child);
                None
            }
            Event::ChildStop { child, kill, .. } => {
                judge.premise(RestartDiscipline);
                let fault = self.may_stop(child);
                self.stop(child, kill);
                fault
            }
            Event::ChildEnd { child, normal, at, .. } => {
                self.end(child, normal, at, judge);
                None
            }
            Event::SupervisorEnd { gave_up, .. } => self.ends(gave_up, judge.here()),
            Event::Ended { .. } => self.ended(me, lives),
            _ => None,
        }
    }

    /// Judges a start that has returned: the incarnation that it was for has begun.
    fn may_start(&self, id: ChildId, lives: &Lives) -> Option<Fault> {
        let known = self.children.get(&id);
        let alive = known.and_then(|child| living(lives, child.incarnation?));
        if let Some(proof) = alive.or(known.filter(|child| child.run != Run::Down).map(|child| child.started))
        {
            let what = "is started while its last incarnation has not ended";
            Some((proof, format!("child {id} {what}"), "a start after the end of the last incarnation"))
        } else if let Some(exceeded) = self.exceeded {
            let message = format!("child {id} is started after more than {} failures", self.restarts);
            Some((exceeded, message, "giving up"))
        } else if let Some(ending) = self.ending {
            Some((ending, format!("child {id} is started by a supervisor that ends"), "ends of children"))
        } else if let Some(child) = known {
            self.may_start_again(id, child)
        } else if id < self.next {
            Some((self.begun, format!("child {id} is started again, which had left"), "a new child"))
        } else {
            None
        }
    }

    fn may_start_again(&self, id: ChildId, child: &Child) -> Option<Fault> {
        if !matches!(child.fate, Fate::Restarts(_)) {
            let message = format!("child {id} is started again, which was to be left alone");
            return Some((child.started, message, "a restart of whom the strategy says"));
        }
        if matches!(self.strategy, Strategy::OneForOne | Strategy::Dynamic) {
            return None; // Each child is a group of its own.
        }
        if let Some((other, child)) = self.children.iter().find(|(_, child)| child.is_in_the_way()) {
            let message = format!("child {id} is started before {other}, of its group, has ended");
            Some((child.started, message, "a restart of the group once all of it is down"))
        } else if let Some((other, _)) = self.children.range(..id).find(|(_, child)| child.run == Run::Down) {
            let message = format!("child {id} is started before {other}, which was added before it");
            Some((child.started, message, "starts in order"))
        } else {
            None
        }
    }

    fn start(&mut self, id: ChildId, restart: Restart, incarnation: Option<ActorId>, ok: bool, started: At) {
        // A child whose first start does not succeed is not kept.
        let fate = if ok || self.children.contains_key(&id) { Fate::Stays } else { Fate::Leaves };
        let run = if ok { Run::Up } else { Run::Failed };
        self.children.insert(id, Child { restart, incarnation, started, run, fate, removed: false });
        self.next = self.next.max(ChildId(id.0.saturating_add(1)));
    }

    fn remove(&mut self, id: ChildId) {
        let Some(child) = self.children.get_mut(&id) else { return };
        child.removed = true;
        child.fate = Fate::Leaves;
        if child.run == Run::Down {
            self.children.remove(&id);
        }
    }

    fn may_stop(&self, id: ChildId) -> Option<Fault> {
        let child = self.children.get(&id).filter(|child| child.run == Run::Up)?;
        let ends = |child: &Child| self.ending.is_some() || child.fate != Fate::Stays;
        if !ends(child) {
            let message = format!("child {id} is told to end, which was to be left alone");
            return Some((child.started, message, "the end of whom the strategy says"));
        }
        // One that is removed ends when that is asked for.
        if self.strategy == Strategy::Dynamic || child.removed {
            return None;
        }
        let waited_for = |child: &Child| ends(child) && matches!(child.run, Run::Up | Run::Told);
        let mut after = self.children.range(ChildId(id.0.saturating_add(1))..);
        let (later, proof) = after.find(|(_, later)| waited_for(later))?;
        let message =
            format!("child {id} is told to end before {later}, which was added after it, has ended");
        Some((proof.started, message, "ends in reverse order"))
    }

    fn stop(&mut self, id: ChildId, kill: bool) {
        let Some(child) = self.children.get_mut(&id).filter(|child| child.run != Run::Down) else { return };
        child.run = if kill { Run::Killed } else { Run::Told };
    }

    fn end(&mut self, id: ChildId, normal: bool, at: u64, judge: &mut Judge<'_>) {
        let Some(child) = self.children.get_mut(&id) else { return };
        child.run = Run::Down;
        let again = match child.restart {
            Restart::Permanent => true,
            Restart::Transient => !normal,
            Restart::Temporary => false,
        };
        match child.fate {
            Fate::Restarts(_) if self.ending.is_none() => {}
            Fate::Stays if self.ending.is_none() && again => self.failure(id, at, judge),
            _ => drop(self.children.remove(&id)),
        }
    }

    /// A child has failed, and the supervisor has to do something about it.
    fn failure(&mut self, id: ChildId, at: u64, judge: &mut Judge<'_>) {
        judge.premise(RestartDiscipline);
        self.failures.push_back((at, judge.here()));
        while self.failures.front().is_some_and(|(then, _)| then.saturating_add(self.within) < at) {
            self.failures.pop_front();
        }
        if self.failures.len() > self.restarts as usize {
            self.exceeded.get_or_insert(judge.here());
        }
        for (other, child) in &mut self.children {
            let affected = match self.strategy {
                Strategy::OneForOne | Strategy::Dynamic => *other == id,
                Strategy::OneForAll => true,
                Strategy::RestForOne => *other >= id,
            };
            if affected && child.fate == Fate::Stays {
                child.fate = match child.restart {
                    Restart::Temporary => Fate::Leaves,
                    Restart::Permanent | Restart::Transient => Fate::Restarts(judge.here()),
                };
            }
        }
    }

    fn ends(&mut self, gave_up: bool, here: At) -> Option<Fault> {
        self.ending.get_or_insert(here);
        (gave_up && self.exceeded.is_none()).then(|| {
            let (failures, allowed) = (self.failures.len(), self.restarts);
            let message =
                format!("a supervisor gives up after {failures} failures, of {allowed} that it allows");
            (self.begun, message, "a restart")
        })
    }

    /// The supervisor was reported ended: whoever restarts it may start the same children again.
    fn ended(&self, me: ActorId, lives: &Lives) -> Option<Fault> {
        let mut children = self.children.iter().filter_map(|(id, child)| Some((id, child.incarnation?)));
        children.find_map(|(id, incarnation)| {
            let message = format!("supervisor {me} is reported ended before its child {id}");
            Some((living(lives, incarnation)?, message, "the end of a child before its supervisor's"))
        })
    }

    /// At rest: what the supervisor, which is alive and idle, still had to do.
    fn owes(&self) -> Option<Fault> {
        if self.faulty {
            return None;
        }
        if let Some(ending) = self.ending {
            let all_down = self.children.values().all(|child| child.run == Run::Down);
            return all_down
                .then(|| (ending, "goes on living though its children have ended".into(), "its end"));
        }
        if let Some(exceeded) = self.exceeded {
            let message = format!("goes on after more than {} failures", self.restarts);
            return Some((exceeded, message, "giving up"));
        }
        if self.children.values().any(|child| child.fate != Fate::Stays && child.run != Run::Down) {
            return None; // Somebody does not end, which is no fault of the supervisor's.
        }
        self.children.iter().find_map(|(id, child)| match child.fate {
            Fate::Restarts(since) => Some((since, format!("has not restarted child {id}"), "a restart")),
            Fate::Stays | Fate::Leaves => None,
        })
    }
}

pub(super) fn finish(supervision: &Supervision, lives: &Lives, judge: &mut Judge<'_>) {
    for (actor, supervisor) in &supervision.0 {
        if lives.of(*actor).is_none_or(|life| !life.is_idle()) {
            continue;
        }
        if let Some((proof, what, allowed)) = supervisor.owes() {
            judge.violated(RestartDiscipline, [proof], format!("supervisor {actor} {what}"), allowed);
        }
    }
}
