//! What is explored, and how one execution of it is run.

use std::fmt;
use std::panic;
use std::sync::{Arc, Once};

use platform::model::{
    self, Engine, Execution, Failure, FailureKind, Machine, Names, Next, Scheduler, ThreadId,
};

use crate::schedule::Schedule;
use crate::search::Ending;

type Body = Arc<dyn Fn() + Send + Sync>;
type Before = Arc<dyn Fn() + Send + Sync>;
type After = Arc<dyn Fn(Ending) -> Result<(), String> + Send + Sync>;

/// A program to explore: its body, and what is done around each of its executions.
///
/// The body is run once for each execution, as its main thread. It must be deterministic but for the schedule: no
/// time, no randomness, no shared state that is not the platform's.
#[derive(Clone)]
pub struct Program {
    pub(crate) body: Body,
    before: Before,
    after: After,
    done: Before,
    forget: Before,
    pub(crate) leaks: bool,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").finish_non_exhaustive()
    }
}

impl Program {
    /// A program with nothing around it. An `Arc` that an execution leaves behind is a failure.
    pub fn new(body: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            body: Arc::new(body),
            before: Arc::new(|| ()),
            after: Arc::new(|_| Ok(())),
            done: Arc::new(|| ()),
            forget: Arc::new(|| ()),
            leaks: true,
        }
    }

    /// Calls `before` before each execution, on the operating-system thread that will run it.
    pub fn before(mut self, before: impl Fn() + Send + Sync + 'static) -> Self {
        self.before = Arc::new(before);
        self
    }

    /// Calls `after` after each execution, on the operating-system thread that ran it; what it returns as an error
    /// is what is wrong with the execution. It is not called for one that a bound cut off or that has failed.
    pub fn after(mut self, after: impl Fn(Ending) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.after = Arc::new(after);
        self
    }

    /// Calls `done` when an operating-system thread will run no more executions, on that thread.
    pub fn done(mut self, done: impl Fn() + Send + Sync + 'static) -> Self {
        self.done = Arc::new(done);
        self
    }

    /// Calls `forget` when all executions so far are to count as if they had not been: a program that turns out to be
    /// large is begun anew, in parts. No execution is going on then, and `done` has been called.
    pub fn forget(mut self, forget: impl Fn() + Send + Sync + 'static) -> Self {
        self.forget = Arc::new(forget);
        self
    }

    /// Whether an `Arc` that an execution leaves behind is a failure.
    pub fn leaks_fail(mut self, fail: bool) -> Self {
        self.leaks = fail;
        self
    }

    pub(crate) fn call_before(&self) {
        (self.before)();
    }

    pub(crate) fn call_after(&self, ending: Ending) -> Result<(), String> {
        (self.after)(ending)
    }

    pub(crate) fn call_done(&self) {
        (self.done)();
    }

    pub(crate) fn call_forget(&self) {
        (self.forget)();
    }
}

/// Runs executions of one program, on one operating-system thread.
#[derive(Debug)]
pub(crate) struct Runner {
    program: Program,
    machine: Machine,
    names: Option<Names>,
    spurious: u32,
}

impl Runner {
    pub(crate) fn new(program: Program, names: Names, spurious: u32) -> Self {
        quiet();
        Self { program, machine: Machine::new(), names: Some(names), spurious }
    }

    /// Runs one execution; then `read` sees it, and says how it ended. Returns what is wrong with it.
    pub(crate) fn run<S: Scheduler>(
        &mut self,
        scheduler: &mut S,
        read: impl FnOnce(&mut S, &mut Execution) -> Option<Ending>,
    ) -> (Ending, Option<Failure>) {
        self.program.call_before();
        model::begin(Engine::Guarded, self.names.take().expect("no execution is going on"));
        model::with(|e| e.allow_spurious(self.spurious));
        let body = Arc::clone(&self.program.body);
        self.machine.run(Box::new(move || body()), scheduler);
        let ((ended, shares), failure, names) = model::end(|execution| {
            let ended = read(scheduler, execution);
            (ended, execution.shares())
        });
        self.names = Some(names);
        let ending = ended.unwrap_or(if failure.is_some() { Ending::Failed } else { Ending::Complete });
        if failure.is_some() || matches!(ending, Ending::Cut(_)) {
            return (ending, failure);
        }
        let checked = self.program.call_after(ending);
        let failure = match checked {
            Err(message) => Some(Failure { kind: FailureKind::Check, message }),
            Ok(()) if shares > 0 && self.program.leaks => {
                let message = format!("{shares} shared objects were never given up by all who shared them");
                Some(Failure { kind: FailureKind::Leak, message })
            }
            Ok(()) => None,
        };
        (ending, failure)
    }
}

impl Runner {
    /// The schedule of the execution that was run last.
    pub(crate) fn last_schedule(&self) -> Schedule {
        model::last(|execution| Schedule::of(execution, execution.log.len())).expect("an execution was run")
    }
}

/// Says nothing about panics inside of an execution: they are part of what is explored, millions of times, and
/// those that nobody catches are reported as failures.
///
/// shuttle installs a hook of its own when it first runs, which prints a schedule for each panic; so it is made to
/// run first.
pub(crate) fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut config = shuttle_engine::Config::new();
        config.failure_persistence = shuttle_engine::FailurePersistence::None;
        shuttle_engine::Runner::new(shuttle_schedulers::RoundRobinScheduler::new(1), config).run(|| ());
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !model::running() {
                before(info);
            }
        }));
    });
}

/// A scheduler behind a reference, for the machine.
pub(crate) struct Lent<'a, S: ?Sized>(pub(crate) &'a mut S);

impl<S: Scheduler + ?Sized> Scheduler for Lent<'_, S> {
    #[inline]
    fn next(&mut self, execution: &mut Execution) -> Next {
        self.0.next(execution)
    }

    fn choose(&mut self, execution: &mut Execution, thread: ThreadId, ways: u32) -> usize {
        self.0.choose(execution, thread, ways)
    }
}
