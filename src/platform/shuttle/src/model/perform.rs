//! How an operation is announced, scheduled, done, and logged.

use std::cell::Cell;
use std::panic::Location;

use shuttle_engine::runtime::execution::ExecutionState;
use shuttle_engine::runtime::task::TaskId;

use super::execution::with;
use super::race::State;
use super::{
    Access, Accesses, Clock, Engine, Execution, FailureKind, Guard, Kind, Mode, Object, ObjectId, Operation,
    ThreadId, native,
};

/// What a primitive keeps to find its object again.
#[derive(Debug)]
pub(crate) struct Handle {
    serial: Cell<u32>,
    slot: Cell<u32>,
}

// SAFETY: an execution and all its objects stay on one operating-system thread.
unsafe impl Sync for Handle {}

impl Handle {
    /// Registers a new object, created by the running thread.
    #[track_caller]
    pub(crate) fn new(state: impl FnOnce() -> State) -> Self {
        let made = with(|e| (e.serial, e.create(state())));
        // Outside of a model it is an object that can be dropped, nothing else.
        let (serial, slot) = made.unwrap_or((0, 0));
        Self { serial: Cell::new(serial), slot: Cell::new(slot) }
    }

    /// Its slot in the execution `e`; none if it belongs to another one, or to none.
    #[inline]
    pub(crate) fn get(&self, e: &Execution) -> Option<u32> {
        (self.serial.get() == e.serial).then(|| self.slot.get())
    }

    /// Its slot in the execution `e`.
    #[inline]
    #[track_caller]
    pub(crate) fn slot(&self, e: &mut Execution) -> u32 {
        match self.get(e) {
            Some(slot) => slot,
            None => panic!("an object of a model is used outside of the execution that made it"),
        }
    }

    #[inline]
    #[track_caller]
    pub(crate) fn access(&self, e: &mut Execution, mode: Mode) -> Access {
        let slot = self.slot(e);
        Access { object: e.objects[slot as usize].id, slot, mode }
    }
}

impl Execution {
    /// Adds an object that the running thread creates.
    pub(crate) fn create(&mut self, state: State) -> u32 {
        let me = self.current;
        let n = self.me().created;
        self.me().created += 1;
        let created = (me, self.me().clock.get(me));
        self.objects.push(Object { id: ObjectId::created(me, n), version: 0, created, state });
        (self.objects.len() - 1) as u32
    }

    /// The slot of something that an observer keeps.
    pub(crate) fn observed(&mut self, object: ObjectId) -> u32 {
        if let Some(slot) = self.observed.get(&object) {
            return *slot;
        }
        self.objects.push(Object {
            id: object,
            version: 0,
            created: (ThreadId::MAIN, 0),
            state: State::Observed,
        });
        let slot = (self.objects.len() - 1) as u32;
        self.observed.insert(object, slot);
        slot
    }

    /// What the running thread learns from an acquiring operation on `slot`.
    pub(crate) fn acquire(&mut self, slot: u32) {
        let me = self.current.index();
        let released = std::mem::take(self.objects[slot as usize].released());
        self.threads[me].clock.join(&released);
        *self.objects[slot as usize].released() = released;
    }

    /// What a releasing operation leaves at `slot`; `on_top` of what was there, or instead of it.
    pub(crate) fn release(&mut self, slot: u32, on_top: bool) {
        let clock = &self.threads[self.current.index()].clock;
        let released = self.objects[slot as usize].released();
        if !on_top {
            released.clear();
        }
        released.join(clock);
    }

    /// The running thread has done `operation`.
    fn done(&mut self, operation: Operation) {
        let me = self.current;
        let mut wrote = false;
        for access in operation.accesses.as_slice() {
            let object = &mut self.objects[access.slot as usize];
            if access.mode == Mode::Read {
                let seen = (access.slot, object.version);
                let thread = &mut self.threads[me.index()];
                if !thread.seen.contains(&seen) {
                    thread.seen.push(seen);
                }
            } else {
                object.version = object.version.wrapping_add(1);
                wrote = true;
            }
        }
        let thread = self.me();
        thread.wrote |= wrote;
        thread.clock.tick(me);
        self.log.push((me, operation));
    }

    /// The threads that shuttle's engine believes blocked and that are enabled now.
    fn awake(&mut self) -> Option<ThreadId> {
        if self.asleep == 0 {
            return None;
        }
        let index = (0..self.threads.len())
            .find(|index| self.threads[*index].asleep && self.enabled(ThreadId(*index as u16)))?;
        self.threads[index].asleep = false;
        self.asleep -= 1;
        Some(ThreadId(index as u16))
    }
}

/// Announces what `announce` says, waits to be scheduled, and does `apply`, which may correct what it announced.
///
/// `None` if there is no execution: then nobody else can see what is being done.
#[inline]
pub(crate) fn perform<R>(
    announce: impl FnOnce(&mut Execution) -> Operation,
    apply: impl FnOnce(&mut Execution, &mut Operation) -> R,
) -> Option<R> {
    let engine = with(|e| {
        let operation = announce(e);
        e.me().pending = Some(operation);
        e.engine
    })?;
    match engine {
        Engine::Guarded => native::point(),
        Engine::Shuttle => shuttle_point(),
    }
    let result = with(|e| {
        let mut operation = e.me().pending.take().expect("what was announced");
        let result = apply(e, &mut operation);
        e.done(operation);
        result
    });
    if engine == Engine::Shuttle {
        wake();
    }
    result
}

