//! What is wrong is found, comes with a schedule that brings it back, and with a smaller one.

mod common;

use antiphon_explorer::{Cut, Explorer, FailureKind, Found, Mode, Program, Sampler, Schedule, Stop, sample};
use common::*;
use platform::cell::UnsafeCell;
use platform::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use platform::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Explores in both reduced modes; both must find it, and it must come back.
#[track_caller]
fn finds(kind: FailureKind, body: fn()) -> Found {
    let mut last = None;
    for mode in [Mode::Source, Mode::Optimal] {
        let program = Program::new(body);
        let report = Explorer::new().mode(mode).run(&program).expect("no shards");
        assert!(!report.complete);
        let found = report.failure.unwrap_or_else(|| panic!("{mode:?} finds nothing"));
        assert_eq!(found.kind, kind, "{}", found.message);
        assert!(found.reproducible);
        let smaller = |schedule: &Schedule| (schedule.switches(), schedule.len());
        assert!(smaller(&found.minimised) <= smaller(&found.schedule));
        let text = found.minimised.to_string();
        let again = Explorer::new().replay(&program, &text.parse().expect("what was printed can be read"));
        assert!(again.faithful);
        assert_eq!(again.failure.expect("it fails again").kind, kind);
        last = Some(found);
    }
    last.expect("two modes")
}

#[track_caller]
fn finds_nothing(body: fn()) {
    for mode in [Mode::Source, Mode::Optimal] {
        let report = Explorer::new().mode(mode).run(&Program::new(body)).expect("no shards");
        assert!(report.complete, "{:?}", report.failure);
    }
}

struct Memory(UnsafeCell<u64>);

// SAFETY: not sound where a test means it to be found out; one thread runs at a time all the same.
#[allow(unsafe_code)]
unsafe impl Sync for Memory {}

impl Memory {
    fn write(&self) {
        // SAFETY: as above.
        #[allow(unsafe_code)]
        self.0.with_mut(|memory| unsafe { *memory += 1 });
    }
}

fn message_passing(store: Ordering, load: Ordering) {
    let shared = Arc::new((Memory(UnsafeCell::new(0)), AtomicBool::new(false)));
    threads(2, move |index| {
        if index == 0 {
            shared.0.write();
            shared.1.store(true, store);
        } else if shared.1.load(load) {
            shared.0.write();
        }
    });
}

#[test]
fn deadlock() {
    let found = finds(FailureKind::Deadlock, crossed_locks);
    assert_eq!(found.minimised.switches(), 1, "{}", found.minimised);
    assert_eq!(found.minimised.len(), 2, "one lock each");
}

#[test]
fn a_race_that_only_the_written_orderings_show() {
    // Sequentially consistent values never do harm here; the orderings do not say so.
    finds(FailureKind::Race, || message_passing(Ordering::Relaxed, Ordering::Acquire));
    finds(FailureKind::Race, || message_passing(Ordering::Release, Ordering::Relaxed));
    finds_nothing(|| message_passing(Ordering::Release, Ordering::Acquire));
    finds_nothing(|| message_passing(Ordering::SeqCst, Ordering::SeqCst));
}

#[test]
fn a_release_sequence_ends_at_a_store_and_goes_on_through_a_read_modify_write() {
    fn through(relay: fn(&AtomicUsize)) {
        let shared = Arc::new((Memory(UnsafeCell::new(0)), AtomicUsize::new(0)));
        threads(3, move |index| match index {
            0 => {
                shared.0.write();
                shared.1.store(1, Ordering::Release);
            }
            1 => relay(&shared.1),
            _ => {
                if shared.1.load(Ordering::Acquire) == 11 {
                    shared.0.write();
                }
            }
        });
    }
    finds_nothing(|| {
        through(|word| {
            word.fetch_add(10, Ordering::Relaxed);
        });
    });
    finds(FailureKind::Race, || {
        through(|word| {
            if word.load(Ordering::Relaxed) == 1 {
                word.store(11, Ordering::Relaxed);
            }
        });
    });
}

