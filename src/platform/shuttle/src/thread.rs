//! Threads of the model.

use std::cell::Cell;
use std::io;
use std::panic::Location;

use shuttle_engine::runtime::execution::ExecutionState;

use crate::local;
use crate::model::{
    Accesses, Engine, Execution, Guard, Kind, Operation, ThreadId, alone, perform, start, wake,
};

/// The right to wait for a thread's end.
#[derive(Debug)]
pub struct JoinHandle {
    thread: ThreadId,
    /// As on the other platforms, no thread may share it with another.
    _owned: Cell<()>,
}

impl JoinHandle {
    /// Waits until the thread has ended.
    #[track_caller]
    pub fn join(self) {
        let place = Location::caller();
        let thread = self.thread;
        perform(
            |_| {
                let mut operation = Operation::new(Kind::Join, Accesses::NONE, place);
                operation.guard = Guard::Ended(thread);
                operation
            },
            |e, _| e.joined(thread),
        );
    }
}

/// Waits until all other threads of the execution have ended. For engines: a scenario has no use for it.
#[track_caller]
pub fn join_all() {
    let place = Location::caller();
    perform(
        |_| {
            let mut operation = Operation::new(Kind::Join, Accesses::NONE, place);
            operation.guard = Guard::OthersEnded;
            operation
        },
        |e, _| {
            for index in 0..e.threads.len() {
                if e.threads[index].live {
                    e.joined(ThreadId(index as u16));
                }
            }
        },
    );
}

/// Starts a thread. Its name and the size of its stack are the model's.
///
/// # Errors
/// Never; the signature is that of the other platforms.
///
/// # Panics
/// Outside of a model.
#[track_caller]
pub fn spawn(
    _name: String,
    _stack_bytes: usize,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle> {
    let engine = alone(|e| e.engine).expect("threads are spawned inside of a model");
    let thread = match engine {
        Engine::Guarded => {
            let thread = alone(Execution::spawn).expect("a model");
            start(thread, Box::new(body));
            thread
        }
        Engine::Shuttle => start_on_shuttle(body),
    };
    Ok(JoinHandle { thread, _owned: Cell::new(()) })
}

/// Bytes of stack for each thread under shuttle.
const STACK: usize = 256 * 1024;

#[track_caller]
fn start_on_shuttle(body: impl FnOnce() + Send + 'static) -> ThreadId {
    let life = move || {
        let thread = ThreadId(usize::from(ExecutionState::me()) as u16);
        alone(|e| e.current = thread);
        body();
        local::drop_all();
        alone(|e| e.threads[thread.index()].ended = true);
        wake();
    };
    let parent = alone(|e| e.current).expect("a model");
    let task = ExecutionState::spawn_thread(Box::new(life), STACK, None, None, Location::caller());
    // Spawning is a scheduling point of shuttle's, before the task is made.
    let thread = alone(|e| {
        e.current = parent;
        e.spawn()
    })
    .expect("a model");
    assert_eq!(usize::from(task), thread.index(), "threads have the numbers of shuttle's tasks");
    thread
}

/// How many threads can run at the same time: two, the fewest at which work can be stolen.
pub fn parallelism() -> usize {
    2
}

/// Lets others run: waits until something has changed that this thread has read since it last yielded.
///
/// If it changed something itself since then, it goes on at once. A thread that yields in a loop and whose
/// loop can only end by what others do is so explored exhaustively, in few executions.
#[track_caller]
pub fn yield_now() {
    let place = Location::caller();
    perform(
        |e| {
            let (guard, accesses) = e.yield_guard();
            let mut operation = Operation::new(Kind::Yield, accesses, place);
            operation.guard = guard;
            operation
        },
        |e, _| {
            e.me().seen.clear();
            e.me().wrote = false;
        },
    );
}

/// A number that differs from thread to thread, for spreading work.
pub fn hint() -> usize {
    alone(|e| e.current.index()).unwrap_or(0)
}

/// Does not wait: time does not pass in a model.
#[inline]
pub fn linger() {}
