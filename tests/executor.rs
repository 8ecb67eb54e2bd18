//! The executors on real threads: every task runs once, nobody sleeps over work, nothing spins, and no thread
//! is left behind.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use antiphon::executor::{Executor, Manual, Options, Pool, blocking};
use antiphon::inbox::{Activation, Body, Content, Inbox, Task};

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

/// What the closure returns is of no interest.
fn task<R>(job: impl FnOnce() -> R + Send + 'static) -> Task {
    let job = || {
        let _ = job();
    };
    Inbox::new(Job(Some(Box::new(job))), ()).into_task()
}

/// A time that is long for the executor and short for whoever waits for the tests.
const SOON: Duration = Duration::from_secs(20);

/// Threads of a process are counted and timed below: one test at a time.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pool(workers: usize) -> Arc<Pool> {
    Arc::new(Pool::with(Options { workers, ..Options::default() }))
}

/// The names of this process's threads that belong to a pool.
fn pool_threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("procfs");
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.starts_with("antiphon"))
        .collect()
}

/// A joined thread may still be seen for a moment while the kernel takes it down.
fn no_pool_thread_is_left() -> bool {
    let until = Instant::now() + SOON;
    while !pool_threads().is_empty() {
        if Instant::now() > until {
            return false;
        }
        thread::yield_now();
    }
    true
}

#[test]
fn every_task_from_outside_runs_once() {
    let _turn = turn();
    for workers in [1, 2, 4] {
        let pool = pool(workers);
        let runs: Arc<[AtomicUsize]> = (0..3000).map(|_| AtomicUsize::new(0)).collect();
        thread::scope(|scope| {
            for pusher in 0..3 {
                let (pool, runs) = (&pool, &runs);
                scope.spawn(move || {
                    for index in (pusher..runs.len()).step_by(3) {
                        let runs = Arc::clone(runs);
                        pool.execute(task(move || runs[index].fetch_add(1, Ordering::Relaxed)));
                    }
                });
            }
        });
        pool.stop();
        assert!(runs.iter().all(|runs| runs.load(Ordering::Relaxed) == 1));
    }
}

#[test]
fn tasks_pushed_by_tasks_run() {
    let _turn = turn();
    for workers in [1, 2, 4] {
        let pool = pool(workers);
        let (done, all_done) = mpsc::channel();
        fn fan_out(pool: Arc<Pool>, depth: u32, done: mpsc::Sender<()>) {
            for _ in 0..3 {
                let (below, done) = (Arc::clone(&pool), done.clone());
                pool.execute(task(move || match depth {
                    0 => done.send(()).expect("somebody counts"),
                    _ => fan_out(below, depth - 1, done),
                }));
            }
        }
        fan_out(Arc::clone(&pool), 6, done);
        assert_eq!(all_done.iter().count(), 3_usize.pow(7));
        pool.stop();
    }
}

#[test]
fn a_task_wakes_a_sleeping_pool_every_time() {
    let _turn = turn();
    let pool = pool(2);
    let (done, woken) = mpsc::channel();
    for round in 0..500 {
        let done = done.clone();
        pool.execute(task(move || done.send(round).expect("somebody waits")));
        assert_eq!(woken.recv_timeout(SOON), Ok(round));
        if round % 50 == 0 {
            thread::sleep(Duration::from_millis(5));
        }
    }
    pool.stop();
}

#[test]
fn two_that_push_each_other_stay_on_one_worker() {
    const HOPS: u32 = 10_000;
    struct Hop {
        left: u32,
        last: ThreadId,
        moves: u32,
        done: mpsc::Sender<u32>,
    }
    fn hop(pool: Arc<Pool>, mut state: Hop) {
        let here = thread::current().id();
        state.moves += u32::from(here != state.last);
        state.last = here;
        if state.left == 0 {
            return state.done.send(state.moves).expect("somebody waits");
        }
        state.left -= 1;
        let next = Arc::clone(&pool);
        pool.execute(task(move || hop(next, state)));
    }
    let _turn = turn();
    let pool = pool(2);
    let (done, moves) = mpsc::channel();
    let (first, last) = (Arc::clone(&pool), thread::current().id());
    pool.execute(task(move || hop(first, Hop { left: HOPS, last, moves: 0, done })));
    let moves = moves.recv_timeout(SOON).expect("the hops end");
    pool.stop();
    // From this thread to a worker; and the watchdog may move it when the machine leaves its worker unrun.
    assert!((1..HOPS / 100).contains(&moves), "{moves} moves");
}

