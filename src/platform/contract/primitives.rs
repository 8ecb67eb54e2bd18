//! What every platform promises, as small programs that the platform's own engine runs.
//!
//! Included by `tests/contract.rs` of each platform, which brings `platform` (the crate under test) and
//! `explore` (runs a program under the platform's engine, many times or in all ways). A promise is what
//! *every* schedule must keep; what must be *possible* is the business of the litmus tests.

use super::{explore, platform};

use platform::cell::UnsafeCell;
use platform::queue::{Injector, Steal, Worker};
use platform::sync::atomic::{self, AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use platform::sync::{Arc, Condvar, Mutex};
use platform::thread::{self, JoinHandle};

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> JoinHandle {
    thread::spawn(name.to_owned(), 0, body).expect("a thread")
}

/// Plain memory that an atomic flag guards.
struct Guarded {
    value: UnsafeCell<u64>,
    ready: AtomicBool,
}

// SAFETY: the tests touch `value` only as the flag allows; that a platform finds out when they do not is what
// its cell is for.
#[allow(unsafe_code)]
unsafe impl Sync for Guarded {}

impl Guarded {
    fn new() -> Self {
        Self { value: UnsafeCell::new(0), ready: AtomicBool::new(false) }
    }

    #[allow(unsafe_code)]
    fn write(&self, value: u64) {
        // SAFETY: called by one thread, before it sets `ready`.
        self.value.with_mut(|memory| unsafe { *memory = value });
    }

    #[allow(unsafe_code)]
    fn read(&self) -> u64 {
        // SAFETY: called after `ready` was seen, or after the writer was joined; nobody writes any more.
        self.value.with(|memory| unsafe { *memory })
    }
}

#[test]
fn release_and_acquire_pass_a_message() {
    explore(|| {
        let shared = Arc::new(Guarded::new());
        let writer = {
            let shared = Arc::clone(&shared);
            spawn("writer", move || {
                shared.write(7);
                // Release: pairs with the Acquire below.
                shared.ready.store(true, Ordering::Release);
            })
        };
        // Acquire: pairs with the Release above.
        if shared.ready.load(Ordering::Acquire) {
            assert_eq!(shared.read(), 7);
        }
        writer.join();
    });
}

#[test]
fn join_shows_what_the_thread_wrote() {
    explore(|| {
        let shared = Arc::new(Guarded::new());
        let writer = {
            let shared = Arc::clone(&shared);
            spawn("writer", move || shared.write(7))
        };
        writer.join();
        assert_eq!(shared.read(), 7);
    });
}

#[test]
fn read_modify_writes_lose_nothing() {
    explore(|| {
        let counters = Arc::new((AtomicUsize::new(0), AtomicU64::new(0), AtomicU32::new(0)));
        let add = |counters: &(AtomicUsize, AtomicU64, AtomicU32)| {
            counters.0.fetch_add(1, Ordering::Relaxed);
            counters.1.fetch_add(1 << 40, Ordering::Relaxed);
            counters.2.fetch_or(2, Ordering::Relaxed);
        };
        let other = {
            let counters = Arc::clone(&counters);
            spawn("adder", move || add(&counters))
        };
        add(&counters);
        other.join();
        assert_eq!(counters.0.load(Ordering::Relaxed), 2);
        assert_eq!(counters.1.load(Ordering::Relaxed), 2 << 40);
        assert_eq!(counters.2.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn one_compare_exchange_wins() {
    explore(|| {
        let word = Arc::new(AtomicUsize::new(0));
        let wins = Arc::new(AtomicUsize::new(0));
        let race = |mark: usize, word: &AtomicUsize, wins: &AtomicUsize| match word.compare_exchange(
            0,
            mark,
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            Ok(seen) => {
                assert_eq!(seen, 0);
                wins.fetch_add(1, Ordering::Relaxed);
            }
            Err(seen) => assert_ne!(seen, 0, "a failure tells the value that was in the way"),
        };
        let other = {
            let (word, wins) = (Arc::clone(&word), Arc::clone(&wins));
            spawn("rival", move || race(1, &word, &wins))
        };
        race(2, &word, &wins);
        other.join();
        assert_eq!(wins.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_pointer_is_swapped_whole() {
    explore(|| {
        let pointer: Arc<AtomicPtr<u64>> = Arc::new(AtomicPtr::new(Box::into_raw(Box::new(1))));
        let take = |pointer: &AtomicPtr<u64>| {
            let taken = pointer.swap(std::ptr::null_mut(), Ordering::AcqRel);
            // SAFETY: the swap gave this thread, and no other, what `Box::into_raw` made.
            #[allow(unsafe_code)]
            (!taken.is_null()).then(|| *unsafe { Box::from_raw(taken) })
        };
        let other = {
            let pointer = Arc::clone(&pointer);
            spawn("taker", move || {
                take(&pointer);
            })
        };
        let mine = take(&pointer);
        other.join();
        assert!(matches!(mine, None | Some(1)));
        let mut pointer = owned(pointer);
        assert!(atomic::exclusive(&mut pointer).is_null(), "one of the two took it");
    });
}

/// The value of an `Arc` that nobody else has, by the road that the runtime uses.
fn owned(pointer: Arc<AtomicPtr<u64>>) -> AtomicPtr<u64> {
    Arc::try_unwrap(pointer).unwrap_or_else(|_| panic!("the other thread has ended"))
}

#[test]
fn a_mutex_excludes() {
    explore(|| {
        let shared = Arc::new(Mutex::new((0, 0)));
        let add = |shared: &Mutex<(u64, u64)>| {
            let mut pair = shared.lock();
            pair.0 += 1;
            assert_eq!(pair.0, pair.1 + 1, "nobody is half way");
            pair.1 += 1;
        };
        let other = {
            let shared = Arc::clone(&shared);
            spawn("adder", move || add(&shared))
        };
        add(&shared);
        other.join();
        assert_eq!(*shared.lock(), (2, 2));
    });
}

#[test]
fn a_condition_variable_hands_over() {
    explore(|| {
        let shared = Arc::new((Mutex::new(None), Condvar::new()));
        let giver = {
            let shared = Arc::clone(&shared);
            spawn("giver", move || {
                *shared.0.lock() = Some(7);
                shared.1.notify_one();
            })
        };
        let mut slot = shared.0.lock();
        while slot.is_none() {
            slot = shared.1.wait(slot);
        }
        assert_eq!(slot.take(), Some(7));
        drop(slot);
        giver.join();
    });
}

#[test]
fn notify_all_wakes_all() {
    explore(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let wait = |shared: &(Mutex<bool>, Condvar)| {
            let hour = std::time::Duration::from_secs(3600);
            let (open, timed_out) = shared.1.wait_timeout_while(shared.0.lock(), hour, |open| !*open);
            assert!(*open && !timed_out);
        };
        let waiters = ["first", "second"].map(|name| {
            let shared = Arc::clone(&shared);
            spawn(name, move || wait(&shared))
        });
        *shared.0.lock() = true;
        shared.1.notify_all();
        waiters.into_iter().for_each(JoinHandle::join);
    });
}

#[test]
fn an_arc_drops_its_value_once_and_after_every_use() {
    struct Counted(Arc<Mutex<(u64, u64)>>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.lock().1 += 1;
        }
    }
    explore(|| {
        let uses_and_drops = Arc::new(Mutex::new((0, 0)));
        let value = Arc::new(Counted(Arc::clone(&uses_and_drops)));
        let raw = {
            // The road of an owner through a raw pointer, as tasks travel.
            let pointer = Arc::into_raw(Arc::clone(&value)) as usize;
            move || pointer as *const Counted
        };
        let other = spawn("owner", move || {
            // SAFETY: made by `Arc::into_raw` above, brought back once.
            #[allow(unsafe_code)]
            let value = unsafe { Arc::from_raw(raw()) };
            let mut counts = value.0.lock();
            assert_eq!(counts.1, 0, "it lives as long as an owner does");
            counts.0 += 1;
        });
        drop(value);
        other.join();
        assert_eq!(*uses_and_drops.lock(), (1, 1));
    });
}

platform::thread_local! {
    #[allow(clippy::missing_const_for_thread_local, reason = "loom's macro has no const form")]
    static LOCAL: std::cell::Cell<u64> = std::cell::Cell::new(0);
}

#[test]
fn thread_local_variables_are_each_threads_own() {
    explore(|| {
        LOCAL.with(|local| local.set(1));
        let other = spawn("other", || {
            assert_eq!(LOCAL.with(std::cell::Cell::get), 0, "begins as declared");
            LOCAL.with(|local| local.set(2));
        });
        other.join();
        assert_eq!(LOCAL.with(std::cell::Cell::get), 1);
        // The next execution may run on the same operating-system thread.
        LOCAL.with(|local| local.set(0));
    });
}

fn steal<T>(mut attempt: impl FnMut() -> Steal<T>) -> Option<T> {
    loop {
        match attempt() {
            Steal::Success(task) => return Some(task),
            Steal::Empty => return None,
            Steal::Retry => {}
        }
    }
}

#[test]
fn an_injector_is_first_in_first_out_and_gives_each_task_once() {
    explore(|| {
        let queue = Arc::new(Injector::new());
        let pusher = {
            let queue = Arc::clone(&queue);
            spawn("pusher", move || {
                queue.push(1);
                queue.push(2);
            })
        };
        let mut taken: Vec<u64> = std::iter::from_fn(|| steal(|| queue.steal())).take(1).collect();
        pusher.join();
        taken.extend(std::iter::from_fn(|| steal(|| queue.steal())));
        assert_eq!(taken, [1, 2]);
        assert!(queue.is_empty());
    });
}

#[test]
fn a_worker_and_its_thief_share_out_the_tasks_in_order() {
    explore(|| {
        let mine = Worker::new_fifo();
        mine.push(1);
        mine.push(2);
        let stolen = Arc::new(Mutex::new(None));
        let thief = {
            let (stealer, stolen) = (mine.stealer().clone(), Arc::clone(&stolen));
            spawn("thief", move || *stolen.lock() = steal(|| stealer.steal()))
        };
        let popped: Vec<u64> = std::iter::from_fn(|| mine.pop()).collect();
        thief.join();
        assert!(mine.is_empty() && mine.stealer().is_empty());
        let stolen = *stolen.lock();
        assert!(popped.is_sorted());
        let mut all = popped;
        all.extend(stolen);
        all.sort_unstable();
        assert_eq!(all, [1, 2], "each task once");
    });
}

#[test]
fn a_stolen_task_shows_what_was_written_before_it_was_pushed() {
    explore(|| {
        let shared = Arc::new((Guarded::new(), Injector::new()));
        let pusher = {
            let shared = Arc::clone(&shared);
            spawn("pusher", move || {
                shared.0.write(7);
                shared.1.push(());
            })
        };
        if steal(|| shared.1.steal()).is_some() {
            assert_eq!(shared.0.read(), 7);
        }
        pusher.join();
    });
}

#[test]
fn a_caught_panic_gives_its_payload_and_leaves_the_thread_running() {
    explore(|| {
        let payload = platform::panic::catch(|| std::panic::resume_unwind(Box::new(7_u64))).map(|()| 0);
        assert_eq!(payload.map_err(|payload| payload.downcast_ref().copied()), Err(Some(7_u64)));
        assert_eq!(platform::panic::catch(|| 8).ok(), Some(8));
    });
}

#[test]
fn limits_leave_room_and_there_is_a_processor() {
    explore(|| {
        const { assert!(platform::limits::BATCH >= 1 && platform::limits::SHARDS >= 1) };
        assert!(thread::parallelism() >= 1);
        thread::yield_now();
    });
}
