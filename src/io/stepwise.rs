//! Readers that never block: step functions on readiness.
//!
//! A [`Stepwise`] Reader says what it waits for, and goes one step on when that is there. The same steps can
//! be taken in two places, and the choice is one word for whoever spawns it:
//!
//! | | where the steps run | an idle Reader costs |
//! |---|---|---|
//! | `spawn_meta(reader, handler)` | on a thread of its own | a thread, a descriptor, the resident part of its stack |
//! | `spawn_meta(shared(reader), handler)` | on the node's executor, when the node's poller finds it ready | some hundred bytes |

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use platform::readiness::{Readiness, Source};

use super::connection::STACK_BYTES;
use super::shared::start;
use super::waker::{Ready, Requests, Waker};
use crate::exit::Exit;
use crate::meta::{Interrupt, Reader, ReaderContext, ReaderLine};

/// What a step comes to: to go on, or to end, with a reason if it failed.
pub type Step = ControlFlow<Result<(), Exit>>;

/// What a Reader waits for until its next step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wait {
    /// What its source is to be ready for; whether it is broken is always waited for. `None`: not for its
    /// source at all.
    pub interest: Option<Readiness>,
    /// The longest to wait.
    pub timeout: Option<Duration>,
}

/// A Reader as a step function: it never blocks, and is called when there is something to do.
pub trait Stepwise<M: Send + 'static>: Send + Sized + 'static {
    /// The descriptor that it reads; always the same.
    fn source(&self) -> &dyn Source;

    /// What wakes it when it is asked for something; always the same.
    fn waker(&self) -> &Waker;

    /// What the next step waits for. Asked before each.
    fn wait(&self) -> Wait;

    /// Goes one step on: something is ready, or was asked for, or the time is over, or none of these. Must not
    /// block, except in what it calls the user's; what it does not use up is there for the next step.
    fn step(&mut self, ready: Ready, context: &ReaderContext<M>) -> Step;

    /// Says whether the last step left nothing of what its source was ready for: the source said that it would
    /// block, or a stream gave less than there was room for. Asked after each step. If so, the poller need not
    /// look at the source again, which saves a system call; to say so wrongly is to wait for ever.
    fn has_used_up(&self) -> bool {
        false
    }

    /// The Reader is to share a poller. Called at most once, first: what it spawns may do so too.
    fn share(&mut self) {}
}

/// Ends a Reader for an error of the operating system.
pub(crate) fn failed(error: io::Error) -> Step {
    Step::Break(Err(error.into()))
}

/// A Reader that is taken in steps: on a thread of its own, unless it is [`shared`](shared()).
#[derive(Debug)]
pub struct Steps<S> {
    reader: S,
    shares: bool,
}

/// Has a Reader share the node's poller, instead of having a thread of its own.
///
/// It keeps every promise that it keeps on its own thread. A listener's connections share the poller too.
pub fn shared<S>(reader: Steps<S>) -> Steps<S> {
    Steps { shares: true, ..reader }
}

impl<S> Steps<S> {
    /// The Reader that goes these steps.
    pub fn new(reader: S) -> Self {
        Self { reader, shares: false }
    }
}

impl<M: Send + 'static, S: Stepwise<M>> Reader<M> for Steps<S> {
    const STACK_BYTES: usize = STACK_BYTES;

    fn interrupt(&mut self) -> Interrupt {
        let waker = self.reader.waker().clone();
        Interrupt::new(move || waker.wake(Requests::END))
    }

    fn run(self, context: &ReaderContext<M>) -> Result<(), Exit> {
        let mut reader = self.reader;
        let event = reader.waker().event()?;
        let _until_over = reader.waker().until_over();
        loop {
            let Wait { interest, timeout } = reader.wait();
            let source = interest.map(|interest| (reader.source(), interest));
            let ([source], requests) = reader.waker().wait_at(&event, [source], timeout)?;
            let ready = Ready { source, requests };
            if ready.requests.contains(Requests::END) {
                return Ok(());
            }
            if let Step::Break(result) = reader.step(ready, context) {
                return result;
            }
        }
    }

    fn start(mut self, line: ReaderLine<M>) -> io::Result<()> {
        if self.shares {
            self.reader.share();
            return start(self.reader, line);
        }
        line.on_a_thread(self)
    }
}
