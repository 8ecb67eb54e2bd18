//! Depth-first search of all schedules, without reduction: slow, and so simple that it can be believed.

use platform::model::{Execution, Next, Scheduler, ThreadId};

use crate::search::{Course, Enabled, Limits, Search};

#[derive(Debug)]
struct Node {
    /// The way that is being explored.
    now: usize,
    /// The ways that are not yet.
    rest: Vec<usize>,
    ways: usize,
}

/// The search.
#[derive(Debug)]
pub(crate) struct Naive {
    nodes: Vec<Node>,
    depth: usize,
    course: Course,
}

impl Naive {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { nodes: Vec::new(), depth: 0, course: Course::new(limits) }
    }

    /// The way to go here: as before, or the first of new ones.
    fn way(&mut self, ways: impl FnOnce() -> Vec<usize>) -> usize {
        if self.depth == self.nodes.len() {
            let mut rest = ways();
            let ways = rest.len();
            rest.reverse();
            let now = rest.pop().expect("a way to go");
            self.nodes.push(Node { now, rest, ways });
        }
        self.depth += 1;
        self.nodes[self.depth - 1].now
    }
}

impl Scheduler for Naive {
    fn next(&mut self, execution: &mut Execution) -> Next {
        let enabled: Enabled = match self.course.look(execution) {
            Ok(enabled) => enabled,
            Err(stop) => return stop,
        };
        let thread = self.way(|| enabled.iter().map(|thread| thread.index()).collect());
        self.course.run(execution, enabled, ThreadId(thread as u16))
    }

    fn choose(&mut self, _: &mut Execution, _: ThreadId, ways: u32) -> usize {
        self.way(|| (0..ways as usize).collect())
    }
}

impl Search for Naive {
    fn begin(&mut self) {
        self.depth = 0;
        self.course.begin();
    }

    fn end(&mut self, _: &mut Execution) {
        // Where a bound cut the execution off, the way that it would have gone was noted and not gone.
        self.nodes.truncate(self.depth);
    }

    fn advance(&mut self) -> bool {
        while let Some(node) = self.nodes.last_mut() {
            if let Some(next) = node.rest.pop() {
                node.now = next;
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
        progress(self.nodes.iter().map(|node| (node.ways - 1 - node.rest.len(), node.ways)))
    }
}

/// The part of a tree that is done, if at each node on the way to where the search is the given number of ways is
/// done, of the given number, and all ways are equally long. They are not: this is a guess.
pub(crate) fn progress(path: impl Iterator<Item = (usize, usize)>) -> f64 {
    let (mut done, mut weight) = (0.0, 1.0);
    for (before, ways) in path {
        let share = weight / ways.max(1) as f64;
        done += share * before as f64;
        weight = share;
    }
    done
}
