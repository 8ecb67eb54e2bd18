//! One thread of a pool: runs what is queued, searches when nothing is, sleeps when the search fails.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use platform::panic::catch;
use platform::queue::Worker as Queue;
use platform::sync::Arc;

use super::dormitory::Rise;
use super::pool::Shared;
use super::state::Snapshot;
use crate::inbox::Task;

/// After how many tasks of its own queue a worker looks at the common one. A prime, so that it does not beat
/// in time with what the tasks do; as often as Go's and tokio's schedulers do.
const FAIRNESS: u32 = 61;

/// What a thread of a pool has to itself.
pub(super) struct Worker {
    shared: Arc<Shared>,
    /// Its place: residents first, then spares.
    place: usize,
    /// A resident's own tasks; others may steal them.
    queue: Option<Queue<Task>>,
    /// How many nested waits the running task has told us about.
    blocked: Cell<u32>,
}

platform::thread_local! {
    #[allow(clippy::missing_const_for_thread_local, reason = "not every platform has the const form")]
    static CURRENT: RefCell<Option<Rc<Worker>>> = RefCell::new(None);
}

/// The worker that the current thread is, if it is one.
fn current() -> Option<Rc<Worker>> {
    // A thread that is past its thread-local variables runs destructors only; it counts as any other thread.
    CURRENT.try_with(|worker| worker.borrow().clone()).ok().flatten()
}

/// Gives `task` to the current thread's own queue, if it is a resident of this pool that is not blocked.
///
/// # Errors
/// The task, if it is not, or if `accept` does not want it there.
pub(super) fn push_local(
    shared: &Shared,
    task: Task,
    accept: impl FnOnce(&Queue<Task>) -> bool,
) -> Result<Queued, Task> {
    let mut task = Some(task);
    let queued = CURRENT.try_with(|worker| {
        let worker = worker.borrow();
        let worker = worker.as_ref().filter(|worker| worker.is_of(shared) && worker.blocked.get() == 0)?;
        let queue = worker.queue.as_ref().filter(|queue| accept(queue))?;
        let alone = queue.is_empty();
        queue.push(task.take()?);
        Some(Queued { place: worker.place, alone })
    });
    match (queued.ok().flatten(), task) {
        (Some(queued), _) => Ok(queued),
        (None, Some(task)) => Err(task),
        (None, None) => unreachable!("a task that was taken was queued"),
    }
}

/// Where a task went in the queue of its worker.
pub(super) struct Queued {
    /// Whose queue it is.
    pub(super) place: usize,
    /// Nothing was queued before it: the worker comes to it after the task that it runs now.
    pub(super) alone: bool,
}

/// Says whether the current thread runs this pool's tasks.
pub(super) fn is_worker_of(shared: &Shared) -> bool {
    current().is_some_and(|worker| worker.is_of(shared))
}

/// Says whether the current thread is a worker of this pool with nothing to run but the task that it runs now.
pub(super) fn has_nothing_else(shared: &Shared) -> bool {
    let idle = CURRENT.try_with(|worker| {
        let worker = worker.borrow();
        let worker = worker.as_ref().filter(|worker| worker.is_of(shared) && worker.blocked.get() == 0);
        worker.and_then(|worker| worker.queue.as_ref()).is_some_and(Queue::is_empty)
    });
    idle.unwrap_or(false) && !shared.is_queued_in_common()
}

/// See [`blocking`](super::blocking()).
pub(super) fn blocking<R>(wait: impl FnOnce() -> R) -> R {
    struct Blocked(Rc<Worker>);
    impl Drop for Blocked {
        fn drop(&mut self) {
            self.0.unblock();
        }
    }
    let _blocked = current().map(|worker| {
        worker.block();
        Blocked(worker)
    });
    wait()
}