#[test]
fn what_is_published_without_release_is_a_race() {
    use platform::sync::atomic::AtomicPtr;
    fn publish(ordering: Ordering) {
        let pointer = Arc::new(AtomicPtr::<AtomicUsize>::new(std::ptr::null_mut()));
        threads(2, move |index| {
            if index == 0 {
                let made = Box::into_raw(Box::new(AtomicUsize::new(0)));
                pointer.store(made, ordering);
            } else {
                let seen = pointer.load(Ordering::Acquire);
                // SAFETY: whatever is stored there is never freed.
                #[allow(unsafe_code)]
                if let Some(seen) = unsafe { seen.as_ref() } {
                    seen.load(Ordering::Relaxed);
                }
            }
        });
    }
    finds(FailureKind::Race, || publish(Ordering::Relaxed));
    finds_nothing(|| publish(Ordering::Release));
}

#[test]
fn panic() {
    finds(FailureKind::Panic, || {
        let number = Arc::new(AtomicUsize::new(0));
        let theirs = Arc::clone(&number);
        threads(2, move |_| {
            let seen = theirs.load(Ordering::Relaxed);
            theirs.store(seen + 1, Ordering::Relaxed);
        });
        assert_eq!(number.load(Ordering::Relaxed), 2, "an increment was lost");
    });
}

#[test]
fn a_lost_wake_up() {
    let found = finds(FailureKind::Deadlock, || {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        threads(2, move |index| {
            if index == 0 {
                // The lock is missing between the check and the wait.
                if !*shared.0.lock() {
                    let _guard = shared.1.wait(shared.0.lock());
                }
            } else {
                *shared.0.lock() = true;
                shared.1.notify_one();
            }
        });
    });
    assert!(found.message.contains("Wake"), "{}", found.message);
}

#[test]
fn a_wait_is_woken_by_whichever_notification() {
    finds_nothing(|| {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        threads(3, move |index| {
            if index < 2 {
                let mut free = shared.0.lock();
                while *free == 0 {
                    free = shared.1.wait(free);
                }
                *free -= 1;
            } else {
                *shared.0.lock() = 2;
                shared.1.notify_all();
            }
        });
    });
}

#[test]
fn a_timeout_comes_or_not() {
    use std::sync::Mutex as Plain;
    static SEEN: Plain<Vec<bool>> = Plain::new(Vec::new());
    finds_nothing(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        threads(2, move |index| {
            if index == 0 {
                let wait =
                    shared.1.wait_timeout_while(shared.0.lock(), Duration::from_secs(1), |done| !*done);
                SEEN.lock().unwrap().push(wait.1);
            } else {
                *shared.0.lock() = true;
                shared.1.notify_one();
            }
        });
    });
    let seen = SEEN.lock().unwrap();
    assert!(seen.contains(&true) && seen.contains(&false));
}

#[test]
fn spurious_wake_ups_if_allowed() {
    fn hasty() {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        threads(2, move |index| {
            let mut ready = shared.0.lock();
            if index == 0 {
                if !*ready {
                    ready = shared.1.wait(ready);
                }
                assert!(*ready, "woken for no reason");
            } else {
                *ready = true;
                shared.1.notify_one();
            }
        });
    }
    finds_nothing(hasty);
    let report = Explorer::new().spurious(1).run(&Program::new(hasty)).expect("no shards");
    assert_eq!(report.failure.expect("a spurious wake-up").kind, FailureKind::Panic);
}

#[test]
fn livelock() {
    finds(FailureKind::Livelock, || {
        let flag = Arc::new(AtomicBool::new(false));
        threads(2, move |index| {
            if index == 0 {
                while !flag.load(Ordering::Acquire) {
                    platform::thread::yield_now();
                }
            } else if flag.load(Ordering::Relaxed) {
                flag.store(true, Ordering::Release);
            }
        });
    });
    finds_nothing(|| {
        let flag = Arc::new(AtomicBool::new(false));
        threads(2, move |index| {
            if index == 0 {
                while !flag.load(Ordering::Acquire) {
                    platform::thread::yield_now();
                }
            } else {
                flag.store(true, Ordering::Release);
            }
        });
    });
}

