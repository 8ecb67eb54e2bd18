//! What wakes a Reader that waits for its source.
//!
//! A [`Waker`] is one word of requests and one *bell*. Whoever wants something of the Reader sets a bit in the
//! word and, if the word was empty, rings the bell. The Reader first silences the bell, then takes all bits at
//! once. A bit set in between is taken now, and one set later finds the word empty and rings again: none is
//! lost, whoever races.
//!
//! What the bell is depends on where the Reader runs. On a thread of its own, it is a descriptor that the
//! thread waits for beside its source. If it shares a poller, it is the inbox of its steps, and ringing is
//! pushing. Before that is known there is none; who brings the bell looks at the word afterwards.
//!
//! Both accesses to the word are read-modify-writes, so it has one modification order and needs nothing but
//! release and acquire.

use std::fmt;
use std::io;
use std::time::Duration;

use platform::readiness::{self, Event, Readiness, Source};
use platform::sync::atomic::{AtomicU32, Ordering};
use platform::sync::{Arc, Mutex};

use crate::inbox::Task;
use crate::node::Node;

/// What a Reader is asked for: any of these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Requests(u32);

impl Requests {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Return: the meta-process ends.
    pub(crate) const END: Self = Self(1);
    /// Say when the source can be written to.
    pub(crate) const WRITABLE: Self = Self(2);
    /// Look again whether reading may go on.
    pub(crate) const READ_ON: Self = Self(4);
    /// The time that was to be waited is over.
    pub(crate) const DUE: Self = Self(8);
    /// Let go of what is written to: it is to be closed.
    pub(crate) const LET_GO: Self = Self(16);
    /// Have the source end, and go on until it has.
    pub(crate) const STOP: Self = Self(32);

    /// Says whether all of `other` is asked for.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// A poller found the source ready.
    pub(crate) fn report(ready: Readiness) -> Self {
        Self(ready.bits() << READY)
    }

    /// What it is asked for by others than a poller.
    pub(crate) fn asked(self) -> Self {
        Self(self.0 & ((1 << READY) - 1))
    }

    /// What a poller found.
    pub(crate) fn reported(self) -> Readiness {
        Readiness::from_bits(self.0 >> READY)
    }
}

/// The bits from here on are a poller's.
const READY: u32 = 24;

/// What ended a wait.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// What the source is ready for; nothing if there is no source, or it was not the source.
    pub source: Readiness,
    /// What the Reader was asked for.
    pub requests: Requests,
}

/// A source, and what to wait for.
pub(crate) type Interest<'a> = (&'a dyn Source, Readiness);

/// Where a Reader waits, and how to end its wait from another thread. Cloning gives another handle on it.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    requests: AtomicU32,
    bell: Mutex<Bell>,
}

/// What tells the Reader that the word is not empty any more.
enum Bell {
    /// It is not known yet where the Reader runs, or it is over.
    None,
    /// It is on a thread of its own.
    Event(Arc<Event>),
    /// It shares a poller.
    Seat(Box<dyn Seated>),
}

/// A Reader that goes on in steps.
pub(crate) trait Seated: Send {
    /// Asks for a step; if nobody is at one, whoever asks has to run it on this node.
    fn push(&self) -> Option<(Node, Task)>;
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Event(_) => "Event",
            Self::Seat(_) => "Seat",
        })
    }
}

impl Default for Waker {
    fn default() -> Self {
        Self::unbound()
    }
}

impl Waker {
    /// The waker of a Reader that may run anywhere.
    pub fn unbound() -> Self {
        Self(Arc::new(Inner { requests: AtomicU32::new(Requests::NONE.0), bell: Mutex::new(Bell::None) }))
    }

    /// The waker of a Reader that runs on a thread of its own.
    ///
    /// # Errors
    /// The operating system's, for example when there is no descriptor left.
    pub(crate) fn new() -> io::Result<Self> {
        let waker = Self::unbound();
        waker.event()?;
        Ok(waker)
    }

