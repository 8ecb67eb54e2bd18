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

impl Ready {
    /// The wait ended for some other reason, or because the time was over.
    const NOT: Self = Self { source: PollFlags::empty(), requests: Requests::NONE };
}

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
    pub(crate) fn wait(
        &self,
        source: Option<(BorrowedFd<'_>, PollFlags)>,
        timeout: Option<Duration>,
    ) -> io::Result<Ready> {
        let mut fds = [PollFd::new(&self.event, PollFlags::IN), PollFd::new(&self.event, PollFlags::empty())];
        let mut waited_for = &mut fds[..1];
        if let Some((source, interest)) = source {
            fds[1] = PollFd::from_borrowed_fd(source, interest);
            waited_for = &mut fds[..];
        }
        // A time too long to be expressed is as good as none.
        let timeout = timeout.and_then(|timeout| timeout.try_into().ok());
        match poll(waited_for, timeout.as_ref()) {
            Ok(0) | Err(Errno::INTR) => return Ok(Ready::NOT),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let requests = if fds[0].revents().is_empty() { Requests::NONE } else { self.take() };
        Ok(Ready { source: fds[1].revents(), requests })
    }
}
