//! Optimal DPOR: source-DPOR with wakeup trees, which begins no execution in vain.
//!
//! After Abdulla, Aronis, Jonsson, Sagonas, "Optimal Dynamic Partial Order Reduction" (POPL 2014), algorithm 2. At
//! the end of each execution, each race is turned round: the steps that do not depend on its first, then its
//! second. That sequence goes into the wakeup tree of the node before the first, unless the tree has one that
//! begins an equivalent execution. Written independently of [`source`](crate::source), to which it is compared.
//!
//! The second step of a race may have another outcome when it comes first (a compare-exchange that failed, a lock
//! that was taken): the sequence says the outcome that it will have, and the search insists on it when it follows
//! the sequence. A choice commutes with everything; all its ways are explored wherever one is come across.

use platform::model::{Execution, Kind, Next, Operation, Scheduler, ThreadId};

use crate::naive::progress;
use crate::search::{Asleep, Bound, Course, Ending, Job, Limits, Pick, Search, diverged};
use crate::trace::{Sequence, Trace, renew};

/// A wakeup tree: its branches, in the order in which they are explored.
type Tree = Vec<Branch>;

/// A step to do, and what to do after it; a leaf says nothing about what comes after it.
#[derive(Clone, Debug)]
struct Branch {
    thread: ThreadId,
    operation: Operation,
    then: Tree,
}

#[derive(Debug)]
enum Node {
    Decision {
        /// Asleep on arrival, and then those explored from here.
        sleep: Vec<Asleep>,
        inherited: usize,
        now: ThreadId,
        /// What `now` does: as predicted, and then as done.
        does: Option<Operation>,
        /// What to do after that.
        then: Tree,
        later: Tree,
    },
    Choice {
        sleep: Vec<Asleep>,
        /// The ways that a sequence wants to be followed, with what comes after, and then the others.
        ways: Vec<(usize, Tree)>,
        now: usize,
    },
    /// What commutes with everything was done.
    Nothing,
}

/// The search.
#[derive(Debug)]
pub(crate) struct Optimal {
    nodes: Vec<Node>,
    base: usize,
    fresh: usize,
    looked: usize,
    sleep: Vec<Asleep>,
    /// What is to be done from here on.
    tree: Tree,
    /// What is asleep after the nodes before `base`.
    given: Vec<Asleep>,
    course: Course,
    trace: Trace,
}

impl Optimal {
    /// Searches what begins as `job` says.
    pub(crate) fn new(limits: Limits, job: &Job) -> Self {
        let node = |step: &Pick| match *step {
            Pick::Thread(now) => Node::Decision {
                sleep: Vec::new(),
                inherited: 0,
                now,
                does: None,
                then: Tree::new(),
                later: Tree::new(),
            },
            Pick::Way(way) => Node::Choice { sleep: Vec::new(), ways: vec![(way, Tree::new())], now: 0 },
            Pick::Nothing => Node::Nothing,
        };
        Self {
            nodes: job.begin.iter().map(node).collect(),
            base: job.begin.len(),
            fresh: 0,
            looked: 0,
            sleep: Vec::new(),
            tree: Tree::new(),
            given: job.sleep.clone(),
            course: Course::new(limits),
            trace: Trace::default(),
        }
    }

