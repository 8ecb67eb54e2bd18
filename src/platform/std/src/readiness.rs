//! Waiting until descriptors are ready: for one thread with a few of them, and for one with any number.
//!
//! Readiness is a *level*: it says how things are, not that something has changed. So a wait that begins too
//! late finds what is there, and nothing has to be used up before the next one.

use std::array;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

#[path = "../../level.rs"]
mod level;

pub use level::Readiness;

/// What can be waited for: whatever has a file descriptor.
pub trait Source: AsFd {}

impl<T: AsFd + ?Sized> Source for T {}

/// A descriptor of one's own, which one thread makes ready to wake another.
#[derive(Debug)]
pub struct Event(OwnedFd);

impl Event {
    /// An event that is not ready.
    ///
    /// # Errors
    /// The operating system's, for example when there is no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Makes it ready to be read. Never waits.
    pub fn raise(&self) {
        // It fails only if the counter is full: then the event has been ready for long.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Makes it ready no more, until it is raised again.
    pub fn clear(&self) {
        // It fails only if the event was not ready.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for Event {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits until the event is raised, or one of `sources` is ready for what is waited for, or broken; at most
/// for `timeout`, if there is one. Says whether the event is raised, and what each source is ready for; nothing, if
/// the time was over first. It may return for nothing.
///
/// # Errors
/// The operating system's: it has no memory for the wait.
pub fn wait<const N: usize>(
    event: &Event,
    sources: [Option<(&dyn Source, Readiness)>; N],
    timeout: Option<Duration>,
) -> io::Result<Option<(bool, [Readiness; N])>> {
    const { assert!(N <= MOST_SOURCES) };
    // Where there is no source, the event is waited for once more, for nothing.
    let mut waits: [_; 1 + MOST_SOURCES] = array::from_fn(|_| PollFd::new(event, PollFlags::empty()));
    waits[0] = PollFd::new(event, PollFlags::IN);
    for (wait, source) in waits[1..].iter_mut().zip(&sources) {
        if let Some((source, interest)) = source {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, interest.intersects(Readiness::READ));
            flags.set(PollFlags::OUT, interest.intersects(Readiness::WRITE));
            *wait = PollFd::from_borrowed_fd(source.as_fd(), flags);
        }
    }
    match poll(&mut waits[..=N], timespec(timeout).as_ref()) {
        Ok(0) => Ok(None),
        Ok(_) => {
            let ready = array::from_fn(|place| polled(waits[1 + place].revents()));
            Ok(Some((!waits[0].revents().is_empty(), ready)))
        }
        Err(Errno::INTR) => Ok(Some((false, [Readiness::NONE; N]))),
        Err(error) => Err(error.into()),
    }
}

/// How many sources one thread waits for at most.
const MOST_SOURCES: usize = 4;

fn polled(flags: PollFlags) -> Readiness {
    let broken = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
    readiness([
        (flags.intersects(PollFlags::IN), Readiness::READ),
        (flags.intersects(PollFlags::OUT), Readiness::WRITE),
        (flags.intersects(broken), Readiness::BROKEN),
    ])
}

fn reported(flags: EventFlags) -> Readiness {
    readiness([
        (flags.intersects(EventFlags::IN | READ_ON), Readiness::READ),
        (flags.intersects(EventFlags::OUT), Readiness::WRITE),
        (flags.intersects(EventFlags::ERR | EventFlags::HUP), Readiness::BROKEN),
        (flags.intersects(READ_ON), Readiness::MORE),
    ])
}

fn readiness<const N: usize>(all: [(bool, Readiness); N]) -> Readiness {
    let ready = all.into_iter().filter(|(holds, _)| *holds);
    ready.fold(Readiness::NONE, |all, (_, one)| all.union(one))
}

/// What makes a read return less than there is: the end, which comes by itself, and urgent data.
const READ_ON: EventFlags = EventFlags::RDHUP.union(EventFlags::PRI);

/// What a poller is told to report, at each change.
fn armed(interest: Readiness) -> EventFlags {
    let mut flags = EventFlags::ET;
    flags.set(EventFlags::IN | READ_ON, interest.intersects(Readiness::READ));
    flags.set(EventFlags::OUT, interest.intersects(Readiness::WRITE));
    flags
}

/// A time too long to be expressed is as good as none.
fn timespec(timeout: Option<Duration>) -> Option<Timespec> {
    timeout.and_then(|timeout| timeout.try_into().ok())
}

/// Where one thread waits for any number of sources, each known by a key.
///
/// A source is reported when it is [armed](Self::arm), if it is ready then, and from then on each time that
/// something more comes for which it is armed. What was there when it was armed or reported last is not reported
/// again: who does not use it up has to arm the source again.
#[derive(Debug)]
pub struct Poller(OwnedFd);

/// How many reports one wait takes at most.
const BATCH: usize = 256;

impl Poller {
    /// A poller without sources.
    ///
    /// # Errors
    /// The operating system's, for example when there is no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(CreateFlags::CLOEXEC)?))
    }

    /// Adds a source, armed for `interest`. One source is in one poller, once.
    ///
    /// # Errors
    /// The operating system's: it has no memory, or cannot wait for a source of this kind, such as a file on a
    /// disk.
    pub fn add(&self, source: &dyn Source, key: u64, interest: Readiness) -> io::Result<()> {
        Ok(epoll::add(&self.0, source.as_fd(), EventData::new_u64(key), armed(interest))?)
    }

    /// Has a source reported if it is ready for `interest`, or broken, and when it becomes so; instead of what
    /// it was armed for before.
    ///
    /// # Errors
    /// The operating system's: it has no memory.
    pub fn arm(&self, source: &dyn Source, key: u64, interest: Readiness) -> io::Result<()> {
        Ok(epoll::modify(&self.0, source.as_fd(), EventData::new_u64(key), armed(interest))?)
    }

    /// Takes a source out. A report that a wait has already found may still come.
    pub fn remove(&self, source: &dyn Source) {
        // It fails only if the source is not there.
        let _ = epoll::delete(&self.0, source.as_fd());
    }

    /// Waits until sources are ready, at most for `timeout`, and adds them to `found`, each with its key;
    /// says whether the time was over first. It may return for nothing.
    ///
    /// # Errors
    /// The operating system's.
    pub fn wait(&self, found: &mut Vec<(u64, Readiness)>, timeout: Option<Duration>) -> io::Result<bool> {
        let mut events = [MaybeUninit::uninit(); BATCH];
        let events = match epoll::wait(&self.0, &mut events, timespec(timeout).as_ref()) {
            Ok((events, _)) => events,
            Err(Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let timed_out = events.is_empty();
        found.extend(events.iter().map(|event| {
            // Copied: the structure is packed.
            let flags = event.flags;
            (event.data.u64(), reported(flags))
        }));
        Ok(timed_out)
    }
}
