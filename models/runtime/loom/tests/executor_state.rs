//! The word of the pool, alone, with a queue that orders nothing.
//!
//! The pool's real queues order more than its protocol needs, and so do their models; a memory ordering of the
//! word that was weakened would go unseen behind them. So here is the word's own source with a counter in
//! place of the queues, read and written *relaxed*: whatever a searcher knows of it, it knows by the word.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the observer is no part of what is explored"
)]

#[allow(dead_code, reason = "the program below uses the searchers' half")]
#[path = "../../../../src/executor/state.rs"]
mod state;
#[allow(dead_code, reason = "the program below uses the flag")]
#[path = "../../../../src/executor/station.rs"]
mod station;

use std::sync::atomic as observer;

use platform::sync::atomic::{AtomicUsize, Ordering};
use platform::sync::{Arc, Condvar, Mutex};
use platform::thread;
use state::{Claim, Snapshot, State};
use station::Station;

/// What a task does, beside being counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Task {
    /// Nothing.
    Plain,
    /// Waits, without telling anybody, until two tasks have begun.
    Meets,
    /// The first one waits, and tells, until another one is done.
    Blocks,
}

struct Pool {
    task: Task,
    state: State,
    /// How many tasks are queued. Relaxed throughout; looking at it may give a stale value.
    queued: AtomicUsize,
    workers: usize,
    sleepers: Mutex<Sleepers>,
    changed: Condvar,
}

#[derive(Default)]
struct Sleepers {
    permits: usize,
    closed: bool,
    begun: usize,
    done: usize,
    threads: Vec<thread::JoinHandle>,
}

impl Pool {
    fn new(workers: usize, task: Task) -> Arc<Self> {
        Arc::new(Self {
            task,
            state: State::new(),
            queued: AtomicUsize::new(0),
            workers,
            sleepers: Mutex::new(Sleepers::default()),
            changed: Condvar::new(),
        })
    }

    fn push(this: &Arc<Self>) {
        this.queued.fetch_add(1, Ordering::Relaxed);
        let seen = this.state.announce();
        Self::attend(this, seen);
    }

    fn attend(this: &Arc<Self>, seen: Snapshot) {
        match this.state.claim(seen, this.workers) {
            Ok(Claim::Wake) => {
                this.sleepers.lock().permits += 1;
                this.changed.notify_all();
            }
            Ok(Claim::Start) => {
                let pool = Arc::clone(this);
                let thread =
                    thread::spawn("worker".to_owned(), 0, move || Self::work(&pool)).expect("a thread");
                this.sleepers.lock().threads.push(thread);
            }
            Err(_) => {}
        }
    }

    fn pass_on(this: &Arc<Self>, seen: Snapshot) {
        if seen.searching() == 0 && this.is_queued() {
            Self::attend(this, seen);
        }
    }

    fn run(this: &Arc<Self>) {
        let mut sleepers = this.sleepers.lock();
        sleepers.begun += 1;
        if this.task == Task::Meets {
            this.changed.notify_all();
            while sleepers.begun < 2 {
                sleepers = this.changed.wait(sleepers);
            }
        }
        if this.task == Task::Blocks && sleepers.begun == 1 {
            drop(sleepers);
            Self::pass_on(this, this.state.block());
            sleepers = this.sleepers.lock();
            while sleepers.done == 0 {
                sleepers = this.changed.wait(sleepers);
            }
            this.state.unblock();
        }
        sleepers.done += 1;
        drop(sleepers);
        this.changed.notify_all();
    }

    fn is_queued(&self) -> bool {
        self.queued.load(Ordering::Relaxed) > 0
    }

