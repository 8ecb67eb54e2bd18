//! What every platform that records promises of its recorder; see `primitives.rs` for how this is run.

use std::sync::{Arc, Mutex, PoisonError};

use event::{ActorId, Class, Event, MessageId, Sender};

use super::{explore, platform};
use platform::record::{self, Stamp};

// std's: the sink is the observer's, no part of the program that is explored.
type Trace = Arc<Mutex<Vec<Event>>>;

/// Runs `program` under a fresh recorder and gives what was recorded.
fn recorded(program: impl FnOnce()) -> Vec<Event> {
    let trace = Trace::default();
    let sink = Arc::clone(&trace);
    let push = move |event| sink.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    let before = record::install(Box::new(push));
    assert!(before.is_none(), "one recording at a time");
    program();
    drop(record::uninstall().expect("the recording that was installed"));
    Arc::try_unwrap(trace).expect("the sink is gone").into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn send(to: u64) {
    let stamp = Stamp::new();
    record::emit(|recording| Event::SendBegin {
        message: recording.message(&stamp),
        from: Some(recording.sender()),
        to: ActorId(to),
        class: Class::Main,
    });
}

fn sent(event: &Event) -> (MessageId, Sender, u64) {
    match event {
        Event::SendBegin { message, from: Some(from), to, .. } => (*message, from.clone(), to.0),
        other => panic!("only sends were recorded, not {other:?}"),
    }
}

#[test]
fn events_come_in_the_order_in_which_they_happened() {
    explore(|| {
        let trace = recorded(|| {
            send(1);
            // A join orders the two threads, so the trace must, too.
            platform::thread::spawn("other".to_owned(), 0, || send(2)).expect("a thread").join();
            send(3);
        });
        let to: Vec<u64> = trace.iter().map(|event| sent(event).2).collect();
        assert_eq!(to, [1, 2, 3]);
    });
}

#[test]
fn concurrent_sends_have_different_stamps_and_different_senders() {
    explore(|| {
        let trace = recorded(|| {
            let other = platform::thread::spawn("other".to_owned(), 0, || send(2)).expect("a thread");
            send(1);
            other.join();
        });
        let [first, second] = &trace[..] else { panic!("two sends, not {trace:?}") };
        assert_ne!(sent(first).0, sent(second).0, "stamps");
        assert_ne!(sent(first).1, sent(second).1, "senders");
        assert!(matches!(sent(first).1, Sender::Thread(_)));
    });
}

#[test]
fn a_line_says_who_sends_until_it_ends_and_on_its_thread_only() {
    explore(|| {
        let trace = recorded(|| {
            let outer = record::enter(ActorId(10));
            send(1);
            let inner = record::enter(ActorId(20));
            send(2);
            drop(inner);
            send(3);
            platform::thread::spawn("other".to_owned(), 0, || send(4)).expect("a thread").join();
            drop(outer);
            send(5);
        });
        let from: Vec<Sender> = trace.iter().map(|event| sent(event).1).collect();
        let actor = |id| Sender::Actor(ActorId(id));
        assert_eq!(from[..3], [actor(10), actor(20), actor(10)]);
        assert!(matches!(&from[3], Sender::Thread(_)), "another thread has its own line: {:?}", from[3]);
        assert!(matches!(&from[4], Sender::Thread(_)), "the line has ended: {:?}", from[4]);
        assert_ne!(from[3], from[4]);
    });
}

#[test]
fn nothing_is_recorded_without_a_sink() {
    explore(|| {
        record::emit(|_| panic!("nobody asked for an event"));
        let trace = recorded(|| send(1));
        assert_eq!(trace.len(), 1);
        record::emit(|_| panic!("the recording is over"));
    });
}
