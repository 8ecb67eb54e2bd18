//! Notices the workers that nobody told about: stuck in one task, with others queued behind it.
//!
//! A worker that pushes one task onto its own empty queue wakes nobody, since it comes to that task itself
//! as soon as the task that it runs is over, and waking another core costs more than most tasks do. And
//! what is queued while every worker is busy wakes nobody, since there is nobody. Both rest on tasks being
//! short. Where they are not, the watchdog sees it: it rests while nothing is queued that nobody attends to,
//! and otherwise compares, every few milliseconds, who has begun a task since it last looked.
//!
//! It is a heuristic on top of a protocol that does not need it: what it does is wake or add workers, and what
//! it reads without ordering can only make it do so a round too early or too late.

use std::time::Duration;

use platform::sync::Arc;

use super::pool::Shared;
use super::station::Station;

/// How long it pauses between two rounds: long against a task, short against what a person notices.
const ROUND: Duration = Duration::from_millis(2);
/// After how many rounds without anything to see it rests. Calling it costs a wake-up.
const QUIET_ROUNDS: u32 = 5;

/// The watchdog's memory between two rounds.
struct Watchdog {
    /// The counts of the stations at the last round.
    begun: Box<[u64]>,
    /// How many workers more than usual may be active.
    extra: usize,
    /// For how many rounds something has been unattended.
    waited: usize,
    /// For how many rounds there has been nothing to see.
    quiet: u32,
}

/// What a round came across.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Survey {
    /// Somebody has begun or ended a task since the last round.
    progress: bool,
    /// How many threads are in the same task as at the last round.
    stuck: usize,
    /// Something is queued that nobody has come to since the last round.
    unattended: bool,
}

/// The body of the watchdog's thread.
pub(super) fn run(shared: &Arc<Shared>) {
    let mut watchdog = Watchdog::new(shared);
    while shared.dormitory.rest_watchdog() {
        watchdog.quiet = 0;
        loop {
            if !shared.dormitory.pause_watchdog(ROUND) {
                return;
            }
            if watchdog.round(shared) {
                break;
            }
        }
    }
}

impl Watchdog {
    fn new(shared: &Shared) -> Self {
        Self { begun: vec![0; shared.stations().len()].into(), extra: 0, waited: 0, quiet: 0 }
    }

    /// One round; true if there is nothing left to watch.
    fn round(&mut self, shared: &Arc<Shared>) -> bool {
        let survey = self.survey(shared);
        if survey.unattended {
            self.waited += 1;
            if self.waited > patience(self.extra) {
                self.waited = 0;
                self.help(shared, survey.stuck);
            }
        } else {
            self.waited = 0;
        }
        // Who was stuck and is not any more needs no replacement.
        self.extra = self.extra.min(survey.stuck);
        shared.set_extra(self.extra);

        self.quiet = if survey.progress || survey.unattended { 0 } else { self.quiet + 1 };
        self.quiet >= QUIET_ROUNDS && rest(shared)
    }

    fn survey(&mut self, shared: &Shared) -> Survey {
        let mut survey = Survey::default();
        for (place, station) in shared.stations().iter().enumerate() {
            let begun = station.begun();
            if std::mem::replace(&mut self.begun[place], begun) != begun {
                survey.progress = true;
            } else {
                survey.stuck += usize::from(begun % 2 == 1);
                survey.unattended |= shared.is_queued_at(place);
            }
        }
        survey.unattended |= !survey.progress && shared.is_queued_in_common();
        survey
    }

    /// Gets somebody for what is unattended: a sleeper if there is room, or else one more than usual.
    fn help(&mut self, shared: &Arc<Shared>, stuck: usize) {
        let seen = shared.state.observe();
        if seen.active() >= shared.limit() && self.extra < stuck {
            self.extra += 1;
            shared.set_extra(self.extra);
        }
        Shared::attend(shared, seen);
    }
}

/// How many rounds to wait before the next worker is added. It grows with those added already: a task that
/// computes for a long time looks stuck as well, and more threads do not make a processor faster.
fn patience(extra: usize) -> usize {
    extra / 4
}

/// Says whether the watchdog may rest.
fn rest(shared: &Shared) -> bool {
    let seen = shared.state.observe();
    shared.stations().iter().for_each(Station::look_away);
    !shared.is_queued() && shared.state.dismiss_watchdog(seen)
}
