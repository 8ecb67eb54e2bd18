//! The one word by itself: push, take, park, close.

use antiphon::inbox::{Activation, Body, Content, Inbox, Letter, Pushed};
use antiphon::{ActorId, Class, Kind};
use antiphon_harness::reached;
use antiphon_spec::event::Event;
use platform::cell::Witness;
use platform::record::{self, Stamp, emit};
use platform::sync::Arc;

use crate::parts::start;

/// The one actor of these scenarios, as the specification sees it.
const ACTOR: ActorId = ActorId(1);

/// The smallest actor: it notes each item, and ends after a number of them.
struct Notes {
    book: Witness,
    left: u64,
}

struct Item {
    stamp: Stamp,
    letter: Witness,
}

impl Content for Notes {
    type Item = Item;
    type Shared = ();
}

impl Body for Notes {
    fn run(mut activation: Activation<Self>) {
        // The body is the holder's from the start, before anything is taken.
        activation.with(|_, notes| notes.book.read());
        loop {
            let mut batch: Vec<Item> = activation.take().map(Letter::into_item).collect();
            // Taken newest first.
            while let Some(item) = batch.pop() {
                note(&mut activation, &item);
                if activation.with(|_, notes| notes.left == 0) {
                    return close(activation, batch);
                }
            }
            match activation.park() {
                Ok(()) => return reached("parked"),
                Err(back) => activation = back,
            }
            reached("could not park");
        }
    }
}

fn note(activation: &mut Activation<Notes>, item: &Item) {
    activation.with(|_, notes| {
        emit(|r| Event::HandleBegin { actor: ACTOR, message: r.message(&item.stamp) });
        item.letter.read();
        notes.book.read();
        notes.book.write();
        notes.left -= 1;
        emit(|r| Event::HandleEnd { actor: ACTOR, message: r.message(&item.stamp), ok: true });
    });
}

/// Closes; what was taken and not noted, and what was left, becomes dead letters, oldest first.
fn close(activation: Activation<Notes>, mut taken: Vec<Item>) {
    let (mut closed, leftovers) = activation.close();
    let mut left: Vec<Item> = leftovers.map(Letter::into_item).collect();
    while let Some(item) = taken.pop().or_else(|| left.pop()) {
        item.letter.read();
        emit(|r| Event::DeadLetter { actor: ACTOR, message: r.message(&item.stamp) });
        reached("dead letter");
    }
    closed.with(|_, notes| {
        emit(|_| Event::TerminateBegin { actor: ACTOR, reason: None });
        notes.book.write();
        emit(|_| Event::TerminateEnd { actor: ACTOR });
    });
    reached("closed");
}

/// `senders` threads push `items` each; the actor ends after `handles` of them.
pub(crate) fn senders(senders: u64, items: u64, handles: u64) {
    emit(|_| Event::InitBegin { actor: ACTOR, kind: Kind::Process, parent: None });
    emit(|_| Event::InitEnd { actor: ACTOR, ok: true });
    let activation = Inbox::new(Notes { book: Witness::new(), left: handles }, ());
    let inbox = Arc::clone(activation.inbox());
    activation.park().expect("nobody else has the inbox yet");
    let threads: Vec<_> = (1..senders)
        .map(|_| {
            let inbox = Arc::clone(&inbox);
            start(move || push(&inbox, items))
        })
        .collect();
    // The engine's main thread is one of the senders: every thread counts.
    push(&inbox, items);
    threads.into_iter().for_each(platform::thread::JoinHandle::join);
}

/// An actor without events: nobody ever runs it.
struct Nobody;

/// What it is sent: memory that is written before, and shared until it is dropped.
struct Parcel {
    contents: Witness,
    _shared: Arc<Witness>,
}

impl Content for Nobody {
    type Item = Parcel;
    type Shared = ();
}

impl Body for Nobody {
    fn run(activation: Activation<Self>) {
        drop(activation);
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.contents.read();
    }
}

/// An activation is dropped while `senders` threads push: what was accepted is dropped, the rest is refused.
pub(crate) fn abandoned(senders: u64) {
    let activation = Inbox::new(Nobody, ());
    let shared = Arc::new(Witness::new());
    let threads: Vec<_> = (0..senders)
        .map(|_| {
            let (inbox, shared) = (Arc::clone(activation.inbox()), Arc::clone(&shared));
            start(move || {
                let contents = Witness::new();
                contents.write();
                match Inbox::push(&inbox, Parcel { contents, _shared: shared }) {
                    Ok(_) => reached("queued"),
                    Err(_) => reached("refused"),
                }
            })
        })
        .collect();
    drop(activation);
    threads.into_iter().for_each(platform::thread::JoinHandle::join);
}

fn push(inbox: &Arc<Inbox<Notes>>, items: u64) {
    for _ in 0..items {
        let (stamp, letter) = (Stamp::new(), Witness::new());
        letter.write();
        emit(|r: &record::Recording| Event::SendBegin {
            message: r.message(&stamp),
            from: Some(r.sender()),
            to: ACTOR,
            class: Class::Main,
        });
        let pushed = Inbox::push(inbox, Item { stamp, letter });
        emit(|r| Event::SendEnd { message: r.message(&stamp), accepted: pushed.is_ok() });
        match pushed {
            Ok(Pushed::Queued) => reached("queued"),
            Ok(Pushed::Activated(activation)) => {
                reached("activated");
                Notes::run(activation);
            }
            Err(_) => reached("refused"),
        }
    }
}
