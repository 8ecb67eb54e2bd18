//! The rule about timers: `timer-outcome`.
//!
//! That a message is not sent before it is due cannot be judged: the events have no time.

use std::collections::BTreeMap;

use super::aside::At;
use super::judge::Judge;
use super::lives::Lives;
use crate::event::{ActorId, Event, TimerId};
use crate::guarantee::Guarantee;

/// One timer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Timer {
    owner: ActorId,
    repeats: bool,
    fired: Option<At>,
    /// Set once it was cancelled in time.
    cancelled: Option<At>,
}

/// All timers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Timers(BTreeMap<TimerId, Timer>);

impl Timers {
    pub(super) fn knows(&self, timer: TimerId) -> bool {
        self.0.contains_key(&timer)
    }
}

pub(super) fn step(timers: &mut Timers, lives: &Lives, event: &Event, judge: &mut Judge<'_>) {
    match event {
        Event::Timer { timer, actor, repeats } => {
            let set = Timer { owner: *actor, repeats: *repeats, fired: None, cancelled: None };
            timers.0.entry(*timer).or_insert(set);
        }
        Event::TimerFired { timer: id } => {
            let Some(timer) = timers.0.get_mut(id) else { return };
            judge.premise(Guarantee::TimerOutcome);
            fired(*id, timer, lives, judge);
            timer.fired.get_or_insert(judge.here());
        }
        Event::TimerCancelled { timer: id } => {
            let Some(timer) = timers.0.get_mut(id) else { return };
            judge.premise(Guarantee::TimerOutcome);
            // It says that it came in time: before the one time that there was.
            if let Some(fired) = timer.fired.filter(|_| !timer.repeats) {
                judge.violated(
                    Guarantee::TimerOutcome,
                    [fired],
                    format!("timer {id} was fired, and is said to be cancelled in time"),
                    "one outcome of each timer",
                );
            }
            timer.cancelled.get_or_insert(judge.here());
        }
        _ => {}
    }
}

/// `x_timer_fired` is recorded before the send, so what came before it in the trace did come before that.
fn fired(id: TimerId, timer: &Timer, lives: &Lives, judge: &mut Judge<'_>) {
    let owner = lives.of(timer.owner);
    let ended = owner.and_then(|life| life.terminate.begun_at().or(life.ended));
    if let Some(cancelled) = timer.cancelled {
        judge.violated(
            Guarantee::TimerOutcome,
            [cancelled],
            format!("timer {id} is fired after it was cancelled"),
            "nothing of a timer that was cancelled in time",
        );
    } else if let Some(ended) = ended {
        judge.violated(
            Guarantee::TimerOutcome,
            [ended],
            format!("timer {id} is fired although its owner, actor {}, is ending", timer.owner),
            "a timer that ends with its owner",
        );
    } else if let Some(first) = timer.fired.filter(|_| !timer.repeats) {
        judge.violated(
            Guarantee::TimerOutcome,
            [first],
            format!("timer {id} is fired a second time"),
            "one message of a timer that does not repeat",
        );
    }
}
