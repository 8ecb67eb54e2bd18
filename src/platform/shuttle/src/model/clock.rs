//! Vector clocks of the happens-before relation that the written memory orderings give.

use smallvec::SmallVec;

use super::ThreadId;

/// For each thread, how much of it has happened before.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Clock(SmallVec<[u32; 8]>);

impl Clock {
    /// How much of `thread` has happened before.
    #[inline]
    pub fn get(&self, thread: ThreadId) -> u32 {
        self.0.get(thread.index()).copied().unwrap_or(0)
    }

    /// Sets the entry of `thread` to `time`.
    #[inline]
    pub fn set(&mut self, thread: ThreadId, time: u32) {
        if self.0.len() <= thread.index() {
            self.0.resize(thread.index() + 1, 0);
        }
        self.0[thread.index()] = time;
    }

    /// One step of `thread`.
    #[inline]
    pub fn tick(&mut self, thread: ThreadId) {
        self.set(thread, self.get(thread) + 1);
    }

    /// All that has happened before either.
    #[inline]
    pub fn join(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// Nothing has happened before.
    #[inline]
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The first thread of which more has happened here than in `other`.
    pub fn beyond(&self, other: &Self) -> Option<ThreadId> {
        (0..self.0.len())
            .map(|index| ThreadId(index as u16))
            .find(|thread| self.get(*thread) > other.get(*thread))
    }
}
