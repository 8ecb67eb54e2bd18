//! Timers: a message that is sent later, once or again and again.
//!
//! A timer is set with [`Context::send_after`](crate::Context::send_after) or
//! [`Context::send_every`](crate::Context::send_every), from a process, a Handler or a Reader, and by a plain
//! thread through its [`Node`](crate::Node). When it is due, its message is sent like any other.
//!
//! # Who owns a timer
//!
//! The actor that sets it; or, if a plain thread does, the actor that it is for. A timer ends with its owner:
//! from when that begins to end, nothing more is sent, and what was set leaves nothing behind (`no-leak`). So a
//! node that has stopped has no timers.
//!
//! # Cancelled or sent
//!
//! Whoever fires a timer and whoever cancels it take it out of one [`Schedule`] under one lock, and only one of
//! them finds it there. Its message is sent after that, outside of the lock. So a timer that was cancelled in
//! time is never heard of again, and one that was not has been sent or is being sent.
//!
//! # What a timer costs
//!
//! One thread a node sends for all timers. It is started by the first one, sleeps until the earliest is due, and
//! ends with the node; nothing is polled. Setting, cancelling and firing take O(log n) time.
//!
//! # Nobody to hand it back to
//!
//! A message that is refused when it is due, because its recipient has ended or its mailbox is full, has no
//! sender to go back to: it goes to the subscribers of dead letters, and is counted
//! ([`Node::refused_timers`](crate::Node::refused_timers)). Of a timer that repeats, a tick that finds the mailbox full is
//! dropped and counted, and the next one comes when it is due; if the recipient has ended, so has the timer.

mod schedule;

use std::fmt;
use std::time::Duration;

use event::{Class, Event, TimerId};
use platform::panic::catch;
use platform::record::emit;
use platform::sync::{Arc, Condvar, Mutex};
use platform::thread::{self, JoinHandle};
use platform::time;

pub use schedule::{Firing, Schedule};

use crate::address::{Address, SendError};
use crate::lifecycle::Lifecycle;
use crate::node::DeadLetter;
use crate::relations::RelationId;

/// Names one timer of a node: the right to cancel it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timer(u64);

impl Timer {
    /// A timer by its number, for a [`Schedule`] of one's own.
    pub fn numbered(number: u64) -> Self {
        Self(number)
    }

    fn id(self) -> TimerId {
        TimerId(self.0)
    }

    fn relation(self) -> RelationId {
        RelationId(self.0)
    }
}

impl From<RelationId> for Timer {
    fn from(relation: RelationId) -> Self {
        Self(relation.0)
    }
}

/// A timer that was not set, with its message.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimerError<M> {
    /// Its owner is ending, or the node has stopped.
    Refused(M),
    /// It was to repeat after no time at all.
    NoPeriod(M),
    /// The operating system would not start the thread that sends for all timers.
    Thread(M),
}

impl<M> TimerError<M> {
    /// The message.
    pub fn into_message(self) -> M {
        match self {
            Self::Refused(message) | Self::NoPeriod(message) | Self::Thread(message) => message,
        }
    }
}

impl<M> fmt::Debug for TimerError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused(_) => "Refused(..)",
            Self::NoPeriod(_) => "NoPeriod(..)",
            Self::Thread(_) => "Thread(..)",
        })
    }
}

impl<M> fmt::Display for TimerError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused(_) => "refused: the owner of the timer is ending",
            Self::NoPeriod(_) => "a period of zero: give one of at least a nanosecond",
            Self::Thread(_) => "no thread for the timers",
        })
    }
}

impl<M> std::error::Error for TimerError<M> {}

/// What a timer does when it is due.
struct Deed {
    owner: Arc<Lifecycle>,
    send: Shot,
}

/// Sends what is due; says what became of it.
type Shot = Box<dyn FnMut() -> Sent + Send>;

/// What became of a message that was due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sent {
    Accepted,
    /// The mailbox was full.
    Full,
    /// The recipient has ended.
    Closed,
}

/// The timers of one node. Dropping it ends their thread, soon.
pub(crate) struct Timers(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// The first timer is another one, or no timer will be set any more.
    changed: Condvar,
}

struct State {
    schedule: Schedule<Deed>,
    thread: Option<JoinHandle>,
    closed: bool,
    refused: u64,
}

impl Default for Timers {
    fn default() -> Self {
        let state = State { schedule: Schedule::default(), thread: None, closed: false, refused: 0 };
        Self(Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }))
    }
}

impl Timers {
    /// Sets a timer, unless its owner is ending. `load` makes of the message what sends it; it runs under the
    /// lock.
    fn set<M>(
        &self,
        owner: &Arc<Lifecycle>,
        delay: Duration,
        period: Option<Duration>,
        message: M,
        load: impl FnOnce(M) -> Shot,
    ) -> Result<Timer, TimerError<M>> {
        let timer = Timer(owner.node.new_id().0);
        let due = time::now().saturating_add(delay);
        let mut state = self.0.state.lock();
        if state.closed {
            return Err(TimerError::Refused(message));
        }
        if state.thread.is_none() {
            let shared = Arc::clone(&self.0);
            let Ok(thread) = thread::spawn("antiphon-timers".to_owned(), 0, move || run(&shared)) else {
                return Err(TimerError::Thread(message));
            };
            state.thread = Some(thread);
        }
        // Still under the lock, so that an owner that begins to end now finds no timer, or one to cancel.
        if !owner.owns_timer(timer.relation()) {
            return Err(TimerError::Refused(message));
        }
        emit(|_| Event::Timer { timer: timer.id(), actor: owner.id, repeats: period.is_some() });
        let first = state.schedule.earliest().is_none_or(|earliest| due < earliest);
        let deed = Deed { owner: Arc::clone(owner), send: load(message) };
        state.schedule.set(timer, due, period, deed);
        drop(state);
        if first {
            self.0.changed.notify_one();
        }
        Ok(timer)
    }

