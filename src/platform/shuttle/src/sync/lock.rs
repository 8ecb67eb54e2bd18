//! Mutexes and condition variables.

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::time::Duration;

use crate::model::{
    Accesses, Execution, Guard, Handle, Kind, Mode, Object, Operation, ThreadId, alone, choice, perform, wake,
};

/// A mutex without poisoning.
pub struct Mutex<T> {
    handle: Handle,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through a guard only, and there is one guard at a time.
unsafe impl<T: Send> Sync for Mutex<T> {}

/// The right to use what a [`Mutex`] protects; dropping it unlocks.
#[must_use = "the lock is given back when this is dropped"]
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    // As std's: given back by the thread that took it.
    _here: PhantomData<*const ()>,
}

impl<T> Mutex<T> {
    /// A lock around `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self { handle: Handle::new(Object::mutex), value: UnsafeCell::new(value) }
    }

    /// Waits for the lock.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        let place = Location::caller();
        perform(
            |e| {
                let access = self.handle.access(e, Mode::Acquire);
                let mut operation = Operation::new(Kind::Lock, Accesses::one(access), place);
                operation.guard = Guard::Free(access.slot);
                operation
            },
            |e, operation| {
                e.check_published(operation.accesses.as_slice()[0].slot, place);
                e.lock(operation.accesses.as_slice()[0].slot);
            },
        );
        MutexGuard { mutex: self, _here: PhantomData }
    }

    /// Takes the lock if it is free.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let place = Location::caller();
        let free = perform(
            |e| Operation::new(Kind::TryLock, Accesses::one(self.handle.access(e, Mode::Acquire)), place),
            |e, operation| {
                let slot = operation.accesses.as_slice()[0].slot;
                let free = e.objects[slot as usize].is_free();
                operation.new = u64::from(free);
                if free {
                    e.lock(slot);
                } else {
                    operation.accesses.as_mut_slice()[0].mode = Mode::Read;
                }
                free
            },
        );
        // Not `then_some`: a guard that is made is a guard that unlocks.
        free.unwrap_or(true).then(|| MutexGuard { mutex: self, _here: PhantomData })
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    #[track_caller]
    fn drop(&mut self) {
        let place = Location::caller();
        let handle = &self.mutex.handle;
        // A guard of an execution that was cut off has nothing to give back.
        if alone(|e| handle.get(e)).flatten().is_none() {
            return;
        }
        perform(
            |e| Operation::new(Kind::Unlock, Accesses::one(handle.access(e, Mode::Release)), place),
            |e, operation| e.unlock(operation.accesses.as_slice()[0].slot),
        );
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard has the lock.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard has the lock, and is borrowed mutably.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").finish_non_exhaustive()
    }
}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The shortest timeout that never comes.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A condition variable. Which waiter a notification wakes is a choice; spurious wake-ups are explored as far as
/// the engine allows them; a wait with a timeout can end at any time.
pub struct Condvar {
    handle: Handle,
}

impl Condvar {
    /// A condition variable nobody waits for.
    #[track_caller]
    #[allow(clippy::new_without_default, reason = "there is one, below")]
    pub fn new() -> Self {
        Self { handle: Handle::new(Object::condvar) }
    }

    /// Unlocks, waits for a notification, locks again. May return without one.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.wait_once(guard, false, Location::caller()).0
    }

    /// Waits until `condition` is false, at most until the timeout; says whether it came first.
    ///
    /// A timeout of less than an hour comes whenever the engine likes. A longer one stands for patience without
    /// end and never comes, so that a program that hangs is a deadlock.
    #[track_caller]
    pub fn wait_timeout_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> (MutexGuard<'a, T>, bool) {
        let place = Location::caller();
        let timed = timeout < PATIENCE;
        let mut timed_out = false;
        while condition(&mut guard) {
            if timed_out {
                return (guard, true);
            }
            let unasked;
            (guard, unasked) = self.wait_once(guard, timed, place);
            timed_out = timed && unasked;
        }
        (guard, false)
    }

    /// One wait; says whether it ended without a notification.
    fn wait_once<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timed: bool,
        place: &'static Location<'static>,
    ) -> (MutexGuard<'a, T>, bool) {
        let mutex = guard.mutex;
        std::mem::forget(guard);
        perform(
            |e| {
                let mut accesses = Accesses::one(self.handle.access(e, Mode::Write));
                accesses.push(mutex.handle.access(e, Mode::Release));
                Operation::new(Kind::Wait, accesses, place)
            },
            |e, operation| {
                let me = e.current;
                let [condvar, mutex] = [0, 1].map(|index| operation.accesses.as_slice()[index].slot);
                e.objects[condvar as usize].waiting().push(me);
                e.threads[me.index()].notified = None;
                e.unlock(mutex);
            },
        );
        let unasked = perform(
            |e| {
                let unasked = timed || e.me().spurious_left > 0;
                let access = mutex.handle.access(e, Mode::Acquire);
                let mut accesses = Accesses::one(access);
                if unasked {
                    // Whether it was notified or goes by itself depends on the notifications.
                    accesses.push(self.handle.access(e, Mode::Write));
                }
                let mut operation = Operation::new(Kind::Wake, accesses, place);
                operation.guard = Guard::Woken { mutex: access.slot, unasked };
                operation
            },
            |e, operation| {
                let me = e.current;
                e.lock(operation.accesses.as_slice()[0].slot);
                let notified = e.threads[me.index()].notified.take();
                operation.cause = notified;
                if notified.is_none() {
                    let condvar = self.handle.slot(e);
                    e.objects[condvar as usize].waiting().retain(|waiting| *waiting != me);
                    if !timed {
                        e.threads[me.index()].spurious_left -= 1;
                    }
                }
                notified.is_none()
            },
        );
        (MutexGuard { mutex, _here: PhantomData }, unasked.unwrap_or(true))
    }

    /// Wakes one waiter.
    #[track_caller]
    pub fn notify_one(&self) {
        let place = Location::caller();
        let waiting = self
            .notify(place, |waiting| if waiting.len() == 1 { std::mem::take(waiting) } else { Vec::new() });
        if waiting > 1 {
            // Nobody runs between the notification and this choice: a choice commutes with everything, so it is
            // done at once.
            let chosen = choice(waiting);
            alone(|e| {
                let slot = self.handle.slot(e);
                let cause = (e.log.len() - 1) as u32;
                let list = e.objects[slot as usize].waiting();
                list.sort_unstable();
                let thread = list.remove(chosen.min(list.len() - 1));
                e.threads[thread.index()].notified = Some(cause);
            });
            wake();
        }
    }

    /// Wakes all waiters.
    #[track_caller]
    pub fn notify_all(&self) {
        self.notify(Location::caller(), std::mem::take);
    }

    /// Wakes the waiters that `pick` takes; says how many there were.
    fn notify(
        &self,
        place: &'static Location<'static>,
        pick: impl FnOnce(&mut Vec<ThreadId>) -> Vec<ThreadId>,
    ) -> usize {
        perform(
            |e| Operation::new(Kind::Notify, Accesses::one(self.handle.access(e, Mode::Write)), place),
            |e: &mut Execution, operation| {
                let slot = operation.accesses.as_slice()[0].slot;
                let cause = e.log.len() as u32;
                let waiting = e.objects[slot as usize].waiting();
                let before = waiting.len();
                for thread in pick(waiting) {
                    e.threads[thread.index()].notified = Some(cause);
                }
                before
            },
        )
        .unwrap_or(0)
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
