//! What only this platform promises: announcements, races, addresses, names.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use antiphon_platform_shuttle as platform;

use platform::cell::{UnsafeCell, Witness};
use platform::model::{
    self, Engine, Execution, Failure, FailureKind, Kind, Machine, Mode, Names, Next, Operation, Scheduler,
    ThreadId,
};
use platform::sync::atomic::{AtomicUsize, Ordering};
use platform::sync::{Arc, Mutex};
use platform::thread;

/// Runs the enabled thread with the least number that is at least `first`, and checks what is announced.
struct Checked {
    first: u16,
    seen: usize,
}

impl Scheduler for Checked {
    fn next(&mut self, execution: &mut Execution) -> Next {
        let done =
            execution.log[self.seen..].iter().filter(|(_, operation)| operation.kind != Kind::Join).count();
        assert!(done <= 1, "more than one operation between two decisions");
        self.seen = execution.log.len();
        let ids = (0..execution.threads.len() as u16).map(ThreadId);
        let alive: Vec<_> =
            ids.filter(|id| execution.thread(*id).live && !execution.thread(*id).ended).collect();
        assert!(
            alive.iter().all(|id| execution.thread(*id).pending.is_some()),
            "each has announced something"
        );
        let enabled = |id: &&ThreadId| execution.enabled(**id);
        let late = alive.iter().filter(|id| id.0 >= self.first).find(enabled);
        late.or_else(|| alive.iter().find(enabled)).map_or(Next::Stop, |id| Next::Run(*id))
    }

    fn choose(&mut self, _: &mut Execution, _: ThreadId, ways: u32) -> usize {
        ways as usize - 1
    }
}

fn run(first: u16, body: impl FnOnce() + 'static) -> (Vec<(ThreadId, Operation)>, Option<Failure>) {
    run_with(Names::new(), first, body)
}

fn run_with(
    names: Names,
    first: u16,
    body: impl FnOnce() + 'static,
) -> (Vec<(ThreadId, Operation)>, Option<Failure>) {
    model::begin(Engine::Guarded, names);
    Machine::new().run(Box::new(body), &mut Checked { first, seen: 0 });
    let (log, failure, _) = model::end(|execution| execution.log.clone());
    (log, failure)
}

fn spawn(body: impl FnOnce() + Send + 'static) -> thread::JoinHandle {
    thread::spawn(String::new(), 0, body).expect("a thread")
}

fn kind(failure: Option<Failure>) -> Option<FailureKind> {
    failure.map(|failure| failure.kind)
}

#[test]
fn what_was_done_is_logged_as_it_turned_out() {
    let (log, failure) = run(0, || {
        let word = AtomicUsize::new(1);
        assert!(word.compare_exchange(0, 5, Ordering::AcqRel, Ordering::Relaxed).is_err());
        assert!(word.compare_exchange(1, 5, Ordering::AcqRel, Ordering::Relaxed).is_ok());
        let lock = Mutex::new(());
        let guard = lock.try_lock();
        assert!(guard.is_some() && lock.try_lock().is_none());
    });
    assert_eq!(failure, None);
    let modes: Vec<_> = log.iter().map(|(_, operation)| operation.accesses.as_slice()[0].mode).collect();
    assert_eq!(modes, [Mode::Read, Mode::Write, Mode::Acquire, Mode::Read, Mode::Release]);
    assert_eq!((log[0].1.old, log[1].1.old, log[1].1.new), (1, 1, 5));
}

#[test]
fn threads_and_objects_have_the_same_names_whoever_runs_first() {
    fn done(names: &Names, first: u16) -> Vec<String> {
        let (log, _) = run_with(names.clone(), first, || {
            let handles = [0, 1].map(|_| {
                spawn(|| {
                    let word = Arc::new(AtomicUsize::new(0));
                    let theirs = Arc::clone(&word);
                    let child = spawn(move || theirs.store(1, Ordering::Release));
                    word.load(Ordering::Acquire);
                    child.join();
                })
            });
            handles.into_iter().for_each(thread::JoinHandle::join);
        });
        let operations = log.iter().filter(|(_, operation)| operation.kind != Kind::Join);
        operations
            .map(|(id, operation)| format!("{id} {}", operation.accesses.as_slice()[0].object))
            .collect()
    }
    let names = Names::new();
    let (early, late) = (done(&names, 0), done(&names, 2));
    assert_ne!(early, late, "another order");
    assert_eq!(early.iter().collect::<BTreeSet<_>>(), late.iter().collect::<BTreeSet<_>>(), "of the same");
}

