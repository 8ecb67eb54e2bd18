//! Atomics: sequentially consistent values, and vector clocks by the orderings that are written.

use std::cell::Cell;
use std::fmt;
use std::panic::Location;

pub use std::sync::atomic::Ordering;

use crate::model::{Accesses, Execution, Handle, Kind, Mode, Object, Operation, perform};

fn acquires(ordering: Ordering) -> bool {
    matches!(ordering, Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst)
}

fn releases(ordering: Ordering) -> bool {
    matches!(ordering, Ordering::Release | Ordering::AcqRel | Ordering::SeqCst)
}

/// What an atomic can hold, as a number.
trait Value: Copy + PartialEq {
    fn bits(self) -> u64;
}

impl Value for bool {
    fn bits(self) -> u64 {
        u64::from(self)
    }
}

impl Value for u32 {
    fn bits(self) -> u64 {
        u64::from(self)
    }
}

impl Value for u64 {
    fn bits(self) -> u64 {
        self
    }
}

impl Value for usize {
    fn bits(self) -> u64 {
        self as u64
    }
}

impl<T> Value for *mut T {
    fn bits(self) -> u64 {
        self.addr() as u64
    }
}

/// What all atomics have in common.
struct Word<V> {
    handle: Handle,
    value: Cell<V>,
}

// SAFETY: an execution stays on one operating-system thread, and what is in the word may be sent by the bounds
// of the atomics that hold one.
unsafe impl<V> Sync for Word<V> {}
// SAFETY: as above.
unsafe impl<V> Send for Word<V> {}

impl<V: Value> Word<V> {
    #[track_caller]
    fn new(value: V) -> Self {
        Self { handle: Handle::new(Object::atomic), value: Cell::new(value) }
    }

    fn operate<R>(
        &self,
        (kind, mode): (Kind, Mode),
        place: &'static Location<'static>,
        expected: Option<V>,
        work: impl FnOnce(&mut Execution, u32, &mut Operation) -> R,
    ) -> R {
        perform(
            |e| {
                let mut operation = Operation::new(kind, Accesses::one(self.handle.access(e, mode)), place);
                operation.expected = expected.map(Value::bits);
                operation
            },
            |e, operation| {
                let slot = operation.accesses.as_slice()[0].slot;
                e.check_published(slot, place);
                operation.old = self.value.get().bits();
                let result = work(e, slot, operation);
                operation.new = self.value.get().bits();
                result
            },
        )
        .expect("an atomic of a model is used inside of it")
    }

    fn load(&self, ordering: Ordering, place: &'static Location<'static>) -> V {
        self.operate((Kind::Load, Mode::Read), place, None, |e, slot, _| {
            if acquires(ordering) {
                e.acquire(slot);
            }
            self.value.get()
        })
    }

    fn store(&self, value: V, ordering: Ordering, place: &'static Location<'static>) {
        self.operate((Kind::Store, Mode::Write), place, None, |e, slot, _| {
            // A plain store ends the release sequence of the store before it.
            if releases(ordering) {
                e.release(slot, false);
            } else {
                e.objects[slot as usize].released().clear();
            }
            self.value.set(value);
        });
    }

    /// A read-modify-write goes on with the release sequence of what it read.
    fn modified(&self, e: &mut Execution, slot: u32, value: V, ordering: Ordering) {
        if acquires(ordering) {
            e.acquire(slot);
        }
        if releases(ordering) {
            e.release(slot, true);
        }
        self.value.set(value);
    }

    fn modify(&self, ordering: Ordering, place: &'static Location<'static>, new: impl FnOnce(V) -> V) -> V {
        self.operate((Kind::ReadModifyWrite, Mode::Write), place, None, |e, slot, _| {
            let old = self.value.get();
            self.modified(e, slot, new(old), ordering);
            old
        })
    }

    fn compare_exchange(
        &self,
        expected: V,
        new: V,
        success: Ordering,
        failure: Ordering,
        place: &'static Location<'static>,
    ) -> Result<V, V> {
        self.operate((Kind::CompareExchange, Mode::Write), place, Some(expected), |e, slot, operation| {
            let old = self.value.get();
            if old == expected {
                self.modified(e, slot, new, success);
                Ok(old)
            } else {
                operation.accesses.as_mut_slice()[0].mode = Mode::Read;
                if acquires(failure) {
                    e.acquire(slot);
                }
                Err(old)
            }
        })
    }
}

