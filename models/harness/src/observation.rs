//! What is seen during one execution.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use antiphon_spec::event::Event;
use antiphon_spec::{Guarantee, State, Violation};

use crate::Observed;

/// How many events before a fault a model execution keeps. Its schedule brings back all of them.
const LAST_EVENTS: usize = 30;

/// How many a real execution keeps. It can't be replayed, so its trace is all that is left of it.
const WHOLE_TRACE: usize = 1 << 18;

thread_local! {
    static OWN: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

static SHARED: Mutex<Option<Recorder>> = Mutex::new(None);

/// Is shown each execution.
type Witness = Box<dyn Fn(Recording) + Send + Sync>;

static WITNESS: OnceLock<Witness> = OnceLock::new();

/// One execution as it was recorded, from its beginning on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recording {
    /// What happened, in its order. If an event broke a guarantee, it is the last one.
    pub events: Vec<Event>,
    /// Whether nothing was left in flight after them.
    pub complete: bool,
    /// Whether something was wrong with it; not necessarily something that its events show.
    pub faulty: bool,
}

/// The first thing in an execution that a guarantee does not allow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The guarantee that is broken.
    pub guarantee: Guarantee,
    /// What happened.
    pub message: String,
    /// What the specification would have allowed there; empty if the scenario itself found the fault.
    pub allowed: String,
    /// The event that broke it; none if it was found by a [`check`] or at the end of the execution.
    pub event: Option<Event>,
    /// The events that led to it, oldest first, without `event`.
    pub history: Vec<Event>,
    /// How many events came before those of `history`; zero if these are all.
    pub earlier: u64,
    /// Whether everything had come to rest when it was found, so that nothing follows `history`.
    pub at_rest: bool,
}

impl Fault {
    fn new(guarantee: Guarantee, message: String) -> Self {
        let (allowed, history) = (String::new(), Vec::new());
        Self { guarantee, message, allowed, event: None, history, earlier: 0, at_rest: false }
    }

    fn of(violation: Violation) -> Self {
        Self { allowed: violation.allowed, ..Self::new(violation.guarantee, violation.message) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.guarantee.id(), self.message)
    }
}

impl std::error::Error for Fault {}

/// Starts an execution on the calling thread. One that was never finished, because the engine abandoned
/// it, is forgotten.
pub fn begin() {
    begin_keeping(LAST_EVENTS);
}

/// Starts an execution on the calling thread that keeps the last `events`, for a fault to be told with.
pub fn begin_keeping(events: usize) {
    OWN.with_borrow_mut(|own| own.get_or_insert_default().begin(events));
}

/// Starts the execution of the whole process, for threads that have none of their own.
///
/// There is one at a time: whoever runs several, runs them one after the other. The calling thread gives
/// up what it had of its own.
pub fn begin_shared() {
    OWN.with_borrow_mut(|own| *own = None);
    shared(|shared| shared.get_or_insert_default().begin(WHOLE_TRACE));
}

/// From now on, has every execution of the process recorded as a whole, and shown to `see` when it is finished.
///
/// `see` is called on the stack of whoever finishes, which may be small.
///
/// # Panics
/// If there is a witness already.
pub fn witness(see: impl Fn(Recording) + Send + Sync + 'static) {
    assert!(WITNESS.set(Box::new(see)).is_ok(), "there is one witness");
}

/// Reports an event of the runtime.
pub fn observe(event: Event) {
    with_execution(|execution| execution.observe(event));
}

/// Says that the situation `label` has occurred in this execution.
pub fn reached(label: &'static str) {
    with_execution(|execution| {
        execution.reached.insert(label);
    });
}

/// Says that the scenario itself has put `guarantee` to the test; a false `condition` is a fault.
pub fn check(condition: bool, guarantee: Guarantee, message: impl FnOnce() -> String) {
    // The message is made outside: what makes it may itself report something.
    let message = (!condition).then(message);
    with_execution(|execution| {
        *execution.checked.entry(guarantee).or_default() += 1;
        if let Some(message) = message {
            execution.fail(Fault::new(guarantee, message));
        }
    });
}

/// Ends the execution and adds what it saw to the totals; if there is none, does nothing.
///
/// `complete` says that nothing is left in flight: only then can a message be said to be lost.
///
/// # Errors
/// The first fault of the execution.
#[allow(clippy::result_large_err, reason = "a fault ends the run: there is one at most")]
pub fn finish(complete: bool) -> Result<(), Fault> {
    with_recorder(|recorder| recorder.finish(complete)).unwrap_or(Ok(()))
}

