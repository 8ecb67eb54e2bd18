//! One execution as a partial order: which step happened before which, and which pairs race.
//!
//! A *step* is one operation that a thread did. Two steps are dependent if they are of one thread, if they
//! conflict on an object, or if one spawned, joined or woke the other's thread; *happens-before* is the
//! transitive closure. Executions with the same happens-before are equivalent (a Mazurkiewicz trace), and one of
//! each is enough.
//!
//! A *race* is a pair of conflicting steps with nothing in between that could be run the other way round. For an
//! operation that has to wait, "the other way round" means: before the latest step before which it did not have
//! to. A lock is given back before it is taken again, and that order can't be turned; so a lock races with the
//! *previous lock* of the same mutex. Operations that are still waiting when the execution ends race in the same
//! way.

use platform::model::{Access, Execution, Guard, Kind, Mode, Operation, ThreadId};
use smallvec::SmallVec;

/// The most threads that one program can have in all its executions.
pub(crate) const MOST_THREADS: usize = 16;

/// Notes what an operation came to when it was done once more, after the same steps: addresses are others.
pub(crate) fn renew(operation: &mut Operation, again: &Operation) {
    operation.expected = again.expected;
    operation.old = again.old;
    operation.new = again.new;
}

/// How many steps of each thread happened before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Clock([u16; MOST_THREADS]);

impl Clock {
    #[inline]
    pub(crate) fn get(&self, thread: ThreadId) -> u16 {
        self.0[thread.index()]
    }

    #[inline]
    fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
    }
}

/// One step of an execution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) thread: ThreadId,
    pub(crate) operation: Operation,
    /// Which step of its thread it is, from 1 on.
    number: u16,
    /// What happened before it whatever it conflicts with: the steps of its own thread, and of those that
    /// spawned, were joined by, or woke that.
    before: Clock,
    /// All that happened before it, and itself.
    pub(crate) clock: Clock,
}

impl Step {
    /// Whether it happened before what has `clock`.
    #[inline]
    pub(crate) fn in_clock(&self, clock: &Clock) -> bool {
        clock.get(self.thread) >= self.number
    }
}

/// Who touched an object, as far as it can still conflict directly with what comes.
#[derive(Clone, Debug, Default)]
struct Recent {
    accesses: SmallVec<[(u32, Mode); 4]>,
    acquired: Option<u32>,
}

impl Recent {
    fn touch(&mut self, index: usize, mode: Mode) {
        if !matches!(mode, Mode::Read | Mode::Drop) {
            self.accesses.clear();
        }
        self.accesses.push((index as u32, mode));
        if mode == Mode::Acquire {
            self.acquired = Some(index as u32);
        }
    }
}

/// A race: the step at `first` could have come after `second`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Race {
    pub(crate) first: usize,
    pub(crate) second: Second,
}

/// The later one of a race.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Second {
    /// A step.
    Step(usize),
    /// What a thread waited to do at the end; the index in [`Trace::waiting`].
    Waiting(usize),
}

/// An operation that was announced and had to wait until the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) thread: ThreadId,
    pub(crate) operation: Operation,
    before: Clock,
}

/// The partial order of one execution.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) steps: Vec<Step>,
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) races: Vec<Race>,
    recent: Vec<Recent>,
    ends: Vec<Clock>,
    started: [bool; MOST_THREADS],
}

impl Trace {
    /// Reads the first `length` steps of an execution, and finds the races whose later step is the one at `new`
    /// or after it. The steps before that are those of the execution that was read last, if one was: their order is
    /// known. `waiting` are the operations that had to wait when it got there.
    pub(crate) fn read(
        &mut self,
        execution: &Execution,
        length: usize,
        new: usize,
        waiting: &[(ThreadId, Operation)],
    ) {
        self.steps.truncate(new);
        self.waiting.clear();
        self.races.clear();
        for recent in &mut self.recent {
            recent.accesses.clear();
            recent.acquired = None;
        }
        self.ends.clear();
        self.ends.resize(MOST_THREADS, Clock::default());
        self.started = [false; MOST_THREADS];
        let known = self.steps.len();
        for (index, (_, operation)) in execution.log[..known].iter().enumerate() {
            self.repeat(index, operation);
        }
        for (index, (thread, operation)) in execution.log[..length].iter().enumerate().skip(known) {
            self.step(execution, index, *thread, *operation, index >= new);
        }
        for (thread, operation) in waiting {
            let before = self.before(execution, *thread, operation);
            let second = Second::Waiting(self.waiting.len());
            self.waiting.push(Waiting { thread: *thread, operation: *operation, before });
            self.find(second, *thread, operation, &before);
        }
    }

