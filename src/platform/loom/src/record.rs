//! The event recorder of a model.
//!
//! All threads of one loom execution are coroutines on one operating-system thread, run one at a time. So the
//! sink belongs to that operating-system thread, an event costs no scheduling point, and the order in which
//! the sink sees the events is the order in which the execution produced them.

use std::cell::{Cell, RefCell};

use event::{ActorId, Event, MessageId, Sender};

/// Takes each event, in order.
pub type Sink = Box<dyn FnMut(Event) + Send>;

// std's on purpose: shared by all threads of the model, unlike the variables of `loom::thread_local!`.
std::thread_local! {
    static SINK: RefCell<Option<Sink>> = const { RefCell::new(None) };
    static STAMPS: Cell<u64> = const { Cell::new(1) };
}

loom::thread_local! {
    static ACTOR: Cell<Option<ActorId>> = Cell::new(None);
}

/// What a recorded event may be made from.
#[derive(Debug)]
pub struct Recording(());

impl Recording {
    /// The identity of a message in the trace.
    pub fn message(&self, stamp: &Stamp) -> MessageId {
        MessageId(stamp.0)
    }

    /// Who is running: the actor whose callback or Reader this thread is in, or else the thread itself, as
    /// `t` and its number in the execution; the main thread is `t0`.
    pub fn sender(&self) -> Sender {
        // A thread that is past its thread-local variables acts for itself.
        match ACTOR.try_with(Cell::get).ok().flatten() {
            Some(actor) => Sender::Actor(actor),
            None => Sender::Thread(thread_name()),
        }
    }
}

/// loom gives the number of a thread only inside its `Debug` output, `ThreadId(n)`.
fn thread_name() -> String {
    let id = format!("{:?}", loom::thread::current().id());
    format!("t{}", id.trim_start_matches("ThreadId(").trim_end_matches(')'))
}

/// What makes a message recognisable in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(u64);

impl Stamp {
    /// A stamp that no other message of the execution has.
    #[allow(clippy::new_without_default, reason = "a default that differs each time would mislead")]
    pub fn new() -> Self {
        let stamp = STAMPS.get();
        STAMPS.set(stamp + 1);
        Self(stamp)
    }
}

/// For as long as it lives, what this thread sends is sent by the actor it was made for.
#[derive(Debug)]
#[must_use = "the actor's line ends when this is dropped"]
pub struct Line(Option<ActorId>);

impl Drop for Line {
    fn drop(&mut self) {
        // A thread that is past its thread-local variables has no line to go back to.
        let _ = ACTOR.try_with(|actor| actor.set(self.0));
    }
}

/// Says that this thread acts for `actor` until the returned value is dropped.
pub fn enter(actor: ActorId) -> Line {
    Line(ACTOR.with(|current| current.replace(Some(actor))))
}

/// Records one event.
///
/// # Panics
/// If the sink itself records an event.
pub fn emit(make: impl FnOnce(&Recording) -> Event) {
    SINK.with_borrow_mut(|sink| {
        if let Some(sink) = sink {
            sink(make(&Recording(())));
        }
    });
}

/// Starts recording the model of this operating-system thread into `sink`, with stamps from 1 on; ends the
/// recording that was going on and returns its sink.
pub fn install(sink: Sink) -> Option<Sink> {
    STAMPS.set(1);
    SINK.replace(Some(sink))
}

/// Stops recording and returns the sink, if there was one.
pub fn uninstall() -> Option<Sink> {
    SINK.take()
}