    /// Looks at what was done since the last decision; false if it was not what was to be done.
    fn look(&mut self, execution: &mut Execution) -> bool {
        while self.looked < execution.log.len() {
            if self.nodes.len() == self.looked {
                self.nodes.push(Node::Nothing);
            }
            let (thread, operation) = &execution.log[self.looked];
            let at_branch = self.looked + 1 == self.fresh;
            match &mut self.nodes[self.looked] {
                Node::Decision { sleep, now, does, then, .. } => {
                    let same = does.as_ref().is_none_or(|does| does.same(operation));
                    if now != thread || !same {
                        let foreseen =
                            does.map_or_else(|| "something else".to_owned(), |does| does.to_string());
                        let what = format!("{foreseen} of {now} was foreseen; {thread} did {operation}");
                        diverged(execution, &what);
                        return false;
                    }
                    let new = at_branch || self.looked >= self.fresh;
                    match does {
                        Some(does) if !new => renew(does, operation),
                        _ => *does = Some(*operation),
                    }
                    if new {
                        self.tree = std::mem::take(then);
                        self.sleep.clear();
                        let still = |(id, asleep): &&Asleep| id != thread && !operation.disturbs(asleep);
                        self.sleep.extend(sleep.iter().filter(still));
                    }
                }
                Node::Choice { sleep, ways, now } => {
                    if at_branch || self.looked >= self.fresh {
                        self.tree = std::mem::take(&mut ways[*now].1);
                        self.sleep.clone_from(sleep);
                    }
                }
                Node::Nothing => {}
            }
            self.looked += 1;
        }
        if self.looked == self.base && self.fresh == self.base {
            self.sleep.clone_from(&self.given);
        }
        true
    }

    /// Sees to it that what `sequence` begins is explored from the node at `depth`.
    fn insert(&mut self, depth: usize, mut sequence: Sequence) {
        let Node::Decision { sleep, now, does, later, .. } = &mut self.nodes[depth] else {
            unreachable!("only decisions are raced with");
        };
        let current = does.iter().map(|does| (*now, *does));
        let given = &self.given;
        let covered = sleep.iter().copied().chain(current).any(|(id, asleep)| {
            match sequence.weak_initial(id, &asleep) {
                Some(Some(_)) => true,
                // It does not occur in the sequence. Where it was explored, whatever comes after the sequence and
                // conflicts with it is found, and reported here; but not what other parts of a split find.
                Some(None) => given.iter().all(|(other, _)| *other != id),
                None => false,
            }
        });
        if covered {
            return;
        }
        let mut tree = later;
        loop {
            let found = tree.iter().enumerate().find_map(|(index, branch)| {
                let position = sequence.weak_initial(branch.thread, &branch.operation)?;
                // Another way of a choice leads elsewhere.
                let elsewhere = position.is_some_and(|position| {
                    let operation = &sequence.0[position].operation;
                    operation.kind == Kind::Choice && operation.new != branch.operation.new
                });
                (!elsewhere).then_some((index, position))
            });
            let Some((index, position)) = found else { break };
            if let Some(position) = position {
                sequence.0.remove(position);
            }
            if tree[index].then.is_empty() || sequence.0.is_empty() {
                return;
            }
            tree = &mut tree[index].then;
        }
        let chain = sequence.0.iter().rev().fold(Tree::new(), |then, item| {
            vec![Branch { thread: item.thread, operation: item.operation, then }]
        });
        tree.extend(chain);
    }
}

impl Scheduler for Optimal {
    fn next(&mut self, execution: &mut Execution) -> Next {
        let enabled = match self.course.look(execution) {
            Ok(enabled) => enabled,
            Err(stop) => return stop,
        };
        if self.course.ended.is_some() {
            return self.course.coast(enabled);
        }
        if !self.look(execution) {
            return Next::Stop;
        }
        let depth = execution.log.len();
        if let Some(node) = self.nodes.get(depth) {
            let Node::Decision { now, .. } = node else {
                return diverged(execution, "there is a decision where there was none");
            };
            return self.course.run(execution, enabled, *now);
        }
        let mut later = std::mem::take(&mut self.tree);
        let (now, does, then) = if later.is_empty() {
            let awake =
                |id: &ThreadId| enabled.has(*id) && !self.sleep.iter().any(|(asleep, _)| asleep == id);
            let Some(now) = self.course.last().filter(awake).or_else(|| enabled.iter().find(awake)) else {
                self.course.note(execution, Ending::Redundant);
                return self.course.coast(enabled);
            };
            (now, None, Tree::new())
        } else {
            let first = later.remove(0);
            (first.thread, Some(first.operation), first.then)
        };
        let next = self.course.run(execution, enabled, now);
        if next != Next::Stop {
            let sleep = self.sleep.clone();
            self.nodes.push(Node::Decision { inherited: sleep.len(), sleep, now, does, then, later });
        }
        next
    }

