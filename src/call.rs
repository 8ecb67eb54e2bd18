//! Calls: a message whose sender waits for the answer.
//!
//! A call puts a [`Reply`] into its message. The reply is a value like any other: the callee may use it at
//! once, keep it, or pass it on to another actor. It is used at most once, by type; and if it is dropped
//! unused, for whatever reason (the callee ended, the message became a dead letter, a handler forgot), the
//! caller hears of it at once and not by timeout (`call-outcome`).
//!
//! While an actor waits it handles nothing, and blocks no other actor. A call that would close a cycle of
//! waiting callers is refused before anything is sent (`deadlock-refusal`): who waits for whom is one list
//! behind one lock, so of two calls that close a cycle together one is the second. The list is as short as
//! there are threads, since each that waits holds one.
//!
//! Waking another core costs a hundred times more than a message. So if the call wakes its callee, the caller,
//! which has nothing else to do, runs it on its own thread for that one message: the activation is a value and
//! the caller holds it. What the callee does then is not cut short by the caller's timeout.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use event::{ActorId, CallId, CallOutcome, Class, Event};
use platform::record::{Stamp, emit};
use platform::sync::{Arc, Condvar, Mutex};

use crate::address::Address;
use crate::capacity::Capacity;
use crate::executor::blocking;
use crate::inbox::Task;
use crate::lifecycle::Lifecycle;
use crate::node::Node;

/// How many callees may run on top of each other on one thread; the next one is run by the executor. It bounds
/// the stack that a chain of calls needs.
const MAX_DEPTH: usize = 16;

platform::thread_local! {
    #[allow(clippy::missing_const_for_thread_local, reason = "not every platform has the const form")]
    static DEPTH: Cell<usize> = Cell::new(0);
}

/// Why a call has no reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The callee did not accept the message: it has ended, or its mailbox is full.
    Refused,
    /// The reply was dropped unused, most often because the callee has ended.
    Terminated,
    /// No reply came in time. The callee may still be about to handle the message.
    Timeout,
    /// The callee waits, directly or through others, for the caller. Nothing was sent.
    Deadlock,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "the callee did not accept the call",
            Self::Terminated => "the callee ended, or dropped the call unanswered",
            Self::Timeout => "no reply came in time",
            Self::Deadlock => "the callee waits for the caller",
        })
    }
}

impl std::error::Error for CallError {}

impl From<CallError> for CallOutcome {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused => Self::Refused,
            CallError::Terminated => Self::CalleeTerminated,
            CallError::Timeout => Self::Timeout,
            CallError::Deadlock => Self::Deadlock,
        }
    }
}

/// The right to answer one call, once.
///
/// Dropping it tells the caller that no answer will come.
#[must_use = "the caller waits for it"]
pub struct Reply<R> {
    /// Taken out by `send`.
    slot: Option<Arc<Slot<R>>>,
}

/// Where caller and callee meet.
struct Slot<R> {
    state: Mutex<State<R>>,
    settled: Condvar,
    call: Stamp,
    node: Node,
}

enum State<R> {
    /// Not settled yet. If the caller is `asleep`, it must be woken; telling nobody costs a system call too.
    Waiting {
        asleep: bool,
    },
    Replied(R),
    Dropped,
    /// The caller has gone; whatever comes is late.
    GivenUp,
}

impl<R> Reply<R> {
    /// Answers.
    ///
    /// # Errors
    /// The answer, if the caller has given up waiting for it. Late replies are counted:
    /// [`Node::late_replies`].
    pub fn send(mut self, answer: R) -> Result<(), R> {
        let slot = self.slot.take().expect("a reply is used once");
        emit(|r| Event::Reply { call: CallId(r.message(&slot.call).0) });
        slot.settle(State::Replied(answer)).map_err(|late| match late {
            State::Replied(answer) => {
                slot.node.count_late_reply();
                answer
            }
            _ => unreachable!("what is refused comes back as it went"),
        })
    }
}

impl<R> Drop for Reply<R> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            // Nobody waits for it any more: then nobody misses it either.
            let _ = slot.settle(State::Dropped);
        }
    }
}

impl<R> fmt::Debug for Reply<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

impl<R> Slot<R> {
    /// Settles the call, or gives back what comes too late.
    fn settle(&self, outcome: State<R>) -> Result<(), State<R>> {
        let mut state = self.state.lock();
        let State::Waiting { asleep } = *state else { return Err(outcome) };
        *state = outcome;
        drop(state);
        if asleep {
            self.settled.notify_one();
        }
        Ok(())
    }

