//! Random programs: each way of searching finds the same classes with the same outcomes.
//!
//! Hand-written examples found none of the faults that these programs found. Each run takes a fresh seed and says
//! which; `EXPLORER_SEED` and `EXPLORER_PROGRAMS` repeat one or make it longer.

mod common;

use std::cell::RefCell;
use std::io::Write;
use std::sync::{Arc as Shared, Mutex as Plain};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use antiphon_explorer::{Classes, Explorer, Mode, Program, Shard, classes, merge};
use platform::sync::atomic::{AtomicU64, Ordering};
use platform::sync::{Arc, Condvar, Mutex, MutexGuard};
use platform::{choice, thread};

/// What a thread of a random program does, one after the other. `last` is the last value that it saw.
#[derive(Clone, Copy, Debug)]
enum Step {
    Load(usize),
    Store(usize, u64),
    Add(usize),
    Exchange(usize, u64, u64),
    ExchangeLast(usize, u64),
    Lock(usize),
    Unlock(usize),
    TryLock(usize),
    Wait,
    WaitAWhile,
    NotifyOne,
    NotifyAll,
    Choose,
    /// Leaves out so many steps if `last` is this.
    Skip(u64, usize),
    Drop,
    Yield,
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn step(&mut self, held: &mut Vec<usize>) -> Step {
        let object = self.below(2);
        match self.below(18) {
            0 | 1 => Step::Load(object),
            2 => Step::Store(object, self.below(3) as u64),
            3 => Step::Add(object),
            4 => Step::Exchange(object, self.below(2) as u64, self.below(3) as u64),
            5 => Step::ExchangeLast(object, self.below(3) as u64),
            6 | 7 if held.contains(&object) => {
                held.retain(|lock| *lock != object);
                Step::Unlock(object)
            }
            6 | 7 => {
                held.push(object);
                Step::Lock(object)
            }
            8 => Step::TryLock(object),
            9 => Step::Skip(self.below(2) as u64, 1 + self.below(2)),
            10 => Step::Choose,
            11 => Step::NotifyOne,
            12 => Step::NotifyAll,
            13 if held.contains(&0) => Step::Wait,
            14 if held.contains(&0) => Step::WaitAWhile,
            13 | 14 => Step::NotifyAll,
            15 | 16 => Step::Drop,
            _ => Step::Yield,
        }
    }

    fn program(&mut self) -> Vec<Vec<Step>> {
        let threads = 2 + self.below(3);
        let most = [5, 3, 2][threads - 2];
        (0..threads)
            .map(|_| {
                let mut held = Vec::new();
                (0..1 + self.below(most)).map(|_| self.step(&mut held)).collect()
            })
            .collect()
    }
}

std::thread_local! {
    static OUTCOME: RefCell<String> = const { RefCell::new(String::new()) };
    static DROPS: RefCell<u64> = const { RefCell::new(0) };
}

/// Its destructor shows on which thread the last share was dropped.
struct Shown;

impl Drop for Shown {
    fn drop(&mut self) {
        DROPS.with_borrow_mut(|drops| *drops += 1);
    }
}

struct World {
    words: [AtomicU64; 2],
    locks: [Mutex<()>; 2],
    condition: Condvar,
    said: Plain<Vec<String>>,
}

fn run(program: &[Vec<Step>]) {
    OUTCOME.with_borrow_mut(String::clear);
    let world = Shared::new(World {
        words: [AtomicU64::new(0), AtomicU64::new(0)],
        locks: [Mutex::new(()), Mutex::new(())],
        condition: Condvar::new(),
        said: Plain::new(vec![String::new(); program.len()]),
    });
    let shown = Arc::new(Shown);
    let handles: Vec<_> = program
        .iter()
        .enumerate()
        .map(|(index, steps)| {
            let drops = steps.iter().any(|step| matches!(step, Step::Drop));
            let share = drops.then(|| Arc::clone(&shown));
            let (steps, world) = (steps.clone(), Shared::clone(&world));
            thread::spawn(String::new(), 0, move || {
                let said = run_thread(&steps, &world, share);
                world.said.lock().expect("nobody panics")[index] = said;
            })
            .expect("a thread")
        })
        .collect();
    drop(shown);
    handles.into_iter().for_each(thread::JoinHandle::join);
    OUTCOME.with_borrow_mut(|outcome| *outcome = world.said.lock().expect("nobody panics").join("|"));
}

