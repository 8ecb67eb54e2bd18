//! A supervisor with its children, around the runtime's own decision.
//!
//! The supervisor is one line: it takes one thing at a time from its mailbox, decides, and does what was decided,
//! one action a step. A child begins to end, of its own or because it was told, and has ended one step later; only
//! then is the supervisor told. Each start may fail, each deadline pass, each request come at any time.

use std::collections::VecDeque;
use std::time::Duration;

use antiphon_spec::event::{ActorId, ChildId, Event, Kind, Strategy};

use crate::bug::Bug;
use crate::decision::{Action, Decision, Happening};
use crate::model::{Explored, Judged};
use crate::scope::{Family, Scope, Trouble};

/// The supervisor itself; the actors that it starts have the numbers after it.
const SUPERVISOR: ActorId = ActorId(1);

/// What comes of a failure may take this long, by the supervisor's clock, and a second one then does not add up.
const WITHIN: Duration = Duration::ZERO;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Life {
    /// It has no incarnation, or its last one has ended and the supervisor knows.
    None,
    Alive,
    /// It was told to end, or killed.
    Told,
    /// It is ending: normally or not, with a `terminate` or, since its init failed, without.
    Ending {
        normal: bool,
        terminates: bool,
    },
    /// It has ended, and the Down lies in the supervisor's mailbox.
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Ward {
    life: Life,
    incarnation: ActorId,
    /// It has a deadline, which may pass.
    timed: bool,
}

/// One atomic step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Step {
    /// The supervisor does the next thing: what it has decided, or what it is told.
    Supervisor,
    /// The start that the supervisor is about to make fails.
    StartFails,
    /// A child begins to end.
    Ends { child: usize, normal: bool },
    /// A child has ended.
    HasEnded(usize),
    /// The time is over that a child was given to end.
    Overdue(usize),
    /// A child is added.
    Add,
    /// A child is removed.
    Remove(usize),
    /// The supervisor is told to end.
    Tell,
    /// The supervisor is killed.
    Kill,
    /// So much time passes that no failure before counts.
    TimePasses,
}

/// A state of the supervisor and its children, with what the specification knows of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Supervised {
    decision: Decision,
    wards: Vec<Ward>,
    mail: VecDeque<Happening>,
    /// What was decided and is not done yet.
    actions: VecDeque<Action>,
    actors: u64,
    ends: u8,
    /// What may still happen.
    trouble: Trouble,
    now: Duration,
    /// It is ending: its own callbacks are over.
    over: bool,
    /// It was reported ended.
    ended: bool,
    judged: Judged,
}

impl Explored for Supervised {
    type Step = Step;

    fn new(scope: &Scope) -> Self {
        let family = family(scope);
        let strategy = match (family.strategy, scope.bug) {
            (Strategy::RestForOne, Some(Bug::AllForOne)) => Strategy::OneForAll,
            (_, Some(Bug::AllAtOnce)) => Strategy::Dynamic,
            (strategy, _) => strategy,
        };
        let more = u32::from(scope.bug == Some(Bug::OneFailureMore));
        let mut new = Self {
            decision: Decision::new(strategy, family.restarts + more, WITHIN),
            wards: Vec::new(),
            mail: VecDeque::new(),
            actions: VecDeque::new(),
            actors: SUPERVISOR.0,
            ends: family.ends,
            trouble: family.trouble,
            now: Duration::ZERO,
            over: false,
            ended: false,
            judged: Judged::new(),
        };
        new.begin(family);
        new
    }