    /// What happened before the next operation of `thread`, whatever it conflicts with.
    fn before(&mut self, execution: &Execution, thread: ThreadId, operation: &Operation) -> Clock {
        if !self.started[thread.index()] {
            self.started[thread.index()] = true;
            let spawned = execution.thread(thread);
            if let Some((parent, _)) = spawned.parent {
                // What the parent had done when it spawned: its steps up to that position.
                let spawner =
                    self.steps[..spawned.spawned_at as usize].iter().rev().find(|step| step.thread == parent);
                self.ends[thread.index()] = match spawner {
                    Some(step) => step.clock,
                    None => self.inherited(execution, parent),
                };
            }
        }
        let mut before = self.ends[thread.index()];
        match operation.guard {
            Guard::Ended(other) => before.join(&self.end(execution, other)),
            Guard::OthersEnded => {
                for other in 0..execution.threads.len() {
                    let other = ThreadId(other as u16);
                    if other != thread && execution.thread(other).live {
                        before.join(&self.end(execution, other));
                    }
                }
            }
            _ => {}
        }
        // A wait that can end by itself does not need its notification.
        if let (Some(cause), Guard::Woken { unasked: false, .. }) = (operation.cause, operation.guard) {
            before.join(&self.steps[cause as usize].clock);
        }
        before
    }

    /// What a thread that has done no step knows from the one that spawned it.
    fn inherited(&self, execution: &Execution, thread: ThreadId) -> Clock {
        let spawned = execution.thread(thread);
        let Some((parent, _)) = spawned.parent else { return Clock::default() };
        let spawner =
            self.steps[..spawned.spawned_at as usize].iter().rev().find(|step| step.thread == parent);
        spawner.map_or_else(|| self.inherited(execution, parent), |step| step.clock)
    }

    /// What has happened before the end of `thread`.
    fn end(&self, execution: &Execution, thread: ThreadId) -> Clock {
        if self.started[thread.index()] {
            self.ends[thread.index()]
        } else {
            self.inherited(execution, thread)
        }
    }

    fn step(
        &mut self,
        execution: &Execution,
        index: usize,
        thread: ThreadId,
        operation: Operation,
        new: bool,
    ) {
        let before = self.before(execution, thread, &operation);
        if new {
            self.find(Second::Step(index), thread, &operation, &before);
        }
        let mut clock = before;
        for access in operation.accesses.as_slice() {
            let slot = access.slot as usize;
            if self.recent.len() <= slot {
                self.recent.resize_with(slot + 1, Recent::default);
            }
            for (other, mode) in &self.recent[slot].accesses {
                if mode.conflicts(access.mode) {
                    clock.join(&self.steps[*other as usize].clock);
                }
            }
            self.recent[slot].touch(index, access.mode);
        }
        let number = before.get(thread) + 1;
        clock.0[thread.index()] = number;
        self.ends[thread.index()] = clock;
        self.steps.push(Step { thread, operation, number, before, clock });
    }

    /// The step at `index`, which is known, was done once more.
    fn repeat(&mut self, index: usize, operation: &Operation) {
        let step = &mut self.steps[index];
        renew(&mut step.operation, operation);
        for access in step.operation.accesses.as_slice() {
            self.recent[access.slot as usize].touch(index, access.mode);
        }
        self.started[step.thread.index()] = true;
        self.ends[step.thread.index()] = step.clock;
    }

