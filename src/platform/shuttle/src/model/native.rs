//! An engine of few parts: coroutines, and a scheduler that sees every announcement.
//!
//! shuttle's engine has to let a task run to find out that it can't go on, reports a deadlock by a panic out of
//! its runner, and takes an execution apart before the next one. Exhaustive exploration needs none of this and
//! pays for it millions of times. Here a thread that is not enabled is not run, an execution that is cut off is
//! forgotten (its stacks are used again, what lay on them is leaked), and a deadlock is an answer.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::execution::with;
use super::{Execution, FailureKind, Guard, Kind, ThreadId};
use crate::{allocator, local};

/// Bytes of stack for each thread of a program.
const STACK: usize = 256 * 1024;

/// Who goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// This thread, whose announced operation is enabled.
    Run(ThreadId),
    /// Nobody: this execution ends here.
    Stop,
}

/// Decides the order of what does not commute with everything.
pub trait Scheduler {
    /// Who goes on. Not all threads have ended; each that has not has an announced operation.
    fn next(&mut self, execution: &mut Execution) -> Next;

    /// Which of `ways` ways `thread` goes on.
    fn choose(&mut self, execution: &mut Execution, thread: ThreadId, ways: u32) -> usize;
}

type Task = Coroutine<(), (), (), DefaultStack>;

/// Runs executions one after the other, on one operating-system thread.
#[derive(Default)]
pub struct Machine {
    tasks: Vec<Option<Task>>,
    yielders: Vec<*const Yielder<(), ()>>,
    stacks: Vec<DefaultStack>,
    /// Spawned, not started. The start of a thread commutes with everything, so it is done at once.
    fresh: Vec<(ThreadId, Box<dyn FnOnce()>)>,
    /// Decided on the stack of the thread that ran last, and not done yet.
    next: Option<Next>,
    scheduler: Option<*mut dyn Scheduler>,
}

thread_local! {
    static MACHINE: Cell<*mut Machine> = const { Cell::new(ptr::null_mut()) };
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").finish_non_exhaustive()
    }
}

