//! One execution: its threads, its objects, what was done so far.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::footprint::Footprints;

use super::{CellState, Clock, Guard, Object, ObjectId, Operation, ThreadId};

/// Who schedules the threads of an execution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// An engine that reads the announcements and schedules enabled threads only; see
    /// [`Machine`](super::Machine).
    Guarded,
    /// shuttle's engine with any of its schedulers: threads that are not enabled are blocked and unblocked.
    Shuttle,
}

/// What is wrong with an execution.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// In general.
    pub kind: FailureKind,
    /// In particular.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)
    }
}

/// The kinds of failure that a platform or its engine finds by itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FailureKind {
    /// Two accesses to plain memory, one a write, that the written orderings leave unordered.
    Race,
    /// Threads are left, and none can go on.
    Deadlock,
    /// Threads are left that go round and round, and nothing they look at will ever change.
    Livelock,
    /// A thread of the program panicked, and nobody caught it.
    Panic,
    /// Something shared was never given up.
    Leak,
    /// What the engine's user checks after each execution.
    Check,
    /// The model was used in a way that it does not cover.
    Misuse,
}

/// One thread of an execution.
pub struct Thread {
    /// What it is about to do, unless it runs or has ended.
    pub pending: Option<Operation>,
    /// Whether it exists in this execution.
    pub live: bool,
    /// Whether it has ended.
    pub ended: bool,
    /// Who spawned it, and as which of its children.
    pub parent: Option<(ThreadId, u32)>,
    /// How many steps the log had when it was spawned.
    pub spawned_at: u32,
    pub(crate) clock: Clock,
    pub(crate) spawned: u32,
    pub(crate) created: u32,
    pub(crate) stamps: u64,
    pub(crate) actor: Option<event::ActorId>,
    /// Of a thread that waits: the index, in the log, of the notification that it got.
    pub notified: Option<u32>,
    pub(crate) spurious_left: u32,
    /// What it read since it last yielded, and in which version.
    pub(crate) seen: Vec<(u32, u32)>,
    pub(crate) wrote: bool,
    pub(crate) locals: Vec<(usize, Option<Box<dyn Any>>)>,
    pub(crate) asleep: bool,
}

impl Thread {
    fn new() -> Self {
        Self {
            pending: None,
            live: false,
            ended: false,
            parent: None,
            spawned_at: 0,
            clock: Clock::default(),
            spawned: 0,
            created: 0,
            stamps: 0,
            actor: None,
            notified: None,
            spurious_left: 0,
            seen: Vec::new(),
            wrote: false,
            locals: Vec::new(),
            asleep: false,
        }
    }