fn run_thread(steps: &[Step], world: &World, mut share: Option<Arc<Shown>>) -> String {
    let mut said = String::new();
    let mut last = 0;
    let mut skip = 0;
    let mut guards: [Option<MutexGuard<'_, ()>>; 2] = [None, None];
    for step in steps {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        match *step {
            Step::Load(at) => last = world.words[at].load(Ordering::SeqCst),
            Step::Store(at, value) => world.words[at].store(value, Ordering::SeqCst),
            Step::Add(at) => last = world.words[at].fetch_add(1, Ordering::SeqCst),
            Step::Exchange(at, expected, new) => last = exchange(&world.words[at], expected, new),
            Step::ExchangeLast(at, new) => last = exchange(&world.words[at], last, new),
            Step::Lock(at) => {
                if guards[at].is_none() {
                    guards[at] = Some(world.locks[at].lock());
                }
            }
            Step::Unlock(at) => drop(guards[at].take()),
            Step::TryLock(at) => {
                if guards[at].is_none() {
                    guards[at] = world.locks[at].try_lock();
                    last = u64::from(guards[at].is_some());
                }
            }
            Step::Wait => guards[0] = guards[0].take().map(|guard| world.condition.wait(guard)),
            Step::WaitAWhile => {
                guards[0] = guards[0].take().map(|guard| {
                    let second = Duration::from_secs(1);
                    let mut waits = 2;
                    let (guard, timed_out) = world.condition.wait_timeout_while(guard, second, |()| {
                        waits -= 1;
                        waits > 0
                    });
                    last = u64::from(timed_out);
                    guard
                });
            }
            Step::NotifyOne => world.condition.notify_one(),
            Step::NotifyAll => world.condition.notify_all(),
            Step::Choose => last = choice(2) as u64,
            Step::Skip(value, steps) => skip = if last == value { steps } else { 0 },
            Step::Drop => {
                let before = DROPS.with_borrow(|drops| *drops);
                drop(share.take());
                last = DROPS.with_borrow(|drops| *drops) - before;
            }
            Step::Yield => thread::yield_now(),
        }
        said.push_str(&format!("{last},"));
    }
    said
}

fn exchange(word: &AtomicU64, expected: u64, new: u64) -> u64 {
    word.compare_exchange(expected, new, Ordering::SeqCst, Ordering::SeqCst).unwrap_or_else(|seen| seen)
}

/// Programs with more schedules than this take too long to be searched naively.
const MOST: u64 = 12_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn searched(program: &Program, mode: Mode, most: u64) -> Classes {
    classes(program, mode, most, || OUTCOME.with_borrow(Clone::clone))
}

#[test]
fn all_searches_find_the_same() {
    let fresh = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let seed = number("EXPLORER_SEED").unwrap_or_else(fresh);
    let programs = number("EXPLORER_PROGRAMS").unwrap_or(1_000);
    // Not by `println!`, which is shown only when the test fails: the seed is part of what was tried.
    let _ = writeln!(std::io::stderr(), "EXPLORER_SEED={seed} EXPLORER_PROGRAMS={programs}");
    let (mut compared, mut stuck, mut redundant, mut number) = (0, 0, 0, 0);
    while compared < programs {
        number += 1;
        assert!(number < 3 * programs + 100, "most programs are too large to be compared");
        let steps = Random(seed.wrapping_mul(1 << 20).wrapping_add(number)).program();
        let program = {
            let steps = steps.clone();
            Program::new(move || run(&steps))
        };
        let naive = searched(&program, Mode::Naive, MOST);
        if !naive.complete {
            continue;
        }
        compared += 1;
        stuck += u64::from(naive.outcomes.contains_key("stuck"));
        let chosen = steps.iter().flatten().any(|step| matches!(step, Step::Choose | Step::NotifyOne));
        for mode in [Mode::Optimal, Mode::Source] {
            let found = searched(&program, mode, 4 * MOST);
            let what = format!("{mode:?} of seed {seed}, number {number}: {steps:?}");
            assert!(found.complete, "{what} does not end");
            assert!(found.classes.keys().eq(naive.classes.keys()), "other classes by {what}");
            assert!(found.outcomes.keys().eq(naive.outcomes.keys()), "other outcomes by {what}");
            assert_eq!(found.executions, naive.classes.len() as u64, "a class twice by {what}");
            if mode == Mode::Optimal {
                redundant += found.redundant;
                // Choices are taken wherever they are come across, which may be in vain.
                assert!(found.redundant == 0 || chosen, "something in vain by {what}");
            }
        }
        if number % 16 == 0 {
            let total: u64 = sharded(&program);
            assert_eq!(
                total,
                naive.classes.len() as u64,
                "in shards: seed {seed}, number {number}: {steps:?}"
            );
        }
    }
    println!(
        "{compared} of {number} programs compared; {stuck} can get stuck; {redundant} executions in vain"
    );
    assert!(stuck > 0, "deadlocks are part of it");
}

/// The number of executions that two shards complete.
fn sharded(program: &Program) -> u64 {
    let directory = std::env::temp_dir().join(format!("antiphon-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let shards: Vec<_> = (1..=2)
        .map(|index| {
            let file = directory.join(format!("{index}.json"));
            let _ = std::fs::remove_file(&file);
            let shard = Shard { index, of: 2 };
            let explorer =
                Explorer::new().workers(1).keep_going(true).shard(shard).checkpoint(Some(file.clone()));
            explorer.run(&program.clone().leaks_fail(false)).expect("a shard");
            antiphon_explorer::Checkpoint::read(&file).expect("a checkpoint")
        })
        .collect();
    std::fs::remove_dir_all(&directory).expect("remove the directory");
    merge(&shards).expect("they go together").executions
}