    fn choose(&mut self, execution: &mut Execution, thread: ThreadId, ways: u32) -> usize {
        if self.course.ended.is_some() || !self.look(execution) {
            return 0;
        }
        let depth = execution.log.len();
        if depth == self.nodes.len() {
            let mut wanted: Vec<(usize, Tree)> = Vec::new();
            for branch in self.tree.drain(..) {
                if branch.thread != thread || branch.operation.kind != Kind::Choice {
                    diverged(execution, "a choice was not foreseen");
                    continue;
                }
                wanted.push((branch.operation.new as usize, branch.then));
            }
            for way in 0..ways as usize {
                if wanted.iter().all(|(other, _)| *other != way) {
                    wanted.push((way, Tree::new()));
                }
            }
            self.nodes.push(Node::Choice { sleep: self.sleep.clone(), ways: wanted, now: 0 });
        }
        match &self.nodes[depth] {
            Node::Choice { ways, now, .. } => ways[*now].0,
            _ => {
                diverged(execution, "there is a choice where there was none");
                0
            }
        }
    }
}

impl Search for Optimal {
    fn begin(&mut self) {
        self.looked = 0;
        self.fresh = self.nodes.len();
        self.sleep.clear();
        self.tree.clear();
        self.course.begin();
    }

    fn end(&mut self, execution: &mut Execution) {
        let length = self.course.length.unwrap_or(execution.log.len());
        let after = execution.log.split_off(length);
        let as_expected = self.look(execution);
        execution.log.extend(after);
        let cut_short = length < self.fresh && self.course.ended.is_none();
        if as_expected && cut_short {
            diverged(execution, "it ended before its schedule did");
        }
        if !as_expected || cut_short {
            // Nothing more can be learned from this program.
            self.nodes.clear();
            self.base = 0;
            return;
        }
        self.trace.read(execution, length, self.fresh.saturating_sub(1), &self.course.waiting);
        let refused = self.course.ended == Some(Ending::Cut(Bound::Preemptions)) && self.fresh > length;
        self.nodes.truncate(length + usize::from(refused));
        for index in 0..self.trace.races.len() {
            let race = self.trace.races[index];
            if race.first >= self.base {
                let sequence = self.trace.reversed(&race);
                self.insert(race.first, sequence);
            }
        }
    }

    fn advance(&mut self) -> bool {
        while self.nodes.len() > self.base {
            match self.nodes.last_mut().expect("there is one") {
                Node::Decision { sleep, now, does, then, later, .. } => {
                    sleep.extend(does.take().map(|does| (*now, does)));
                    if !later.is_empty() {
                        let next = later.remove(0);
                        *now = next.thread;
                        *does = Some(next.operation);
                        *then = next.then;
                        return true;
                    }
                }
                Node::Choice { ways, now, .. } if *now + 1 < ways.len() => {
                    *now += 1;
                    return true;
                }
                Node::Choice { .. } | Node::Nothing => {}
            }
            self.nodes.pop();
        }
        false
    }

    fn course(&self) -> &Course {
        &self.course
    }

    fn progress(&self) -> f64 {
        progress(self.nodes[self.base..].iter().map(|node| match node {
            Node::Decision { sleep, inherited, later, .. } => {
                let done = sleep.len() - inherited;
                (done, done + 1 + later.len())
            }
            Node::Choice { ways, now, .. } => (*now, ways.len()),
            Node::Nothing => (0, 1),
        }))
    }

    fn known(&self) -> u64 {
        // Within a part, a branch may turn out to belong to another part.
        if self.base > 0 {
            return 0;
        }
        let known = self.nodes.iter().map(|node| match node {
            Node::Decision { later, .. } => later.len(),
            Node::Choice { ways, now, .. } => ways.len() - 1 - now,
            Node::Nothing => 0,
        });
        known.sum::<usize>() as u64
    }
}
