//! The thread that waits for all Readers of a node that share it.
//!
//! It is started when the first of them is, and ends when the node stops. It does no more than to tell wakers
//! what it found, and runs nobody's code. (An executor that runs what it is given on the spot runs it here.)

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use event::ActorId;
use platform::readiness::{self, Event, Readiness, Source};
use platform::sync::{Arc, Mutex};
use platform::thread::{self, JoinHandle};
use platform::time;

use super::waker::{Requests, Waker};
use crate::node::{Companion, Node};

/// A node's poller. Cloning gives another handle on it.
#[derive(Clone)]
pub(crate) struct Poller(Arc<Inner>);

struct Inner {
    poller: readiness::Poller,
    /// Raised to have the thread look at the state.
    event: Event,
    state: Mutex<State>,
    thread: Mutex<Option<JoinHandle>>,
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
        node.companion(Self::start)
    }

    fn start() -> io::Result<Self> {
        let (poller, event) = (readiness::Poller::new()?, Event::new()?);
        poller.add(&event, OWN, Readiness::READ)?;
        let state = Mutex::new(State::default());
        let inner = Arc::new(Inner { poller, event, state, thread: Mutex::new(None) });
        let theirs = Arc::clone(&inner);
        let thread = thread::spawn("antiphon-poller".into(), 0, move || theirs.run())?;
        *inner.thread.lock() = Some(thread);
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

impl Inner {
    /// The poller's thread.
    fn run(&self) {
        let (mut found, mut told) = (Vec::new(), Vec::new());
        let mut timed_out = false;
        while let Some(timeout) = self.due(timed_out, &mut told) {
            told.drain(..).for_each(|waker: Waker| waker.wake(Requests::DUE));
            // There is no source whose wait can fail: what cannot be waited for was refused.
            timed_out = self.poller.wait(&mut found, timeout).expect("a poller can wait");
            self.tell(&mut found);
        }
    }

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
                self.poller
                    .arm(&self.event, OWN, Readiness::READ)
                    .expect("it was added when the poller was made");
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
