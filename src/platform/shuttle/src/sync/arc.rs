//! Shared ownership.

use std::fmt;
use std::mem::{ManuallyDrop, needs_drop};
use std::ops::Deref;
use std::panic::Location;

use crate::model::{Accesses, Handle, Kind, Mode, Object, Operation, alone, perform};

/// [`std::sync::Arc`], whose last drop is where another order of drops puts it.
///
/// Two drops commute unless one of them is the last: the last one runs the destructor of what is shared, on
/// its thread, at that point. Clones commute with everything, because who clones holds a share. If what is
/// shared has no destructor, nobody can tell which drop was the last, and drops are not operations at all.
pub struct Arc<T>(ManuallyDrop<std::sync::Arc<Shared<T>>>);

struct Shared<T> {
    // Last, so that a pointer to it is not a pointer to the whole.
    handle: Handle,
    value: T,
}

impl<T> Arc<T> {
    /// Shares `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let handle = Handle::new(Object::shared);
        alone(|e| e.shares += 1);
        Self(ManuallyDrop::new(std::sync::Arc::new(Shared { handle, value })))
    }

    /// Whether both are shares of the same.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        std::sync::Arc::ptr_eq(&this.0, &other.0)
    }

    /// Gives the share up without dropping it; [`from_raw`](Self::from_raw) takes it back.
    ///
    /// The pointer identifies the share; it must not be dereferenced.
    pub fn into_raw(this: Self) -> *const T {
        let mut this = ManuallyDrop::new(this);
        // SAFETY: `this` is never used again, and its destructor does not run.
        std::sync::Arc::into_raw(unsafe { ManuallyDrop::take(&mut this.0) }).cast()
    }

    /// Takes back a share.
    ///
    /// # Safety
    /// `pointer` comes from [`into_raw`](Self::into_raw) of the same type and is used once.
    pub unsafe fn from_raw(pointer: *const T) -> Self {
        // SAFETY: the caller's promise: this is the pointer that `into_raw` cast.
        Self(ManuallyDrop::new(unsafe { std::sync::Arc::from_raw(pointer.cast::<Shared<T>>()) }))
    }

    /// Gives back what was shared if this is the only share.
    #[track_caller]
    pub fn try_unwrap(mut this: Self) -> Result<T, Self> {
        let place = Location::caller();
        let only = perform(
            |e| Operation::new(Kind::Unwrap, Accesses::one(this.0.handle.access(e, Mode::Write)), place),
            |e, _| {
                let slot = this.0.handle.slot(e);
                let only = *e.objects[slot as usize].count() == 1;
                if only {
                    *e.objects[slot as usize].count() = 0;
                    e.shares -= 1;
                    e.acquire(slot);
                }
                only
            },
        );
        if only == Some(false) {
            return Err(this);
        }
        // SAFETY: `this` is forgotten at once.
        let inner = unsafe { ManuallyDrop::take(&mut this.0) };
        std::mem::forget(this);
        match std::sync::Arc::try_unwrap(inner) {
            Ok(shared) => Ok(shared.value),
            Err(inner) => Err(Self(ManuallyDrop::new(inner))),
        }
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        alone(|e| {
            if let Some(slot) = self.0.handle.get(e) {
                *e.objects[slot as usize].count() += 1;
            }
        });
        Self(self.0.clone())
    }
}

impl<T> Drop for Arc<T> {
    #[track_caller]
    fn drop(&mut self) {
        let place = Location::caller();
        let of_this_execution = alone(|e| self.0.handle.get(e)).flatten();
        if let Some(slot) = of_this_execution {
            if needs_drop::<T>() {
                perform(
                    |e| {
                        Operation::new(
                            Kind::Release,
                            Accesses::one(self.0.handle.access(e, Mode::LastDrop)),
                            place,
                        )
                    },
                    |e, operation| {
                        operation.old = *e.objects[slot as usize].count() as u64;
                        if !drop_share(e, slot) {
                            operation.accesses.as_mut_slice()[0].mode = Mode::Drop;
                        }
                    },
                );
            } else {
                alone(|e| drop_share(e, slot));
            }
        }
        // SAFETY: a destructor runs once, and nothing uses the field after it.
        unsafe { ManuallyDrop::drop(&mut self.0) };
    }
}

/// Counts one share less; says whether it was the last.
fn drop_share(e: &mut crate::model::Execution, slot: u32) -> bool {
    e.release(slot, true);
    let count = e.objects[slot as usize].count();
    *count -= 1;
    let last = *count == 0;
    if last {
        e.shares -= 1;
        e.acquire(slot);
    }
    last
}

impl<T> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: Default> Default for Arc<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value.fmt(f)
    }
}
