//! What a thread can do to shared state, and which two of these commute.

use std::fmt;
use std::panic::Location;

/// Names one thread of a program.
///
/// Under [`Engine::Guarded`](super::Engine::Guarded) the same thread (the k-th that the same parent spawned)
/// has the same number in every execution of an exploration; otherwise the number is the order of spawning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ThreadId(pub u16);

impl ThreadId {
    /// The thread that runs the program's body.
    pub const MAIN: Self = Self(0);

    /// The number, to index with.
    #[inline]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

/// Names one shared object, the same in equivalent executions: the n-th that its thread created, or what an
/// observer keeps about one actor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ObjectId(pub u64);

impl ObjectId {
    const OBSERVED: u64 = 1 << 63;

    /// The n-th object that `thread` created.
    #[inline]
    pub fn created(thread: ThreadId, n: u32) -> Self {
        Self(u64::from(thread.0) << 32 | u64::from(n))
    }

    /// What an observer keeps of kind `aspect` about the thing called `name`.
    #[inline]
    pub fn observed(aspect: u8, name: u64) -> Self {
        Self(Self::OBSERVED | u64::from(aspect) << 56 | name & ((1 << 56) - 1))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 & Self::OBSERVED == 0 {
            write!(f, "t{}#{}", self.0 >> 32, self.0 as u32)
        } else {
            write!(f, "observed:{}:{}", (self.0 >> 56) & 0x7f, self.0 & ((1 << 56) - 1))
        }
    }
}

/// How an operation touches an object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mode {
    /// Leaves it as it is.
    Read,
    /// May change it.
    Write,
    /// Takes a lock.
    Acquire,
    /// Gives a lock back.
    Release,
    /// Gives up a share of something that others share too.
    Drop,
    /// Gives up the last share: what was shared ends here, on this thread.
    LastDrop,
}

impl Mode {
    /// Whether two accesses to one object may not be exchanged.
    #[inline]
    pub fn conflicts(self, other: Self) -> bool {
        !matches!((self, other), (Self::Read, Self::Read) | (Self::Drop, Self::Drop))
    }
}

/// One object that an operation touches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Which object, the same in equivalent executions.
    pub object: ObjectId,
    /// Where it is in this execution's table; means nothing in another execution.
    pub slot: u32,
    /// How.
    pub mode: Mode,
}

/// The objects that one operation touches.
#[derive(Clone, Copy)]
pub struct Accesses {
    items: [Access; Accesses::MOST],
    len: u8,
}

impl Accesses {
    /// The most objects that one operation can touch.
    pub const MOST: usize = 4;

    /// No object.
    pub const NONE: Self =
        Self { items: [Access { object: ObjectId(0), slot: 0, mode: Mode::Read }; Self::MOST], len: 0 };

    /// One object.
    #[inline]
    pub fn one(access: Access) -> Self {
        let mut accesses = Self::NONE;
        accesses.push(access);
        accesses
    }

    /// One more.
    ///
    /// # Panics
    /// If there are [`MOST`](Self::MOST) already.
    #[inline]
    pub fn push(&mut self, access: Access) {
        self.items[usize::from(self.len)] = access;
        self.len += 1;
    }

    /// All of them.
    #[inline]
    pub fn as_slice(&self) -> &[Access] {
        &self.items[..usize::from(self.len)]
    }

    /// All of them, to be changed.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [Access] {
        &mut self.items[..usize::from(self.len)]
    }
}

impl PartialEq for Accesses {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Accesses {}

impl fmt::Debug for Accesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

/// What kind of operation it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Reads an atomic.
    Load,
    /// Writes an atomic.
    Store,
    /// Reads and writes an atomic in one.
    ReadModifyWrite,
    /// Reads an atomic, and writes it if it was as expected.
    CompareExchange,
    /// Waits for a lock and takes it.
    Lock,
    /// Takes a lock if it is free.
    TryLock,
    /// Gives a lock back.
    Unlock,
    /// Gives a lock back and begins to wait for a notification.
    Wait,
    /// Ends a wait and takes the lock again.
    Wake,
    /// Ends waits.
    Notify,
    /// Waits for the end of a thread.
    Join,
    /// Picks one of several ways to go on.
    Choice,
    /// Drops a share of an `Arc`.
    Release,
    /// Takes out what an `Arc` shares, if it is the only share.
    Unwrap,
    /// Reports an event to an observer.
    Event,
    /// Waits until what it has read since its last yield has changed.
    Yield,
}