    /// Cancels a timer; true if nothing of it will be sent any more, nor is being sent.
    pub(crate) fn cancel(&self, timer: Timer) -> bool {
        let mut state = self.0.state.lock();
        let Some(deed) = state.schedule.cancel(timer) else { return false };
        deed.owner.disowns_timer(timer.relation());
        drop(state);
        emit(|_| Event::TimerCancelled { timer: timer.id() });
        discard(deed);
        true
    }

    /// How many timers are set.
    pub(crate) fn len(&self) -> usize {
        self.0.state.lock().schedule.len()
    }

    /// How many messages were refused when they were due.
    pub(crate) fn refused(&self) -> u64 {
        self.0.state.lock().refused
    }

    /// Ends the thread and waits for it; sets no timer any more.
    pub(crate) fn stop(&self) {
        let thread = self.close();
        if let Some(thread) = thread {
            thread.join();
        }
    }

    fn close(&self) -> Option<JoinHandle> {
        let mut state = self.0.state.lock();
        state.closed = true;
        let thread = state.thread.take();
        drop(state);
        self.0.changed.notify_one();
        thread
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        // Not joined: the thread that drops the last of a node may be this one.
        let _ = self.close();
    }
}

/// The thread that sends for all timers.
fn run(shared: &Shared) {
    let mut state = shared.state.lock();
    let mut now = time::now();
    while !state.closed {
        if let Some(mut fired) = state.schedule.begin(now) {
            let timer = fired.timer();
            // Under the lock: whoever is told later that it was cancelled, or that its owner ended, is told wrong.
            emit(|_| Event::TimerFired { timer: timer.id() });
            drop(state);
            let deed = fired.deed();
            let sent = catch(|| (deed.send)()).unwrap_or(Sent::Closed);
            now = now.max(time::now());
            state = shared.state.lock();
            state.refused += u64::from(sent != Sent::Accepted);
            if let Some(over) = state.schedule.end(fired, sent != Sent::Closed, now) {
                over.owner.disowns_timer(timer.relation());
                drop(state);
                discard(over);
                state = shared.state.lock();
            }
            continue;
        }
        (state, now) = shared.sleep(state, now);
    }
}

impl Shared {
    /// Sleeps until a timer is due or something has changed, and says what time it is then.
    fn sleep<'a>(
        &'a self,
        state: platform::sync::MutexGuard<'a, State>,
        now: Duration,
    ) -> (platform::sync::MutexGuard<'a, State>, Duration) {
        let Some(due) = state.schedule.earliest() else {
            return (self.changed.wait(state), time::now());
        };
        let same = |state: &mut State| !state.closed && state.schedule.earliest() == Some(due);
        let (state, timed_out) = self.changed.wait_timeout_while(state, due.saturating_sub(now), same);
        // Where time stands still, that the wait is over is all that says that it is time.
        (state, if timed_out { time::now().max(due) } else { time::now() })
    }
}

/// Frees what a timer was to send: user code, whose panic is nobody's end.
fn discard(deed: Deed) {
    let _ = catch(|| drop(deed));
}

/// Sends, and hands what is refused to the subscribers of dead letters, unless more will come.
fn deliver<M: Send + 'static>(to: &Address<M>, message: M, repeats: bool) -> Sent {
    let (sent, message) = match to.send_as(Class::Main, message) {
        Ok(()) => return Sent::Accepted,
        Err(SendError::Full(message)) => (Sent::Full, message),
        Err(SendError::Closed(message)) => (Sent::Closed, message),
    };
    if !repeats {
        let actor = to.0.shared();
        let letter = DeadLetter { to: actor.id, label: actor.label, message: Box::new(message) };
        actor.node.dead_letter(letter);
    }
    sent
}

/// Has `message` sent to `to`, after `delay`, by a timer of `owner`.
pub(crate) fn send_after<M: Send + 'static>(
    owner: &Arc<Lifecycle>,
    to: &Address<M>,
    message: M,
    delay: Duration,
) -> Result<Timer, TimerError<M>> {
    let to = to.clone();
    owner.node.timers().set(owner, delay, None, message, |message| {
        let mut message = Some(message);
        Box::new(move || deliver(&to, message.take().expect("a timer without a period is fired once"), false))
    })
}

/// Has copies of `message` sent to `to`, each `period` from now, by a timer of `owner`.
pub(crate) fn send_every<M: Clone + Send + 'static>(
    owner: &Arc<Lifecycle>,
    to: &Address<M>,
    message: M,
    period: Duration,
) -> Result<Timer, TimerError<M>> {
    if period.is_zero() {
        return Err(TimerError::NoPeriod(message));
    }
    let to = to.clone();
    owner.node.timers().set(owner, period, Some(period), message, |message| {
        Box::new(move || deliver(&to, message.clone(), true))
    })
}
