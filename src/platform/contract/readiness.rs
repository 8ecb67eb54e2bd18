//! What every platform promises about descriptors and their waits; included as `primitives.rs` is.

use std::io::ErrorKind;
use std::time::Duration;

use super::{explore, platform};

use platform::readiness::{self, Event, Poller, Readiness, Source, Stream, pair};
use platform::sync::Arc;
use platform::thread;

/// Waits until `stream` is ready for `interest`, and says for what it is.
fn ready(stream: &Stream, interest: Readiness) -> Readiness {
    let event = Event::new().expect("a descriptor");
    loop {
        let source = Some((stream as &dyn Source, interest));
        let (_, [ready]) = readiness::wait(&event, [source], None).expect("a wait").expect("no end of time");
        if !ready.is_none() {
            return ready;
        }
    }
}

#[test]
fn an_event_that_is_raised_ends_a_wait_whichever_is_first() {
    explore(|| {
        let event = Arc::new(Event::new().expect("a descriptor"));
        let raiser = {
            let event = Arc::clone(&event);
            thread::spawn("raiser".into(), 0, move || event.raise()).expect("a thread")
        };
        while !readiness::wait(&event, [None], None).expect("a wait").expect("no end of time").0 {}
        raiser.join();
        event.clear();
        let poller = Poller::new().expect("a descriptor");
        poller.add(&*event, 7, Readiness::READ).expect("it was not added before");
        event.raise();
        let mut found = Vec::new();
        while found.is_empty() {
            poller.wait(&mut found, None).expect("a wait");
        }
        assert_eq!(found, [(7, Readiness::READ)]);
    });
}

#[test]
fn a_wait_without_time_says_that_it_is_over_unless_something_is_ready() {
    explore(|| {
        let event = Event::new().expect("a descriptor");
        let over = readiness::wait(&event, [None], Some(Duration::ZERO)).expect("a wait");
        assert_eq!(over, None);
        event.raise();
        let raised = readiness::wait(&event, [None], Some(Duration::ZERO)).expect("a wait");
        assert_eq!(raised, Some((true, [Readiness::NONE])));
    });
}

#[test]
fn what_is_written_ends_the_wait_of_who_reads() {
    explore(|| {
        let (near, far) = pair(2).expect("two descriptors");
        assert_eq!(near.read(&mut [0]).map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
        let writer = thread::spawn("writer".into(), 0, move || {
            assert_eq!(far.write(&[7]).ok(), Some(1));
            drop(far);
        });
        let mut byte = [0];
        assert!(ready(&near, Readiness::READ).intersects(Readiness::READ));
        assert_eq!(near.unread().ok(), Some(1));
        assert_eq!(near.read(&mut byte).ok(), Some(1));
        assert_eq!(byte, [7]);
        assert_eq!(near.unread().ok(), Some(0));
        assert!(ready(&near, Readiness::READ).intersects(Readiness::READ), "the end is read, too");
        assert_eq!(near.read(&mut byte).ok(), Some(0));
        writer.expect("a thread").join();
    });
}

#[test]
fn who_fills_the_socket_waits_until_it_is_read() {
    explore(|| {
        let (near, far) = pair(2).expect("two descriptors");
        let far = Arc::new(far);
        let mut written = 0;
        while let Ok(count) = near.write(&[7; 4096]) {
            written += count;
        }
        let reader = {
            let far = Arc::clone(&far);
            thread::spawn("reader".into(), 0, move || {
                let (mut left, mut buffer) = (written, [0; 4096]);
                while left > 0 {
                    ready(&far, Readiness::READ);
                    left -= far.read(&mut buffer).expect("it was ready");
                }
            })
        };
        assert!(ready(&near, Readiness::WRITE).intersects(Readiness::WRITE));
        reader.expect("a thread").join();
        assert_eq!(near.write(&[7]).ok(), Some(1));
        drop(far);
    });
}

#[test]
fn a_reset_is_broken_whatever_is_waited_for() {
    explore(|| {
        let (near, far) = pair(2).expect("two descriptors");
        far.reset();
        assert!(ready(&near, Readiness::NONE).intersects(Readiness::BROKEN));
        assert_eq!(near.read(&mut [0]).map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
        assert_eq!(near.read(&mut [0]).ok(), Some(0), "it is told once");
    });
}

#[test]
fn both_halves_closed_is_broken() {
    explore(|| {
        let (near, far) = pair(2).expect("two descriptors");
        far.shutdown_write().expect("it is open");
        assert!(!ready(&near, Readiness::READ).intersects(Readiness::BROKEN));
        near.shutdown_write().expect("it is open");
        assert!(ready(&near, Readiness::NONE).intersects(Readiness::BROKEN));
    });
}

#[test]
fn a_poller_reports_what_is_new_and_what_is_there_when_it_is_armed() {
    explore(|| {
        let (near, far) = pair(2).expect("two descriptors");
        let far = Arc::new(far);
        let poller = Poller::new().expect("a descriptor");
        poller.add(&near, 2, Readiness::READ).expect("it was not added before");
        let writer = {
            let far = Arc::clone(&far);
            thread::spawn("writer".into(), 0, move || assert_eq!(far.write(&[7]).ok(), Some(1)))
        };
        let next = || {
            let mut found = Vec::new();
            while found.is_empty() {
                poller.wait(&mut found, None).expect("a wait");
            }
            found
        };
        assert_eq!(next(), [(2, Readiness::READ)]);
        // It was not read, and is not reported again as long as nothing new comes.
        let event = Event::new().expect("a descriptor");
        event.raise();
        poller.add(&event, 1, Readiness::READ).expect("it was not added before");
        assert_eq!(next(), [(1, Readiness::READ)]);
        poller.arm(&near, 2, Readiness::READ).expect("it was added");
        assert_eq!(next(), [(2, Readiness::READ)]);
        // Read to where nothing is left, it is reported by itself when more comes, and so is the end.
        writer.expect("a thread").join();
        assert_eq!(near.read(&mut [0; 2]).ok(), Some(1));
        let writer = {
            let far = Arc::clone(&far);
            thread::spawn("writer".into(), 0, move || assert_eq!(far.write(&[7]).ok(), Some(1)))
        };
        assert_eq!(next(), [(2, Readiness::READ)]);
        assert_eq!(near.read(&mut [0; 2]).ok(), Some(1));
        far.shutdown_write().expect("it is open");
        assert_eq!(next(), [(2, Readiness::READ.union(Readiness::MORE))]);
        poller.remove(&near);
        writer.expect("a thread").join();
    });
}