#[test]
fn a_second_task_behind_a_running_one_is_stolen() {
    let _turn = turn();
    let pool = pool(2);
    let (done, others) = mpsc::channel();
    let inner = Arc::clone(&pool);
    pool.execute(task(move || {
        let (stolen, was_stolen) = mpsc::channel::<ThreadId>();
        for _ in 0..2 {
            let stolen = stolen.clone();
            inner.execute(task(move || stolen.send(thread::current().id())));
        }
        // This task blocks its worker without saying so until one of the two has run elsewhere.
        done.send((thread::current().id(), was_stolen.recv_timeout(SOON))).expect("somebody waits");
    }));
    let (here, there) = others.recv_timeout(SOON).expect("the task ends");
    assert_ne!(here, there.expect("one was stolen"));
    pool.stop();
}

#[test]
fn the_watchdog_frees_what_is_stuck_behind_a_silent_wait() {
    let _turn = turn();
    for workers in [1, 2] {
        let pool = pool(workers);
        let (done, result) = mpsc::channel();
        let inner = Arc::clone(&pool);
        pool.execute(task(move || {
            let (ran, has_run) = mpsc::channel();
            // Alone on this worker's queue, so it wakes nobody; and this task waits for it.
            inner.execute(task(move || ran.send(())));
            let began = Instant::now();
            let freed = has_run.recv_timeout(SOON);
            done.send(freed.map(|()| began.elapsed())).expect("somebody waits");
        }));
        let waited = result.recv_timeout(SOON + SOON).expect("the task ends").expect("the other one ran");
        assert!(waited < SOON / 2, "freed after {waited:?}");
        pool.stop();
        assert!(no_pool_thread_is_left());
    }
}

#[test]
fn many_silent_waits_do_not_stop_the_pool() {
    let _turn = turn();
    let pool = pool(2);
    let gate = Arc::new(Barrier::new(41));
    for _ in 0..40 {
        let gate = Arc::clone(&gate);
        pool.execute(task(move || gate.wait()));
    }
    let (done, ran) = mpsc::channel();
    pool.execute(task(move || done.send(())));
    assert_eq!(ran.recv_timeout(SOON), Ok(()));
    gate.wait();
    pool.stop();
    assert!(no_pool_thread_is_left());
}

#[test]
fn a_told_wait_lets_another_worker_run() {
    let _turn = turn();
    let pool = pool(1);
    let gate = Arc::new(Barrier::new(11));
    for _ in 0..10 {
        let gate = Arc::clone(&gate);
        // All ten wait for each other: with one worker and nobody in its stead, for ever.
        pool.execute(task(move || blocking(|| blocking(|| gate.wait()))));
    }
    let began = Instant::now();
    gate.wait();
    assert!(began.elapsed() < SOON);
    pool.stop();
    assert!(no_pool_thread_is_left());
}

#[test]
fn after_a_told_wait_no_more_run_at_once_than_workers() {
    let _turn = turn();
    let pool = pool(1);
    let gate = Arc::new(Barrier::new(6));
    for _ in 0..5 {
        let gate = Arc::clone(&gate);
        pool.execute(task(move || blocking(|| gate.wait())));
    }
    gate.wait();
    thread::sleep(Duration::from_millis(20));
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (done, all_done) = mpsc::channel::<()>();
    for _ in 0..200 {
        let (running, most, done) = (Arc::clone(&running), Arc::clone(&most), done.clone());
        pool.execute(task(move || {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            drop(done);
        }));
    }
    drop(done);
    assert_eq!(all_done.recv_timeout(SOON), Err(mpsc::RecvTimeoutError::Disconnected));
    pool.stop();
    // One, and one more if the machine was so busy that the watchdog took a task for stuck.
    assert!(most.load(Ordering::SeqCst) <= 2, "{most:?} at once");
}

