//! Who may not outlive whom: the ends that an owner has to wait for, behind one lock.
//!
//! An owner (a process, or the node itself) has ended when all of its *open ends* are done: its own
//! `terminate`, its Reader if it has one, and each of its children. They are kept under the lock that also
//! decides whether a new child may still join, so that "no more children" and "the last one has ended"
//! cannot be told in two different orders: `ownership`, however spawn and termination race.

use platform::sync::{Condvar, Mutex};
use slab::Slab;
use std::time::Duration;

use crate::lifecycle::Control;

/// The owner is ending: nobody joins any more.
#[derive(Debug)]
pub(crate) struct Late;

/// One of the two ends that an actor has of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// `terminate` has returned, and the actor is dropped.
    Handler,
    /// The Reader is over, or never began.
    Reader,
}

/// The open ends of one owner.
pub(crate) struct Family(Mutex<State>);

struct State {
    /// Once true, for ever true.
    closed: bool,
    /// The owner's own ends, as indexed by [`End`], that are still to come.
    own: [bool; 2],
    /// Told to end when the owner ends. A slot is taken from before a child's init until it has ended. Boxed,
    /// since most processes never have a child.
    children: Option<Box<Slab<Box<dyn Control>>>>,
}

impl State {
    fn ended(&self) -> bool {
        self.own == [false; 2] && self.children.as_ref().is_none_or(|children| children.is_empty())
    }
}

impl Family {
    /// A family with the given ends of the owner's own.
    pub(crate) fn new(own: &[End]) -> Self {
        let mut open = [false; 2];
        for end in own {
            open[*end as usize] = true;
        }
        Self(Mutex::new(State { closed: false, own: open, children: None }))
    }

    /// Adds a child, if the family is not closed. `make` is told the child's slot and runs under the lock.
    pub(crate) fn adopt<T>(&self, make: impl FnOnce(usize) -> (T, Box<dyn Control>)) -> Result<T, Late> {
        let mut state = self.0.lock();
        if state.closed {
            return Err(Late);
        }
        let entry = state.children.get_or_insert_default().vacant_entry();
        let (made, control) = make(entry.key());
        entry.insert(control);
        Ok(made)
    }

    /// Lets nobody join from now on. The children live on until they are told otherwise.
    pub(crate) fn close(&self) {
        self.0.lock().closed = true;
    }

    /// Calls `visit` with each child that has not ended, without holding the lock meanwhile.
    pub(crate) fn each(&self, mut visit: impl FnMut(&dyn Control)) {
        let mut from = 0;
        while let Some((slot, child)) = self.child_from(from) {
            visit(&*child);
            from = slot + 1;
        }
    }

    fn child_from(&self, from: usize) -> Option<(usize, Box<dyn Control>)> {
        let state = self.0.lock();
        let children = state.children.as_ref()?;
        (from..children.capacity()).find_map(|slot| Some((slot, children.get(slot)?.boxed())))
    }

    /// One of the owner's own ends is done; says whether it was the last of all.
    #[must_use = "the last end reports the owner as ended"]
    pub(crate) fn end(&self, end: End) -> bool {
        let mut state = self.0.lock();
        debug_assert!(state.own[end as usize], "{end:?} ended twice");
        state.own[end as usize] = false;
        state.ended()
    }

    /// A child has ended; says whether it was the last end of all.
    #[must_use = "the last end reports the owner as ended"]
    pub(crate) fn child_ended(&self, slot: usize) -> bool {
        let mut state = self.0.lock();
        let children = state.children.as_mut().expect("a child that ends was adopted");
        let control = children.remove(slot);
        let ended = state.ended();
        // Freeing the child may run its destructors: not under the lock.
        drop(state);
        drop(control);
        ended
    }

    /// Says whether one of the owner's own ends is still to come.
    pub(crate) fn is_open(&self, end: End) -> bool {
        self.0.lock().own[end as usize]
    }

    /// Waits until all ends are done, at most for `timeout`; says whether they are.
    pub(crate) fn wait(&self, done: &Condvar, timeout: Duration) -> bool {
        let (state, _) = done.wait_timeout_while(self.0.lock(), timeout, |state| !state.ended());
        state.ended()
    }
}
