//! Splitting the tree of schedules into disjoint parts that cover it.
//!
//! Down to a depth, *every* thread that can go on and is not asleep is tried at every node, whatever races; below
//! it, each part is searched on its own. So the parts depend on the program and the depth, and on nothing that is
//! found out below: two machines that never talk to each other split the same program in the same way.
//!
//! They *cover* the tree, because no decision above the depth is left out but for sleep sets, which leave out only
//! what is equivalent to something in an earlier part (Godefroid, "Partial-Order Methods", 1996). They are
//! *disjoint* in what they complete, because an execution that is equivalent to one of an earlier part runs into
//! its sleep set and is not completed. What is found out below to be reversible above needs no exploring: it is in
//! another part.

use platform::model::{Execution, Next, Scheduler, ThreadId};

use crate::search::{Asleep, Bound, Course, Ending, Job, Limits, Pick, Search, diverged};

#[derive(Debug)]
struct Node {
    pick: Pick,
    later: Vec<Pick>,
    sleep: Vec<Asleep>,
    did: Option<platform::model::Operation>,
}

/// Searches for the parts.
#[derive(Debug)]
pub(crate) struct Splitter {
    depth: usize,
    nodes: Vec<Node>,
    fresh: usize,
    looked: usize,
    decisions: usize,
    sleep: Vec<Asleep>,
    course: Course,
    pub(crate) jobs: Vec<Job>,
}

impl Splitter {
    /// Splits after `depth` decisions.
    pub(crate) fn new(limits: Limits, depth: usize) -> Self {
        Self {
            depth,
            nodes: Vec::new(),
            fresh: 0,
            looked: 0,
            decisions: 0,
            sleep: Vec::new(),
            course: Course::new(limits),
            jobs: Vec::new(),
        }
    }

    fn look(&mut self, execution: &Execution) {
        while self.looked < execution.log.len() {
            if self.nodes.len() == self.looked {
                self.nodes.push(Node {
                    pick: Pick::Nothing,
                    later: Vec::new(),
                    sleep: Vec::new(),
                    did: None,
                });
            }
            let (thread, operation) = &execution.log[self.looked];
            let node = &mut self.nodes[self.looked];
            node.did = Some(*operation);
            if self.looked + 1 >= self.fresh {
                match node.pick {
                    Pick::Thread(_) => {
                        self.sleep.clear();
                        let still = |(id, asleep): &&Asleep| id != thread && !operation.disturbs(asleep);
                        self.sleep.extend(node.sleep.iter().filter(still));
                    }
                    Pick::Way(_) => self.sleep.clone_from(&node.sleep),
                    Pick::Nothing => {}
                }
            }
            self.looked += 1;
        }
    }

    fn part(&mut self) {
        let begin = self.nodes.iter().map(|node| node.pick).collect();
        self.jobs.push(Job { begin, sleep: self.sleep.clone() });
    }
}

impl Scheduler for Splitter {
    fn next(&mut self, execution: &mut Execution) -> Next {
        let enabled = match self.course.look(execution) {
            Ok(enabled) => enabled,
            Err(stop) => return stop,
        };
        if self.course.ended.is_some() {
            return self.course.coast(enabled);
        }
        self.look(execution);
        if self.decisions == self.depth {
            self.course.note(execution, Ending::Cut(Bound::Depth));
            return self.course.coast(enabled);
        }
        let depth = execution.log.len();
        if depth == self.nodes.len() {
            let awake = |id: &ThreadId| !self.sleep.iter().any(|(asleep, _)| asleep == id);
            let mut later: Vec<Pick> = enabled.iter().filter(awake).map(Pick::Thread).collect();
            later.reverse();
            let Some(pick) = later.pop() else {
                self.course.note(execution, Ending::Redundant);
                return self.course.coast(enabled);
            };
            self.nodes.push(Node { pick, later, sleep: self.sleep.clone(), did: None });
        }
        self.decisions += 1;
        match self.nodes[depth].pick {
            Pick::Thread(thread) => self.course.run(execution, enabled, thread),
            _ => diverged(execution, "there is a decision where there was none"),
        }
    }

    fn choose(&mut self, execution: &mut Execution, _: ThreadId, ways: u32) -> usize {
        if self.course.ended.is_some() {
            return 0;
        }
        self.look(execution);
        let depth = execution.log.len();
        if depth == self.nodes.len() {
            let later = (1..ways as usize).rev().map(Pick::Way).collect();
            self.nodes.push(Node { pick: Pick::Way(0), later, sleep: self.sleep.clone(), did: None });
        }
        match self.nodes[depth].pick {
            Pick::Way(way) => way,
            _ => {
                diverged(execution, "there is a choice where there was none");
                0
            }
        }
    }
}

impl Search for Splitter {
    fn begin(&mut self) {
        self.looked = 0;
        self.decisions = 0;
        self.fresh = self.nodes.len();
        self.sleep.clear();
        self.course.begin();
    }

    fn end(&mut self, execution: &mut Execution) {
        let length = self.course.length.unwrap_or(execution.log.len());
        let after = execution.log.split_off(length);
        self.look(execution);
        execution.log.extend(after);
        self.nodes.truncate(length);
        if self.course.ended != Some(Ending::Redundant) {
            self.part();
        }
    }

    fn advance(&mut self) -> bool {
        while let Some(node) = self.nodes.last_mut() {
            if let (Pick::Thread(thread), Some(did)) = (node.pick, node.did.take()) {
                node.sleep.push((thread, did));
            }
            if let Some(next) = node.later.pop() {
                node.pick = next;
                return true;
            }
            self.nodes.pop();
        }
        false
    }

    fn course(&self) -> &Course {
        &self.course
    }

    fn progress(&self) -> f64 {
        0.0
    }
}