#[test]
fn spares_end_when_nobody_has_needed_them_for_a_while() {
    let _turn = turn();
    let pool = Arc::new(Pool::with(Options {
        workers: 1,
        keep_alive: Duration::from_millis(20),
        ..Options::default()
    }));
    let gate = Arc::new(Barrier::new(6));
    for _ in 0..5 {
        let gate = Arc::clone(&gate);
        pool.execute(task(move || blocking(|| gate.wait())));
    }
    gate.wait();
    let until = Instant::now() + SOON;
    let spares = || pool_threads().iter().filter(|name| name.starts_with("antiphon-spare")).count();
    while spares() > 0 {
        assert!(Instant::now() < until, "{:?}", pool_threads());
        thread::sleep(Duration::from_millis(5));
    }
    // And one is started again when it is needed.
    let (done, ran) = mpsc::channel::<()>();
    let gate = Arc::new(Barrier::new(3));
    for _ in 0..2 {
        let (gate, done) = (Arc::clone(&gate), done.clone());
        pool.execute(task(move || {
            blocking(|| gate.wait());
            drop(done);
        }));
    }
    drop(done);
    gate.wait();
    assert_eq!(ran.recv_timeout(SOON), Err(mpsc::RecvTimeoutError::Disconnected));
    pool.stop();
    assert!(no_pool_thread_is_left());
}

#[test]
fn the_limit_on_threads_holds() {
    let _turn = turn();
    let pool = Arc::new(Pool::with(Options { workers: 1, threads: 3, ..Options::default() }));
    let (most, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let waiting = Arc::new(AtomicUsize::new(0));
    for _ in 0..8 {
        let (most, gate, waiting) = (Arc::clone(&most), Arc::clone(&gate), Arc::clone(&waiting));
        pool.execute(task(move || {
            blocking(|| {
                most.fetch_max(waiting.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                while !gate.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(1));
                }
                waiting.fetch_sub(1, Ordering::SeqCst);
            });
        }));
    }
    thread::sleep(Duration::from_millis(50));
    gate.store(true, Ordering::SeqCst);
    pool.stop();
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[test]
fn a_busy_task_that_yields_lets_others_run() {
    let _turn = turn();
    let pool = pool(1);
    let stop = Arc::new(AtomicBool::new(false));
    fn busy(pool: Arc<Pool>, stop: Arc<AtomicBool>) {
        if !stop.load(Ordering::Relaxed) {
            let next = Arc::clone(&pool);
            pool.yield_back(task(move || busy(next, stop)));
        }
    }
    for _ in 0..3 {
        let (inner, stop) = (Arc::clone(&pool), Arc::clone(&stop));
        pool.execute(task(move || busy(inner, stop)));
    }
    let (done, ran) = mpsc::channel();
    pool.execute(task(move || done.send(())));
    assert_eq!(ran.recv_timeout(SOON), Ok(()));
    stop.store(true, Ordering::Relaxed);
    pool.stop();
}

#[test]
fn a_worker_whose_own_queue_never_empties_looks_at_the_common_one() {
    let _turn = turn();
    let pool = pool(1);
    let stop = Arc::new(AtomicBool::new(false));
    fn busy(pool: Arc<Pool>, stop: Arc<AtomicBool>) {
        if !stop.load(Ordering::Relaxed) {
            let next = Arc::clone(&pool);
            pool.execute(task(move || busy(next, stop)));
        }
    }
    for _ in 0..2 {
        let (inner, stop) = (Arc::clone(&pool), Arc::clone(&stop));
        pool.execute(task(move || busy(inner, stop)));
    }
    thread::sleep(Duration::from_millis(5));
    let (done, ran) = mpsc::channel();
    pool.execute(task(move || done.send(())));
    assert_eq!(ran.recv_timeout(SOON), Ok(()));
    stop.store(true, Ordering::Relaxed);
    pool.stop();
}

#[test]
fn a_panic_that_escapes_a_task_takes_nothing_along() {
    let _turn = turn();
    let pool = pool(1);
    pool.execute(task(|| std::panic::resume_unwind(Box::new("not the executor's fault"))));
    let (done, ran) = mpsc::channel();
    pool.execute(task(move || done.send(())));
    assert_eq!(ran.recv_timeout(SOON), Ok(()));
    pool.stop();
}

#[test]
fn stop_runs_what_is_queued_and_may_be_called_again_from_anywhere() {
    let _turn = turn();
    let pool = pool(2);
    let runs = Arc::new(AtomicUsize::new(0));
    for _ in 0..100 {
        let runs = Arc::clone(&runs);
        pool.execute(task(move || runs.fetch_add(1, Ordering::Relaxed)));
    }
    let inner = Arc::clone(&pool);
    pool.execute(task(move || inner.stop()));
    thread::scope(|scope| {
        scope.spawn(|| pool.stop());
        pool.stop();
    });
    assert_eq!(runs.load(Ordering::Relaxed), 100);
    assert!(no_pool_thread_is_left());

    // Later tasks run on the thread that brings them, and do not pile up on its stack.
    let here = thread::current().id();
    fn chain(pool: Arc<Pool>, left: u32, here: ThreadId, runs: Arc<AtomicUsize>) {
        assert_eq!(thread::current().id(), here);
        runs.fetch_add(1, Ordering::Relaxed);
        if left > 0 {
            let next = Arc::clone(&pool);
            pool.execute(task(move || chain(next, left - 1, here, runs)));
        }
    }
    let (first, counted) = (Arc::clone(&pool), Arc::clone(&runs));
    pool.execute(task(move || chain(first, 100_000, here, counted)));
    assert_eq!(runs.load(Ordering::Relaxed), 100 + 100_001);
}

#[test]
fn stopping_races_with_pushing() {
    let _turn = turn();
    for _ in 0..300 {
        let pool = pool(2);
        let runs = Arc::new(AtomicUsize::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..20 {
                    let runs = Arc::clone(&runs);
                    pool.execute(task(move || runs.fetch_add(1, Ordering::Relaxed)));
                }
            });
            pool.stop();
        });
        assert_eq!(runs.load(Ordering::Relaxed), 20);
    }
    assert!(no_pool_thread_is_left());
}

