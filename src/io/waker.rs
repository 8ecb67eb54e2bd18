//! What wakes a Reader that waits for its source.
//!
//! A [`Waker`] is one word of requests and one descriptor. Whoever wants something of the Reader sets a bit
//! in the word and, if the word was empty, makes the descriptor readable. The Reader first makes it
//! unreadable, then takes all bits at once. A bit set in between is taken now, and one set later finds the
//! word empty and makes the descriptor readable again: none is lost, whoever races.
//!
//! Both accesses to the word are read-modify-writes, so it has one modification order and needs nothing but
//! release and acquire.

use std::io;
use std::time::Duration;

use platform::readiness::{self, Event, Readiness, Source};
use platform::sync::atomic::{AtomicU32, Ordering};

/// What a Reader is asked for: any of these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Requests(u32);

impl Requests {
    /// Nothing.
    pub(crate) const NONE: Self = Self(0);
    /// Return: the meta-process ends.
    pub(crate) const END: Self = Self(1);
    /// Say when the source can be written to.
    pub(crate) const WRITABLE: Self = Self(2);
    /// Look again whether reading may go on.
    pub(crate) const READ_ON: Self = Self(4);

    pub(crate) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What ended a wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    /// What the source is ready for; nothing if there is no source, or it was not the source.
    pub(crate) source: Readiness,
    /// What the Reader was asked for.
    pub(crate) requests: Requests,
}

/// A source, and what to wait for.
pub(crate) type Interest<'a> = (&'a dyn Source, Readiness);

/// Where a Reader waits, and how to end its wait from another thread.
#[derive(Debug)]
pub(crate) struct Waker {
    requests: AtomicU32,
    event: Event,
}

impl Waker {
    /// A waker that nobody has asked for anything yet.
    ///
    /// # Errors
    /// The operating system's, for example when there is no descriptor left.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { requests: AtomicU32::new(0), event: Event::new()? })
    }

    /// Asks the Reader for something. Never waits.
    pub(crate) fn wake(&self, request: Requests) {
        // Release: pairs with the Acquire of `take`; what the Reader is to see was written before.
        if self.requests.fetch_or(request.0, Ordering::Release) == Requests::NONE.0 {
            self.event.raise();
        }
    }

    /// Takes what the Reader was asked for.
    fn take(&self) -> Requests {
        // First the descriptor, then the word: see the head of this file.
        self.event.clear();
        // Acquire: pairs with the Release of `wake`.
        Requests(self.requests.swap(Requests::NONE.0, Ordering::Acquire))
    }

    /// Waits until the source, if there is one, is ready for one of `interest`, or broken, or until the
    /// Reader is asked for something; at most for `timeout`, if there is one. It may return for nothing.
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
        let (asked, ready) = readiness::wait(&self.event, sources, timeout)?;
        Ok((ready, if asked { self.take() } else { Requests::NONE }))
    }
}
