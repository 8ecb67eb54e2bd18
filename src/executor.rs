//! Who runs the activations.
use crate::inbox::Task;
use platform::sync::Mutex;
use std::collections::VecDeque;

/// Runs activations.
pub trait Executor: Send + Sync {
    /// Runs a new activation, soon.
    fn execute(&self, task: Task);
    /// Runs an activation that has used up its batch, after the others that wait.
    fn yield_back(&self, task: Task);
    /// Ends the executor's threads; nothing is left to run.
    fn stop(&self);
}

/// A pool.
#[derive(Debug)]
pub struct Pool(Mutex<VecDeque<Task>>);
impl Pool {
    /// A pool.
    pub fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }
}
impl Executor for Pool {
    fn execute(&self, task: Task) {
        task.run()
    }
    fn yield_back(&self, task: Task) {
        task.run()
    }
    fn stop(&self) {}
}