    /// Asks the Reader for something. Never waits.
    pub(crate) fn wake(&self, request: Requests) {
        // Release: pairs with the Acquire of `take`; what the Reader is to see was written before.
        if self.0.requests.fetch_or(request.0, Ordering::Release) == Requests::NONE.0 {
            self.ring();
        }
    }

    fn ring(&self) {
        let step = match &*self.0.bell.lock() {
            Bell::None => None,
            Bell::Event(event) => {
                event.raise();
                None
            }
            Bell::Seat(seat) => seat.push(),
        };
        // Not under the lock: who executes it may run it here.
        if let Some((node, task)) = step {
            node.executor().execute(task);
        }
    }

    /// The descriptor that is the bell from now on, if it was not already.
    pub(crate) fn event(&self) -> io::Result<Arc<Event>> {
        let mut bell = self.0.bell.lock();
        if let Bell::Event(event) = &*bell {
            return Ok(Arc::clone(event));
        }
        let event = Arc::new(Event::new()?);
        *bell = Bell::Event(Arc::clone(&event));
        // Relaxed: a request that found no bell was made before this lock was taken; a later one rings.
        if self.0.requests.load(Ordering::Relaxed) != Requests::NONE.0 {
            event.raise();
        }
        Ok(event)
    }

    /// The Reader goes on in steps from now on. Whoever says so looks at the word afterwards.
    pub(crate) fn bind(&self, seat: impl Seated + 'static) {
        let before = std::mem::replace(&mut *self.0.bell.lock(), Bell::Seat(Box::new(seat)));
        drop(before);
    }

    /// Has the Reader be over when what is returned is dropped, so that whoever keeps a handle on the waker, such
    /// as what the Reader has read, keeps no descriptor.
    pub(crate) fn until_over(&self) -> UntilOver {
        UntilOver(self.clone())
    }

    /// The Reader is over: nobody needs to be told anything.
    pub(crate) fn unbind(&self) {
        let before = std::mem::replace(&mut *self.0.bell.lock(), Bell::None);
        drop(before);
    }

    /// Takes what the Reader was asked for. If the bell is not silent already (see the head of this file), the next
    /// wait ends for nothing.
    pub(crate) fn take(&self) -> Requests {
        // Acquire: pairs with the Release of `wake`.
        Requests(self.0.requests.swap(Requests::NONE.0, Ordering::Acquire))
    }

    /// Waits until the source, if there is one, is ready for one of `interest`, or broken, or until the
    /// Reader is asked for something; at most for `timeout`, if there is one: then it is asked for
    /// [`Requests::DUE`]. It may return for nothing.
    ///
    /// # Errors
    /// The operating system's: it has no memory for the wait.
    pub(crate) fn wait(&self, source: Option<Interest<'_>>, timeout: Option<Duration>) -> io::Result<Ready> {
        let ([source], requests) = self.wait_any([source], timeout)?;
        Ok(Ready { source, requests })
    }

    /// Likewise, for any of several sources; says what each is ready for.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub(crate) fn wait_any<const N: usize>(
        &self,
        sources: [Option<Interest<'_>>; N],
        timeout: Option<Duration>,
    ) -> io::Result<([Readiness; N], Requests)> {
        self.wait_at(&*self.event()?, sources, timeout)
    }

    /// Likewise, for who has asked for the [`event`](Self::event) already.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub(crate) fn wait_at<const N: usize>(
        &self,
        event: &Event,
        sources: [Option<Interest<'_>>; N],
        timeout: Option<Duration>,
    ) -> io::Result<([Readiness; N], Requests)> {
        let Some((asked, ready)) = readiness::wait(event, sources, timeout)? else {
            return Ok(([Readiness::NONE; N], Requests::DUE));
        };
        if !asked {
            return Ok((ready, Requests::NONE));
        }
        // First the bell, then the word: see the head of this file.
        event.clear();
        Ok((ready, self.take()))
    }
}

/// Whoever has it is the Reader that a waker is for.
pub(crate) struct UntilOver(Waker);

impl Drop for UntilOver {
    fn drop(&mut self) {
        self.0.unbind();
    }
}