    fn steps(&self, scope: &Scope, steps: &mut Vec<Step>) {
        for (child, ward) in self.wards.iter().enumerate() {
            match ward.life {
                Life::Alive if self.ends > 0 => {
                    steps.extend([true, false].map(|normal| Step::Ends { child, normal }));
                }
                Life::Told => steps.push(Step::Ends { child, normal: true }),
                Life::Ending { .. } => steps.push(Step::HasEnded(child)),
                Life::Alive | Life::None | Life::Ended => {}
            }
        }
        if self.ended {
            return;
        }
        if self.over {
            // Its children belong to it: it has ended when they have.
            let alone = self.wards.iter().all(|ward| matches!(ward.life, Life::None | Life::Ended));
            steps.extend((alone || scope.bug == Some(Bug::SupervisorAlone)).then_some(Step::Supervisor));
            return;
        }
        let Trouble { start_fails, overdue, added, removed, told, killed, time } = self.trouble;
        if !self.actions.is_empty() || !self.mail.is_empty() {
            steps.push(Step::Supervisor);
        }
        if start_fails && matches!(self.actions.front(), Some(Action::Start(_))) {
            steps.push(Step::StartFails);
        }
        for (child, ward) in self.wards.iter().enumerate() {
            if overdue && ward.timed {
                steps.push(Step::Overdue(child));
            }
            if removed {
                steps.push(Step::Remove(child));
            }
        }
        let rare = [(added, Step::Add), (told, Step::Tell), (killed, Step::Kill), (time, Step::TimePasses)];
        steps.extend(rare.into_iter().filter(|(may, _)| *may).map(|(_, step)| step));
    }

    fn after(&self, scope: &Scope, step: Step) -> Self {
        let mut next = self.clone();
        match step {
            Step::Supervisor if next.over => next.report(),
            Step::Supervisor => match next.actions.pop_front() {
                Some(action) => next.act(scope, action, true),
                None => next.take(),
            },
            Step::StartFails => {
                next.trouble.start_fails = false;
                let action = next.actions.pop_front().expect("a start is about to be made");
                next.act(scope, action, false);
            }
            Step::Ends { child, normal } => next.ends(scope, child, normal),
            Step::HasEnded(child) => next.has_ended(scope, child),
            Step::Overdue(child) => {
                next.wards[child].timed = false;
                next.mail.push_back(Happening::Overdue { child: id(child) });
            }
            Step::Add => {
                next.trouble.added = false;
                let kind = family(scope).children.len();
                next.mail.push_back(added(family(scope), kind));
            }
            Step::Remove(child) => {
                next.trouble.removed = false;
                next.mail.push_back(Happening::Removed { child: id(child) });
            }
            Step::Tell => {
                next.trouble.told = false;
                next.mail.push_back(Happening::Told);
            }
            Step::Kill => next.terminate(),
            Step::TimePasses => {
                next.trouble.time = false;
                next.now += Duration::from_nanos(1);
            }
        }
        next
    }

    fn rest(&mut self) {
        self.judged.rest();
    }

    fn all_ends_are_over(&self) -> bool {
        !self.decision.is_ending() || self.ended
    }

    fn judged(&self) -> &Judged {
        &self.judged
    }
}

fn family(scope: &Scope) -> &Family {
    scope.family.as_ref().expect("the scope of a supervisor")
}

fn id(child: usize) -> ChildId {
    ChildId(child as u64)
}

fn place(child: ChildId) -> usize {
    child.0 as usize
}

/// One more child.
fn added(family: &Family, place: usize) -> Happening {
    let restart = family.children[place % family.children.len()];
    Happening::Added { child: id(place), restart, patience: Duration::from_nanos(1) }
}

impl Supervised {
    /// The supervisor is alive; its children wait to be started.
    fn begin(&mut self, family: &Family) {
        let (actor, kind, parent) = (SUPERVISOR, Kind::Process, None);
        let Family { strategy, restarts, .. } = *family;
        self.judged.emit(&Event::InitBegin { actor, kind, parent });
        self.judged.emit(&Event::Supervisor { actor, strategy, restarts, within: WITHIN.as_nanos() as u64 });
        self.judged.emit(&Event::InitEnd { actor, ok: true });
        self.judged.emit(&Event::Spawn { actor, kind, parent, ok: true });
        self.mail.extend((0..family.children.len()).map(|place| added(family, place)));
    }

    /// The next thing in the mailbox; what concerns a child that is gone is passed over, as the driver does.
    fn take(&mut self) {
        let Some(mut happening) = self.mail.pop_front() else { return };
        match &mut happening {
            Happening::Added { .. } if self.decision.is_ending() => return,
            Happening::Added { child, .. } => {
                // It gets its number now.
                *child = id(self.wards.len());
                self.wards.push(Ward { life: Life::None, incarnation: SUPERVISOR, timed: false });
            }
            Happening::Removed { child } if !self.decision.knows(*child) => return,
            Happening::Removed { child } => {
                self.judged.emit(&Event::ChildRemove { actor: SUPERVISOR, child: *child });
            }
            Happening::Ended { child, normal, now } => {
                *now = self.now;
                let (actor, at) = (SUPERVISOR, now.as_nanos() as u64);
                self.judged.emit(&Event::ChildEnd { actor, child: *child, normal: *normal, at });
                let ward = &mut self.wards[place(*child)];
                (ward.life, ward.timed) = (Life::None, false);
            }
            Happening::Overdue { .. } | Happening::Told | Happening::Started { .. } => {}
        }
        self.happened(happening);
    }