    /// Finds what `operation`, about to be done by `thread` or waiting, races with.
    fn find(&mut self, second: Second, thread: ThreadId, operation: &Operation, before: &Clock) {
        let mut direct: SmallVec<[usize; 8]> = SmallVec::new();
        let mut lock = None;
        for access in operation.accesses.as_slice() {
            let Some(recent) = self.recent.get(access.slot as usize) else { continue };
            if access.mode == Mode::Acquire && operation.kind != Kind::TryLock {
                lock = recent.acquired.map(|acquired| acquired as usize);
            }
            // A lock was given back and can't be taken before that; but it may have been looked at since.
            let taken = access.mode == Mode::Acquire && operation.kind != Kind::TryLock;
            for (other, mode) in &recent.accesses {
                if (!taken || *mode == Mode::Read)
                    && mode.conflicts(access.mode)
                    && !direct.contains(&(*other as usize))
                {
                    direct.push(*other as usize);
                }
            }
        }
        let reversible = |step: &Step| {
            step.thread != thread && !step.in_clock(before) && step.operation.kind != Kind::Choice
        };
        for first in &direct {
            let step = &self.steps[*first];
            let immediate =
                direct.iter().all(|other| other == first || !step.in_clock(&self.steps[*other].clock));
            if immediate
                && reversible(step)
                && self.lock_is_free(operation, *first)
                && self.something_changed(thread, operation, *first)
            {
                self.races.push(Race { first: *first, second });
            }
        }
        if let Some(first) = lock
            && reversible(&self.steps[first])
            && !self.races.iter().any(|race| race.second == second && race.first == first)
        {
            self.races.push(Race { first, second });
        }
    }

    /// Whether `operation`, if it takes a lock, could take it where the step at `first` and what depends on it are
    /// taken out.
    fn lock_is_free(&self, operation: &Operation, first: usize) -> bool {
        let Guard::Woken { mutex, .. } = operation.guard else { return true };
        let object = operation.accesses.as_slice().iter().find(|access| access.slot == mutex);
        let Some(Access { object, .. }) = object else { return true };
        let out = &self.steps[first];
        let last = self.steps.iter().enumerate().rev().find_map(|(index, step)| {
            if index >= first && out.in_clock(&step.clock) {
                return None;
            }
            let access = step.operation.accesses.as_slice().iter().find(|access| access.object == *object)?;
            (access.mode != Mode::Read).then_some(access.mode)
        });
        last != Some(Mode::Acquire)
    }

    /// Whether `operation`, if it waits for a change, has one to see where the step at `first` and what depends on
    /// it are taken out.
    fn something_changed(&self, thread: ThreadId, operation: &Operation, first: usize) -> bool {
        if operation.guard != Guard::Changed {
            return true;
        }
        let out = &self.steps[first];
        operation.accesses.as_slice().iter().any(|seen| {
            let touches = |step: &Step| {
                step.operation.accesses.as_slice().iter().any(|access| access.object == seen.object)
            };
            let read = self.steps.iter().rposition(|step| step.thread == thread && touches(step));
            self.steps[read.map_or(0, |read| read + 1)..].iter().any(|step| {
                touches(step)
                    && step
                        .operation
                        .accesses
                        .as_slice()
                        .iter()
                        .any(|access| access.mode.conflicts(seen.mode))
                    && !out.in_clock(&step.clock)
            })
        })
    }

    /// As [`reversed`](Self::reversed), without what came after the second.
    pub(crate) fn reversed_prefix(&self, race: &Race) -> Sequence {
        match race.second {
            Second::Step(index) => self.reversed_until(race, index),
            Second::Waiting(_) => self.reversed(race),
        }
    }

    /// The steps that `race` can be run with the other way round: those after its first that do not depend on it,
    /// and then its second, with the outcome that it will have. Joins are left out: they come by themselves.
    pub(crate) fn reversed(&self, race: &Race) -> Sequence {
        self.reversed_until(race, self.steps.len())
    }

    fn reversed_until(&self, race: &Race, end: usize) -> Sequence {
        let out = &self.steps[race.first];
        let mut items: Vec<Item> = Vec::with_capacity(end - race.first);
        for step in &self.steps[race.first + 1..end] {
            if !out.in_clock(&step.clock) && step.operation.kind != Kind::Join {
                items.push(Item {
                    thread: step.thread,
                    operation: step.operation,
                    number: step.number,
                    before: step.clock,
                    last: false,
                });
            }
        }
        let (thread, operation, before) = self.second(race.second);
        let operation = predict(operation, &out.operation);
        items.push(Item { thread, operation, number: u16::MAX, before, last: true });
        Sequence(items)
    }

