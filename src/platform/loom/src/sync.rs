//! Shared ownership, locks and atomics.

use std::ops::Deref;
use std::sync::PoisonError;
use std::time::Duration;

/// Shared ownership; loom fails an execution that ends with one not dropped.
///
/// loom's own is `Send` and `Sync` by derivation only. A type that contains itself behind one, as a message with an
/// address of its own type does, would then be refused by the compiler (E0275), though it is accepted with `std`'s.
#[derive(Debug)]
pub struct Arc<T>(loom::sync::Arc<T>);

// SAFETY: the same bounds as `std`'s, for the same reason: each owner reaches the value, and any may be the last.
// loom's counts are behind `std`'s `Arc` and used by one thread of an execution at a time.
unsafe impl<T: Send + Sync> Send for Arc<T> {}
// SAFETY: a shared reference is enough to clone an owner, so it must be allowed what an owner is.
unsafe impl<T: Send + Sync> Sync for Arc<T> {}

impl<T> Arc<T> {
    /// A first owner of `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self(loom::sync::Arc::new(value))
    }

    /// The value, if this is the only owner.
    ///
    /// # Errors
    ///
    /// The owner itself, if there are others.
    #[track_caller]
    pub fn try_unwrap(this: Self) -> Result<T, Self> {
        loom::sync::Arc::try_unwrap(this.0).map_err(Self)
    }

    /// Whether both own the same value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        loom::sync::Arc::ptr_eq(&this.0, &other.0)
    }

    /// The owner as a pointer, to be brought back with [`from_raw`](Self::from_raw).
    pub fn into_raw(this: Self) -> *const T {
        loom::sync::Arc::into_raw(this.0)
    }

    /// The owner that [`into_raw`](Self::into_raw) made a pointer.
    ///
    /// # Safety
    ///
    /// `pointer` comes from `into_raw` with the same `T`, and is brought back once.
    #[track_caller]
    pub unsafe fn from_raw(pointer: *const T) -> Self {
        // SAFETY: what the caller promises.
        Self(unsafe { loom::sync::Arc::from_raw(pointer) })
    }
}

impl<T> Clone for Arc<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Atomics, with the orderings of the C11 memory model as far as loom has them.
pub mod atomic {
    pub use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

    /// Reads an atomic that nobody else can reach; not an access that a model would interleave.
    #[track_caller]
    pub fn exclusive<T>(atomic: &mut AtomicPtr<T>) -> *mut T {
        atomic.with_mut(|value| *value)
    }
}

/// loom's mutex, without poisoning in its interface.
#[derive(Debug, Default)]
pub struct Mutex<T>(loom::sync::Mutex<T>);

/// The right to use what a [`Mutex`] protects; dropping it unlocks.
pub type MutexGuard<'a, T> = loom::sync::MutexGuard<'a, T>;

impl<T> Mutex<T> {
    /// A lock around `value`.
    pub fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    /// Waits for the lock.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// loom's condition variable: no spurious wake-up, no timeout.
#[derive(Debug, Default)]
pub struct Condvar(loom::sync::Condvar);

impl Condvar {
    /// A condition variable nobody waits for.
    pub fn new() -> Self {
        Self(loom::sync::Condvar::new())
    }

    /// Unlocks, waits for a notification, locks again.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `condition` is false. The timeout never comes, so the second value is always `false`.
    #[track_caller]
    pub fn wait_timeout_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        _timeout: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> (MutexGuard<'a, T>, bool) {
        while condition(&mut guard) {
            guard = self.wait(guard);
        }
        (guard, false)
    }

    /// Wakes one waiter.
    #[track_caller]
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all waiters.
    #[track_caller]
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}
