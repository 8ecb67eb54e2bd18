//! The pool's sleep and wake protocol under loom, in the C11 memory model.
//!
//! Nothing here may depend on [`Pool::stop`], which runs what is left: each program waits, under the model's own
//! locks, for what it pushed to have run, so a wake-up that is lost is a deadlock, which loom reports. Timeouts
//! never come in loom, so the watchdog is called and rests here but makes no rounds; and loom is not exhaustive
//! (see the platform's README): what these runs show is that *no violation was found* in so many executions.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the observer is no part of what is explored"
)]

use std::ops::Range;
use std::sync::atomic as observer;

use antiphon_loom::executor::{Executor, Options, Pool, blocking};
use antiphon_loom::inbox::{Activation, Body, Content, Inbox, Task};
use platform::sync::{Arc, Condvar, Mutex};
use platform::thread;

/// A task that runs a closure once.
struct Job(Option<Box<dyn FnOnce() + Send>>);

impl Content for Job {
    type Item = ();
    type Shared = ();
}

impl Body for Job {
    fn run(mut activation: Activation<Self>) {
        let job = activation.with(|_, job| job.0.take()).expect("a task is run once");
        drop(activation.close());
        job();
    }
}

fn task(job: impl FnOnce() + Send + 'static) -> Task {
    Inbox::new(Job(Some(Box::new(job))), ()).into_task()
}

/// Counts what has run; whoever waits for it sleeps.
#[derive(Clone)]
struct Tally(Arc<(Mutex<usize>, Condvar)>);

impl Tally {
    fn new() -> Self {
        Self(Arc::new((Mutex::new(0), Condvar::new())))
    }

    fn count(&self) {
        *self.0.0.lock() += 1;
        self.0.1.notify_all();
    }

    fn wait_for(&self, expected: usize) {
        let mut count = self.0.0.lock();
        while *count < expected {
            count = self.0.1.wait(count);
        }
        assert_eq!(*count, expected, "each task runs once");
    }

    fn task(&self) -> Task {
        let tally = self.clone();
        task(move || tally.count())
    }
}

fn pool(workers: usize, threads: usize) -> Arc<Pool> {
    Arc::new(Pool::with(Options { workers, threads, ..Options::default() }))
}

/// Explores `program`, with at most so many preemptions in one execution.
///
/// Each test says in how many executions it did so when it was written. The number is not pinned, since it
/// moves with every access of the runtime under test; one that collapses is a failure all the same.
fn explore(preemptions: Option<usize>, executions: Range<usize>, program: fn()) {
    let explored = std::sync::Arc::new(observer::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&explored);
    let most = executions.end;
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = 20_000;
    builder.check(move || {
        let execution = count.fetch_add(1, observer::Ordering::Relaxed);
        assert!(execution < most, "more executions than this test was sized for");
        program();
    });
    let explored = explored.load(observer::Ordering::Relaxed);
    assert!(executions.contains(&explored), "explored in {explored} executions, not in {executions:?}");
    println!("explored in {explored} executions");
}

fn one_worker(pushes: usize) {
    let pool = pool(1, 1);
    let tally = Tally::new();
    for _ in 0..pushes {
        pool.execute(tally.task());
    }
    tally.wait_for(pushes);
    pool.stop();
}

/// Explored in 7,870 executions when it was written.
#[test]
fn pushes_from_outside_wake_the_one_worker() {
    explore(Some(3), 1967..157400, || one_worker(2));
}

/// Explored in 3,477 executions when it was written.
#[test]
fn two_pushers_wake_the_one_worker() {
    explore(Some(2), 869..69540, || {
        let pool = pool(1, 1);
        let tally = Tally::new();
        let other = {
            let (pool, tally) = (Arc::clone(&pool), tally.clone());
            thread::spawn("pusher".to_owned(), 0, move || pool.execute(tally.task())).expect("a thread")
        };
        pool.execute(tally.task());
        other.join();
        tally.wait_for(2);
        pool.stop();
    });
}

/// Explored in 2,785 executions when it was written.
#[test]
fn a_worker_that_went_to_sleep_is_woken_again() {
    explore(Some(3), 696..55700, || {
        let pool = pool(1, 1);
        let tally = Tally::new();
        pool.execute(tally.task());
        tally.wait_for(1);
        pool.execute(tally.task());
        tally.wait_for(2);
        pool.stop();
    });
}

/// Explored in 3,031 executions when it was written.
#[test]
fn two_workers_share_what_comes_from_outside() {
    explore(Some(2), 757..60620, || {
        let pool = pool(2, 2);
        let tally = Tally::new();
        for _ in 0..2 {
            pool.execute(tally.task());
        }
        tally.wait_for(2);
        pool.stop();
    });
}

/// Explored in 1,174 executions when it was written.
#[test]
fn a_task_that_waits_for_its_neighbour_needs_the_other_worker() {
    explore(Some(1), 293..23480, || {
        let pool = pool(2, 2);
        let tally = Tally::new();
        let waiter = {
            let (pool, tally) = (Arc::clone(&pool), tally.clone());
            task(move || {
                // The first is alone and wakes nobody; the second one must wake the other worker.
                pool.execute(tally.task());
                pool.execute(tally.task());
                tally.wait_for(2);
                tally.count();
            })
        };
        pool.execute(waiter);
        tally.wait_for(3);
        pool.stop();
    });
}

#[test]
fn what_is_pushed_during_a_search_is_passed_on() {
    explore(Some(2), 500..100_000, || {
        let pool = pool(2, 2);
        let tally = Tally::new();
        for _ in 0..2 {
            let tally = tally.clone();
            // Each waits until both run; so the worker that finds one must not keep the other for later.
            pool.execute(task(move || {
                tally.count();
                tally.wait_for(2);
            }));
        }
        tally.wait_for(2);
        pool.stop();
    });
}

/// Explored in 1,104 executions when it was written.
#[test]
fn a_told_wait_gets_a_spare() {
    explore(Some(1), 276..22080, || {
        let pool = pool(1, 2);
        let tally = Tally::new();
        let waiter = {
            let (pool, tally) = (Arc::clone(&pool), tally.clone());
            task(move || {
                pool.execute(tally.task());
                blocking(|| tally.wait_for(1));
                tally.count();
            })
        };
        pool.execute(waiter);
        tally.wait_for(2);
        pool.stop();
    });
}

/// Explored in 2,134 executions when it was written.
#[test]
fn stop_races_with_a_push_and_runs_it() {
    explore(None, 533..42680, || {
        let pool = pool(1, 1);
        let tally = Tally::new();
        let other = {
            let (pool, tally) = (Arc::clone(&pool), tally.clone());
            thread::spawn("pusher".to_owned(), 0, move || pool.execute(tally.task())).expect("a thread")
        };
        pool.stop();
        other.join();
        tally.wait_for(1);
    });
}
