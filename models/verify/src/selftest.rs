//! Scenarios with known results, by which the command itself is tested: each way to fail, once.
//!
//! They are reached with the hidden flag `--self-test`, which puts them in the place of the product's.

use std::process;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Duration;

use antiphon_harness::{Engine, Scenario, check, observe, reached};
use antiphon_platform_shuttle as platform;
use antiphon_spec::Guarantee;
use antiphon_spec::event::{ActorId, Class, Event, Kind, MessageId, Sender};

/// All of them.
pub(crate) static SCENARIOS: &[Scenario] = &[
    scenario("selftest/loom/counts", Engine::Loom, loom_counts),
    scenario("selftest/loom/loses-an-update", Engine::Loom, loom_loses_an_update),
    scenario("selftest/loom/deadlocks", Engine::Loom, loom_deadlocks),
    scenario("selftest/loom/aborts-in-a-deadlock", Engine::Loom, loom_aborts_in_a_deadlock),
    scenario("selftest/shuttle/counts", Engine::Shuttle, shuttle_counts),
    scenario("selftest/shuttle/loses-an-update", Engine::Shuttle, shuttle_loses_an_update),
    scenario("selftest/shuttle/deadlocks", Engine::Shuttle, shuttle_deadlocks),
    scenario("selftest/shuttle/spins", Engine::Shuttle, shuttle_spins),
    scenario("selftest/explorer/counts", Engine::Explorer, explorer_counts),
    scenario("selftest/explorer/adds-three", Engine::Explorer, || explorer_adds_three(2)),
    scenario("selftest/explorer/adds-more", Engine::Explorer, || explorer_adds_three(4)),
    scenario("selftest/explorer/goes-on-and-on", Engine::Explorer, explorer_goes_on_and_on),
    scenario("selftest/explorer/loses-an-update", Engine::Explorer, explorer_loses_an_update),
    scenario("selftest/explorer/deadlocks", Engine::Explorer, explorer_deadlocks),
    scenario("selftest/explorer/races", Engine::Explorer, explorer_races),
    scenario("selftest/threads/passes", Engine::Threads, threads_pass),
    scenario("selftest/threads/prints", Engine::Threads, threads_print),
    scenario("selftest/threads/breaks-a-guarantee", Engine::Threads, threads_break_a_guarantee),
    scenario("selftest/threads/loses-a-message", Engine::Threads, threads_lose_a_message),
    scenario("selftest/threads/panics", Engine::Threads, || panic!("the scenario panicked")),
    scenario("selftest/threads/aborts", Engine::Threads, || process::abort()),
    scenario("selftest/threads/exits", Engine::Threads, || process::exit(0)),
    scenario("selftest/threads/hangs", Engine::Threads, || thread::sleep(Duration::from_secs(600))),
    scenario("selftest/loom/sleeps", Engine::Loom, || thread::sleep(Duration::from_secs(600))),
    scenario("selftest/loom/reaches-nothing", Engine::Loom, || check(true, Guarantee::NoLoss, String::new)),
    scenario("selftest/loom/checks-nothing", Engine::Loom, || reached("the end")),
];

const fn scenario(name: &'static str, engine: Engine, body: fn()) -> Scenario {
    let engines: &[Engine] = match engine {
        Engine::Loom => &[Engine::Loom],
        Engine::Shuttle => &[Engine::Shuttle],
        Engine::Explorer => &[Engine::Explorer],
        Engine::Threads => &[Engine::Threads],
    };
    Scenario { name, guarantees: &[Guarantee::NoLoss], reaches: &["the end"], engines, body }
}

fn sum(is: usize) {
    check(is == 2, Guarantee::NoLoss, || format!("two additions of one made {is}"));
    reached("the end");
}

/// Two threads of an engine add one each, with `$add`; then the sum is checked.
macro_rules! adds {
    ($name:ident, $engine:ident, $add:expr) => {
        fn $name() {
            use $engine::sync::atomic::AtomicUsize;
            let total = $engine::sync::Arc::new(AtomicUsize::new(0));
            let add: fn(&AtomicUsize) = $add;
            let other = {
                let total = total.clone();
                $engine::thread::spawn(move || add(&total))
            };
            add(&total);
            other.join().expect("adding does not panic");
            sum(total.load(SeqCst));
        }
    };
}

adds!(loom_counts, loom, |total| {
    total.fetch_add(1, SeqCst);
});
adds!(shuttle_counts, shuttle, |total| {
    total.fetch_add(1, SeqCst);
});
adds!(loom_loses_an_update, loom, |total| total.store(total.load(SeqCst) + 1, SeqCst));
adds!(shuttle_loses_an_update, shuttle, |total| total.store(total.load(SeqCst) + 1, SeqCst));

