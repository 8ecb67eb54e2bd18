//! Memory that several threads may reach and that something else must guard.

/// [`std::cell::UnsafeCell`] with access by closure, so that a model can see how long each access lasts.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// A cell that holds `value`.
    pub const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// Lends the contents for reading. The pointer must not be used past the closure.
    #[inline(always)]
    pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    /// Lends the contents for reading and writing. The pointer must not be used past the closure.
    #[inline(always)]
    pub fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}

/// Stands for memory that somebody has to give back; it is dropped where the memory is.
///
/// A model reports one that is never dropped as a leak (`no-leak`). Here it is nothing.
#[derive(Debug)]
pub struct Allocation(());

impl Allocation {
    /// For memory that was just taken.
    #[inline(always)]
    #[allow(clippy::new_without_default, reason = "each one stands for memory of its own")]
    pub const fn new() -> Self {
        Self(())
    }
}

/// Stands for the plain memory beside it, whose accesses a model cannot see by itself.
///
/// Code that writes and reads such memory says so here; a model then reports an access that is not ordered
/// after the last write to it as a data race (`race-freedom`, `handover`). Here it is nothing.
#[derive(Debug)]
pub struct Witness(());

impl Witness {
    /// For memory that the current thread just made.
    #[inline(always)]
    #[allow(clippy::new_without_default, reason = "each one stands for memory of its own")]
    pub const fn new() -> Self {
        Self(())
    }

    /// The memory is read now.
    #[inline(always)]
    pub fn read(&self) {}

    /// The memory is written now.
    #[inline(always)]
    pub fn write(&self) {}
}
