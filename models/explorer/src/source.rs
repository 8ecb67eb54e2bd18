//! Source-DPOR: dynamic partial-order reduction with source sets and sleep sets.
//!
//! After Abdulla, Aronis, Jonsson, Sagonas, "Optimal Dynamic Partial Order Reduction" (POPL 2014), algorithm 1,
//! with locks as told in [`trace`](crate::trace). It explores each class at least once and completes it at most
//! once; it may begin executions that turn out to be redundant. It is written independently of
//! [`optimal`](crate::optimal), to which it is compared.

use platform::model::{Execution, Next, Operation, Scheduler, ThreadId};

use crate::naive::progress;
use crate::search::{Asleep, Bound, Course, Ending, Job, Limits, Pick, Search, diverged};
use crate::trace::Trace;

#[derive(Debug)]
struct Node {
    what: What,
    /// Asleep on arrival, and those that were explored from here.
    sleep: Vec<Asleep>,
    /// Of `sleep`, how many on arrival.
    inherited: usize,
}

#[derive(Debug)]
enum What {
    /// Threads could go on: `now` does, `later` will.
    Decision { now: ThreadId, did: Option<Operation>, later: Vec<ThreadId> },
    /// A thread had the choice of `ways` ways and goes this one.
    Choice { way: usize, ways: usize },
    /// What commutes with everything was done.
    Nothing,
}

/// The search.
#[derive(Debug)]
pub(crate) struct Source {
    nodes: Vec<Node>,
    /// Nodes before this one are given, and not searched.
    base: usize,
    /// Where this execution leaves the one before it: the last node that was there already, plus one.
    fresh: usize,
    /// How much of the log has been looked at.
    looked: usize,
    sleep: Vec<Asleep>,
    /// What is asleep after the nodes before `base`.
    given: Vec<Asleep>,
    course: Course,
    trace: Trace,
}

impl Source {
    /// Searches what begins as `job` says.
    pub(crate) fn new(limits: Limits, job: &Job) -> Self {
        let node = |step: &Pick| Node {
            what: match *step {
                Pick::Thread(now) => What::Decision { now, did: None, later: Vec::new() },
                Pick::Way(way) => What::Choice { way, ways: way + 1 },
                Pick::Nothing => What::Nothing,
            },
            sleep: Vec::new(),
            inherited: 0,
        };
        Self {
            nodes: job.begin.iter().map(node).collect(),
            base: job.begin.len(),
            fresh: 0,
            looked: 0,
            sleep: Vec::new(),
            given: job.sleep.clone(),
            course: Course::new(limits),
            trace: Trace::default(),
        }
    }

    /// Looks at what was done since the last decision; false if it was not what was to be done.
    fn look(&mut self, execution: &mut Execution) -> bool {
        while self.looked < execution.log.len() {
            let (thread, operation) = execution.log[self.looked];
            if self.nodes.len() == self.looked {
                self.nodes.push(Node { what: What::Nothing, sleep: Vec::new(), inherited: 0 });
            }
            let node = &mut self.nodes[self.looked];
            if let What::Decision { now, did, .. } = &mut node.what {
                let same = did.is_none_or(|did| did.same(&operation));
                if *now != thread || !same {
                    diverged(execution, &format!("{now} was to go on, and {thread} did {operation}"));
                    return false;
                }
                *did = Some(operation);
                if self.looked + 1 >= self.fresh {
                    self.sleep.clear();
                    self.sleep.extend(
                        node.sleep.iter().filter(|(id, asleep)| *id != thread && !operation.disturbs(asleep)),
                    );
                }
            } else if self.looked + 1 == self.fresh {
                self.sleep.clone_from(&node.sleep);
            }
            self.looked += 1;
        }
        if self.looked == self.base && self.fresh == self.base {
            self.sleep.clone_from(&self.given);
        }
        true
    }

    /// Sees to it that the races of this execution are explored the other way round.
    fn reverse_races(&mut self) {
        for index in 0..self.trace.races.len() {
            let race = self.trace.races[index];
            let initials = self.trace.reversed_prefix(&race).initials();
            if race.first < self.base {
                continue;
            }
            let node = &mut self.nodes[race.first];
            let What::Decision { now, later, .. } = &mut node.what else {
                unreachable!("only decisions are raced with");
            };
            let known = |id: &ThreadId| {
                id == now || later.contains(id) || node.sleep.iter().any(|(asleep, _)| asleep == id)
            };
            if !initials.iter().any(known) {
                later.push(*initials.first().expect("a sequence that is not empty can begin"));
            }
        }
    }
}

impl Scheduler for Source {
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
            let What::Decision { now, .. } = node.what else {
                return diverged(execution, "there is a decision where there was none");
            };
            return self.course.run(execution, enabled, now);
        }
        let awake = |id: &ThreadId| enabled.has(*id) && !self.sleep.iter().any(|(asleep, _)| asleep == id);
        let Some(now) = self.course.last().filter(awake).or_else(|| enabled.iter().find(awake)) else {
            self.course.note(execution, Ending::Redundant);
            return self.course.coast(enabled);
        };
        let next = self.course.run(execution, enabled, now);
        if next != Next::Stop {
            let what = What::Decision { now, did: None, later: Vec::new() };
            self.nodes.push(Node { what, sleep: self.sleep.clone(), inherited: self.sleep.len() });
        }
        next
    }

    fn choose(&mut self, execution: &mut Execution, _: ThreadId, ways: u32) -> usize {
        if self.course.ended.is_some() || !self.look(execution) {
            return 0;
        }
        let depth = execution.log.len();
        if depth == self.nodes.len() {
            let what = What::Choice { way: 0, ways: ways as usize };
            self.nodes.push(Node { what, sleep: self.sleep.clone(), inherited: self.sleep.len() });
        }
        match self.nodes[depth].what {
            What::Choice { way, .. } => way,
            _ => {
                diverged(execution, "there is a choice where there was none");
                0
            }
        }
    }
}

impl Search for Source {
    fn begin(&mut self) {
        self.looked = 0;
        self.fresh = self.nodes.len();
        self.sleep.clear();
        self.course.begin();
    }

    fn end(&mut self, execution: &mut Execution) {
        let length = self.course.length.unwrap_or(execution.log.len());
        // What was done after the end does not count, but the last step before it does.
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
        // Where the way just taken at an old node was one preemption too many, that node's other ways remain.
        let refused = self.course.ended == Some(Ending::Cut(Bound::Preemptions)) && self.fresh > length;
        self.nodes.truncate(length + usize::from(refused));
        self.reverse_races();
    }

    fn advance(&mut self) -> bool {
        while self.nodes.len() > self.base {
            let node = self.nodes.last_mut().expect("there is one");
            match &mut node.what {
                What::Decision { now, did, later } => {
                    node.sleep.extend(did.take().map(|did| (*now, did)));
                    while let Some(next) = later.pop() {
                        if !node.sleep.iter().any(|(asleep, _)| *asleep == next) {
                            *now = next;
                            return true;
                        }
                    }
                }
                What::Choice { way, ways } if *way + 1 < *ways => {
                    *way += 1;
                    return true;
                }
                What::Choice { .. } | What::Nothing => {}
            }
            self.nodes.pop();
        }
        false
    }

    fn course(&self) -> &Course {
        &self.course
    }

    fn progress(&self) -> f64 {
        progress(self.nodes[self.base..].iter().map(|node| match &node.what {
            What::Decision { later, .. } => {
                let done = node.sleep.len() - node.inherited;
                (done, done + 1 + later.len())
            }
            What::Choice { way, ways } => (*way, *ways),
            What::Nothing => (0, 1),
        }))
    }
}