/// Ends the execution without adding what it saw to the totals, as if it had not been; if there is none, does
/// nothing. For an execution that its engine does not count.
///
/// # Errors
/// The first fault of the execution.
#[allow(clippy::result_large_err, reason = "a fault ends the run: there is one at most")]
pub fn abandon(complete: bool) -> Result<(), Fault> {
    let execution = with_recorder(|recorder| recorder.execution.take()).flatten();
    execution.map_or(Ok(()), |mut execution| {
        execution.finish(complete);
        execution.fault.map_or(Ok(()), Err)
    })
}

/// Takes the totals of the executions that this thread (or, for the shared ones, this process) finished
/// since they were last taken.
pub fn take() -> Observed {
    with_recorder(|recorder| std::mem::take(&mut recorder.totals)).unwrap_or_default()
}

fn shared<R>(with: impl FnOnce(&mut Option<Recorder>) -> R) -> R {
    with(&mut SHARED.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The thread's own recorder or else the process's; a thread that is ending has none of its own any more.
fn with_recorder<R>(with: impl FnOnce(&mut Recorder) -> R) -> Option<R> {
    let mut with = Some(with);
    let own = OWN.try_with(|own| {
        let mut own = own.borrow_mut();
        let recorder = own.as_mut()?;
        with.take().map(|with| with(recorder))
    });
    match (own, with) {
        (Ok(Some(result)), _) => Some(result),
        (_, Some(with)) => shared(|shared| shared.as_mut().map(with)),
        (_, None) => None,
    }
}

fn with_execution(with: impl FnOnce(&mut Execution)) {
    with_recorder(|recorder| recorder.execution.as_mut().map(with));
}

/// Records the executions of one thread or of the process, one after the other.
#[derive(Default)]
struct Recorder {
    execution: Option<Execution>,
    totals: Observed,
}

impl Recorder {
    fn begin(&mut self, keep: usize) {
        let keep = if WITNESS.get().is_some() { WHOLE_TRACE } else { keep };
        self.execution = Some(Execution {
            state: State::instrumented(),
            keep,
            history: VecDeque::new(),
            earlier: 0,
            reached: BTreeSet::new(),
            checked: BTreeMap::new(),
            fault: None,
        });
    }

    #[allow(clippy::result_large_err, reason = "a fault ends the run: there is one at most")]
    fn finish(&mut self, complete: bool) -> Result<(), Fault> {
        let Some(mut execution) = self.execution.take() else { return Ok(()) };
        execution.finish(complete);
        if let Some(witness) = WITNESS.get()
            && let Some(recording) = execution.recording(complete)
        {
            witness(recording);
        }
        self.totals.executions += 1;
        for label in execution.reached {
            *self.totals.reached.entry(label).or_default() += 1;
        }
        for (guarantee, count) in execution.checked.into_iter().chain(execution.state.premises().iter()) {
            if count > 0 {
                *self.totals.premises.entry(guarantee).or_default() += count;
            }
        }
        execution.fault.map_or(Ok(()), Err)
    }
}

struct Execution {
    state: State,
    keep: usize,
    history: VecDeque<Event>,
    earlier: u64,
    reached: BTreeSet<&'static str>,
    checked: BTreeMap<Guarantee, u64>,
    fault: Option<Fault>,
}

impl Execution {
    fn observe(&mut self, event: Event) {
        // What follows a fault is judged by nobody: the state is not the runtime's any more.
        if self.fault.is_some() {
            return;
        }
        match self.state.step(&event) {
            Ok(()) => {
                if self.history.len() == self.keep {
                    self.history.pop_front();
                    self.earlier += 1;
                }
                self.history.push_back(event);
            }
            Err(violation) => {
                self.fail(Fault { event: Some(event), ..Fault::of(violation) });
            }
        }
    }

    fn finish(&mut self, complete: bool) {
        if complete
            && self.fault.is_none()
            && let Some(violation) = self.state.finish().into_iter().next()
        {
            self.fail(Fault { at_rest: true, ..Fault::of(violation) });
        }
    }

    /// The whole of it; none if its beginning was not kept.
    fn recording(&self, complete: bool) -> Option<Recording> {
        let (events, earlier, complete) = match &self.fault {
            // What came after an event that broke something was not observed.
            Some(fault) => {
                let events = fault.history.iter().chain(&fault.event).cloned().collect();
                (events, fault.earlier, fault.at_rest)
            }
            None => (self.history.iter().cloned().collect(), self.earlier, complete),
        };
        (earlier == 0).then_some(Recording { events, complete, faulty: self.fault.is_some() })
    }

    fn fail(&mut self, fault: Fault) {
        if self.fault.is_none() {
            let history = std::mem::take(&mut self.history).into();
            self.fault = Some(Fault { history, earlier: self.earlier, ..fault });
        }
    }
}
