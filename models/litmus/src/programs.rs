//! The programs, compiled once for each engine: `engine` is the engine's platform with what only litmus tests use.
//!
//! Each ends by telling its outcome. Values that threads hand back for that go through `Slots`, which no engine
//! sees; that is sound because each slot has one writer, and the reader joins it first.

use std::sync::{Arc as Unseen, Mutex as Hidden, PoisonError};

use super::engine::platform::sync::Arc;
use super::engine::platform::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use super::engine::platform::sync::atomic::{AtomicBool, AtomicUsize};
use super::engine::platform::thread::{self, JoinHandle};
use super::engine::{fence, tell};

#[path = "blocking.rs"]
mod blocking;

pub(crate) use blocking::*;

fn spawn(body: impl FnOnce() + Send + 'static) -> JoinHandle {
    thread::spawn("litmus".to_owned(), 0, body).expect("a thread")
}

#[derive(Clone)]
struct Slots(Unseen<Hidden<Vec<String>>>);

impl Slots {
    fn new(count: usize) -> Self {
        Self(Unseen::new(Hidden::new(vec![String::new(); count])))
    }

    fn set(&self, slot: usize, value: impl ToString) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[slot] = value.to_string();
    }

    fn append(&self, value: impl ToString) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(value.to_string());
    }

    fn tell(&self) {
        tell(self.0.lock().unwrap_or_else(PoisonError::into_inner).concat());
    }
}

/// Runs both, the second one here, and tells what they return.
fn pair<S: Send + Sync + 'static>(
    shared: S,
    first: impl FnOnce(&S) -> String + Send + 'static,
    second: impl FnOnce(&S) -> String,
    after: impl FnOnce(&S) -> String,
) {
    let shared = Arc::new(shared);
    let slots = Slots::new(3);
    let other = {
        let (shared, slots) = (Arc::clone(&shared), slots.clone());
        spawn(move || slots.set(0, first(&shared)))
    };
    slots.set(1, second(&shared));
    other.join();
    slots.set(2, after(&shared));
    slots.tell();
}

type Words = [AtomicUsize; 2];

fn words() -> Words {
    [AtomicUsize::new(0), AtomicUsize::new(0)]
}

fn nothing<S>(_: &S) -> String {
    String::new()
}

fn read(word: &AtomicUsize, ordering: Ordering) -> String {
    word.load(ordering).to_string()
}

fn exchange(word: &AtomicUsize, from: usize, to: usize) -> String {
    match word.compare_exchange(from, to, AcqRel, Acquire) {
        Ok(_) => "y".to_owned(),
        Err(_) => "n".to_owned(),
    }
}

fn store_buffering_with(ordering: Ordering, between: Option<Ordering>) {
    let side = move |mine: usize| {
        move |words: &Words| {
            words[mine].store(1, if ordering == SeqCst { SeqCst } else { Relaxed });
            if let Some(between) = between {
                fence(between);
            }
            read(&words[1 - mine], if ordering == SeqCst { SeqCst } else { Relaxed })
        }
    };
    pair(words(), side(0), side(1), nothing);
}

pub(crate) fn store_buffering() {
    store_buffering_with(SeqCst, None);
}

pub(crate) fn store_buffering_relaxed() {
    store_buffering_with(Relaxed, None);
}

pub(crate) fn store_buffering_fences() {
    store_buffering_with(Relaxed, Some(SeqCst));
}

pub(crate) fn store_buffering_rmw() {
    let side = |mine: usize| {
        move |words: &Words| {
            words[mine].swap(1, AcqRel);
            words[1 - mine].fetch_or(0, AcqRel).to_string()
        }
    };
    pair(words(), side(0), side(1), nothing);
}

fn message_passing_with(store: Ordering, load: Ordering) {
    pair(
        words(),
        move |words| {
            words[0].store(1, Relaxed);
            words[1].store(1, store);
            String::new()
        },
        move |words| read(&words[1], load) + &read(&words[0], Relaxed),
        nothing,
    );
}

pub(crate) fn message_passing() {
    message_passing_with(Release, Acquire);
}

pub(crate) fn message_passing_relaxed() {
    message_passing_with(Relaxed, Relaxed);
}

pub(crate) fn load_buffering() {
    let side = |mine: usize| {
        move |words: &Words| {
            let seen = read(&words[mine], Relaxed);
            words[1 - mine].store(1, Relaxed);
            seen
        }
    };
    pair(words(), side(0), side(1), nothing);
}

