//! An executor without threads: whoever asks it to runs what is queued.

use std::fmt;

use platform::queue::{Injector, Steal};
use platform::sync::Arc;

use super::Executor;
use crate::inbox::Task;

/// Runs activations on the threads that call [`run_until_idle`](Self::run_until_idle), and on no others.
///
/// For tests and models, in which the program itself says who runs what. Cloning gives another handle on the
/// same queue.
#[derive(Clone)]
pub struct Manual(Arc<Injector<Task>>);

impl Default for Manual {
    fn default() -> Self {
        Self::new()
    }
}

impl Manual {
    /// An executor with nothing to run.
    pub fn new() -> Self {
        Self(Arc::new(Injector::new()))
    }

    /// Runs tasks until none is queued, and says how many it ran.
    ///
    /// Several threads may do so at the same time; each task is run by one of them. When it returns, a task
    /// that another thread has taken may still be running.
    pub fn run_until_idle(&self) -> usize {
        let mut count = 0;
        while self.run_one() {
            count += 1;
        }
        count
    }

    /// Runs the task that was queued first; false if there was none.
    pub fn run_one(&self) -> bool {
        loop {
            match self.0.steal() {
                Steal::Success(task) => {
                    task.run();
                    return true;
                }
                Steal::Empty => return false,
                Steal::Retry => {}
            }
        }
    }
}

impl Executor for Manual {
    fn execute(&self, task: Task) {
        self.0.push(task);
    }

    fn yield_back(&self, task: Task) {
        self.0.push(task);
    }

    /// Runs what is queued.
    fn stop(&self) {
        self.run_until_idle();
    }
}

impl fmt::Debug for Manual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manual").finish_non_exhaustive()
    }
}