    /// The outcome, if there is one yet; if not, the caller goes to sleep or, with `last`, gives up.
    fn take(&self, last: bool) -> Option<Result<R, CallError>> {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, State::GivenUp) {
            State::Replied(answer) => Some(Ok(answer)),
            State::Dropped => Some(Err(CallError::Terminated)),
            State::Waiting { .. } if last => Some(Err(CallError::Timeout)),
            State::Waiting { .. } => {
                *state = State::Waiting { asleep: true };
                None
            }
            State::GivenUp => unreachable!("the outcome is taken once"),
        }
    }

    fn wait(&self, timeout: Duration) -> Result<R, CallError> {
        self.take(false).unwrap_or_else(|| {
            blocking(|| {
                let waiting = |state: &mut State<R>| matches!(state, State::Waiting { .. });
                drop(self.settled.wait_timeout_while(self.state.lock(), timeout, waiting));
            });
            // A reply that came between the timeout and now is a reply.
            self.take(true).expect("asked for the last time")
        })
    }
}

/// Who waits for whom, each caller once.
#[derive(Default)]
pub(crate) struct Waits(Mutex<Vec<(ActorId, ActorId)>>);

/// One caller waits, until this is dropped.
struct Wait<'a> {
    waits: &'a Waits,
    caller: ActorId,
}

impl Waits {
    /// Each caller that waits, with its callee.
    pub(crate) fn all(&self) -> Vec<(ActorId, ActorId)> {
        self.0.lock().clone()
    }

    /// Notes that `caller` waits for `callee`; `None` if `callee` waits for `caller`, directly or not.
    fn enter(&self, caller: ActorId, callee: ActorId) -> Option<Wait<'_>> {
        let mut waits = self.0.lock();
        let mut at = callee;
        // Each waits for one, and no cycle is ever let in: this walk ends.
        while at != caller {
            match waits.iter().find(|(waiting, _)| *waiting == at) {
                Some((_, next)) => at = *next,
                None => {
                    waits.push((caller, callee));
                    return Some(Wait { waits: self, caller });
                }
            }
        }
        None
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut waits = self.waits.0.lock();
        let place = waits.iter().position(|(caller, _)| *caller == self.caller);
        waits.swap_remove(place.expect("noted when it began to wait"));
    }
}

/// Calls `to`, as `caller` or as a plain thread.
pub(crate) fn call<M: Send + 'static, R: Send + 'static>(
    node: &Node,
    caller: Option<&Arc<Lifecycle>>,
    to: &Address<M>,
    request: impl FnOnce(Reply<R>) -> M,
    timeout: Duration,
) -> Result<R, CallError> {
    let call = Stamp::new();
    emit(|r| Event::CallBegin { call: CallId(r.message(&call).0), from: Some(r.sender()), to: to.id() });
    let result = attempt(node, caller, to, request, timeout, call);
    let outcome = result.as_ref().map_or_else(|error| CallOutcome::from(*error), |_| CallOutcome::Reply);
    emit(|r| Event::CallEnd { call: CallId(r.message(&call).0), outcome });
    result
}

fn attempt<M: Send + 'static, R: Send + 'static>(
    node: &Node,
    caller: Option<&Arc<Lifecycle>>,
    to: &Address<M>,
    request: impl FnOnce(Reply<R>) -> M,
    timeout: Duration,
    call: Stamp,
) -> Result<R, CallError> {
    let _wait = match caller {
        Some(caller) => Some(node.waits().enter(caller.id, to.id()).ok_or(CallError::Deadlock)?),
        None => None,
    };
    let (state, settled) = (Mutex::new(State::Waiting { asleep: false }), Condvar::new());
    let slot = Arc::new(Slot { state, settled, call, node: node.clone() });
    let message = request(Reply { slot: Some(Arc::clone(&slot)) });
    to.send_with(Class::Main, message, Capacity::reserve, |task| run(task, to))
        .map_err(|_| CallError::Refused)?;
    slot.wait(timeout)
}

/// Runs the callee that the call woke, here if the stack allows.
fn run<M: Send + 'static>(task: Task, callee: &Address<M>) {
    let depth = DEPTH.with(Cell::get);
    if depth == MAX_DEPTH {
        return callee.execute(task);
    }
    DEPTH.with(|cell| cell.set(depth + 1));
    task.run_one();
    DEPTH.with(|cell| cell.set(depth));
}
