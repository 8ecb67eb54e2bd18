//! What a supervisor does about what happens: a pure decision, events in, actions out.
//!
//! No thread, no clock, no actor: time comes in with the events, and whoever drives it does what it says. So the
//! same file is explored as a part of the specification, with every order of events that there can be.
//!
//! ```text
//!               failure of a child                          all members of the group are up
//!     Steady ────────────────────────► Regrouping ─────────────────────────────────────────► Steady
//!        │    (one-for-all, rest-for-one)   │      first all of them down, in reverse order,
//!        │                                  │      then each up, in order
//!        └──── too many failures, or told to end ────► Ending: all children down ────► Over
//! ```
//!
//! A child is started only when its last incarnation has *ended*, as its Down says: then its meta-processes have,
//! too, and its name is free (`restart-discipline`). An incarnation that did not come to life also has an end.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use event::{ChildId, Restart, Strategy};

/// What happened.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Happening {
    /// A child was added, as the last one.
    Added { child: ChildId, restart: Restart, patience: Duration },
    /// The start of a child has returned. If not `ok`, its end is still to come; and if it was its first start, the
    /// child is not kept.
    Started { child: ChildId, ok: bool },
    /// A child has ended.
    Ended { child: ChildId, normal: bool, now: Duration },
    /// A child has had the time that it was given to end.
    Overdue { child: ChildId },
    /// A child is to end and to be forgotten.
    Removed { child: ChildId },
    /// The supervisor is to end.
    Told,
}

/// What to do about it, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Action {
    /// Start this child, and say how it went.
    Start(ChildId),
    /// Tell this child to end, and say when its time is over.
    Stop(ChildId, Duration),
    /// Kill this child.
    Kill(ChildId),
    /// This child is gone for good.
    Forget(ChildId),
    /// The children end because there were too many failures.
    GiveUp,
    /// The children end because the supervisor was told to.
    ShutDown,
    /// All children have ended: so does the supervisor.
    End,
}

/// How far a child is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Run {
    /// It has no incarnation.
    Down,
    /// Its start has not returned.
    Starting,
    Up,
    /// Its start did not succeed, and its end is still to come.
    Failed,
    /// It was told to end.
    Stopping,
    /// It was told, and is waited for no longer before others are told.
    Killed,
}

/// What is to become of a child.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Goal {
    /// To run.
    Run,
    /// To end, and then to run again.
    Restart,
    /// To end, and to be forgotten.
    Leave,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Child {
    restart: Restart,
    /// How long it may take to end.
    patience: Duration,
    run: Run,
    goal: Goal,
    /// It has been up once.
    kept: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Phase {
    Steady,
    Regrouping,
    Ending,
    Over,
}

/// What a supervisor knows, and by which it decides.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Decision {
    pub(crate) strategy: Strategy,
    /// How many failures are put up with...
    pub(crate) restarts: u32,
    /// ... within this time.
    pub(crate) within: Duration,
    /// In the order in which they were added, which is that of their numbers.
    children: BTreeMap<ChildId, Child>,
    /// When the failures were that still count.
    failures: VecDeque<Duration>,
    phase: Phase,
}

impl Decision {
    pub(crate) fn new(strategy: Strategy, restarts: u32, within: Duration) -> Self {
        let (children, failures) = (BTreeMap::new(), VecDeque::new());
        Self { strategy, restarts, within, children, failures, phase: Phase::Steady }
    }

