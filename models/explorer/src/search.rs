//! What the ways to search the tree of schedules have in common.

use platform::model::{Execution, FailureKind, Guard, Next, Operation, Scheduler, ThreadId};

use crate::trace::MOST_THREADS;

/// A bound on each execution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// No execution had more steps than this.
    Depth,
    /// No execution had more preemptions than this.
    Preemptions,
}

/// How an execution ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// All threads ended.
    Complete,
    /// Threads are left, and none can go on: they wait for each other, or for a change that nobody will make.
    Stuck,
    /// Somebody found something wrong in the middle of it.
    Failed,
    /// All threads ended, in an execution that is equivalent to another one: the search found out on the way.
    Redundant,
    /// A bound cut it off.
    Cut(Bound),
}

/// What is decided at one step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Pick {
    /// Who goes on.
    Thread(ThreadId),
    /// Which way a choice goes.
    Way(usize),
    /// Nothing: the step commutes with everything.
    Nothing,
}

/// A thread that need not run until something disturbs what it is about to do.
pub(crate) type Asleep = (ThreadId, Operation);

/// A part of the tree of schedules: those that begin like this.
#[derive(Clone, Debug, Default)]
pub(crate) struct Job {
    pub(crate) begin: Vec<Pick>,
    pub(crate) sleep: Vec<Asleep>,
}

/// The limits of one execution.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Limits {
    pub(crate) depth: usize,
    pub(crate) preemptions: Option<usize>,
}

/// A way to search the tree of schedules: it schedules one execution after the other.
pub(crate) trait Search: Scheduler {
    /// An execution begins.
    fn begin(&mut self);

    /// It has ended: learns from it.
    fn end(&mut self, execution: &mut Execution);

    /// Goes on to the next execution; false if there is none.
    fn advance(&mut self) -> bool;

    /// Where the execution stands.
    fn course(&self) -> &Course;

    /// For each step on the way to where the search is now, the part of the tree above it that is done, as far
    /// as is known, from 0 to 1.
    fn progress(&self) -> f64;

    /// How many executions that count are known to follow the one that has just ended, unless a bound cuts them off.
    fn known(&self) -> u64 {
        0
    }
}

/// Notes that the execution does not go as its schedule says, and ends it.
///
/// The program looks at something that is not the platform's (time, addresses, the order of a hash map), or the
/// search foresaw something wrong: either way what it says of the program is worth nothing. This must not be a
/// panic: it would come out of the program's own operation, and the program may catch it.
#[cold]
pub(crate) fn diverged(execution: &mut Execution, what: &str) -> Next {
    // Whatever else is wrong with it is worth nothing, too.
    execution.failure = None;
    execution.fail(FailureKind::Misuse, format!("the schedule does not determine the execution: {what}"));
    Next::Stop
}

/// Follows one execution: how far it is, whether it may go on, why it ended.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    limits: Limits,
    preemptions: usize,
    last: Option<ThreadId>,
    /// How the execution ended, if the search ended it.
    pub(crate) ended: Option<Ending>,
    /// How many steps count; those after a redundant execution was found out do not.
    pub(crate) length: Option<usize>,
    /// What had to wait at that point.
    pub(crate) waiting: Vec<(ThreadId, Operation)>,
}

impl Course {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, preemptions: 0, last: None, ended: None, length: None, waiting: Vec::new() }
    }

    pub(crate) fn begin(&mut self) {
        self.preemptions = 0;
        self.last = None;
        self.ended = None;
        self.length = None;
        self.waiting.clear();
    }

    /// Looks at the threads before a decision: those that can go on, or why nobody can.
    pub(crate) fn look(&mut self, execution: &mut Execution) -> Result<Enabled, Next> {
        if execution.threads.len() > MOST_THREADS {
            execution.fail(FailureKind::Misuse, format!("more than {MOST_THREADS} threads"));
            return Err(self.stop(execution, Ending::Failed));
        }
        if execution.log.len() >= self.limits.depth {
            return Err(self.stop(execution, Ending::Cut(Bound::Depth)));
        }
        let mut enabled = 0_u32;
        for index in 0..execution.threads.len() {
            let id = ThreadId(index as u16);
            let thread = execution.thread(id);
            if thread.live && !thread.ended && execution.enabled(id) {
                enabled |= 1 << index;
            }
        }
        if enabled == 0 {
            return Err(self.stuck(execution));
        }
        Ok(Enabled(enabled))
    }

    fn stuck(&mut self, execution: &mut Execution) -> Next {
        let mut kind = FailureKind::Deadlock;
        let mut who = Vec::new();
        for index in 0..execution.threads.len() {
            let id = ThreadId(index as u16);
            let thread = execution.thread(id);
            if let (true, false, Some(pending)) = (thread.live, thread.ended, &thread.pending) {
                if pending.guard == Guard::Changed {
                    kind = FailureKind::Livelock;
                }
                who.push(format!("{} waits at {pending}", execution.name(id)));
            }
        }
        let next = self.stop(execution, Ending::Stuck);
        execution.fail(kind, who.join("; "));
        next
    }

    fn stop(&mut self, execution: &Execution, ending: Ending) -> Next {
        if self.ended.is_none() {
            self.note(execution, ending);
        }
        Next::Stop
    }

    /// The execution turns out to end like this; what it does from now on does not count.
    pub(crate) fn note(&mut self, execution: &Execution, ending: Ending) {
        self.ended = Some(ending);
        self.length = Some(execution.log.len());
        for index in 0..execution.threads.len() {
            let id = ThreadId(index as u16);
            let thread = execution.thread(id);
            let (true, false, Some(mut pending)) = (thread.live, thread.ended, thread.pending) else {
                continue;
            };
            // What waits for a notification has no other time to run: the notification was not there.
            let for_lock = match pending.guard {
                Guard::Free(_) => true,
                Guard::Woken { unasked, .. } => unasked || thread.notified.is_some(),
                _ => false,
            };
            if for_lock && !execution.enabled(id) {
                pending.cause = thread.notified;
                self.waiting.push((id, pending));
            }
        }
    }

    /// Runs `thread` next, if that is not one preemption too many.
    pub(crate) fn run(&mut self, execution: &mut Execution, enabled: Enabled, thread: ThreadId) -> Next {
        if !enabled.has(thread) {
            return diverged(execution, &format!("{thread} was to go on, and has to wait"));
        }
        if let Some(last) = self.last
            && last != thread
            && enabled.has(last)
        {
            self.preemptions += 1;
            if self.limits.preemptions.is_some_and(|most| self.preemptions > most) {
                return self.stop(execution, Ending::Cut(Bound::Preemptions));
            }
        }
        self.last = Some(thread);
        Next::Run(thread)
    }

    /// Goes on anyhow, so that all threads end and nothing leaks.
    pub(crate) fn coast(&mut self, enabled: Enabled) -> Next {
        // Round and round: nobody spins for ever while others wait.
        let from = self.last.map_or(0, |last| last.0 + 1);
        let next =
            (from..32).chain(0..from).map(ThreadId).find(|id| enabled.has(*id)).expect("somebody is enabled");
        self.last = Some(next);
        Next::Run(next)
    }

    /// Who ran last.
    pub(crate) fn last(&self) -> Option<ThreadId> {
        self.last
    }
}

/// A set of threads that can go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Enabled(u32);

impl Enabled {
    pub(crate) fn has(self, thread: ThreadId) -> bool {
        self.0 >> thread.0 & 1 == 1
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = ThreadId> {
        (0..32).map(ThreadId).filter(move |id| self.has(*id))
    }
}