    fn take(&self) -> bool {
        // The look may be stale, and then nothing is taken; the taking itself never is.
        let mut seen = self.queued.load(Ordering::Relaxed);
        while seen > 0 {
            match self.queued.compare_exchange(seen, seen - 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    fn work(this: &Arc<Self>) {
        let mut seen = this.state.observe();
        loop {
            if this.take() {
                Self::pass_on(this, this.state.end_search());
                Self::run(this);
                seen = this.state.begin_search();
            } else if seen.is_closed() {
                return;
            } else {
                match this.state.try_sleep(seen) {
                    Ok(()) if this.sleep() => seen = this.state.observe(),
                    Ok(()) => return,
                    Err(now) => seen = now,
                }
            }
        }
    }

    /// False if closed.
    fn sleep(&self) -> bool {
        let mut sleepers = self.sleepers.lock();
        while sleepers.permits == 0 && !sleepers.closed {
            sleepers = self.changed.wait(sleepers);
        }
        let woken = sleepers.permits > 0;
        sleepers.permits -= usize::from(woken);
        woken
    }

    /// Waits until so many tasks have run; a wake-up that is lost is a deadlock here.
    fn finish(&self, expected: usize) {
        let mut sleepers = self.sleepers.lock();
        while sleepers.done < expected {
            sleepers = self.changed.wait(sleepers);
        }
        assert_eq!(sleepers.done, expected, "each task runs once");
        drop(sleepers);
        self.state.close();
        let mut sleepers = self.sleepers.lock();
        sleepers.closed = true;
        let threads = std::mem::take(&mut sleepers.threads);
        drop(sleepers);
        self.changed.notify_all();
        threads.into_iter().for_each(thread::JoinHandle::join);
    }
}

fn explore(preemptions: Option<usize>, least: usize, program: fn()) {
    let explored = std::sync::Arc::new(observer::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&explored);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = 20_000;
    builder.check(move || {
        assert!(count.fetch_add(1, observer::Ordering::Relaxed) < 1_000_000, "sized for less than that");
        program();
    });
    let explored = explored.load(observer::Ordering::Relaxed);
    println!("explored in {explored} executions");
    assert!(explored >= least, "explored next to nothing");
}

#[test]
fn one_worker_two_tasks() {
    explore(Some(3), 300, || {
        let pool = Pool::new(1, Task::Plain);
        Pool::push(&pool);
        Pool::push(&pool);
        pool.finish(2);
    });
}

#[test]
fn one_worker_two_pushers() {
    explore(Some(2), 300, || {
        let pool = Pool::new(1, Task::Plain);
        let other = Arc::clone(&pool);
        let pusher = thread::spawn("pusher".to_owned(), 0, move || Pool::push(&other)).expect("a thread");
        Pool::push(&pool);
        pusher.join();
        pool.finish(2);
    });
}

#[test]
fn two_workers_two_tasks() {
    explore(Some(2), 300, || {
        let pool = Pool::new(2, Task::Plain);
        Pool::push(&pool);
        Pool::push(&pool);
        pool.finish(2);
    });
}

#[test]
fn two_workers_two_tasks_that_need_each_other() {
    explore(Some(2), 300, || {
        let pool = Pool::new(2, Task::Meets);
        Pool::push(&pool);
        Pool::push(&pool);
        pool.finish(2);
    });
}

#[test]
fn a_task_that_tells_that_it_waits_for_one_that_found_no_room() {
    explore(Some(2), 300, || {
        let pool = Pool::new(1, Task::Blocks);
        Pool::push(&pool);
        Pool::push(&pool);
        pool.finish(2);
    });
}

#[test]
fn a_worker_whose_task_was_taken_by_somebody_finds_the_other_one() {
    explore(Some(2), 300, || {
        let pool = Pool::new(1, Task::Plain);
        let other = Arc::clone(&pool);
        let pusher = thread::spawn("pusher".to_owned(), 0, move || Pool::push(&other)).expect("a thread");
        Pool::push(&pool);
        // As a running worker does, without a search.
        if pool.take() {
            Pool::run(&pool);
        }
        pusher.join();
        pool.finish(2);
    });
}

/// The watchdog is on its rounds, as it was called for an earlier deferral, when a worker defers once more.
#[test]
fn the_watchdog_does_not_rest_over_a_deferred_task() {
    explore(None, 20, || {
        let shared = Arc::new((State::new(), Station::new(), AtomicUsize::new(0), Mutex::new(false)));
        assert!(shared.1.defer() && shared.0.call_watchdog());
        let worker = {
            let shared = Arc::clone(&shared);
            let defer = move || {
                let (state, station, queued, called) = &*shared;
                queued.fetch_add(1, Ordering::Relaxed);
                if station.defer() && !state.announce().is_watched() && state.call_watchdog() {
                    *called.lock() = true;
                }
            };
            thread::spawn("worker".to_owned(), 0, defer).expect("a thread")
        };
        let (state, station, queued, called) = &*shared;
        let seen = state.observe();
        station.look_away();
        let rests = queued.load(Ordering::Relaxed) == 0 && state.dismiss_watchdog(seen);
        worker.join();
        assert!(!rests || *called.lock(), "a task is queued, the watchdog rests, and nobody has called it");
    });
}
