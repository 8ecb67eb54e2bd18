//! What a supervisor decides, against plain sums, whatever happens in whatever order (`restart-discipline`).

#[path = "../src/supervisor/decision.rs"]
mod decision;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use decision::{Action, Decision, Happening};
use event::{ChildId, Restart, Strategy};
use proptest::prelude::{Just, ProptestConfig, any, prop, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as _;

const WITHIN: Duration = Duration::from_secs(5);

/// What happens next, to whichever child the number points at.
#[derive(Clone, Debug)]
enum Operation {
    Add(Restart),
    End { child: usize, normal: bool },
    Overdue(usize),
    Remove(usize),
    StartFails,
    Wait(u64),
    Tell,
}

/// How a child that has not ended is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Well,
    Told,
    Killed,
    Failed,
}

/// Children as plain as they can be, and everything that a supervisor must never do.
struct Household {
    strategy: Strategy,
    restarts: u32,
    decision: Decision,
    kinds: BTreeMap<ChildId, Restart>,
    alive: BTreeMap<ChildId, Life>,
    starts: BTreeMap<ChildId, u32>,
    /// Those that are to be there when everything has come to rest.
    wanted: BTreeSet<ChildId>,
    removed: BTreeSet<ChildId>,
    /// Which have to be started again: for their own failure or their group's.
    due: BTreeSet<ChildId>,
    failures: Vec<Duration>,
    now: Duration,
    next_start_fails: bool,
    ending: bool,
    over: bool,
}

impl Household {
    fn new(strategy: Strategy, restarts: u32) -> Self {
        Self {
            strategy,
            restarts,
            decision: Decision::new(strategy, restarts, WITHIN),
            kinds: BTreeMap::new(),
            alive: BTreeMap::new(),
            starts: BTreeMap::new(),
            wanted: BTreeSet::new(),
            removed: BTreeSet::new(),
            due: BTreeSet::new(),
            failures: Vec::new(),
            now: Duration::ZERO,
            next_start_fails: false,
            ending: false,
            over: false,
        }
    }

    fn apply(&mut self, operation: &Operation) {
        let pick = |children: Vec<ChildId>, at: usize| children.get(at % children.len().max(1)).copied();
        let alive: Vec<ChildId> = self.alive.keys().copied().collect();
        match *operation {
            Operation::Add(restart) if !self.decision.is_ending() => {
                let child = ChildId(self.kinds.len() as u64);
                self.kinds.insert(child, restart);
                self.wanted.insert(child);
                self.happened(Happening::Added { child, restart, patience: Duration::from_secs(1) });
            }
            Operation::End { child, normal } => {
                if let Some(child) = pick(alive, child) {
                    self.end(child, normal);
                }
            }
            Operation::Overdue(child) => {
                if let Some(child) = pick(alive, child) {
                    self.happened(Happening::Overdue { child });
                }
            }
            Operation::Remove(child) => {
                if let Some(child) = pick(self.kinds.keys().copied().collect(), child)
                    && self.decision.knows(child)
                {
                    self.wanted.remove(&child);
                    self.removed.insert(child);
                    self.due.remove(&child);
                    self.happened(Happening::Removed { child });
                }
            }
            Operation::StartFails => self.next_start_fails = true,
            Operation::Wait(seconds) => self.now += Duration::from_secs(seconds),
            Operation::Tell if !self.over => self.happened(Happening::Told),
            Operation::Add(_) | Operation::Tell => {}
        }
    }

    /// A child ends; the sums of the supervisor are done here again.
    fn end(&mut self, child: ChildId, normal: bool) {
        let life = self.alive.remove(&child).expect("only who is alive ends");
        let normal = normal && life != Life::Failed;
        let again = match self.kinds[&child] {
            Restart::Permanent => true,
            Restart::Transient => !normal,
            Restart::Temporary => false,
        };
        let must_give_up = if self.ending || !self.wanted.contains(&child) || self.due.contains(&child) {
            false
        } else if again {
            self.failures.push(self.now);
            let count = self.failures.iter().filter(|then| **then + WITHIN >= self.now).count();
            self.fails(child);
            count > self.restarts as usize
        } else {
            self.wanted.remove(&child);
            false
        };
        let was_ending = self.ending;
        self.happened(Happening::Ended { child, normal, now: self.now });
        assert_eq!(self.ending && !was_ending, must_give_up, "gives up at its intensity, and only then");
    }

    /// Everybody in the group is due; who is temporary leaves with it.
    fn fails(&mut self, failed: ChildId) {
        let group: Vec<ChildId> = match self.strategy {
            Strategy::OneForOne | Strategy::Dynamic => vec![failed],
            Strategy::OneForAll => self.wanted.iter().copied().collect(),
            Strategy::RestForOne => self.wanted.range(failed..).copied().collect(),
        };
        for child in group {
            if child == failed || self.kinds[&child] != Restart::Temporary {
                self.due.insert(child);
            } else if self.alive.contains_key(&child) {
                self.wanted.remove(&child);
            }
        }
    }

    fn happened(&mut self, happening: Happening) {
        let mut happenings = VecDeque::from([happening]);
        while let Some(happening) = happenings.pop_front() {
            for action in self.decision.step(happening) {
                assert!(!self.over, "{action:?} after the end");
                happenings.extend(self.act(action));
            }
        }
    }

