//! The executor: who runs the activations.
//!
//! An executor is given [`Task`]s, the activations of inboxes, and runs each of them once. The default is
//! the [`Pool`]; [`Manual`] is for tests and models; anything else that implements [`Executor`] will do.
//!
//! # How the pool works
//!
//! Each worker thread has a queue of its own, first in, first out, from which idle workers steal, and there is
//! one common queue for what comes from outside and for activations that have used up their batch. What a
//! worker pushes goes to its own queue. It runs that first, looks at the common queue every 61 tasks and
//! whenever its own is empty, and then at the queues of the others; when nothing is anywhere, it sleeps.
//!
//! *Where* a task runs matters a hundred times more than any queue: a hop that stays on its worker costs tens
//! of nanoseconds, waking an idle core tens of microseconds. So:
//!
//! * A task pushed onto a worker's own *empty* queue wakes nobody: the worker is awake, and comes to it next.
//!   Two actors that play ping-pong stay on one worker.
//! * Any other push wakes a sleeper, unless somebody is already searching; a searcher that found something
//!   and was the last one passes the search on if more is queued.
//! * A task that waits for something outside says so with [`blocking()`], and another worker, or a *spare*
//!   thread, runs in its stead for as long as that lasts.
//! * A task that does not say so is found by the watchdog: a thread that looks around every few milliseconds
//!   while something is queued that nobody attends to, and rests otherwise.
//!
//! Nothing spins while there is nothing to do. That no task is left behind when everybody sleeps
//! (`wake-up`) is the business of one atomic word; its protocol is told in `state.rs`.

mod dormitory;
mod manual;
mod pool;
mod state;
mod station;
mod watchdog;
mod worker;

pub use manual::Manual;
pub use pool::{Options, Pool};

use crate::inbox::Task;

/// Runs activations.
pub trait Executor: Send + Sync {
    /// Runs a new activation, soon. What the caller did before happens before the task runs.
    fn execute(&self, task: Task);

    /// Runs an activation that has used up its batch, after the others that wait.
    fn yield_back(&self, task: Task);

    /// Says whether it has threads that a task may wait on for something outside, see [`blocking()`], turn
    /// after turn, each [behind](Self::execute_behind) what the turn before it has brought.
    fn may_wait(&self) -> bool {
        false
    }

    /// Runs an activation after what the current thread has been given to run, and wakes nobody for it unless
    /// that takes long.
    fn execute_behind(&self, task: Task) {
        self.execute(task);
    }

    /// Called by an activation that has handled all there was: waits a moment for more if nothing else needs the
    /// thread, and says whether it did.
    ///
    /// Where messages come one after the other, this saves their sender from waking a thread for each.
    fn linger(&self) -> bool {
        false
    }

    /// Runs what is left, ends the executor's threads and waits until they have ended. May be called again.
    ///
    /// If it is called by one of those threads, it does not wait, since it would wait for itself. What is
    /// executed from now on runs all the same, on the thread that hands it over if there is no other.
    fn stop(&self);
}

/// Runs `wait`, which waits for something outside: a device, a lock, a reply.
///
/// If this is a worker thread of a [`Pool`], another one runs in its stead for as long as `wait` lasts, so
/// that a callback that blocks delays no other actor (`independence`). Anywhere else it just runs `wait`.
/// Calls may be nested; the outermost counts.
pub fn blocking<R>(wait: impl FnOnce() -> R) -> R {
    worker::blocking(wait)
}