impl Machine {
    /// A machine that has run nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `body` as the main thread of the execution that was [begun](super::begin), until all threads have
    /// ended or the scheduler stops it; says whether all have ended.
    ///
    /// # Panics
    /// If called from within an execution.
    pub fn run(&mut self, body: Box<dyn FnOnce()>, scheduler: &mut (dyn Scheduler + '_)) -> bool {
        assert!(MACHINE.get().is_null(), "a model inside of a model");
        let scheduler: *mut (dyn Scheduler + '_) = scheduler;
        // SAFETY: only the lifetime changes; the pointer is used while this call lasts, and cleared before it
        // returns.
        self.scheduler =
            Some(unsafe { std::mem::transmute::<*mut (dyn Scheduler + '_), *mut dyn Scheduler>(scheduler) });
        self.fresh.push((ThreadId::MAIN, body));
        let this: *mut Self = self;
        MACHINE.set(this);
        allocator::hold();
        // SAFETY: `this` is live and used by this operating-system thread only; no reference to it is held
        // while a coroutine, which reaches it through `MACHINE`, runs.
        unsafe {
            (*this).next = None;
            loop {
                let next = (*this).next.take();
                match next.unwrap_or_else(|| decide(this)) {
                    Next::Run(thread) => resume(this, thread),
                    Next::Stop => break,
                }
            }
        }
        MACHINE.set(ptr::null_mut());
        self.scheduler = None;
        let ended =
            with(|e| e.failure.is_none() && e.threads.iter().all(|thread| !thread.live || thread.ended));
        self.clear();
        allocator::release();
        ended.unwrap_or(false)
    }

    /// Forgets the threads that have not ended.
    fn clear(&mut self) {
        for mut task in self.tasks.drain(..).flatten() {
            if !task.done() {
                // SAFETY: what is on the stack is leaked. It is never run again: nobody else has the coroutine,
                // and references into the stack are on stacks that are forgotten with it.
                unsafe { task.force_reset() };
            }
            self.stacks.push(task.into_stack());
        }
        for (_, body) in self.fresh.drain(..) {
            std::mem::forget(body);
        }
    }
}

/// Works on the running machine, for as long as no other coroutine runs.
///
/// # Safety
/// `machine` is the running one, and nobody holds a reference to it.
unsafe fn at<R>(machine: *mut Machine, work: impl FnOnce(&mut Machine) -> R) -> R {
    // SAFETY: the caller's promise; `work` can't switch, for `point` would have to be called from it.
    work(unsafe { &mut *machine })
}

/// # Safety
/// As for [`at`].
unsafe fn resume(machine: *mut Machine, thread: ThreadId) {
    let index = thread.index();
    // SAFETY: the caller's promise.
    let mut task = unsafe { at(machine, |machine| machine.task(thread)) };
    with(|e| e.current = thread);
    // No reference to the machine is held here: the task reaches it, too.
    match task.resume(()) {
        // SAFETY: the caller's promise.
        CoroutineResult::Yield(()) => unsafe { at(machine, |machine| machine.tasks[index] = Some(task)) },
        // SAFETY: the caller's promise.
        CoroutineResult::Return(()) => unsafe {
            at(machine, |machine| machine.stacks.push(task.into_stack()))
        },
    }
}

impl Machine {
    /// The coroutine of `thread`, made if it has not started.
    fn task(&mut self, thread: ThreadId) -> Task {
        let index = thread.index();
        if self.tasks.len() <= index {
            self.tasks.resize_with(index + 1, || None);
            self.yielders.resize(index + 1, ptr::null());
        }
        if let Some(task) = self.tasks[index].take() {
            return task;
        }
        let position = self.fresh.iter().position(|fresh| fresh.0 == thread).expect("a thread to start");
        let (_, body) = self.fresh.remove(position);
        let stack =
            self.stacks.pop().unwrap_or_else(|| DefaultStack::new(STACK).expect("memory for a stack"));
        Coroutine::with_stack(stack, move |yielder, ()| {
            let yielder: *const _ = yielder;
            // SAFETY: a coroutine runs only while its machine does.
            unsafe { at(MACHINE.get(), |machine| machine.yielders[index] = yielder) };
            run_thread(body);
        })
    }
}

/// The life of one thread of a program, on its own stack.
fn run_thread(body: Box<dyn FnOnce()>) {
    let result = catch_unwind(AssertUnwindSafe(body));
    if let Err(payload) = result {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        with(|e| {
            let name = e.name(e.current);
            e.fail(FailureKind::Panic, format!("{name} panicked: {text}"));
        });
    }
    local::drop_all();
    with(|e| e.me().ended = true);
}

/// What the scheduler says, after everything was done that commutes with everything.
///
/// # Safety
/// `machine` is the running one, and nobody holds a reference to it.
unsafe fn decide(machine: *mut Machine) -> Next {
    // SAFETY: the caller's promise.
    let (fresh, scheduler) =
        unsafe { at(machine, |machine| (machine.fresh.last().map(|fresh| fresh.0), machine.scheduler)) };
    if let Some(fresh) = fresh {
        return Next::Run(fresh);
    }
    let scheduler = scheduler.expect("a machine that runs has a scheduler");
    with(|e| {
        if e.failure.is_some() {
            return Next::Stop;
        }
        let mut all_ended = true;
        for index in 0..e.threads.len() {
            let thread = &e.threads[index];
            if !thread.live || thread.ended {
                continue;
            }
            all_ended = false;
            let id = ThreadId(index as u16);
            let Some(pending) = &thread.pending else { continue };
            match (pending.kind, pending.guard) {
                (Kind::Choice, _) => {
                    let ways = pending.ways;
                    // SAFETY: `run` set it, and clears it before the scheduler goes away.
                    e.chosen = unsafe { (*scheduler).choose(e, id, ways) };
                    return Next::Run(id);
                }
                (Kind::Join, Guard::Ended(_) | Guard::OthersEnded) if e.enabled(id) => return Next::Run(id),
                _ => {}
            }
        }
        if all_ended {
            return Next::Stop;
        }
        // SAFETY: as above.
        let next = unsafe { (*scheduler).next(e) };
        if let Next::Run(thread) = next {
            debug_assert!(e.enabled(thread), "{thread} was scheduled, and is not enabled");
        }
        next
    })
    .expect("an execution was begun")
}

/// The scheduling point of the running thread, which has announced what it will do.
pub(super) fn point() {
    let machine = MACHINE.get();
    if machine.is_null() {
        return;
    }
    let Some(me) = with(|e| e.current) else { return };
    // SAFETY: a coroutine of the running machine runs; `Machine::run` holds no reference meanwhile.
    unsafe {
        let next = decide(machine);
        if next == Next::Run(me) {
            return;
        }
        let yielder = at(machine, |machine| {
            machine.next = Some(next);
            machine.yielders[me.index()]
        });
        // It lives as long as its coroutine, which is running.
        (*yielder).suspend(());
    }
}

/// Starts `body` as the thread `child`, which the running thread has just spawned.
pub(crate) fn start(child: ThreadId, body: Box<dyn FnOnce()>) {
    let machine = MACHINE.get();
    assert!(!machine.is_null(), "threads are spawned inside of a model");
    // SAFETY: as in `point`.
    unsafe { at(machine, |machine| machine.fresh.push((child, body))) };
}
