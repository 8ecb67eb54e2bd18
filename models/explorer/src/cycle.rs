//! Livelocks that change things: threads go round and round, and nobody gets anywhere.
//!
//! A thread that only looks, and waits for a change that nobody will make, is found by its guard. Threads that keep
//! changing what the others look at can go on for ever. An execution that reaches the depth bound may be such a one, or
//! its schedule is unfair: it lets one thread spin and never runs the one that would end that. So the program is run
//! once more by a *fair* schedule, in which everybody who can go on takes turns. If that reaches the depth bound, too,
//! and ends in the same steps with the same values, round after round, it is a livelock.
//!
//! What a thread keeps to itself (how often it has tried) is not seen: one that would give up after more rounds than fit
//! below the depth bound is reported, too.

use platform::model::{Execution, FailureKind, Kind, Next, Operation, Scheduler, ThreadId};

use crate::program::Runner;
use crate::schedule::Schedule;
use crate::search::{Bound, Course, Ending, Limits};

/// How many equal rounds at the end of a long execution are a cycle.
const ROUNDS: usize = 16;

/// How many of them a schedule shows.
pub(crate) const SHOWN: usize = 3;

/// The same steps, again and again, up to the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cycle {
    begin: usize,
    period: usize,
}

fn same(one: &(ThreadId, Operation), other: &(ThreadId, Operation)) -> bool {
    let ((thread, done), (other_thread, other)) = (one, other);
    thread == other_thread && done.same(other) && done.old == other.old && done.new == other.new
}

/// The cycle in which an execution ends, if it has so many rounds of one, and leaves out nobody who can go on.
pub(crate) fn of(execution: &Execution, rounds: usize) -> Option<Cycle> {
    let log = &execution.log;
    let repeats = |period: usize| {
        let pairs = log.iter().rev().zip(log.iter().rev().skip(period));
        pairs.take_while(|(later, earlier)| same(later, earlier)).count()
    };
    let period = (1..=log.len() / rounds).find(|period| repeats(*period) >= period * (rounds - 1))?;
    let round = &log[log.len() - period..];
    let fair = (0..execution.threads.len()).map(|index| ThreadId(index as u16)).all(|id| {
        let thread = execution.thread(id);
        let can_go_on = thread.live && !thread.ended && execution.enabled(id);
        !can_go_on || round.iter().any(|(who, _)| *who == id)
    });
    // A choice might be made otherwise.
    let chosen = round.iter().any(|(_, operation)| operation.kind == Kind::Choice);
    (fair && !chosen).then(|| Cycle { begin: log.len() - period - repeats(period), period })
}

impl Cycle {
    /// Says so, as what is wrong with `execution`.
    pub(crate) fn fail(self, execution: &mut Execution) {
        let message = format!(
            "after {} steps, the same {} again and again, under a schedule that is fair to all",
            self.begin, self.period
        );
        execution.fail(FailureKind::Livelock, message);
    }
}

/// Everybody in turn.
struct Fair(Course);

impl Scheduler for Fair {
    fn next(&mut self, execution: &mut Execution) -> Next {
        match self.0.look(execution) {
            Ok(enabled) => self.0.coast(enabled),
            Err(stop) => stop,
        }
    }

    fn choose(&mut self, _: &mut Execution, _: ThreadId, _: u32) -> usize {
        0
    }
}

/// Runs the program by a fair schedule; the schedule up to some rounds of the cycle, if it ends in one.
pub(crate) fn look_for(runner: &mut Runner, depth: usize) -> Option<Schedule> {
    let mut fair = Fair(Course::new(Limits { depth, preemptions: None }));
    let mut found = None;
    runner.run(&mut fair, |fair, execution| {
        if fair.0.ended == Some(Ending::Cut(Bound::Depth)) {
            let cycle = of(execution, ROUNDS);
            found = cycle.map(|cycle| Schedule::of(execution, cycle.begin + SHOWN * cycle.period));
        }
        fair.0.ended
    });
    found
}