#[test]
fn a_livelock_in_which_everybody_is_busy() {
    // Each takes its own, looks for the other's, and gives its own back out of politeness.
    fn polite(times: usize) {
        let taken = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        threads(2, move |index| {
            for _ in 0..times {
                taken[index].store(true, Ordering::SeqCst);
                if !taken[1 - index].load(Ordering::SeqCst) {
                    return;
                }
                taken[index].store(false, Ordering::SeqCst);
            }
        });
    }
    for mode in [Mode::Source, Mode::Optimal] {
        let program = Program::new(|| polite(usize::MAX));
        let report = Explorer::new().mode(mode).depth(300).run(&program).expect("no shards");
        let found = report.failure.expect("a livelock");
        assert_eq!(found.kind, FailureKind::Livelock, "{}", found.message);
        assert!(found.reproducible && found.message.contains("fair"), "{}", found.message);
        assert!(found.minimised.len() <= 30, "some rounds: {}", found.minimised);
        let text = found.minimised.to_string().parse().expect("a schedule");
        let again = Explorer::new().depth(300).replay(&program, &text);
        assert_eq!(again.failure.expect("again").kind, FailureKind::Livelock);
    }
    // Those that give up get somewhere, and a thread that spins alone only wants the others to run.
    finds_nothing(|| polite(2));
    let spins = Program::new(|| {
        let done = Arc::new(AtomicBool::new(false));
        threads(2, move |index| {
            if index == 1 {
                done.store(true, Ordering::Relaxed);
            } else {
                while !done.load(Ordering::Relaxed) {}
            }
        });
    });
    let report = Explorer::new().depth(300).run(&spins).expect("no shards");
    assert!(report.failure.is_none() && report.cut.depth > 0);
}

#[test]
fn a_program_that_its_schedule_does_not_determine() {
    use std::sync::atomic::AtomicUsize as Unseen;
    for mode in [Mode::Source, Mode::Optimal] {
        let runs = Unseen::new(0);
        let program = Program::new(move || {
            let run = runs.fetch_add(1, Ordering::Relaxed);
            let words = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
            threads(2, move |_| {
                words[run % 2].fetch_add(1, Ordering::Relaxed);
                words[run % 2].fetch_add(1, Ordering::Relaxed);
            });
        });
        let report = Explorer::new().mode(mode).keep_going(true).run(&program).expect("no shards");
        assert!(!report.complete);
        let found = report.failure.expect("a failure");
        assert_eq!(found.kind, FailureKind::Misuse, "{mode:?}: {}", found.message);
    }
}

#[test]
fn leak() {
    finds(FailureKind::Leak, || std::mem::forget(Arc::new(String::new())));
}

#[test]
fn what_is_checked_after_each_execution() {
    let program = Program::new(store_buffering).after(|_| Err("nothing is right".to_owned()));
    let report = Explorer::new().run(&program).expect("no shards");
    let found = report.failure.expect("a failure");
    assert_eq!((found.kind, found.message.as_str()), (FailureKind::Check, "nothing is right"));
}

#[test]
fn choices_are_all_taken() {
    let program = Program::new(|| {
        let number = Arc::new(AtomicUsize::new(0));
        threads(2, move |_| {
            let more = platform::choice(3);
            number.fetch_add(more, Ordering::Relaxed);
        });
    });
    let report = Explorer::new().run(&program).expect("no shards");
    assert!(report.complete);
    assert_eq!(report.executions, 3 * 3 * 2);
}