    fn act(&mut self, action: Action) -> Option<Happening> {
        match action {
            Action::Start(child) => return Some(self.start(child)),
            Action::Stop(child, _) => {
                let life = self.alive.insert(child, Life::Told);
                assert_eq!(life, Some(Life::Well), "{child} is told once, while it is well");
                assert!(!self.is_left_alone(child), "{child} is told to end, and was to be left alone");
                let later = |(later, life): (&ChildId, &Life)| {
                    *life == Life::Told && *later > child && !self.removed.contains(later)
                };
                let ordered = self.strategy != Strategy::Dynamic && !self.removed.contains(&child);
                assert!(
                    !ordered || !self.alive.iter().any(later),
                    "{child} is told before a later one ended"
                );
            }
            Action::Kill(child) => {
                let life = self.alive.insert(child, Life::Killed);
                assert_eq!(life, Some(Life::Told), "{child} is killed after it was told");
            }
            Action::Forget(child) => {
                assert!(!self.alive.contains_key(&child), "{child} is forgotten and alive");
                assert!(self.ending || !self.wanted.contains(&child), "{child} is forgotten and wanted");
            }
            Action::GiveUp | Action::ShutDown => {
                assert!(!self.ending, "ends twice");
                self.ending = true;
            }
            Action::End => {
                assert!(self.ending && self.alive.is_empty(), "ends before {:?}", self.alive);
                self.over = true;
            }
        }
        None
    }

    fn is_left_alone(&self, child: ChildId) -> bool {
        !self.ending && self.wanted.contains(&child) && !self.due.contains(&child)
    }

    fn start(&mut self, child: ChildId) -> Happening {
        let starts = self.starts.entry(child).or_default();
        *starts += 1;
        let first = *starts == 1;
        assert!(!self.ending, "{child} is started by a supervisor that ends");
        assert!(!self.alive.contains_key(&child), "two incarnations of {child} at once");
        let due = self.due.remove(&child);
        assert!(first || due, "{child} is started again, and was to be left alone");
        if !first && matches!(self.strategy, Strategy::OneForAll | Strategy::RestForOne) {
            let up = self.due.iter().find(|other| self.alive.contains_key(other));
            assert_eq!(up, None, "{child} is started before its group is down");
            let before = self.due.range(..child).next();
            assert_eq!(before, None, "{child} is started out of order");
        }
        let ok = !std::mem::take(&mut self.next_start_fails);
        self.alive.insert(child, if ok { Life::Well } else { Life::Failed });
        if first && !ok {
            self.wanted.remove(&child);
        }
        Happening::Started { child, ok }
    }

    /// Lets everybody end who is to, until nothing is left to do.
    fn rest(&mut self) {
        self.next_start_fails = false;
        while let Some((child, _)) = self.alive.iter().find(|(_, life)| **life != Life::Well) {
            self.end(*child, true);
        }
        match self.ending {
            true => assert!(self.over, "all have ended, and it has not"),
            false => assert!(self.alive.keys().eq(&self.wanted), "{:?} for {:?}", self.alive, self.wanted),
        }
    }
}

fn strategy() -> impl proptest::strategy::Strategy<Value = Strategy> {
    use Strategy::{Dynamic, OneForAll, OneForOne, RestForOne};
    prop::sample::select(vec![OneForOne, OneForAll, RestForOne, Dynamic])
}

fn restart() -> impl proptest::strategy::Strategy<Value = Restart> {
    prop::sample::select(vec![Restart::Permanent, Restart::Transient, Restart::Temporary])
}

fn operation() -> impl proptest::strategy::Strategy<Value = Operation> {
    prop_oneof![
        3 => restart().prop_map(Operation::Add),
        6 => (any::<usize>(), any::<bool>()).prop_map(|(child, normal)| Operation::End { child, normal }),
        2 => any::<usize>().prop_map(Operation::Overdue),
        1 => any::<usize>().prop_map(Operation::Remove),
        1 => Just(Operation::StartFails),
        3 => (0..8_u64).prop_map(Operation::Wait),
        1 => Just(Operation::Tell),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_happenings_keeps_the_discipline(
        strategy in strategy(),
        restarts in 0..4_u32,
        operations in prop::collection::vec(operation(), 0..60),
    ) {
        let mut household = Household::new(strategy, restarts);
        for operation in &operations {
            household.apply(operation);
        }
        household.rest();
    }

    #[test]
    fn at_rest_one_failure_restarts_whom_the_strategy_says(
        strategy in strategy(),
        children in prop::collection::vec(restart(), 1..6),
        failed in any::<usize>(),
    ) {
        let mut household = Household::new(strategy, 1);
        for restart in &children {
            household.apply(&Operation::Add(*restart));
        }
        let failed = failed % children.len();
        household.apply(&Operation::End { child: failed, normal: false });
        household.rest();
        for (place, restart) in children.iter().enumerate() {
            let in_group = match strategy {
                Strategy::OneForOne | Strategy::Dynamic => place == failed,
                Strategy::OneForAll => true,
                Strategy::RestForOne => place >= failed,
            };
            let temporary = |place: usize| children[place] == Restart::Temporary;
            let again = in_group && !temporary(failed) && *restart != Restart::Temporary;
            let starts = household.starts[&ChildId(place as u64)];
            prop_assert_eq!(starts, 1 + u32::from(again), "child {}", place);
        }
    }
}
