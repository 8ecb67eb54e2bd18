//! The event recorder: one counter for the whole process, one sink at a time.
//!
//! An event takes its number and goes to the sink under one lock, so the numbers are strictly increasing
//! in the order in which the sink sees them, and consistent with real time over all threads.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use event::{ActorId, Event, MessageId, Sender};

/// Takes each event, in order.
pub type Sink = Box<dyn FnMut(Event) + Send>;

static SINK: Mutex<Option<Sink>> = Mutex::new(None);
static STAMPS: AtomicU64 = AtomicU64::new(1);
static THREADS: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static ACTOR: Cell<Option<ActorId>> = const { Cell::new(None) };
    // Relaxed: the counter orders nothing, it only hands out different numbers.
    static THREAD: u64 = THREADS.fetch_add(1, Ordering::Relaxed);
}

/// What a recorded event may be made from.
#[derive(Debug)]
pub struct Recording(());

impl Recording {
    /// The identity of a message in the trace.
    pub fn message(&self, stamp: &Stamp) -> MessageId {
        MessageId(stamp.0)
    }

    /// Who is running: the actor whose callback or Reader this thread is in, or else the thread itself.
    pub fn sender(&self) -> Sender {
        match ACTOR.get() {
            Some(actor) => Sender::Actor(actor),
            None => Sender::Thread(format!("t{}", THREAD.with(|number| *number))),
        }
    }
}

/// What makes a message recognisable in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(u64);

impl Stamp {
    /// A stamp that no other message has.
    #[allow(clippy::new_without_default, reason = "a default that differs each time would mislead")]
    pub fn new() -> Self {
        // Relaxed: see THREAD.
        Self(STAMPS.fetch_add(1, Ordering::Relaxed))
    }
}

/// For as long as it lives, what this thread sends is sent by the actor it was made for.
#[derive(Debug)]
#[must_use = "the actor's line ends when this is dropped"]
pub struct Line(Option<ActorId>);

impl Drop for Line {
    fn drop(&mut self) {
        ACTOR.set(self.0);
    }
}

/// Says that this thread acts for `actor` until the returned value is dropped.
pub fn enter(actor: ActorId) -> Line {
    Line(ACTOR.replace(Some(actor)))
}

/// Records one event.
pub fn emit(make: impl FnOnce(&Recording) -> Event) {
    let mut sink = SINK.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sink) = &mut *sink {
        sink(make(&Recording(())));
    }
}

/// Starts recording into `sink`; ends the recording that was going on and returns its sink.
pub fn install(sink: Sink) -> Option<Sink> {
    SINK.lock().unwrap_or_else(PoisonError::into_inner).replace(sink)
}

/// Stops recording and returns the sink, if there was one.
pub fn uninstall() -> Option<Sink> {
    SINK.lock().unwrap_or_else(PoisonError::into_inner).take()
}
