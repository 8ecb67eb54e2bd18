//! A pool of worker threads that steal work from each other.

use std::fmt;
use std::time::Duration;

use platform::queue::{Injector, Steal, Stealer, Worker as Queue};
use platform::sync::atomic::{AtomicUsize, Ordering};
use platform::sync::{Arc, Mutex};
use platform::{limits, thread};

use super::Executor;
use super::dormitory::{Dormitory, StartError};
use super::state::{Claim, MOST_THREADS, NoClaim, Snapshot, State};
use super::station::Station;
use super::watchdog;
use super::worker::{self, Queued};
use crate::inbox::Task;

/// How a [`Pool`] is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// How many workers run tasks at the same time; at least one. By default, one for each core.
    pub workers: usize,
    /// How many threads there may be, those that are blocked included; at least `workers`, at most 1023.
    pub threads: usize,
    /// For how long a thread that stood in for a blocked one stays when nobody needs it.
    pub keep_alive: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let workers = thread::parallelism();
        Self { workers, threads: workers + 256, keep_alive: Duration::from_secs(10) }
    }
}

/// Runs activations on a pool of threads, see [the module](super).
///
/// Threads are started when there is something for them to do. Dropping the pool stops it.
pub struct Pool(Arc<Shared>);

/// What all threads of a pool share.
pub(super) struct Shared {
    pub(super) state: State,
    pub(super) dormitory: Dormitory,
    pub(super) options: Options,
    /// What was pushed from outside or has had its turn; first in, first out.
    common: Injector<Task>,
    /// The other ends of the residents' queues, by place.
    stealers: Box<[Stealer<Task>]>,
    /// The residents' queues, until their threads take them.
    queues: Mutex<Box<[Option<Queue<Task>>]>>,
    stations: Box<[Station]>,
    /// How many workers more than usual may be active. Written by the watchdog only.
    extra: AtomicUsize,
    /// Held by whoever joins the threads; none of them ever takes it.
    joining: Mutex<()>,
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

impl Pool {
    /// A pool with one worker for each core.
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    /// A pool as `options` say. Numbers out of range are brought into range.
    pub fn with(mut options: Options) -> Self {
        options.workers = options.workers.clamp(1, MOST_THREADS);
        options.threads = options.threads.clamp(options.workers, MOST_THREADS);
        let queues: Box<[_]> = (0..options.workers).map(|_| Queue::new_fifo()).collect();
        Self(Arc::new(Shared {
            state: State::new(),
            dormitory: Dormitory::new(options.threads),
            common: Injector::new(),
            stealers: queues.iter().map(Queue::stealer).collect(),
            queues: Mutex::new(queues.into_iter().map(Some).collect()),
            stations: (0..options.threads).map(|_| Station::new()).collect(),
            extra: AtomicUsize::new(0),
            joining: Mutex::new(()),
            options,
        }))
    }
}

impl Executor for Pool {
    fn execute(&self, task: Task) {
        let shared = &self.0;
        match worker::push_local(shared, task, |_| true) {
            Ok(Queued { place, alone: true }) => Shared::defer(shared, place),
            Ok(Queued { alone: false, .. }) => Shared::attend(shared, shared.state.announce()),
            Err(task) => Shared::push_common(shared, task),
        }
    }

    fn yield_back(&self, task: Task) {
        let shared = &self.0;
        // With nothing else to run, the back of the worker's own queue is as far back as there is.
        let nothing_else = |queue: &Queue<Task>| queue.is_empty() && shared.common.is_empty();
        match worker::push_local(shared, task, nothing_else) {
            Ok(queued) => Shared::defer(shared, queued.place),
            Err(task) => Shared::push_common(shared, task),
        }
    }

    fn may_wait(&self) -> bool {
        true
    }

    fn execute_behind(&self, task: Task) {
        let shared = &self.0;
        match worker::push_local(shared, task, |_| true) {
            Ok(queued) => Shared::defer(shared, queued.place),
            Err(task) => Shared::push_common(shared, task),
        }
    }

    fn linger(&self) -> bool {
        let is_idle = limits::LINGERS && worker::has_nothing_else(&self.0);
        if is_idle {
            thread::linger();
        }
        is_idle
    }

    fn stop(&self) {
        let shared = &self.0;
        shared.state.close();
        shared.dormitory.close();
        if worker::is_worker_of(shared) {
            return;
        }
        let joining = shared.joining.lock();
        shared.dormitory.join_all();
        drop(joining);
        worker::stand_in(shared);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("options", &self.0.options).finish_non_exhaustive()
    }
}

impl Shared {
    fn push_common(this: &Arc<Self>, task: Task) {
        this.common.push(task);
        let seen = this.state.announce();
        if seen.is_closed() && !worker::is_worker_of(this) {
            // The threads may have ended; its own threads still come by here.
            return worker::stand_in(this);
        }
        Self::attend(this, seen);
    }

