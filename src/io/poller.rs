//! What waits for all Readers of a node that share it.
//!
//! It starts with the first of them, and ends when the node stops. It takes turns: in each it waits, and tells
//! wakers what it found. Who may take the next one is who holds the activation of an [inbox](crate::inbox) into
//! which nobody pushes: there is one, so there is one wait at a time.
//!
//! On an executor with threads that [may wait](crate::executor::Executor::may_wait), the activation is a task like
//! any other. A worker that has waited runs what it found, and then waits again: between the wait and the step
//! nobody has to be woken. If what it runs takes long, the next turn is another worker's, as is everything that
//! is queued behind something slow (`independence`). With other executors, one thread takes all turns.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;
use std::time::Duration;

use event::ActorId;
use platform::readiness::{self, Event, Readiness, Source};
use platform::sync::{Arc, Mutex};
use platform::thread::{self, JoinHandle};
use platform::time;

use super::waker::{Requests, Waker};
use crate::executor::blocking;
use crate::inbox::{Activation, Body, Content, Inbox};
use crate::node::{Companion, Node};

/// A node's poller. Cloning gives another handle on it.
#[derive(Clone)]
pub(crate) struct Poller(Arc<Inner>);

struct Inner {
    poller: readiness::Poller,
    /// Raised to have the thread look at the state.
    event: Event,
    state: Mutex<State>,
    /// The thread that takes all turns, if there is one.
    thread: Mutex<Option<JoinHandle>>,
}

/// The body of the inbox, and what a turn needs.
struct Turns {
    inner: Arc<Inner>,
    found: Vec<(u64, Readiness)>,
    told: Vec<Waker>,
    timed_out: bool,
}

impl Content for Turns {
    type Item = Infallible;
    type Shared = Node;
}

impl Body for Turns {
    fn run(mut activation: Activation<Self>) {
        let node = activation.inbox().shared().clone();
        while activation.with(|_, turns| turns.take()) {
            if node.executor().may_wait() {
                return node.executor().execute_behind(activation.into_task());
            }
        }
        drop(activation.close());
    }
}

#[derive(Default)]
struct State {
    /// Whom to tell. Each key names one Reader for ever, so a report that comes late finds nobody.
    wakers: BTreeMap<ActorId, Waker>,
    deadlines: BTreeSet<(Duration, ActorId)>,
    stopping: bool,
}

/// The key of the poller's own event: no actor has it.
const OWN: u64 = 0;

impl Poller {
    /// The poller of `node`, started if there is none yet.
    pub(crate) fn of(node: &Node) -> io::Result<Self> {
        node.companion(|| Self::start(node))
    }

    fn start(node: &Node) -> io::Result<Self> {
        let (poller, event) = (readiness::Poller::new()?, Event::new()?);
        poller.add(&event, OWN, Readiness::READ)?;
        let state = Mutex::new(State::default());
        let inner = Arc::new(Inner { poller, event, state, thread: Mutex::new(None) });
        let theirs = Arc::clone(&inner);
        let turns = Turns { inner: theirs, found: Vec::new(), told: Vec::new(), timed_out: false };
        let task = Inbox::new(turns, node.clone()).into_task();
        if node.executor().may_wait() {
            node.executor().execute(task);
        } else {
            *inner.thread.lock() = Some(thread::spawn("antiphon-poller".into(), 0, move || task.run())?);
        }
        Ok(Self(inner))
    }

    /// Tells `waker`, from now on, what is found ready under the key of `reader`.
    pub(crate) fn adopt(&self, reader: ActorId, waker: &Waker) {
        self.0.state.lock().wakers.insert(reader, waker.clone());
    }

    /// A Reader is over.
    pub(crate) fn leave(&self, reader: ActorId, deadline: Option<Duration>) {
        let mut state = self.0.state.lock();
        if let Some(deadline) = deadline {
            state.deadlines.remove(&(deadline, reader));
        }
        let waker = state.wakers.remove(&reader);
        drop(state);
        drop(waker);
    }

    /// Has the source of `reader` reported once, when it is ready for `interest` or broken.
    ///
    /// # Errors
    /// The operating system's: it has no memory, or cannot wait for such a source.
    pub(crate) fn arm(
        &self,
        source: &dyn Source,
        reader: ActorId,
        is_new: bool,
        interest: Readiness,
    ) -> io::Result<()> {
        if is_new {
            self.0.poller.add(source, reader.0, interest)
        } else {
            self.0.poller.arm(source, reader.0, interest)
        }
    }

    /// Reports nothing more of a source.
    pub(crate) fn remove(&self, source: &dyn Source) {
        self.0.poller.remove(source);
    }

    /// Wakes `reader` at a certain time, and not at the time that was set before.
    pub(crate) fn set_deadline(&self, reader: ActorId, before: Option<Duration>, next: Option<Duration>) {
        if before.is_none() && next.is_none() {
            return;
        }
        let mut state = self.0.state.lock();
        if let Some(before) = before {
            state.deadlines.remove(&(before, reader));
        }
        if let Some(next) = next {
            state.deadlines.insert((next, reader));
        }
        drop(state);
        // It may be the first of all.
        if next.is_some() {
            self.0.event.raise();
        }
    }
}

impl Turns {
    /// Waits once, and tells what was found; says whether there is to be another turn.
    fn take(&mut self) -> bool {
        let Self { inner, found, told, timed_out } = self;
        let Some(timeout) = inner.due(*timed_out, told) else { return false };
        told.drain(..).for_each(|waker: Waker| waker.wake(Requests::DUE));
        // There is no source whose wait can fail: what cannot be waited for was refused.
        *timed_out = blocking(|| inner.poller.wait(found, timeout)).expect("a poller can wait");
        inner.tell(found);
        true
    }
}

impl Inner {
    /// Takes those whose time has come, and says how long to wait for the next; `None`: the node has stopped.
    ///
    /// When a wait has timed out, the first one's time has come, whatever the clock says.
    fn due(&self, timed_out: bool, told: &mut Vec<Waker>) -> Option<Option<Duration>> {
        let mut state = self.state.lock();
        let state = &mut *state;
        let now = if state.deadlines.is_empty() { Duration::ZERO } else { time::now() };
        while let Some((deadline, reader)) = state.deadlines.first().copied() {
            if deadline > now && !(timed_out && told.is_empty()) {
                break;
            }
            state.deadlines.pop_first();
            told.extend(state.wakers.get(&reader).cloned());
        }
        let next = state.deadlines.first().map(|(deadline, _)| deadline.saturating_sub(now));
        (!state.stopping).then_some(next)
    }

    fn tell(&self, found: &mut Vec<(u64, Readiness)>) {
        let reports: Vec<_> = {
            let state = self.state.lock();
            let waker = |key: u64| state.wakers.get(&ActorId(key)).cloned();
            found.iter().filter_map(|(key, ready)| Some((waker(*key)?, *ready))).collect()
        };
        for (key, _) in found.drain(..) {
            if key == OWN {
                self.event.clear();
            }
        }
        // Not under the lock: an executor may run what it is given here.
        for (waker, ready) in reports {
            waker.wake(Requests::report(ready));
        }
    }
}

impl Companion for Poller {
    fn end(&self) {
        self.0.state.lock().stopping = true;
        self.0.event.raise();
    }

    fn join(&self) {
        let thread = self.0.thread.lock().take();
        if let Some(thread) = thread {
            thread.join();
        }
    }
}