/// What an operation waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guard {
    /// Nothing.
    None,
    /// The lock at this slot is free.
    Free(u32),
    /// The lock is free, and the wait may end: it was notified, timed out, or ends for no reason.
    Woken {
        /// The lock.
        mutex: u32,
        /// Whether the wait can end without a notification.
        unasked: bool,
    },
    /// That thread has ended.
    Ended(ThreadId),
    /// All threads but this one have ended.
    OthersEnded,
    /// Something that this thread read since it last yielded has changed.
    Changed,
}

/// One operation, announced or done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operation {
    /// What kind it is.
    pub kind: Kind,
    /// What it waits for.
    pub guard: Guard,
    /// What it touches. Announced: at most; done: exactly.
    pub accesses: Accesses,
    /// Of a compare-exchange: what it compares with.
    pub expected: Option<u64>,
    /// What it found, once done. Of the drop of a share: how many there were.
    pub old: u64,
    /// What it left, once done. Of a choice: what was picked.
    pub new: u64,
    /// Of a choice: out of how many.
    pub ways: u32,
    /// Of a wake-up: the index, in the log, of the notification that caused it.
    pub cause: Option<u32>,
    /// Where in the source.
    pub place: &'static Location<'static>,
}

impl Operation {
    /// An operation that waits for nothing.
    #[inline]
    pub fn new(kind: Kind, accesses: Accesses, place: &'static Location<'static>) -> Self {
        Self {
            kind,
            guard: Guard::None,
            accesses,
            expected: None,
            old: 0,
            new: 0,
            ways: 0,
            cause: None,
            place,
        }
    }

    /// Whether two operations of different threads, both done, may not be exchanged.
    #[inline]
    pub fn conflicts(&self, other: &Self) -> bool {
        self.accesses.as_slice().iter().any(|mine| {
            other
                .accesses
                .as_slice()
                .iter()
                .any(|theirs| mine.object == theirs.object && mine.mode.conflicts(theirs.mode))
        })
    }

    /// Whether doing this changes what `asleep`, which could be done in the same state instead, turns out to be.
    ///
    /// Besides operations that conflict, these are two drops of the last two shares: each would not be the last.
    #[inline]
    pub fn disturbs(&self, asleep: &Self) -> bool {
        self.conflicts(asleep)
            || (self.kind == Kind::Release
                && asleep.kind == Kind::Release
                && self.old <= 2
                && self.accesses.as_slice()[0].object == asleep.accesses.as_slice()[0].object)
    }

    /// Whether it is the same operation with the same outcome, in whichever execution.
    #[inline]
    pub fn same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.ways == other.ways
            && self.accesses.len == other.accesses.len
            && self
                .accesses
                .as_slice()
                .iter()
                .zip(other.accesses.as_slice())
                .all(|(a, b)| a.object == b.object && a.mode == b.mode)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)?;
        for access in self.accesses.as_slice() {
            write!(f, " {}", access.object)?;
        }
        match self.kind {
            Kind::Load => write!(f, " = {:#x}", self.old)?,
            Kind::Store => write!(f, " := {:#x}", self.new)?,
            Kind::ReadModifyWrite => write!(f, " {:#x} -> {:#x}", self.old, self.new)?,
            Kind::CompareExchange if self.expected == Some(self.old) => {
                write!(f, " {:#x} -> {:#x}", self.old, self.new)?;
            }
            Kind::CompareExchange => write!(f, " failed on {:#x}", self.old)?,
            Kind::Choice => write!(f, " {} of {}", self.new, self.ways)?,
            _ => {}
        }
        write!(f, " ({}:{})", self.place.file(), self.place.line())
    }
}