#[test]
fn a_pool_that_is_not_used_has_no_thread_and_one_that_is_dropped_leaves_none() {
    let _turn = turn();
    let pool = pool(2);
    assert_eq!(pool_threads(), Vec::<String>::new());
    pool.execute(task(|| ()));
    drop(pool);
    assert!(no_pool_thread_is_left());
}

#[test]
fn an_idle_pool_costs_no_processor_time() {
    let _turn = turn();
    let pool = pool(4);
    for _ in 0..1000 {
        let inner = Arc::clone(&pool);
        pool.execute(task(move || inner.execute(task(|| ()))));
    }
    // The watchdog's last rounds are over, and nobody searches any more.
    thread::sleep(Duration::from_millis(200));
    assert!(!pool_threads().is_empty());
    let before = ticks();
    thread::sleep(Duration::from_secs(1));
    assert_eq!(ticks() - before, 0, "in hundredths of a second");
    pool.stop();
}

/// The processor time that the threads of pools have used, in the kernel's ticks (hundredths of a second).
fn ticks() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("procfs");
    let stat = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok());
    stat.filter(|stat| stat.contains("(antiphon"))
        .map(|stat| {
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            // After the name: state is field 0, utime 11, stime 12.
            fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime")
        })
        .sum()
}

#[test]
fn a_manual_executor_runs_each_task_once_on_the_threads_that_ask_for_it() {
    let manual = Manual::new();
    let runs = Arc::new(AtomicUsize::new(0));
    for _ in 0..100 {
        let (runs, again) = (Arc::clone(&runs), manual.clone());
        manual.execute(task(move || {
            runs.fetch_add(1, Ordering::Relaxed);
            let runs = Arc::clone(&runs);
            again.yield_back(task(move || runs.fetch_add(1, Ordering::Relaxed)));
        }));
    }
    assert_eq!(runs.load(Ordering::Relaxed), 0, "nobody has asked");
    let ran: usize = thread::scope(|scope| {
        let threads = [(); 3].map(|()| scope.spawn(|| manual.run_until_idle()));
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert_eq!((ran, runs.load(Ordering::Relaxed)), (200, 200));
    assert!(!manual.run_one());
}