    /// A worker has queued a task behind what it runs, and will come to it itself.
    fn defer(this: &Arc<Self>, place: usize) {
        if this.stations[place].defer() && !this.state.announce().is_watched() {
            Self::call_watchdog(this);
        }
    }

    /// Sees to it that somebody comes to what was announced.
    pub(super) fn attend(this: &Arc<Self>, seen: Snapshot) {
        match this.state.claim(seen, this.limit()) {
            Ok(Claim::Wake) => this.dormitory.wake(),
            Ok(Claim::Start) => Self::start(this),
            Err(NoClaim::NotNeeded | NoClaim::Full { watched: true }) => {}
            Err(NoClaim::Full { watched: false }) => Self::call_watchdog(this),
        }
    }

    /// Somebody stopped searching, or running: what others have left to it is attended to.
    pub(super) fn pass_on(this: &Arc<Self>, seen: Snapshot) {
        if seen.searching() == 0 && this.is_queued() {
            Self::attend(this, seen);
        }
    }

    fn start(this: &Arc<Self>) {
        let residents = this.options.workers;
        let name = |place| match place < residents {
            true => format!("antiphon-worker-{place}"),
            false => format!("antiphon-spare-{}", place - residents),
        };
        let shared = Arc::clone(this);
        let error = match this.dormitory.start(name, move |place| worker::run(shared, place)) {
            Ok(()) => return,
            Err(error) => error,
        };
        let seen = this.state.unclaim();
        match error {
            StartError::NoRoom { threads: 0 } | StartError::Closed if !worker::is_worker_of(this) => {
                worker::stand_in(this);
            }
            StartError::NoRoom { .. } if !seen.is_watched() => Self::call_watchdog(this),
            // The watchdog tries again; a worker of a closed pool comes to it itself.
            StartError::NoRoom { .. } | StartError::Closed => {}
        }
    }

    fn call_watchdog(this: &Arc<Self>) {
        if this.state.call_watchdog() {
            let shared = Arc::clone(this);
            if !this.dormitory.call_watchdog("antiphon-watchdog", move || watchdog::run(&shared)) {
                // It could not be started. The next one to miss it tries again.
                this.state.dismiss_watchdog(this.state.observe());
            }
        }
    }

    /// The queue of a resident, for the thread that takes its place; a spare has none.
    pub(super) fn take_queue(&self, place: usize) -> Option<Queue<Task>> {
        self.queues.lock().get_mut(place)?.take()
    }

    /// How many workers may be active.
    pub(super) fn limit(&self) -> usize {
        // Relaxed: whoever reads it too early is followed by the watchdog, who wakes by it what it wrote.
        self.options.workers + self.extra.load(Ordering::Relaxed)
    }

    pub(super) fn set_extra(&self, extra: usize) {
        // Relaxed: see `limit`.
        self.extra.store(extra, Ordering::Relaxed);
    }

    pub(super) fn station(&self, place: usize) -> &Station {
        &self.stations[place]
    }

    pub(super) fn stations(&self) -> &[Station] {
        &self.stations
    }

    pub(super) fn is_queued_in_common(&self) -> bool {
        !self.common.is_empty()
    }

    pub(super) fn is_queued_at(&self, place: usize) -> bool {
        self.stealers.get(place).is_some_and(|queue| !queue.is_empty())
    }

    /// Says whether anything is queued anywhere.
    pub(super) fn is_queued(&self) -> bool {
        self.is_queued_in_common() || self.stealers.iter().any(|queue| !queue.is_empty())
    }

    pub(super) fn take_common(&self) -> Option<Task> {
        settle(|| self.common.steal())
    }

    /// Takes a task from wherever there is one; begins with the common queue, goes on after `place`.
    pub(super) fn find(&self, place: usize) -> Option<Task> {
        self.take_common().or_else(|| {
            let (before, after) = self.stealers.split_at((place + 1).min(self.stealers.len()));
            after.iter().chain(before).find_map(|queue| settle(|| queue.steal()))
        })
    }
}

/// Steals until it is clear whether there is anything to steal. Each retry means that somebody else got on.
fn settle(mut steal: impl FnMut() -> Steal<Task>) -> Option<Task> {
    loop {
        match steal() {
            Steal::Success(task) => return Some(task),
            Steal::Empty => return None,
            Steal::Retry => {}
        }
    }
}
