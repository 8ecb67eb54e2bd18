//! Descriptors for models: what is waited for, and the wait, as plain data under locks.
//!
//! The items of the platforms that have an operating system, with their meaning. One source file, compiled
//! into each platform that models concurrency: what a wait orders (a change of readiness before the wait that
//! finds it) is what the operating system promises; `contract/` holds both to the same promises.
//!
//! A descriptor is a *level* behind a lock: what it is ready for, the thread that waits for it, and the poller
//! that it is in. Whoever changes the level tells both under the same lock, so nothing is between "ready" and
//! "told". One thread at a time may wait for one descriptor by itself.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use crate::sync::{Arc, Condvar, Mutex};

#[path = "level.rs"]
mod level;
#[path = "model_stream.rs"]
mod stream;

pub use level::Readiness;
pub use stream::{Listener, Stream, pair};

/// What can be waited for. A descriptor of the operating system can be named here, so that the same source
/// compiles, but not waited for.
pub trait Source {
    /// Lets `look` see and change the level, under the descriptor's lock.
    fn level(&self, look: &mut dyn FnMut(&mut Level));
}

impl<T: AsFd + ?Sized> Source for T {
    fn level(&self, _: &mut dyn FnMut(&mut Level)) {
        unreachable!("a model has no operating system: its descriptors are `Event` and `Stream`");
    }
}

/// What a descriptor is ready for, and who wants to know.
#[derive(Debug, Default)]
pub struct Level {
    ready: Readiness,
    waiting: Option<(Arc<Bell>, Readiness)>,
    polled: Option<Polled>,
}

/// The poller that a source is in.
#[derive(Debug)]
struct Polled {
    reports: Arc<Reports>,
    key: u64,
    armed: Readiness,
}

/// What is to be reported of a level to somebody who waits for `interest`.
fn reported(ready: Readiness, interest: Readiness) -> Readiness {
    let interest = interest.union(Readiness::BROKEN);
    ready.common(interest)
}

impl Level {
    fn new(ready: Readiness) -> Self {
        Self { ready, waiting: None, polled: None }
    }

    /// Changes the level, and tells who waits for what it is now.
    fn set(&mut self, ready: Readiness) {
        let risen = ready.without(self.ready);
        self.ready = ready;
        if self.waiting.as_ref().is_some_and(|(_, interest)| !reported(ready, *interest).is_none()) {
            let (bell, _) = self.waiting.take().expect("somebody waits");
            bell.ring();
        }
        self.report(risen);
    }

    /// Reports to the poller, if there is something new that it was armed for.
    fn report(&self, new: Readiness) {
        let Some(polled) = &self.polled else { return };
        let mut interest = polled.armed;
        if interest.intersects(Readiness::READ) {
            interest = interest.union(Readiness::MORE);
        }
        if !reported(new, interest).is_none() {
            polled.reports.add(polled.key, reported(self.ready, interest));
        }
    }
}

/// Wakes one wait of one thread.
#[derive(Debug, Default)]
struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock() = true;
        self.changed.notify_one();
    }

    /// Waits until it is rung; false if the time was over first.
    fn wait(&self, timeout: Option<Duration>) -> bool {
        let timeout = timeout.unwrap_or(Duration::MAX);
        let (rung, _) = self.changed.wait_timeout_while(self.rung.lock(), timeout, |rung| !*rung);
        *rung
    }
}

/// A descriptor of one's own, which one thread makes ready to wake another.
#[derive(Debug)]
pub struct Event(Mutex<Level>);

impl Event {
    /// An event that is not ready.
    ///
    /// # Errors
    /// Never; the signature is that of the other platforms.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Mutex::new(Level::default())))
    }

    /// Makes it ready to be read.
    pub fn raise(&self) {
        self.0.lock().set(Readiness::READ);
    }

    /// Makes it ready no more, until it is raised again.
    pub fn clear(&self) {
        self.0.lock().set(Readiness::NONE);
    }
}

impl Source for Event {
    fn level(&self, look: &mut dyn FnMut(&mut Level)) {
        look(&mut self.0.lock());
    }
}

