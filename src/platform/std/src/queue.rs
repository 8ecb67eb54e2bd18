//! Queues of runnable work: one owner, many thieves, and one queue for all.

pub use crossbeam_deque::{Injector, Steal, Stealer, Worker};