    fn reset(&mut self) {
        self.pending = None;
        self.live = false;
        self.ended = false;
        self.parent = None;
        self.spawned_at = 0;
        self.clock.clear();
        self.spawned = 0;
        self.created = 0;
        self.stamps = 0;
        self.actor = None;
        self.notified = None;
        self.spurious_left = 0;
        self.seen.clear();
        self.wrote = false;
        // What is still here belongs to an execution that was cut off, and may expect to be in it.
        self.locals.drain(..).for_each(std::mem::forget);
        self.asleep = false;
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread")
            .field("pending", &self.pending)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// Gives the k-th child of a thread the same number in all executions of one exploration, on however many
/// operating-system threads it runs.
#[derive(Clone, Debug, Default)]
pub struct Names {
    known: HashMap<(ThreadId, u32), ThreadId>,
    shared: Arc<Mutex<Vec<(ThreadId, u32)>>>,
}

impl Names {
    /// No thread but the main one has a number yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of the k-th child of `parent`.
    pub fn child(&mut self, parent: ThreadId, k: u32) -> ThreadId {
        let shared = &self.shared;
        *self.known.entry((parent, k)).or_insert_with(|| {
            let mut all = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let index = all.iter().position(|name| *name == (parent, k)).unwrap_or_else(|| {
                all.push((parent, k));
                all.len() - 1
            });
            ThreadId(u16::try_from(index + 1).expect("fewer than 65535 threads"))
        })
    }

    /// All children that have a number, in the order of their numbers, from 1 on.
    pub fn all(&self) -> Vec<(ThreadId, u32)> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The numbering that [`all`](Self::all) gave.
    pub fn from_all(all: Vec<(ThreadId, u32)>) -> Self {
        Self { known: HashMap::new(), shared: Arc::new(Mutex::new(all)) }
    }
}

/// One execution of a program.
pub struct Execution {
    /// All threads, by number; see [`Thread::live`].
    pub threads: Vec<Thread>,
    /// What was done, in order.
    pub log: Vec<(ThreadId, Operation)>,
    /// What is wrong, once something is.
    pub failure: Option<Failure>,
    /// Who is running.
    pub current: ThreadId,
    /// What the running thread's [`choice`](super::choice) is to be.
    pub chosen: usize,
    /// How many times each thread may wake up from a wait for no reason.
    pub spurious: u32,
    pub(crate) engine: Engine,
    pub(crate) names: Names,
    pub(crate) objects: Vec<Object>,
    pub(crate) observed: HashMap<ObjectId, u32>,
    pub(crate) footprints: Footprints,
    pub(crate) serial: u32,
    pub(crate) shares: usize,
    pub(crate) asleep: usize,
}

thread_local! {
    static CURRENT: RefCell<Option<Box<Execution>>> = const { RefCell::new(None) };
    static SPARE: RefCell<Option<Box<Execution>>> = const { RefCell::new(None) };
    static SERIAL: Cell<u32> = const { Cell::new(0) };
}

/// Starts an execution on this operating-system thread; its main thread is running. One that was never ended is
/// forgotten.
pub fn begin(engine: Engine, names: Names) {
    let spare = CURRENT.take().or_else(|| SPARE.take());
    let serial = SERIAL.get().wrapping_add(1).max(1);
    SERIAL.set(serial);
    let mut execution = spare.unwrap_or_else(|| {
        Box::new(Execution {
            threads: Vec::new(),
            log: Vec::new(),
            failure: None,
            current: ThreadId::MAIN,
            chosen: 0,
            spurious: 0,
            engine,
            names: Names::new(),
            objects: Vec::new(),
            observed: HashMap::new(),
            footprints: Footprints::default(),
            serial,
            shares: 0,
            asleep: 0,
        })
    });
    execution.threads.iter_mut().for_each(Thread::reset);
    execution.log.clear();
    execution.failure = None;
    execution.current = ThreadId::MAIN;
    execution.chosen = 0;
    execution.spurious = 0;
    execution.engine = engine;
    execution.names = names;
    execution.objects.clear();
    execution.observed.clear();
    execution.footprints.clear();
    execution.serial = serial;
    execution.shares = 0;
    execution.asleep = 0;
    execution.start(ThreadId::MAIN, None);
    CURRENT.set(Some(execution));
}

/// Ends the execution of this operating-system thread. `read` sees it once more; then what it left is judged.
///
/// # Errors
/// What is wrong with it.
pub fn end<R>(read: impl FnOnce(&mut Execution) -> R) -> (R, Option<Failure>, Names) {
    let mut execution = CURRENT.take().expect("an execution to end");
    let result = read(&mut execution);
    let failure = execution.failure.take();
    let names = std::mem::take(&mut execution.names);
    SPARE.set(Some(execution));
    (result, failure, names)
}

/// Forgets the execution of this operating-system thread, if there is one.
pub fn discard() {
    let execution = CURRENT.take();
    SPARE.set(execution);
}

/// Looks once more at the execution that ended last on this operating-system thread, if nothing began since.
pub fn last<R>(read: impl FnOnce(&Execution) -> R) -> Option<R> {
    SPARE.with_borrow(|spare| spare.as_deref().map(read))
}

/// Whether an execution is going on, on this operating-system thread.
pub fn running() -> bool {
    CURRENT
        .try_with(|current| current.try_borrow().map_or(true, |current| current.is_some()))
        .unwrap_or(false)
}

/// Works on the execution of this operating-system thread, if there is one.
#[inline]
pub fn with<R>(work: impl FnOnce(&mut Execution) -> R) -> Option<R> {
    CURRENT.with_borrow_mut(|current| current.as_deref_mut().map(work))
}

impl Execution {
    /// The thread called `id`.
    #[inline]
    pub fn thread(&self, id: ThreadId) -> &Thread {
        &self.threads[id.index()]
    }

    #[inline]
    pub(crate) fn me(&mut self) -> &mut Thread {
        &mut self.threads[self.current.index()]
    }

    fn start(&mut self, id: ThreadId, parent: Option<(ThreadId, u32)>) {
        while self.threads.len() <= id.index() {
            self.threads.push(Thread::new());
        }
        let clock = parent.map(|(parent, _)| self.threads[parent.index()].clock.clone()).unwrap_or_default();
        let thread = &mut self.threads[id.index()];
        thread.live = true;
        thread.parent = parent;
        thread.spawned_at = self.log.len() as u32;
        thread.clock = clock;
        thread.clock.tick(id);
        thread.spurious_left = self.spurious;
    }

    /// Adds the next child of the running thread.
    pub(crate) fn spawn(&mut self) -> ThreadId {
        let parent = self.current;
        let k = self.me().spawned;
        self.me().spawned += 1;
        let child = match self.engine {
            Engine::Guarded => self.names.child(parent, k),
            Engine::Shuttle => {
                let before = self.threads.iter().filter(|thread| thread.live).count();
                ThreadId(u16::try_from(before).expect("fewer than 65536 threads"))
            }
        };
        self.start(child, Some((parent, k)));
        let me = self.current;
        self.me().clock.tick(me);
        child
    }

    /// Lets each thread wake up from waits for no reason, so many times. To be called right after [`begin`].
    pub fn allow_spurious(&mut self, times: u32) {
        self.spurious = times;
        self.threads[ThreadId::MAIN.index()].spurious_left = times;
    }

    /// How many things are shared that were never given up by all who share them.
    pub fn shares(&self) -> usize {
        self.shares
    }

    /// How the thread `id` is called: its way down from the main thread.
    pub fn name(&self, id: ThreadId) -> String {
        match self.threads[id.index()].parent {
            None => "t".to_owned(),
            Some((parent, k)) => format!("{}.{k}", self.name(parent)),
        }
    }

    /// Notes down what is wrong, unless something was before.
    #[cold]
    pub fn fail(&mut self, kind: FailureKind, message: String) {
        self.failure.get_or_insert(Failure { kind, message });
    }

    /// Whether what `thread` waits for is the case. A thread without an announced operation waits for nothing.
    #[inline]
    pub fn enabled(&self, thread: ThreadId) -> bool {
        match &self.threads[thread.index()].pending {
            None => true,
            Some(operation) => self.holds(thread, operation.guard),
        }
    }

    fn holds(&self, thread: ThreadId, guard: Guard) -> bool {
        match guard {
            Guard::None => true,
            Guard::Free(mutex) => self.objects[mutex as usize].is_free(),
            Guard::Woken { mutex, unasked } => {
                let me = &self.threads[thread.index()];
                self.objects[mutex as usize].is_free() && (unasked || me.notified.is_some())
            }
            Guard::Ended(other) => self.threads[other.index()].ended,
            Guard::OthersEnded => self
                .threads
                .iter()
                .enumerate()
                .all(|(index, other)| index == thread.index() || !other.live || other.ended),
            Guard::Changed => {
                let me = &self.threads[thread.index()];
                me.seen.iter().any(|(slot, version)| self.objects[*slot as usize].version != *version)
            }
        }
    }

    /// The state of the plain memory at `slot`.
    pub(crate) fn cell(&mut self, slot: u32) -> &mut CellState {
        self.objects[slot as usize].cell()
    }
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution")
            .field("current", &self.current)
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}
