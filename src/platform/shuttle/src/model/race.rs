//! What is known of each object: enough to schedule it, and to find data races on it and around it.

use std::panic::Location;

use super::{Clock, Execution, FailureKind, ObjectId, ThreadId};

/// One shared object of an execution.
pub(crate) struct Object {
    pub(crate) id: ObjectId,
    /// Counts what changed it.
    pub(crate) version: u32,
    /// Who created it, and when.
    pub(crate) created: (ThreadId, u32),
    pub(crate) state: State,
}

/// What kind of object it is, and its state.
pub(crate) enum State {
    /// Its value is where it is used; `released` is what an acquiring read of that value learns.
    Atomic {
        released: Clock,
    },
    Mutex {
        holder: Option<ThreadId>,
        released: Clock,
    },
    Condvar {
        waiting: Vec<ThreadId>,
    },
    Cell(CellState),
    Shared {
        count: usize,
        released: Clock,
    },
    Observed,
}

/// Who last touched a piece of plain memory, and who touches it now.
#[derive(Default)]
pub(crate) struct CellState {
    written: Option<(ThreadId, u32, &'static Location<'static>)>,
    reads: Clock,
    last_read: Option<&'static Location<'static>>,
    readers: u32,
    writer: Option<(ThreadId, &'static Location<'static>)>,
    dropped: bool,
}

impl Object {
    pub(crate) fn is_free(&self) -> bool {
        match &self.state {
            State::Mutex { holder, .. } => holder.is_none(),
            _ => unreachable!("only a mutex is locked"),
        }
    }

    pub(crate) fn cell(&mut self) -> &mut CellState {
        match &mut self.state {
            State::Cell(cell) => cell,
            _ => unreachable!("only plain memory is accessed as such"),
        }
    }

    pub(crate) fn waiting(&mut self) -> &mut Vec<ThreadId> {
        match &mut self.state {
            State::Condvar { waiting } => waiting,
            _ => unreachable!("only a condition variable is waited for"),
        }
    }

    /// What an acquiring operation on it learns.
    pub(crate) fn released(&mut self) -> &mut Clock {
        match &mut self.state {
            State::Atomic { released } | State::Mutex { released, .. } | State::Shared { released, .. } => {
                released
            }
            State::Condvar { .. } | State::Cell(_) | State::Observed => {
                unreachable!("it synchronizes nothing")
            }
        }
    }
}

impl Execution {
    /// Checks that the object at `slot` had come to the running thread's knowledge by something that orders.
    pub(crate) fn check_published(&mut self, slot: u32, place: &'static Location<'static>) {
        let (creator, time) = self.objects[slot as usize].created;
        if self.threads[self.current.index()].clock.get(creator) < time && creator != self.current {
            let message = format!(
                "{} uses, at {place}, an object that {} made; nothing orders the one before the other",
                self.name(self.current),
                self.name(creator)
            );
            self.fail(FailureKind::Race, message);
        }
    }

    /// An access to plain memory begins.
    pub(crate) fn cell_begin(&mut self, slot: u32, write: bool, place: &'static Location<'static>) {
        self.check_published(slot, place);
        let me = self.current;
        let overlap = {
            let cell = self.cell(slot);
            let overlap = match cell.writer {
                Some(other) => Some(other.1),
                None if write && cell.readers > 0 => cell.last_read,
                None => None,
            };
            if write {
                cell.writer = Some((me, place));
            } else {
                cell.readers += 1;
                cell.last_read = Some(place);
            }
            overlap
        };
        if let Some(other) = overlap {
            let message =
                format!("{} accesses at {place} what is still being accessed at {other}", self.name(me));
            self.fail(FailureKind::Race, message);
        }
        self.cell_touch(slot, write, place);
    }

    /// It ends: from here on it must be ordered before what comes next.
    pub(crate) fn cell_end(&mut self, slot: u32, write: bool, place: &'static Location<'static>) {
        let cell = self.cell(slot);
        if write {
            cell.writer = None;
        } else {
            cell.readers = cell.readers.saturating_sub(1);
        }
        self.cell_touch(slot, write, place);
    }

    /// The memory is given back: whoever touched it must have done so before.
    pub(crate) fn cell_drop(&mut self, slot: u32, place: &'static Location<'static>) {
        self.cell_touch(slot, true, place);
        self.cell(slot).dropped = true;
    }

    fn cell_touch(&mut self, slot: u32, write: bool, place: &'static Location<'static>) {
        let me = self.current;
        let clock = std::mem::take(&mut self.threads[me.index()].clock);
        let cell = self.cell(slot);
        let mut wrong = None;
        if cell.dropped {
            wrong = Some((me, "accesses memory that was given back", place));
        }
        if let Some((writer, time, at)) = cell.written
            && clock.get(writer) < time
        {
            wrong = Some((writer, "and a write", at));
        }
        if write
            && wrong.is_none()
            && let Some(reader) = cell.reads.beyond(&clock)
        {
            wrong = Some((reader, "and a read", cell.last_read.unwrap_or(place)));
        }
        if write {
            cell.written = Some((me, clock.get(me), place));
            cell.reads.clear();
        } else {
            cell.reads.set(me, clock.get(me));
            cell.last_read = Some(place);
        }
        self.threads[me.index()].clock = clock;
        if let Some((other, what, at)) = wrong {
            let how = if write { "write" } else { "read" };
            let message = format!(
                "a {how} by {} at {place} {what} by {} at {at}: nothing orders them",
                self.name(me),
                self.name(other)
            );
            self.fail(FailureKind::Race, message);
        }
    }
}

impl Object {
    pub(crate) fn plain(cell: CellState) -> State {
        State::Cell(cell)
    }

    pub(crate) fn atomic() -> State {
        State::Atomic { released: Clock::default() }
    }

    pub(crate) fn mutex() -> State {
        State::Mutex { holder: None, released: Clock::default() }
    }

    pub(crate) fn condvar() -> State {
        State::Condvar { waiting: Vec::new() }
    }

    pub(crate) fn shared() -> State {
        State::Shared { count: 1, released: Clock::default() }
    }

    pub(crate) fn count(&mut self) -> &mut usize {
        match &mut self.state {
            State::Shared { count, .. } => count,
            _ => unreachable!("only what is shared is counted"),
        }
    }
}
