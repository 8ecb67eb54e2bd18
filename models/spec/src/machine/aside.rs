//! What a state carries along without being distinguished by it.

use std::hash::{Hash, Hasher};

/// A value that is no part of the identity of the state which holds it: all of them are equal.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Aside<T>(pub(super) T);

impl<T> PartialEq for Aside<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Aside<T> {}

impl<T> Hash for Aside<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// Where an event stood: evidence for a violation, never a reason for one.
pub(super) type At = Aside<usize>;