/// Whether shuttle's engine can be asked to switch.
fn shuttle_schedules() -> bool {
    ExecutionState::try_with(|state| state.try_current().is_some() && !state.in_cleanup()).unwrap_or(false)
}

/// The scheduling point under shuttle: once, and then again for as long as the guard does not hold.
fn shuttle_point() {
    if !shuttle_schedules() {
        return;
    }
    let me = with(|e| e.current).expect("an execution");
    // A panicking thread goes on without switching where it can: shuttle can have only one such thread.
    let mut announced = std::thread::panicking();
    loop {
        let enabled = with(|e| e.enabled(me)).expect("an execution");
        if enabled && announced {
            break;
        }
        if !enabled {
            with(|e| {
                e.threads[me.index()].asleep = true;
                e.asleep += 1;
            });
            ExecutionState::with(|state| state.current_mut().block(false));
        }
        announced = true;
        shuttle_engine::runtime::thread::switch();
        with(|e| e.current = me);
    }
}

/// Tells shuttle's engine who is enabled again.
pub(crate) fn wake() {
    while let Some(thread) = with(Execution::awake).flatten() {
        ExecutionState::with(|state| state.get_mut(TaskId::from(thread.index())).unblock());
    }
}

/// Does something that no other thread can notice, if there is an execution.
#[inline]
pub(crate) fn alone<R>(work: impl FnOnce(&mut Execution) -> R) -> Option<R> {
    with(work)
}

/// Picks one of `ways` ways to go on, as the engine likes; each is explored by an exhaustive one.
///
/// # Panics
/// If `ways` is zero, or outside of an execution.
#[track_caller]
pub fn choice(ways: usize) -> usize {
    assert!(ways > 0, "a choice among nothing");
    let place = Location::caller();
    let engine = with(|e| e.engine).expect("a choice is made inside of a model");
    if ways == 1 {
        return 0;
    }
    if engine == Engine::Shuttle {
        // A choice commutes with everything, so it needs no point of its own.
        let random = if shuttle_schedules() { ExecutionState::next_u64() } else { 0 };
        let chosen = random % ways as u64;
        with(|e| {
            let mut operation = Operation::new(Kind::Choice, Accesses::NONE, place);
            (operation.ways, operation.new) = (ways as u32, chosen);
            e.done(operation);
        });
        return chosen as usize;
    }
    perform(
        |_| {
            let mut operation = Operation::new(Kind::Choice, Accesses::NONE, place);
            operation.ways = u32::try_from(ways).expect("a choice of few");
            operation
        },
        |e, operation| {
            operation.new = e.chosen as u64;
            e.chosen
        },
    )
    .expect("an execution")
}

impl Execution {
    /// Takes the mutex at `slot` for the running thread.
    pub(crate) fn lock(&mut self, slot: u32) {
        let me = self.current;
        match &mut self.objects[slot as usize].state {
            State::Mutex { holder, .. } => {
                debug_assert!(holder.is_none(), "scheduled while the lock was held");
                *holder = Some(me);
            }
            _ => unreachable!("only a mutex is locked"),
        }
        self.acquire(slot);
    }

    /// Gives the mutex at `slot` back.
    pub(crate) fn unlock(&mut self, slot: u32) {
        match &mut self.objects[slot as usize].state {
            State::Mutex { holder, .. } => {
                assert_eq!(*holder, Some(self.current), "a lock is given back by who took it");
                *holder = None;
            }
            _ => unreachable!("only a mutex is unlocked"),
        }
        self.release(slot, false);
    }

    /// The running thread has seen that `thread` has ended.
    pub(crate) fn joined(&mut self, thread: ThreadId) {
        let clock: Clock = self.threads[thread.index()].clock.clone();
        self.me().clock.join(&clock);
    }

    /// What the running thread waits for at a yield: nothing if it changed something since the last one, else a
    /// change of what it has read since.
    pub(crate) fn yield_guard(&mut self) -> (Guard, Accesses) {
        let me = self.current.index();
        if self.threads[me].wrote || self.threads[me].seen.is_empty() {
            return (Guard::None, Accesses::NONE);
        }
        let mut slots: Vec<u32> = self.threads[me].seen.iter().map(|seen| seen.0).collect();
        slots.sort_unstable();
        slots.dedup();
        if slots.len() > Accesses::MOST {
            self.fail(FailureKind::Misuse, format!("a thread yields after reading {} objects", slots.len()));
            return (Guard::None, Accesses::NONE);
        }
        let mut accesses = Accesses::NONE;
        for slot in slots {
            accesses.push(Access { object: self.objects[slot as usize].id, slot, mode: Mode::Read });
        }
        (Guard::Changed, accesses)
    }
}
