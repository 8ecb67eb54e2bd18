//! Queues of runnable work for models: one owner, many thieves, and one queue for all.
//!
//! The part of `crossbeam-deque` that the runtime uses, with its meaning, as plain queues under a lock. One
//! source file, compiled into each platform that models concurrency: what these queues order (a push before
//! the steal that finds it) is what `crossbeam-deque` promises; that it keeps the promise is not modelled
//! here, its own project checks that.

use std::cell::Cell;
use std::collections::VecDeque;
use std::marker::PhantomData;

use crate::sync::{Arc, Mutex};

/// What a steal came back with.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steal<T> {
    /// The queue was empty.
    Empty,
    /// One task.
    Success(T),
    /// Somebody was faster; try again. The queues here never say so.
    Retry,
}

/// A queue that everybody pushes to and steals from, first in, first out.
#[derive(Debug)]
pub struct Injector<T>(Mutex<VecDeque<T>>);

impl<T> Injector<T> {
    /// An empty queue.
    #[allow(clippy::new_without_default, reason = "what the runtime uses, no more")]
    pub fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    /// Adds a task at the back.
    pub fn push(&self, task: T) {
        self.0.lock().push_back(task);
    }

    /// Takes the task at the front.
    pub fn steal(&self) -> Steal<T> {
        self.0.lock().pop_front().map_or(Steal::Empty, Steal::Success)
    }

    /// Says whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
}

/// A queue that one thread owns, first in, first out.
#[derive(Debug)]
pub struct Worker<T> {
    queue: Arc<Mutex<VecDeque<T>>>,
    /// Like the real one: may move to another thread, may not be shared with one.
    owned: PhantomData<Cell<()>>,
}

impl<T> Worker<T> {
    /// An empty queue.
    pub fn new_fifo() -> Self {
        Self { queue: Arc::new(Mutex::new(VecDeque::new())), owned: PhantomData }
    }

    /// Adds a task at the back.
    pub fn push(&self, task: T) {
        self.queue.lock().push_back(task);
    }

    /// Takes the task at the front.
    pub fn pop(&self) -> Option<T> {
        self.queue.lock().pop_front()
    }

    /// Says whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.queue.lock().is_empty()
    }

    /// A handle with which others take tasks from the front.
    pub fn stealer(&self) -> Stealer<T> {
        Stealer(Arc::clone(&self.queue))
    }
}

/// Takes tasks from the queue of a [`Worker`].
#[derive(Debug)]
pub struct Stealer<T>(Arc<Mutex<VecDeque<T>>>);

impl<T> Clone for Stealer<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Stealer<T> {
    /// Takes the task at the front.
    pub fn steal(&self) -> Steal<T> {
        self.0.lock().pop_front().map_or(Steal::Empty, Steal::Success)
    }

    /// Says whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
}
