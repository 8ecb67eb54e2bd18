//! Shared ownership, locks and atomics.

mod arc;
pub mod atomic;
mod lock;

pub use arc::Arc;
pub use lock::{Condvar, Mutex, MutexGuard};