    pub(crate) fn second(&self, second: Second) -> (ThreadId, Operation, Clock) {
        match second {
            Second::Step(index) => {
                let step = &self.steps[index];
                (step.thread, step.operation, step.before)
            }
            Second::Waiting(index) => {
                let waiting = &self.waiting[index];
                (waiting.thread, waiting.operation, waiting.before)
            }
        }
    }
}

/// What `operation` will turn out to be when it is done before `first`, with which it races, and not after it.
///
/// A wrong answer here would make a wakeup sequence that can't be followed; it is checked when it is followed.
fn predict(mut operation: Operation, first: &Operation) -> Operation {
    let Some(mine) = operation.accesses.as_slice().first().copied() else { return operation };
    let theirs = first
        .accesses
        .as_slice()
        .iter()
        .find(|access| access.object == mine.object)
        .map(|access| access.mode);
    let Some(theirs) = theirs else { return operation };
    let mode = match operation.kind {
        Kind::CompareExchange if theirs == Mode::Write => {
            operation.old = first.old;
            if operation.expected == Some(first.old) { Mode::Write } else { Mode::Read }
        }
        Kind::TryLock => match theirs {
            Mode::Acquire => Mode::Acquire,
            Mode::Release => Mode::Read,
            _ => mine.mode,
        },
        // Somebody else still has a share: the one who drops it first.
        Kind::Release => {
            operation.old = 2;
            Mode::Drop
        }
        _ => mine.mode,
    };
    operation.accesses.as_mut_slice()[0].mode = mode;
    operation
}

/// Steps to be done in this order, as far as it matters.
#[derive(Clone, Debug)]
pub(crate) struct Sequence(pub(crate) Vec<Item>);

/// One step of a [`Sequence`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) thread: ThreadId,
    pub(crate) operation: Operation,
    number: u16,
    /// What comes before it; of the last one, only whatever it conflicts with.
    before: Clock,
    last: bool,
}

impl Sequence {
    /// Whether the item at `earlier` must stay before the one at `later`.
    fn ordered(&self, earlier: usize, later: usize) -> bool {
        let (a, b) = (&self.0[earlier], &self.0[later]);
        b.before.get(a.thread) >= a.number || (b.last && a.operation.conflicts(&b.operation))
    }

    fn can_begin(&self, position: usize) -> bool {
        (0..position).all(|earlier| !self.ordered(earlier, position))
    }

    /// The threads that can begin it: whose first step needs no other step of it.
    pub(crate) fn initials(&self) -> SmallVec<[ThreadId; 8]> {
        let mut seen: SmallVec<[ThreadId; 8]> = SmallVec::new();
        let mut initials = SmallVec::new();
        for (position, item) in self.0.iter().enumerate() {
            if !seen.contains(&item.thread) {
                seen.push(item.thread);
                if self.can_begin(position) {
                    initials.push(item.thread);
                }
            }
        }
        initials
    }

    /// Whether `thread`, doing `operation`, can begin it, or can do so without standing in its way: it is a *weak
    /// initial*. `Some(Some(position))` says which item it is.
    pub(crate) fn weak_initial(&self, thread: ThreadId, operation: &Operation) -> Option<Option<usize>> {
        match self.0.iter().position(|item| item.thread == thread) {
            Some(position) => self.can_begin(position).then_some(Some(position)),
            None => (!self.0.iter().any(|item| item.operation.conflicts(operation))
                && !self.leaves_last(operation))
            .then_some(None),
        }
    }

    /// Whether `operation`, a drop of a share, may turn into the last one if it comes after all items. It may not
    /// if shares are cloned meanwhile, which is not counted: to be wrong in that direction costs a redundant
    /// execution.
    fn leaves_last(&self, operation: &Operation) -> bool {
        if operation.kind != Kind::Release {
            return false;
        }
        let object = operation.accesses.as_slice()[0].object;
        let drops = self.0.iter().filter(|item| {
            item.operation.kind == Kind::Release && item.operation.accesses.as_slice()[0].object == object
        });
        let drops = drops.count() as u64;
        drops > 0 && operation.old <= drops + 1
    }
}
