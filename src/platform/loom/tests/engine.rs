//! What the README of this platform says of loom, held down.

use antiphon_platform_loom as platform;

use std::panic::catch_unwind;
use std::sync::atomic as observer;

use platform::cell::{UnsafeCell, Witness};
use platform::sync::Arc;
use platform::sync::atomic::{AtomicUsize, Ordering};

struct Unguarded(UnsafeCell<u64>);

// SAFETY: not sound, and meant to be found out: the accesses below are raced on purpose, inside loom, which
// runs one thread at a time and stops at the second access before it happens.
#[allow(unsafe_code)]
unsafe impl Sync for Unguarded {}

impl Unguarded {
    #[allow(unsafe_code)]
    fn write(&self) {
        // SAFETY: loom fails the model before a second access that nothing orders.
        self.0.with_mut(|memory| unsafe { *memory += 1 });
    }
}

fn race(write: fn(&Unguarded)) {
    loom::model(move || {
        let shared = Arc::new(Unguarded(UnsafeCell::new(0)));
        let other = {
            let shared = Arc::clone(&shared);
            platform::thread::spawn("rival".to_owned(), 0, move || shared.write()).expect("a thread")
        };
        write(&shared);
        other.join();
    });
}

fn message(outcome: std::thread::Result<()>) -> String {
    let payload = outcome.expect_err("loom finds it");
    match payload.downcast_ref::<String>() {
        Some(text) => text.clone(),
        None => (*payload.downcast_ref::<&str>().expect("a text")).to_owned(),
    }
}

#[test]
fn a_data_race_is_found() {
    let outcome = catch_unwind(|| race(Unguarded::write));
    assert!(message(outcome).starts_with("Causality violation"));
}

#[test]
fn a_data_race_is_found_even_where_panics_are_contained() {
    let outcome = catch_unwind(|| {
        race(|shared| {
            let _ = platform::panic::catch(|| shared.write());
        });
    });
    assert!(message(outcome).starts_with("Causality violation"));
}

#[test]
fn a_data_race_on_witnessed_memory_is_found() {
    let outcome = catch_unwind(|| {
        loom::model(|| {
            let memory = Arc::new(Witness::new());
            let reader = {
                let memory = Arc::clone(&memory);
                platform::thread::spawn("reader".to_owned(), 0, move || memory.read()).expect("a thread")
            };
            memory.write();
            reader.join();
        });
    });
    assert!(message(outcome).starts_with("Causality violation"));
}

#[test]
fn a_leaked_arc_is_found() {
    let outcome = catch_unwind(|| loom::model(|| std::mem::forget(Arc::new(1))));
    assert!(message(outcome).contains("Arc"), "the leak of an Arc is named");
}

#[test]
fn stamps_and_thread_names_begin_anew_in_every_execution() {
    static EXECUTIONS: observer::AtomicUsize = observer::AtomicUsize::new(0);
    loom::model(|| {
        EXECUTIONS.fetch_add(1, Ordering::Relaxed);
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let sink = std::sync::Arc::clone(&seen);
        platform::record::install(Box::new(move |event| sink.lock().unwrap().push(event)));
        let order = Arc::new(AtomicUsize::new(0));
        let emit = move |order: &AtomicUsize| {
            order.fetch_add(1, Ordering::Relaxed);
            let stamp = platform::record::Stamp::new();
            platform::record::emit(|recording| event::Event::SendBegin {
                message: recording.message(&stamp),
                from: Some(recording.sender()),
                to: event::ActorId(1),
                class: event::Class::Main,
            });
        };
        let other = {
            let order = Arc::clone(&order);
            platform::thread::spawn("other".to_owned(), 0, move || emit(&order)).expect("a thread")
        };
        emit(&order);
        other.join();
        drop(platform::record::uninstall());
        let mut names: Vec<String> = Vec::new();
        let mut stamps: Vec<u64> = Vec::new();
        for event in seen.lock().unwrap().iter() {
            let event::Event::SendBegin { message, from: Some(event::Sender::Thread(name)), .. } = event
            else {
                panic!("a send of a thread, not {event:?}");
            };
            stamps.push(message.0);
            names.push(name.clone());
        }
        names.sort();
        stamps.sort_unstable();
        assert_eq!((names, stamps), (vec!["t0".to_owned(), "t1".to_owned()], vec![1, 2]));
    });
    assert!(EXECUTIONS.load(Ordering::Relaxed) > 1, "the second execution is what this is about");
}

#[test]
fn events_are_not_operations() {
    // Two threads that only record: loom sees nothing that they share, and explores one order of the two. So
    // overlaps between callbacks are seen only if something inside them is an operation, or by a cell.
    static EXECUTIONS: observer::AtomicUsize = observer::AtomicUsize::new(0);
    loom::model(|| {
        EXECUTIONS.fetch_add(1, Ordering::Relaxed);
        let emit = || platform::record::emit(|_| event::Event::TerminateEnd { actor: event::ActorId(1) });
        let other = platform::thread::spawn("other".to_owned(), 0, emit).expect("a thread");
        emit();
        other.join();
    });
    assert_eq!(EXECUTIONS.load(Ordering::Relaxed), 1);
}

#[test]
fn time_stands_still_and_a_choice_is_always_the_first() {
    loom::model(|| {
        assert_eq!(platform::time::now(), platform::time::now());
        assert_eq!(platform::choice(3), 0);
    });
}

#[test]
fn a_timeout_never_comes() {
    loom::model(|| {
        let shared = Arc::new((platform::sync::Mutex::new(false), platform::sync::Condvar::new()));
        let opener = {
            let shared = Arc::clone(&shared);
            let open = move || {
                *shared.0.lock() = true;
                shared.1.notify_one();
            };
            platform::thread::spawn("opener".to_owned(), 0, open).expect("a thread")
        };
        let no_time = std::time::Duration::ZERO;
        let (open, timed_out) = shared.1.wait_timeout_while(shared.0.lock(), no_time, |open| !*open);
        assert!(*open && !timed_out);
        drop(open);
        opener.join();
    });
}

#[test]
fn outside_of_a_model_the_primitives_panic() {
    let outcome = catch_unwind(|| platform::sync::Arc::new(0)).map(drop);
    assert!(message(outcome).contains("outside"));
}