pub(crate) fn coherence_of_reads() {
    pair(
        words(),
        |words| {
            words[0].store(1, Relaxed);
            words[0].store(2, Relaxed);
            String::new()
        },
        |words| read(&words[0], Relaxed) + &read(&words[0], Relaxed),
        nothing,
    );
}

pub(crate) fn two_plus_two_writes() {
    let side = |mine: usize| {
        move |words: &Words| {
            words[mine].store(1, Relaxed);
            words[1 - mine].store(2, Relaxed);
            String::new()
        }
    };
    pair(words(), side(0), side(1), |words| read(&words[0], Relaxed) + &read(&words[1], Relaxed));
}

pub(crate) fn independent_reads() {
    let words = Arc::new(words());
    let slots = Slots::new(2);
    let mut handles = Vec::new();
    for index in 0..2 {
        let words = Arc::clone(&words);
        handles.push(spawn(move || words[index].store(1, Release)));
    }
    for index in 0..2 {
        let (words, slots) = (Arc::clone(&words), slots.clone());
        handles.push(spawn(move || {
            slots.set(index, read(&words[index], Acquire) + &read(&words[1 - index], Acquire));
        }));
    }
    handles.into_iter().for_each(JoinHandle::join);
    slots.tell();
}

pub(crate) fn compare_exchange_race() {
    pair(words(), |words| exchange(&words[0], 0, 1), |words| exchange(&words[0], 0, 2), nothing);
}

pub(crate) fn load_then_store() {
    pair(
        words(),
        |words| {
            let seen = words[0].load(Relaxed);
            words[0].store(seen + 1, Relaxed);
            String::new()
        },
        |words| read(&words[0], Relaxed),
        nothing,
    );
}

pub(crate) fn load_then_exchange() {
    pair(
        words(),
        |words| {
            let seen = words[0].load(Relaxed);
            exchange(&words[0], seen, 1)
        },
        |words| read(&words[0], Relaxed),
        nothing,
    );
}

pub(crate) fn fetch_update() {
    pair(
        words(),
        |words| {
            let _ = words[0].fetch_update(AcqRel, Acquire, |seen| Some(seen + 1));
            String::new()
        },
        |words| read(&words[0], Relaxed),
        nothing,
    );
}

/// The same as [`load_then_exchange`], read by a read-modify-write: the form to use where loom must see it.
pub(crate) fn load_then_exchange_read_by_rmw() {
    pair(
        words(),
        |words| {
            let seen = words[0].fetch_or(0, AcqRel);
            exchange(&words[0], seen, 1)
        },
        |words| words[0].fetch_or(0, AcqRel).to_string(),
        nothing,
    );
}

pub(crate) fn two_load_then_exchange() {
    let words = Arc::new(words());
    let slots = Slots::new(4);
    let handles: Vec<_> = (0..2)
        .map(|index| {
            let (words, slots) = (Arc::clone(&words), slots.clone());
            spawn(move || {
                let seen = words[0].load(Relaxed);
                slots.set(index, exchange(&words[0], seen, seen + 1));
            })
        })
        .collect();
    slots.set(2, read(&words[0], Relaxed));
    handles.into_iter().for_each(JoinHandle::join);
    slots.set(3, read(&words[0], Relaxed));
    slots.tell();
}

pub(crate) fn read_modify_write_chain() {
    let side = |words: &Words| {
        words[0].fetch_add(1, Relaxed).to_string() + &words[0].fetch_add(1, Relaxed).to_string()
    };
    pair(words(), side, side, nothing);
}

/// What is released into a word is acquired through another thread's relaxed read-modify-write of it.
pub(crate) fn release_sequence() {
    let words = Arc::new(words());
    let slots = Slots::new(1);
    let first = {
        let words = Arc::clone(&words);
        spawn(move || {
            words[0].store(1, Relaxed);
            words[1].store(1, Release);
        })
    };
    let second = {
        let words = Arc::clone(&words);
        spawn(move || {
            words[1].fetch_add(1, Relaxed);
        })
    };
    slots.set(0, read(&words[1], Acquire) + &read(&words[0], Relaxed));
    first.join();
    second.join();
    slots.tell();
}