#[test]
fn bounds_are_told() {
    let endless = Program::new(|| {
        let number = Arc::new(AtomicUsize::new(0));
        while number.load(Ordering::Relaxed) == 0 {}
    });
    let report = Explorer::new().depth(100).run(&endless).expect("no shards");
    assert!(!report.complete);
    assert_eq!(report.cut, Cut { depth: 1, preemptions: 0 });

    let bounded = Explorer::new().mode(Mode::Naive).preemption_bound(Some(0));
    let report = bounded.run(&Program::new(|| add(2, 2))).expect("no shards");
    assert!(!report.complete);
    assert!(report.cut.preemptions > 0 && report.cut.depth == 0);
    assert_eq!(report.executions, 2, "one thread after the other");

    for mode in [Mode::Source, Mode::Optimal] {
        // In one piece, in one and then in parts, and in parts.
        for (workers, rounds, classes) in [(1, 3, 1680), (2, 3, 1680), (2, 4, 34_650)] {
            let program = Program::new(move || mutex(3, rounds));
            let explorer = Explorer::new().mode(mode).workers(workers);
            let loose = explorer.clone().preemption_bound(Some(100)).run(&program).expect("no shards");
            assert!(loose.complete && loose.cut.is_nothing());
            assert_eq!(loose.executions, classes, "a bound that cuts nothing off is no bound");
            let tight = explorer.preemption_bound(Some(1)).run(&program).expect("no shards");
            assert!(!tight.complete && tight.cut.preemptions > 0);
            assert!(0 < tight.executions && tight.executions < classes);
        }
    }

    let report = Explorer::new()
        .workers(1)
        .executions(Some(200))
        .run(&Program::new(|| mutex(3, 3)))
        .expect("no shards");
    assert!(!report.complete);
    assert_eq!(report.stopped_by, Some(Stop::Executions));

    let hurried = Explorer::new().budget(Some(Duration::ZERO));
    let report = hurried.run(&Program::new(|| mutex(3, 3))).expect("no shards");
    assert_eq!(report.stopped_by, Some(Stop::Time));
}

#[test]
fn sampling_finds_them_too_and_counts_what_it_did() {
    for sampler in [Sampler::Random, Sampler::Pct(2), Sampler::Urw] {
        let race = Program::new(|| message_passing(Ordering::Relaxed, Ordering::Acquire));
        let sampled = sample(&race, sampler, 1, 1_000, None);
        let found = sampled.failure.unwrap_or_else(|| panic!("{sampler:?} finds no race"));
        assert_eq!(found.kind, FailureKind::Race);
        assert!(found.reproducible, "{sampler:?}");

        let sampled = sample(&Program::new(crossed_locks), sampler, 1, 1_000, None);
        let found = sampled.failure.unwrap_or_else(|| panic!("{sampler:?} finds no deadlock"));
        assert_eq!(found.kind, FailureKind::Deadlock, "{}", found.message);
        assert!(found.reproducible, "{sampler:?}");

        let sampled = sample(&Program::new(|| mutex(3, 2)), sampler, 1, 100, None);
        assert!(sampled.all && sampled.failure.is_none());
        assert_eq!(sampled.executions, 100);

        let hurried = sample(&Program::new(|| mutex(3, 2)), sampler, 1, 100, Some(Duration::ZERO));
        assert!(!hurried.all);
        assert_eq!(hurried.executions, 0);
    }
}

#[test]
fn what_is_not_a_schedule_is_refused() {
    for text in [
        "",
        "antiphon-schedule",
        "antiphon-schedule 2 00",
        "antiphon-schedule 1 xyz",
        "antiphon-schedule 1 0 u",
    ] {
        assert!(text.parse::<Schedule>().is_err(), "{text}");
    }
    for text in
        ["antiphon-schedule 1 0 t*99999999999", "antiphon-schedule 1 0 t.x", "antiphon-schedule 1 0 ?a"]
    {
        assert!(text.parse::<Schedule>().is_err(), "{text}");
    }
    let other: Schedule = "antiphon-schedule 1 0123456789abcdef t.0*2 t.1".parse().expect("a schedule");
    assert!(!Explorer::new().replay(&Program::new(|| mutex(2, 1)), &other).faithful, "of another program");
}
