//! Values on the heap: plain boxes, since what a model looks at is who owns them.
#![allow(unsafe_code, reason = "a platform wraps the primitives that the rest of the runtime trusts")]

use std::ops::{Deref, DerefMut};

/// A value on the heap, made by one thread and mostly opened by another.
#[derive(Debug)]
pub struct Parcel<T>(Box<T>);

impl<T> Parcel<T> {
    /// Puts `value` on the heap.
    pub fn new(value: T) -> Self {
        Self(Box::new(value))
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        *self.0
    }

    /// Gives the parcel up without dropping it; [`from_raw`](Self::from_raw) takes it back.
    pub fn into_raw(self) -> *mut T {
        Box::into_raw(self.0)
    }

    /// Takes a parcel back.
    ///
    /// # Safety
    /// `pointer` comes from [`into_raw`](Self::into_raw) of the same type and is used once.
    pub unsafe fn from_raw(pointer: *mut T) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { Box::from_raw(pointer) })
    }
}

impl<T> Deref for Parcel<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Parcel<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