    fn happened(&mut self, happening: Happening) {
        let actions = self.decision.step(happening);
        self.actions.extend(actions);
    }

    /// Does one thing that was decided.
    fn act(&mut self, scope: &Scope, action: Action, ok: bool) {
        let actor = SUPERVISOR;
        match action {
            Action::Start(child) => self.start(scope, child, ok),
            Action::Stop(child, _) => {
                self.judged.emit(&Event::ChildStop { actor, child, kill: false });
                self.wards[place(child)].timed = true;
                self.tell(place(child));
            }
            Action::Kill(child) => {
                self.judged.emit(&Event::ChildStop { actor, child, kill: true });
                self.tell(place(child));
            }
            Action::Forget(_) => {}
            Action::GiveUp => self.judged.emit(&Event::SupervisorEnd { actor, gave_up: true }),
            Action::ShutDown => self.judged.emit(&Event::SupervisorEnd { actor, gave_up: false }),
            Action::End => self.terminate(),
        }
    }

    fn start(&mut self, scope: &Scope, child: ChildId, ok: bool) {
        let again = self.wards[place(child)].incarnation != SUPERVISOR;
        if again && scope.bug == Some(Bug::RestartForgotten) {
            return;
        }
        self.actors += 1;
        let (actor, kind, parent) = (ActorId(self.actors), Kind::Process, None);
        self.judged.emit(&Event::InitBegin { actor, kind, parent });
        self.judged.emit(&Event::InitEnd { actor, ok });
        self.judged.emit(&Event::Spawn { actor, kind, parent, ok });
        let restart = family(scope).children[place(child) % family(scope).children.len()];
        let incarnation = Some(actor);
        self.judged.emit(&Event::ChildStart { actor: SUPERVISOR, child, restart, incarnation, ok });
        let life = if ok { Life::Alive } else { Life::Ending { normal: false, terminates: false } };
        self.wards[place(child)] = Ward { life, incarnation: actor, timed: false };
        self.happened(Happening::Started { child, ok });
    }

    fn tell(&mut self, child: usize) {
        let ward = &mut self.wards[child];
        if ward.life == Life::Alive {
            ward.life = Life::Told;
        }
    }

    fn ends(&mut self, scope: &Scope, child: usize, normal: bool) {
        let ward = &mut self.wards[child];
        if ward.life == Life::Alive {
            self.ends -= 1;
        }
        ward.life = Life::Ending { normal, terminates: true };
        let actor = ward.incarnation;
        self.judged.emit(&Event::TerminateBegin { actor, reason: None });
        if scope.bug == Some(Bug::EndToldEarly) {
            self.down(child, normal);
        }
    }

    fn has_ended(&mut self, scope: &Scope, child: usize) {
        let Ward { life: Life::Ending { normal, terminates }, incarnation: actor, .. } = self.wards[child]
        else {
            unreachable!("only a child that is ending has ended")
        };
        if terminates {
            self.judged.emit(&Event::TerminateEnd { actor });
        }
        self.judged.emit(&Event::Ended { actor });
        self.wards[child].life = Life::Ended;
        if scope.bug != Some(Bug::EndToldEarly) {
            self.down(child, normal);
        }
    }

    fn down(&mut self, child: usize, normal: bool) {
        self.mail.push_back(Happening::Ended { child: id(child), normal, now: self.now });
    }

    /// The supervisor's own callbacks are over, and whatever is left of its children is told.
    fn terminate(&mut self) {
        self.over = true;
        self.judged.emit(&Event::TerminateBegin { actor: SUPERVISOR, reason: None });
        self.judged.emit(&Event::TerminateEnd { actor: SUPERVISOR });
        (0..self.wards.len()).for_each(|child| self.tell(child));
    }

    fn report(&mut self) {
        self.ended = true;
        self.judged.emit(&Event::Ended { actor: SUPERVISOR });
    }
}
