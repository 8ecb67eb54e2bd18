//! What wakes a Reader that waits for its source.
//!
//! A [`Waker`] is one word of requests and one descriptor. Whoever wants something of the Reader sets a bit
//! in the word and, if the word was empty, makes the descriptor readable. The Reader first makes it
//! unreadable, then takes all bits at once. A bit set in between is taken now, and one set later finds the
//! word empty and makes the descriptor readable again: none is lost, whoever races.
//!
//! Both accesses to the word are read-modify-writes, so it has one modification order and needs nothing but
//! release and acquire.

use std::array;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use platform::sync::atomic::{AtomicU32, Ordering};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;

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
    pub(crate) source: PollFlags,
    /// What the Reader was asked for.
    pub(crate) requests: Requests,
}

/// A source, and what to wait for.
pub(crate) type Source<'a> = (BorrowedFd<'a>, PollFlags);

/// How many sources one Reader waits for at most.
const MOST_SOURCES: usize = 4;

/// Where a Reader waits, and how to end its wait from another thread.
#[derive(Debug)]
pub(crate) struct Waker {
    requests: AtomicU32,
    event: OwnedFd,
}

impl Waker {
    /// A waker that nobody has asked for anything yet.
    ///
    /// # Errors
    /// The operating system's, for example when there is no descriptor left.
    pub(crate) fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { requests: AtomicU32::new(0), event })
    }

    /// Asks the Reader for something. Never waits.
    pub(crate) fn wake(&self, request: Requests) {
        // Release: pairs with the Acquire of `take`; what the Reader is to see was written before.
        if self.requests.fetch_or(request.0, Ordering::Release) == Requests::NONE.0 {
            // The counter is at most one: only whoever finds the word empty adds to it.
            let written = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
            debug_assert_eq!(written, Ok(8), "an event counter has room for one more");
        }
    }

    /// Takes what the Reader was asked for.
    fn take(&self) -> Requests {
        // First the descriptor, then the word: see the head of this file.
        let _ = rustix::io::read(&self.event, &mut [0; 8]);
        // Acquire: pairs with the Release of `wake`.
        Requests(self.requests.swap(Requests::NONE.0, Ordering::Acquire))
    }

    /// Waits until the source, if there is one, is ready for one of `interest`, or broken, or until the
    /// Reader is asked for something; at most for `timeout`, if there is one. It may return for nothing.
    ///
    /// # Errors
    /// The operating system's: it has no memory for the wait.
    pub(crate) fn wait(&self, source: Option<Source<'_>>, timeout: Option<Duration>) -> io::Result<Ready> {
        let ([source], requests) = self.wait_any([source], timeout)?;
        Ok(Ready { source, requests })
    }

    /// Likewise, for any of several sources; says what each is ready for.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub(crate) fn wait_any<const N: usize>(
        &self,
        sources: [Option<Source<'_>>; N],
        timeout: Option<Duration>,
    ) -> io::Result<([PollFlags; N], Requests)> {
        const { assert!(N <= MOST_SOURCES) };
        let mut fds: [_; 1 + MOST_SOURCES] = array::from_fn(|_| PollFd::new(&self.event, PollFlags::empty()));
        fds[0] = PollFd::new(&self.event, PollFlags::IN);
        // Where there is no source, the event is waited for once more, for nothing.
        for (fd, source) in fds[1..].iter_mut().zip(&sources) {
            if let Some((source, interest)) = source {
                *fd = PollFd::from_borrowed_fd(*source, *interest);
            }
        }
        // A time too long to be expressed is as good as none.
        let timeout = timeout.and_then(|timeout| timeout.try_into().ok());
        match poll(&mut fds[..=N], timeout.as_ref()) {
            Ok(0) | Err(Errno::INTR) => return Ok(([PollFlags::empty(); N], Requests::NONE)),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let requests = if fds[0].revents().is_empty() { Requests::NONE } else { self.take() };
        Ok((array::from_fn(|place| fds[1 + place].revents()), requests))
    }
}
