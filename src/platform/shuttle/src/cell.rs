//! Memory that several threads may reach and that something else must guard.

use std::fmt;
use std::panic::Location;

use crate::model::{CellState, Handle, alone};

/// [`std::cell::UnsafeCell`] with access by closure, whose accesses must be ordered by the written orderings.
///
/// Two accesses, one of them a write, that overlap or that nothing orders are reported as a data race.
pub struct UnsafeCell<T> {
    handle: Handle,
    value: std::cell::UnsafeCell<T>,
}

impl<T> UnsafeCell<T> {
    /// A cell that holds `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let handle = Handle::new(|| crate::model::Object::plain(CellState::default()));
        Self { handle, value: std::cell::UnsafeCell::new(value) }
    }

    /// Lends the contents for reading. The pointer must not be used past the closure.
    #[track_caller]
    pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        let _access = Accessed::new(&self.handle, false);
        read(self.value.get())
    }

    /// Lends the contents for reading and writing. The pointer must not be used past the closure.
    #[track_caller]
    pub fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        let _access = Accessed::new(&self.handle, true);
        write(self.value.get())
    }
}

/// An access that is going on; it ends also if the closure panics.
struct Accessed<'a> {
    handle: &'a Handle,
    write: bool,
    place: &'static Location<'static>,
}

impl<'a> Accessed<'a> {
    #[track_caller]
    fn new(handle: &'a Handle, write: bool) -> Self {
        let place = Location::caller();
        alone(|e| {
            if let Some(slot) = handle.get(e) {
                e.cell_begin(slot, write, place);
            }
        });
        Self { handle, write, place }
    }
}

impl Drop for Accessed<'_> {
    fn drop(&mut self) {
        alone(|e| {
            if let Some(slot) = self.handle.get(e) {
                e.cell_end(slot, self.write, self.place);
            }
        });
    }
}

impl<T> Drop for UnsafeCell<T> {
    fn drop(&mut self) {
        let place = Location::caller();
        alone(|e| {
            if let Some(slot) = self.handle.get(e) {
                e.cell_drop(slot, place);
            }
        });
    }
}

impl<T: Default> Default for UnsafeCell<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsafeCell").finish_non_exhaustive()
    }
}

/// Stands for memory that somebody has to give back; a model reports one that is never dropped as a leak.
#[derive(Debug)]
pub struct Allocation {
    _share: crate::sync::Arc<()>,
}

impl Allocation {
    /// For memory that was just taken.
    #[track_caller]
    #[allow(clippy::new_without_default, reason = "each one stands for memory of its own")]
    pub fn new() -> Self {
        Self { _share: crate::sync::Arc::new(()) }
    }
}

/// Stands for the plain memory beside it; accesses that nothing orders, one of them a write, are a data race.
#[derive(Debug)]
pub struct Witness(UnsafeCell<()>);

// SAFETY: there is no memory in it, only a record of who said what.
unsafe impl Sync for Witness {}

impl Witness {
    /// For memory that the current thread just made.
    #[track_caller]
    #[allow(clippy::new_without_default, reason = "each one stands for memory of its own")]
    pub fn new() -> Self {
        Self(UnsafeCell::new(()))
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