/// A thread exchanges what it saw; meanwhile the other puts something else there, and the same again.
pub(crate) fn there_and_back() {
    pair(
        words(),
        |words| {
            let seen = words[0].fetch_or(0, AcqRel);
            let between = words[1].fetch_or(0, AcqRel);
            format!("{between}{}", exchange(&words[0], seen, 7))
        },
        |words| {
            let there = exchange(&words[0], 0, 1);
            words[1].swap(1, AcqRel);
            there + &exchange(&words[0], 1, 0)
        },
        nothing,
    );
}

/// One attempt to read two words that belong together, under a sequence number.
pub(crate) fn sequence_lock() {
    struct Shared {
        sequence: AtomicUsize,
        data: Words,
    }
    pair(
        Shared { sequence: AtomicUsize::new(0), data: words() },
        |shared| {
            shared.sequence.store(1, Relaxed);
            fence(Release);
            shared.data[0].store(1, Relaxed);
            shared.data[1].store(1, Relaxed);
            shared.sequence.store(2, Release);
            String::new()
        },
        |shared| {
            let before = shared.sequence.load(Acquire);
            let data = read(&shared.data[0], Relaxed) + &read(&shared.data[1], Relaxed);
            fence(Acquire);
            let after = shared.sequence.load(Relaxed);
            if before == after && before.is_multiple_of(2) { data } else { "again".to_owned() }
        },
        nothing,
    );
}

pub(crate) fn flag_and_data() {
    pair(
        (AtomicBool::new(false), AtomicUsize::new(0)),
        |shared| {
            shared.1.fetch_add(1, Relaxed);
            shared.0.swap(true, Release);
            String::new()
        },
        |shared| format!("{}{}", usize::from(shared.0.load(Acquire)), shared.1.load(Relaxed)),
        |shared| read(&shared.1, Relaxed),
    );
}

pub(crate) fn message_passing_fences() {
    pair(
        words(),
        |words| {
            words[0].store(1, Relaxed);
            fence(Release);
            words[1].store(1, Relaxed);
            String::new()
        },
        |words| {
            let flag = read(&words[1], Relaxed);
            fence(Acquire);
            flag + &read(&words[0], Relaxed)
        },
        nothing,
    );
}

/// A thread writes a word, and then reads it: it never sees what was there before its own write.
pub(crate) fn coherence_of_own_write() {
    pair(
        words(),
        |words| {
            words[0].store(1, Relaxed);
            read(&words[0], Relaxed)
        },
        |words| {
            words[0].store(2, Relaxed);
            String::new()
        },
        |words| read(&words[0], Relaxed),
    );
}

/// tokio-rs/loom#166: the writer loads what only it writes, which changes nothing.
fn needless_load(load: bool) {
    pair(
        words(),
        move |words| {
            words[0].store(1, SeqCst);
            words[1].store(1, SeqCst);
            words[1].store(0, SeqCst);
            if load {
                words[0].load(SeqCst);
            }
            words[0].store(0, SeqCst);
            String::new()
        },
        |words| read(&words[1], SeqCst) + &read(&words[0], SeqCst),
        nothing,
    );
}

pub(crate) fn without_needless_load() {
    needless_load(false);
}

pub(crate) fn with_needless_load() {
    needless_load(true);
}

/// tokio-rs/loom#282, its small form: one word, and what was swapped out says in which order it was written.
pub(crate) fn modification_order() {
    let words = Arc::new(words());
    let slots = Slots::new(2);
    let first = {
        let words = Arc::clone(&words);
        spawn(move || words[0].store(1, Relaxed))
    };
    let second = {
        let (words, slots) = (Arc::clone(&words), slots.clone());
        spawn(move || slots.set(0, words[0].swap(2, Relaxed)))
    };
    slots.set(1, read(&words[0], Relaxed) + &read(&words[0], Relaxed));
    first.join();
    second.join();
    slots.tell();
}

/// tokio-rs/loom#389: nothing comes between what a swap reads and what it writes.
pub(crate) fn swap_against_store() {
    pair(
        words(),
        |words| {
            words[0].store(1, Relaxed);
            String::new()
        },
        |words| words[0].swap(2, Relaxed).to_string(),
        |words| read(&words[0], Relaxed),
    );
}

/// Nobody is in the way of a weak compare-exchange, and still it may fail.
pub(crate) fn weak_exchange() {
    pair(
        words(),
        |words| words[1].fetch_add(1, Relaxed).to_string(),
        |words| match words[0].compare_exchange_weak(0, 1, AcqRel, Acquire) {
            Ok(_) => "y".to_owned(),
            Err(_) => "n".to_owned(),
        },
        nothing,
    );
}