/// Waits until the event is raised, or one of `sources` is ready for what is waited for, or broken; at most
/// for `timeout`, if there is one. Says whether the event is raised, and what each source is ready for; nothing, if
/// the time was over first. It may return for nothing.
///
/// # Errors
/// Never; the signature is that of the other platforms.
pub fn wait<const N: usize>(
    event: &Event,
    sources: [Option<(&dyn Source, Readiness)>; N],
    timeout: Option<Duration>,
) -> io::Result<Option<(bool, [Readiness; N])>> {
    let bell = Arc::new(Bell::default());
    loop {
        let look = |source: &dyn Source, interest| {
            let mut ready = Readiness::NONE;
            source.level(&mut |level| {
                ready = reported(level.ready, interest);
                // Instead of the bell of an earlier wait, which nobody hears any more.
                level.waiting = ready.is_none().then(|| (Arc::clone(&bell), interest));
            });
            ready
        };
        let raised = !look(event, Readiness::READ).is_none();
        let ready =
            sources.map(|source| source.map_or(Readiness::NONE, |(source, interest)| look(source, interest)));
        if raised || ready.iter().any(|ready| !ready.is_none()) {
            return Ok(Some((raised, ready)));
        }
        // No time at all is no choice.
        if timeout == Some(Duration::ZERO) || !bell.wait(timeout) {
            return Ok(None);
        }
        *bell.rung.lock() = false;
    }
}

/// What a poller's wait has still to be told.
#[derive(Debug, Default)]
struct Reports {
    found: Mutex<VecDeque<(u64, Readiness)>>,
    added: Condvar,
}

impl Reports {
    fn add(&self, key: u64, ready: Readiness) {
        let mut found = self.found.lock();
        match found.iter_mut().find(|(other, _)| *other == key) {
            Some((_, before)) => *before = before.union(ready),
            None => found.push_back((key, ready)),
        }
        drop(found);
        self.added.notify_one();
    }
}

/// Where one thread waits for any number of sources, each known by a key.
///
/// A source is reported when it is [armed](Self::arm), if it is ready then, and from then on each time that it
/// becomes ready for more. What is reported is how the source was; it may have changed by the time the report is
/// read. What was there when it was armed or reported last is not reported again.
#[derive(Debug)]
pub struct Poller(Arc<Reports>);

impl Poller {
    /// A poller without sources.
    ///
    /// # Errors
    /// Never; the signature is that of the other platforms.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(Reports::default())))
    }

    /// Adds a source, armed for `interest`. One source is in one poller, once.
    ///
    /// # Errors
    /// If the source is in a poller already.
    pub fn add(&self, source: &dyn Source, key: u64, interest: Readiness) -> io::Result<()> {
        let mut added = true;
        source.level(&mut |level| {
            added = level.polled.is_none();
            if added {
                let reports = Arc::clone(&self.0);
                level.polled = Some(Polled { reports, key, armed: interest });
                level.report(level.ready);
            }
        });
        if added { Ok(()) } else { Err(io::ErrorKind::AlreadyExists.into()) }
    }

    /// Has a source reported if it is ready for `interest`, or broken, and when it becomes so; instead of what
    /// it was armed for before.
    ///
    /// # Errors
    /// If the source is not in a poller.
    pub fn arm(&self, source: &dyn Source, key: u64, interest: Readiness) -> io::Result<()> {
        let mut armed = false;
        source.level(&mut |level| {
            if let Some(polled) = &mut level.polled {
                assert_eq!(polled.key, key, "a source keeps its key");
                polled.armed = interest;
                armed = true;
            }
            level.report(level.ready);
        });
        if armed { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// Takes a source out. A report that was made before may still come.
    pub fn remove(&self, source: &dyn Source) {
        source.level(&mut |level| level.polled = None);
    }

    /// Waits until sources are ready, at most for `timeout`, and adds them to `found`, each with its key;
    /// says whether the time was over first. It may return for nothing.
    ///
    /// # Errors
    /// Never; the signature is that of the other platforms.
    pub fn wait(&self, found: &mut Vec<(u64, Readiness)>, timeout: Option<Duration>) -> io::Result<bool> {
        let timeout = timeout.unwrap_or(Duration::MAX);
        let (mut reports, timed_out) =
            self.0.added.wait_timeout_while(self.0.found.lock(), timeout, |found| found.is_empty());
        found.extend(reports.drain(..));
        Ok(timed_out)
    }
}
