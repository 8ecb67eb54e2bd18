//! The event recorder of a model.
//!
//! All threads of an execution run on one operating-system thread, one at a time, and an engine may run several
//! executions on several of these. So the sink belongs to the operating-system thread. An event whose order
//! matters to an observer is an operation of its own, with its [footprint](crate::footprint).

use std::cell::{Cell, RefCell};
use std::panic::Location;

use event::{ActorId, Event, MessageId, Sender};

use crate::footprint::Aspect;
use crate::model::{Access, Accesses, Kind, Mode, ObjectId, Operation, alone, perform};

/// Takes each event, in order.
pub type Sink = Box<dyn FnMut(Event) + Send>;

// std's on purpose: shared by all threads of the model.
std::thread_local! {
    static SINK: RefCell<Option<Sink>> = const { RefCell::new(None) };
    static IN_ORDER: Cell<bool> = const { Cell::new(false) };
}

/// Whether the sink of this operating-system thread can tell by the order of any two events: then none commute, and
/// an engine explores all orders of all of them, not only those that the [footprints](crate::footprint) tell apart.
pub fn all_in_order(wanted: bool) {
    IN_ORDER.set(wanted);
}

/// What a recorded event may be made from.
#[derive(Debug)]
pub struct Recording(());

impl Recording {
    /// The identity of a message in the trace.
    pub fn message(&self, stamp: &Stamp) -> MessageId {
        MessageId(stamp.0)
    }

    /// Who is running: the actor whose callback or Reader this thread is in, or else the thread itself, by its
    /// way down from the main thread `t`: `t.1.0` is the first child of the main thread's second.
    pub fn sender(&self) -> Sender {
        let sender = alone(|e| match e.me().actor {
            Some(actor) => Sender::Actor(actor),
            None => Sender::Thread(e.name(e.current)),
        });
        sender.unwrap_or_else(|| Sender::Thread("t".to_owned()))
    }
}

/// What makes a message recognisable in a trace: its thread, and how many that had made before. So it is the same
/// in equivalent executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(u64);

impl Stamp {
    /// A stamp that no other message of the execution has.
    #[allow(clippy::new_without_default, reason = "a default that differs each time would mislead")]
    pub fn new() -> Self {
        let stamp = alone(|e| {
            let thread = u64::from(e.current.0);
            e.me().stamps += 1;
            thread << 32 | e.me().stamps
        });
        Self(stamp.unwrap_or(0))
    }
}

/// For as long as it lives, what this thread sends is sent by the actor it was made for.
#[derive(Debug)]
#[must_use = "the actor's line ends when this is dropped"]
pub struct Line(Option<ActorId>);

impl Drop for Line {
    fn drop(&mut self) {
        alone(|e| e.me().actor = self.0);
    }
}

/// Says that this thread acts for `actor` until the returned value is dropped.
pub fn enter(actor: ActorId) -> Line {
    Line(alone(|e| e.me().actor.replace(actor)).flatten())
}

/// Records one event.
///
/// # Panics
/// If the sink itself records an event.
#[track_caller]
pub fn emit(make: impl FnOnce(&Recording) -> Event) {
    if !SINK.with_borrow(Option::is_some) {
        return;
    }
    let place = Location::caller();
    let event = make(&Recording(()));
    let accesses = alone(|e| {
        if IN_ORDER.get() {
            let object = ObjectId::observed(Aspect::Order as u8, 0);
            let slot = e.observed(object);
            return Accesses::one(Access { object, slot, mode: Mode::Write });
        }
        let mut footprints = std::mem::take(&mut e.footprints);
        let mut accesses = Accesses::NONE;
        footprints.of(&event, |(aspect, number, mode)| {
            let object = ObjectId::observed(aspect as u8, number);
            let slot = e.observed(object);
            accesses.push(Access { object, slot, mode });
        });
        e.footprints = footprints;
        accesses
    });
    if let Some(accesses) = accesses
        && !accesses.as_slice().is_empty()
    {
        perform(|_| Operation::new(Kind::Event, accesses, place), |_, _| ());
    }
    SINK.with_borrow_mut(|sink| {
        if let Some(sink) = sink {
            sink(event);
        }
    });
}

/// Starts recording what runs on this operating-system thread into `sink`; ends the recording that was going on
/// and returns its sink.
pub fn install(sink: Sink) -> Option<Sink> {
    SINK.replace(Some(sink))
}

/// Stops recording and returns the sink, if there was one.
pub fn uninstall() -> Option<Sink> {
    SINK.take()
}