/// Two threads of an engine take two locks in opposite order.
macro_rules! deadlocks {
    ($name:ident, $engine:ident) => {
        fn $name() {
            use $engine::sync::{Arc, Mutex};
            let (a, b) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
            let other = {
                let (a, b) = (a.clone(), b.clone());
                $engine::thread::spawn(move || {
                    let _b = b.lock().expect("not poisoned");
                    let _a = a.lock().expect("not poisoned");
                })
            };
            {
                let _a = a.lock().expect("not poisoned");
                let _b = b.lock().expect("not poisoned");
            }
            other.join().expect("locking does not panic");
            sum(2);
        }
    };
}

// loom can't unwind through a live guard: the process aborts.
deadlocks!(loom_aborts_in_a_deadlock, loom);
deadlocks!(shuttle_deadlocks, shuttle);

fn loom_deadlocks() {
    let other = loom::thread::spawn(loom::thread::park);
    other.join().expect("parking does not panic");
}

fn shuttle_spins() {
    use shuttle::sync::atomic::AtomicBool;
    let never = AtomicBool::new(false);
    let other = shuttle::thread::spawn(|| ());
    while !never.load(SeqCst) {
        shuttle::thread::yield_now();
    }
    other.join().expect("nothing does not panic");
}

fn explorer_adds(add: fn(&platform::sync::atomic::AtomicUsize)) {
    let total = platform::sync::Arc::new(platform::sync::atomic::AtomicUsize::new(0));
    let theirs = total.clone();
    let other = platform::thread::spawn(String::new(), 0, move || add(&theirs)).expect("a model has room");
    add(&total);
    other.join();
    sum(total.load(SeqCst));
}

fn explorer_counts() {
    explorer_adds(|total| {
        total.fetch_add(1, SeqCst);
    });
}

/// Three threads that add one, `n` times each: (3n)! / n!^3 orders, which is 90 for 2 and 34,650 for 4.
fn explorer_adds_three(n: usize) {
    let total = platform::sync::Arc::new(platform::sync::atomic::AtomicUsize::new(0));
    let others: Vec<_> = (0..3)
        .map(|_| {
            let total = total.clone();
            let add = move || {
                for _ in 0..n {
                    total.fetch_add(1, SeqCst);
                }
            };
            platform::thread::spawn(String::new(), 0, add).expect("a model has room")
        })
        .collect();
    others.into_iter().for_each(platform::thread::JoinHandle::join);
    sum(total.load(SeqCst) * 2 / (3 * n));
}

/// More steps than the explorer's bound on them.
fn explorer_goes_on_and_on() {
    let total = platform::sync::atomic::AtomicUsize::new(0);
    for _ in 0..=antiphon_explorer::DEPTH {
        total.fetch_add(1, SeqCst);
    }
    sum(2);
}

fn explorer_loses_an_update() {
    explorer_adds(|total| total.store(total.load(SeqCst) + 1, SeqCst));
}

fn explorer_deadlocks() {
    use platform::sync::{Arc, Mutex};
    let (a, b) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
    let (their_a, their_b) = (a.clone(), b.clone());
    let other = platform::thread::spawn(String::new(), 0, move || {
        let _b = their_b.lock();
        let _a = their_a.lock();
    });
    {
        let _a = a.lock();
        let _b = b.lock();
    }
    other.expect("a model has room").join();
    sum(2);
}

fn explorer_races() {
    let memory = platform::sync::Arc::new(platform::cell::Witness::new());
    let theirs = memory.clone();
    let other = platform::thread::spawn(String::new(), 0, move || theirs.write()).expect("a model has room");
    memory.write();
    other.join();
    sum(2);
}

fn threads_pass() {
    sum(2);
}

fn threads_print() {
    println!("{{\"outcome\": \"a scenario may print what it likes\"}}");
    sum(2);
}

fn threads_break_a_guarantee() {
    sum(1);
}

/// Says what a runtime would say that accepts a message and ends without it.
fn threads_lose_a_message() {
    let (actor, message, from) = (ActorId(1), MessageId(1), Some(Sender::Thread("t".to_string())));
    observe(Event::InitBegin { actor, kind: Kind::Process, parent: None });
    observe(Event::InitEnd { actor, ok: true });
    observe(Event::SendBegin { message, from, to: actor, class: Class::Main });
    observe(Event::SendEnd { message, accepted: true });
    observe(Event::TerminateBegin { actor, reason: None });
    observe(Event::TerminateEnd { actor });
    reached("the end");
}