/// The body of a thread that was started for a claim, so it is counted as searching from the start.
pub(super) fn run(shared: Arc<Shared>, place: usize) {
    let queue = shared.take_queue(place);
    let worker = Rc::new(Worker { shared, place, queue, blocked: Cell::new(0) });
    let before = CURRENT.with(|current| current.replace(Some(Rc::clone(&worker))));
    debug_assert!(before.is_none(), "a thread of its own");
    worker.work();
    // Before the thread's other thread-local variables go, some of which may be the user's.
    CURRENT.with(|current| current.replace(None));
    worker.shared.dormitory.check_out(place);
}

/// Runs all that is queued on the current thread, for a pool that has no thread to do so.
pub(super) fn stand_in(shared: &Arc<Shared>) {
    // As one that is blocked: it is not counted, and what it pushes goes to the common queue.
    let worker = Worker { shared: Arc::clone(shared), place: 0, queue: None, blocked: Cell::new(1) };
    let before = CURRENT.with(|current| current.replace(Some(Rc::new(worker))));
    while let Some(task) = shared.find(0) {
        contain(task);
    }
    CURRENT.with(|current| current.replace(before));
}

/// Runs a task. It contains the panics of the user's callbacks itself; whatever else escapes it must not take
/// the worker along, nor the tasks that are queued behind it. The panic hook has told it by now.
fn contain(task: Task) {
    let _ = catch(|| task.run());
}

impl Worker {
    fn is_of(&self, shared: &Shared) -> bool {
        std::ptr::eq(&*self.shared, shared)
    }

    fn work(&self) {
        let state = &self.shared.state;
        let mut seen = state.observe();
        while let Some(first) = self.search(seen) {
            self.run(first);
            let mut count = 1;
            while let Some(task) = self.next(count) {
                self.run(task);
                count = count.wrapping_add(1);
            }
            seen = if self.queue.is_none() && state.retire(self.shared.limit()) {
                let Some(seen) = self.sleep() else { return };
                seen
            } else {
                state.begin_search()
            };
        }
    }

    /// A resident's next task, as long as it finds one without a search.
    fn next(&self, count: u32) -> Option<Task> {
        let queue = self.queue.as_ref()?;
        if count.is_multiple_of(FAIRNESS)
            && let Some(task) = self.shared.take_common()
        {
            return Some(task);
        }
        queue.pop().or_else(|| self.shared.take_common())
    }

    /// Looks everywhere for a task, and sleeps when there is none; `None`: the thread is to end.
    ///
    /// Begins counted as searching, with the word as it was before; ends counted as running.
    fn search(&self, mut seen: Snapshot) -> Option<Task> {
        let shared = &self.shared;
        loop {
            if let Some(task) = shared.find(self.place) {
                Shared::pass_on(shared, shared.state.end_search());
                return Some(task);
            }
            if seen.is_closed() {
                return None;
            }
            seen = match shared.state.try_sleep(seen) {
                Ok(()) => self.sleep()?,
                Err(now) => now,
            };
        }
    }

    /// Sleeps; on waking, it is counted as searching. `None`: the thread is to end, and is not counted.
    fn sleep(&self) -> Option<Snapshot> {
        let Shared { state, dormitory, options, .. } = &*self.shared;
        let rise = if self.queue.is_some() {
            dormitory.sleep_resident()
        } else {
            dormitory.sleep_spare(options.keep_alive, || state.leave_bed())
        };
        match rise {
            Rise::Woken => Some(state.observe()),
            Rise::Closed => Some(state.rise()),
            Rise::Expired => None,
        }
    }

    fn run(&self, task: Task) {
        let station = self.shared.station(self.place);
        station.begin();
        contain(task);
        station.end();
    }

    fn block(&self) {
        let nested = self.blocked.get();
        self.blocked.set(nested + 1);
        if nested == 0 {
            // The watchdog is not to take it for stuck, too.
            self.shared.station(self.place).end();
            Shared::pass_on(&self.shared, self.shared.state.block());
        }
    }

    fn unblock(&self) {
        let nested = self.blocked.get() - 1;
        self.blocked.set(nested);
        if nested == 0 {
            self.shared.state.unblock();
            self.shared.station(self.place).begin();
        }
    }
}
