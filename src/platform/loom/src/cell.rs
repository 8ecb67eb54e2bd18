//! Memory that several threads may reach and that something else must guard.

/// Memory with access by closure; two accesses that nothing orders, one of them a write, fail the model.
#[derive(Debug, Default)]
pub struct UnsafeCell<T>(loom::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// A cell that holds `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self(loom::cell::UnsafeCell::new(value))
    }

    /// Lends the contents for reading. The pointer must not be used past the closure.
    #[track_caller]
    pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        self.0.with(read)
    }

    /// Lends the contents for reading and writing. The pointer must not be used past the closure.
    #[track_caller]
    pub fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        self.0.with_mut(write)
    }
}

/// Stands for memory that somebody has to give back; a model reports one that is never dropped as a leak.
#[derive(Debug)]
pub struct Allocation {
    _share: loom::sync::Arc<()>,
}

impl Allocation {
    /// For memory that was just taken.
    #[track_caller]
    #[allow(clippy::new_without_default, reason = "each one stands for memory of its own")]
    pub fn new() -> Self {
        Self { _share: loom::sync::Arc::new(()) }
    }
}

/// Stands for the plain memory beside it; accesses that nothing orders, one of them a write, fail the model.
#[derive(Debug)]
pub struct Witness(loom::cell::UnsafeCell<()>);

// SAFETY: there is no memory in it, only loom's record of who said what; like std's, it can be shared by all.
#[allow(unsafe_code)]
unsafe impl Sync for Witness {}

impl Witness {
    /// For memory that the current thread just made.
    #[track_caller]
    #[allow(clippy::new_without_default, reason = "each one stands for memory of its own")]
    pub fn new() -> Self {
        Self(loom::cell::UnsafeCell::new(()))
    }

    /// The memory is read now.
    #[track_caller]
    pub fn read(&self) {
        self.0.with(|_| ());
    }

    /// The memory is written now.
    #[track_caller]
    pub fn write(&self) {
        self.0.with_mut(|_| ());
    }
}