macro_rules! atomic {
    ($(#[$doc:meta])* $name:ident $(<$t:ident>)?, $value:ty) => {
        $(#[$doc])*
        pub struct $name $(<$t>)? (Word<$value>);

        impl $(<$t>)? $name $(<$t>)? {
            /// An atomic that holds `value`.
            #[track_caller]
            pub fn new(value: $value) -> Self {
                Self(Word::new(value))
            }

            /// Reads.
            #[track_caller]
            pub fn load(&self, ordering: Ordering) -> $value {
                self.0.load(ordering, Location::caller())
            }

            /// Writes.
            #[track_caller]
            pub fn store(&self, value: $value, ordering: Ordering) {
                self.0.store(value, ordering, Location::caller());
            }

            /// Writes, and returns what was there.
            #[track_caller]
            pub fn swap(&self, value: $value, ordering: Ordering) -> $value {
                self.0.modify(ordering, Location::caller(), |_| value)
            }

            /// Writes `new` if `current` is there; returns what was there.
            ///
            /// # Errors
            /// What was there instead.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.0.compare_exchange(current, new, success, failure, Location::caller())
            }

            /// As [`compare_exchange`](Self::compare_exchange): spurious failures are not modelled.
            ///
            /// # Errors
            /// What was there instead.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.0.compare_exchange(current, new, success, failure, Location::caller())
            }

            /// Reads, and then exchanges what `new` makes of it, again and again until nobody was in between.
            ///
            /// # Errors
            /// What was there when `new` gave nothing.
            #[track_caller]
            pub fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut new: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let place = Location::caller();
                let mut seen = self.0.load(fetch, place);
                while let Some(next) = new(seen) {
                    match self.0.compare_exchange(seen, next, set, fetch, place) {
                        Ok(old) => return Ok(old),
                        Err(other) => seen = other,
                    }
                }
                Err(seen)
            }

            /// Reads without an operation: nobody else can be there.
            pub fn get_mut(&mut self) -> &mut $value {
                self.0.value.get_mut()
            }
        }

        impl $(<$t>)? fmt::Debug for $name $(<$t>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0.value.get()).finish()
            }
        }
    };
}

atomic!(
    /// A flag.
    AtomicBool,
    bool
);
atomic!(
    /// A pointer. No address is used twice in one execution.
    AtomicPtr<T>,
    *mut T
);
atomic!(
    /// A number of 32 bits.
    AtomicU32,
    u32
);
atomic!(
    /// A number of 64 bits.
    AtomicU64,
    u64
);
atomic!(
    /// A number of the size of a pointer.
    AtomicUsize,
    usize
);

macro_rules! fetch {
    ($($name:ident $value:ident { $($(#[$doc:meta])* $method:ident = $op:expr;)* })*) => {$(
        impl $name {
            $(
                $(#[$doc])*
                #[track_caller]
                pub fn $method(&self, value: $value, ordering: Ordering) -> $value {
                    self.0.modify(ordering, Location::caller(), |old| $op(old, value))
                }
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new(Default::default())
            }
        }
    )*};
}

macro_rules! numbers {
    ($($name:ident $value:ident;)*) => {
        fetch! {$(
            $name $value {
            /// Adds, and returns what was there. Wraps around.
            fetch_add = $value::wrapping_add;
            /// Subtracts, and returns what was there. Wraps around.
            fetch_sub = $value::wrapping_sub;
            /// Keeps the common bits, and returns what was there.
            fetch_and = |a: $value, b: $value| a & b;
            /// Adds bits, and returns what was there.
            fetch_or = |a: $value, b: $value| a | b;
            /// Turns bits, and returns what was there.
            fetch_xor = |a: $value, b: $value| a ^ b;
            /// Keeps the greater, and returns what was there.
            fetch_max = |a: $value, b: $value| a.max(b);
            /// Keeps the smaller, and returns what was there.
            fetch_min = |a: $value, b: $value| a.min(b);
            }
        )*}
    };
}

numbers! {
    AtomicU32 u32;
    AtomicU64 u64;
    AtomicUsize usize;
}

fetch! {
    AtomicBool bool {
    /// Keeps the flag if `value` is set, and returns what was there.
    fetch_and = |a: bool, b: bool| a & b;
    /// Sets the flag if `value` is set, and returns what was there.
    fetch_or = |a: bool, b: bool| a | b;
    }
}

/// Reads an atomic that nobody else can reach; not an access that a model would interleave.
pub fn exclusive<T>(atomic: &mut AtomicPtr<T>) -> *mut T {
    *atomic.get_mut()
}