    /// Whether the children are ending for good, or have: none may be added any more.
    pub(crate) fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Ending | Phase::Over)
    }

    /// Whether this child has been added, and is not gone.
    pub(crate) fn knows(&self, child: ChildId) -> bool {
        self.children.contains_key(&child)
    }

    /// Takes down what happened; says what to do about it.
    ///
    /// # Panics
    /// If it cannot have happened: whoever drives this is wrong.
    pub(crate) fn step(&mut self, happening: Happening) -> Vec<Action> {
        let mut actions = Vec::new();
        match happening {
            Happening::Added { child, restart, patience } => {
                assert!(!self.is_ending(), "a child is added to a supervisor that ends");
                let latest = self.children.last_key_value();
                assert!(latest.is_none_or(|(last, _)| *last < child), "children are numbered in order");
                let new = Child { restart, patience, run: Run::Down, goal: Goal::Run, kept: false };
                self.children.insert(child, new);
                if self.phase == Phase::Steady {
                    self.start(child, &mut actions);
                }
            }
            Happening::Started { child, ok } => self.started(child, ok),
            Happening::Ended { child, normal, now } => self.ended(child, normal, now, &mut actions),
            Happening::Overdue { child } => {
                // It may have ended meanwhile.
                if let Some(late) = self.children.get_mut(&child).filter(|late| late.run == Run::Stopping) {
                    late.run = Run::Killed;
                    actions.push(Action::Kill(child));
                }
            }
            Happening::Removed { child } => self.remove(child, &mut actions),
            Happening::Told if self.is_ending() => {}
            Happening::Told => {
                actions.push(Action::ShutDown);
                self.end_all(&mut actions);
            }
        }
        self.go_on(&mut actions);
        actions
    }

    fn child(&mut self, id: ChildId) -> &mut Child {
        self.children.get_mut(&id).expect("only a child that was added is told of")
    }

    fn start(&mut self, id: ChildId, actions: &mut Vec<Action>) {
        self.child(id).run = Run::Starting;
        actions.push(Action::Start(id));
    }

    fn started(&mut self, id: ChildId, ok: bool) {
        let child = self.child(id);
        assert_eq!(child.run, Run::Starting, "child {id} was not to be started");
        child.run = if ok { Run::Up } else { Run::Failed };
        child.kept |= ok;
        if !child.kept {
            child.goal = Goal::Leave;
        }
    }

    fn ended(&mut self, id: ChildId, normal: bool, now: Duration, actions: &mut Vec<Action>) {
        let child = self.child(id);
        let before = std::mem::replace(&mut child.run, Run::Down);
        assert!(!matches!(before, Run::Down | Run::Starting), "child {id} ended while it was {before:?}");
        let again = match child.restart {
            Restart::Permanent => true,
            Restart::Transient => !normal,
            Restart::Temporary => false,
        };
        match child.goal {
            // It is restarted with its group: this is no failure of its own.
            Goal::Restart => child.goal = Goal::Run,
            Goal::Run if again => self.failed(id, now, actions),
            Goal::Run | Goal::Leave => {
                self.children.remove(&id);
                actions.push(Action::Forget(id));
            }
        }
    }

    /// A child has ended that should not have.
    fn failed(&mut self, id: ChildId, now: Duration, actions: &mut Vec<Action>) {
        self.failures.push_back(now);
        while self.failures.front().is_some_and(|then| then.saturating_add(self.within) < now) {
            self.failures.pop_front();
        }
        if self.failures.len() > self.restarts as usize {
            actions.push(Action::GiveUp);
            return self.end_all(actions);
        }
        let first = match self.strategy {
            Strategy::OneForOne | Strategy::Dynamic => return self.start(id, actions),
            Strategy::OneForAll => ChildId(0),
            Strategy::RestForOne => id,
        };
        self.phase = Phase::Regrouping;
        for (_, child) in self.children.range_mut(first..) {
            if child.run != Run::Down && child.goal == Goal::Run {
                child.goal = match child.restart {
                    Restart::Temporary => Goal::Leave,
                    Restart::Permanent | Restart::Transient => Goal::Restart,
                };
            }
        }
    }

    fn remove(&mut self, id: ChildId, actions: &mut Vec<Action>) {
        let child = self.child(id);
        let told = child.goal != Goal::Run;
        child.goal = Goal::Leave;
        match child.run {
            Run::Down => {
                self.children.remove(&id);
                actions.push(Action::Forget(id));
            }
            // In its turn, with the others.
            Run::Up if told => {}
            Run::Up => child.stop(id, actions),
            Run::Failed | Run::Stopping | Run::Killed => {}
            Run::Starting => unreachable!("a start returns before anything else happens"),
        }
    }

    fn end_all(&mut self, actions: &mut Vec<Action>) {
        self.phase = Phase::Ending;
        self.children.retain(|id, child| {
            child.goal = Goal::Leave;
            if child.run == Run::Down {
                actions.push(Action::Forget(*id));
            }
            child.run != Run::Down
        });
    }

    /// Does what can be done of what is to be done.
    fn go_on(&mut self, actions: &mut Vec<Action>) {
        match self.phase {
            Phase::Steady | Phase::Over => {}
            Phase::Regrouping => {
                self.stop_next(actions);
                let waits = |child: &Child| match child.run {
                    Run::Down => false,
                    Run::Up => child.goal != Goal::Run,
                    Run::Starting | Run::Failed | Run::Stopping | Run::Killed => true,
                };
                if self.children.values().any(waits) {
                    return;
                }
                match self.children.iter().find(|(_, child)| child.run == Run::Down) {
                    Some((next, _)) => self.start(*next, actions),
                    None => self.phase = Phase::Steady,
                }
            }
            Phase::Ending => {
                self.stop_next(actions);
                if self.children.is_empty() {
                    self.phase = Phase::Over;
                    actions.push(Action::End);
                }
            }
        }
    }

    /// Tells the last of those that are to end, if no later one is waited for: in reverse order, each once the one
    /// after it has ended or has had its time.
    fn stop_next(&mut self, actions: &mut Vec<Action>) {
        let ordered = self.strategy != Strategy::Dynamic;
        for (id, child) in self.children.iter_mut().rev().filter(|(_, child)| child.goal != Goal::Run) {
            if child.run == Run::Up {
                child.stop(*id, actions);
            }
            if child.run == Run::Stopping && ordered {
                return;
            }
        }
    }
}

impl Child {
    fn stop(&mut self, id: ChildId, actions: &mut Vec<Action>) {
        if self.patience.is_zero() {
            self.run = Run::Killed;
            actions.push(Action::Kill(id));
        } else {
            self.run = Run::Stopping;
            actions.push(Action::Stop(id, self.patience));
        }
    }
}