#[test]
fn no_address_is_used_twice() {
    let (_, failure) = run(0, || {
        let addresses: Vec<usize> = (0..100).map(|number| Box::into_raw(Box::new(number)).addr()).collect();
        let again: Vec<usize> = (0..100)
            .map(|number: u64| {
                let made = Box::new(number);
                std::ptr::from_ref(&*made).addr()
            })
            .collect();
        let different: BTreeSet<_> = addresses.iter().chain(&again).collect();
        assert_eq!(different.len(), 200);
    });
    assert_eq!(failure, None);
}

struct Memory(UnsafeCell<u64>);

// SAFETY: not sound where a test means it to be found out; one thread runs at a time all the same.
#[allow(unsafe_code)]
unsafe impl Sync for Memory {}

#[test]
fn an_access_during_an_access_is_a_race() {
    let (_, failure) = run(1, || {
        let shared = Arc::new((Memory(UnsafeCell::new(0)), AtomicUsize::new(0)));
        let theirs = Arc::clone(&shared);
        let other = spawn(move || {
            theirs.1.fetch_add(1, Ordering::AcqRel);
            theirs.0.0.with(|_| ());
        });
        shared.0.0.with_mut(|_| shared.1.fetch_add(1, Ordering::AcqRel));
        other.join();
    });
    assert_eq!(kind(failure), Some(FailureKind::Race));
}

#[test]
fn unordered_accesses_are_a_race_in_whichever_order_they_come() {
    for first in [0, 1] {
        let (_, failure) = run(first, || {
            let witness = Arc::new(Witness::new());
            let theirs = Arc::clone(&witness);
            let other = spawn(move || theirs.read());
            witness.write();
            other.join();
        });
        assert_eq!(kind(failure), Some(FailureKind::Race));
        let (_, failure) = run(first, || {
            let witness = Arc::new(Witness::new());
            let theirs = Arc::clone(&witness);
            let other = spawn(move || theirs.read());
            witness.read();
            other.join();
            witness.write();
        });
        assert_eq!(failure, None, "two reads, and a write after the join");
    }
}

#[test]
fn memory_that_is_given_back_must_not_be_in_use() {
    let (_, failure) = run(0, || {
        let witness = Arc::new(Witness::new());
        let raw = std::ptr::from_ref(&*witness).addr();
        let other = spawn(move || {
            // SAFETY: not sound, and meant to be found out; the block is kept until the execution ends.
            #[allow(unsafe_code)]
            unsafe { &*std::ptr::with_exposed_provenance::<Witness>(raw) }.read();
        });
        let _ = std::ptr::from_ref(&*witness).expose_provenance();
        drop(witness);
        other.join();
    });
    assert_eq!(kind(failure), Some(FailureKind::Race));
}

#[test]
fn an_object_of_another_execution_is_refused() {
    std::thread_local! {
        static KEPT: RefCell<Option<Arc<AtomicUsize>>> = const { RefCell::new(None) };
    }
    run(0, || KEPT.set(Some(Arc::new(AtomicUsize::new(0)))));
    let (_, failure) = run(0, || {
        let used = catch_unwind(AssertUnwindSafe(|| {
            KEPT.with_borrow(|kept| kept.as_ref().expect("kept").load(Ordering::Relaxed));
        }));
        assert!(used.is_err());
    });
    assert_eq!(failure, None);
    KEPT.set(None);
}

#[test]
fn a_panic_that_nobody_catches_is_noted() {
    let (_, failure) = run(0, || {
        spawn(|| panic!("on purpose")).join();
    });
    let failure = failure.expect("a failure");
    assert_eq!(failure.kind, FailureKind::Panic);
    assert!(failure.message.contains("t.0") && failure.message.contains("on purpose"));
}
