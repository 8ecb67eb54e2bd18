//! Small programs that several tests explore.
#![allow(dead_code, reason = "each test uses some of them")]

use std::sync::Arc as Shared;

use platform::sync::atomic::{AtomicUsize, Ordering};
use platform::sync::{Arc, Mutex};
use platform::thread;

/// Runs `body` on so many threads, told which it is, and waits for them.
pub(crate) fn threads(count: usize, body: impl Fn(usize) + Send + Sync + 'static) {
    let body = Shared::new(body);
    let handles: Vec<_> = (0..count)
        .map(|index| {
            let body = Shared::clone(&body);
            thread::spawn(format!("thread {index}"), 0, move || body(index)).expect("a thread")
        })
        .collect();
    handles.into_iter().for_each(thread::JoinHandle::join);
}

/// Each thread locks and unlocks one mutex.
pub(crate) fn mutex(count: usize, times: usize) {
    let mutex = Arc::new(Mutex::new(0));
    threads(count, move |_| (0..times).for_each(|_| *mutex.lock() += 1));
}

/// Each thread pushes onto a stack: a load, and then compare-exchanges until one succeeds.
pub(crate) fn push(count: usize, times: usize) {
    let head = Arc::new(AtomicUsize::new(0));
    threads(count, move |index| {
        for time in 0..times {
            let mut seen = head.load(Ordering::Relaxed);
            let new = 1 + index * times + time;
            while let Err(other) = head.compare_exchange(seen, new, Ordering::AcqRel, Ordering::Relaxed) {
                seen = other;
            }
        }
    });
}

/// Each thread increments: a load before each compare-exchange.
pub(crate) fn increment(count: usize, times: usize) {
    let number = Arc::new(AtomicUsize::new(0));
    threads(count, move |_| {
        for _ in 0..times {
            loop {
                let seen = number.load(Ordering::Relaxed);
                let new = seen + 1;
                if number.compare_exchange(seen, new, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                    break;
                }
            }
        }
    });
}

/// Each thread adds.
pub(crate) fn add(count: usize, times: usize) {
    let number = Arc::new(AtomicUsize::new(0));
    threads(count, move |_| {
        for _ in 0..times {
            number.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// Each of two threads writes one variable and reads the other.
pub(crate) fn store_buffering() {
    let both = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    threads(2, move |index| {
        both[index].store(1, Ordering::SeqCst);
        both[1 - index].load(Ordering::SeqCst);
    });
}

/// One writes what the others read.
pub(crate) fn readers(count: usize) {
    let word = Arc::new(AtomicUsize::new(0));
    threads(count + 1, move |index| {
        if index == 0 {
            word.store(1, Ordering::Relaxed);
        } else {
            word.load(Ordering::Relaxed);
        }
    });
}

/// Each on a variable of its own.
pub(crate) fn disjoint(count: usize) {
    let words: Shared<Vec<AtomicUsize>> = Shared::new((0..count).map(|_| AtomicUsize::new(0)).collect());
    threads(count, move |index| {
        words[index].store(1, Ordering::Relaxed);
        words[index].load(Ordering::Relaxed);
    });
}

/// `lastzero` of the papers.
pub(crate) fn last_zero(count: usize) {
    let array: Shared<Vec<AtomicUsize>> = Shared::new((0..=count).map(|_| AtomicUsize::new(0)).collect());
    threads(count + 1, move |index| {
        if index == 0 {
            let mut at = count;
            while array[at].load(Ordering::SeqCst) != 0 {
                at -= 1;
            }
        } else {
            let before = array[index - 1].load(Ordering::SeqCst);
            array[index].store(before + 1, Ordering::SeqCst);
        }
    });
}

/// Two threads take two locks in different orders.
pub(crate) fn crossed_locks() {
    let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
    threads(2, move |index| {
        let _first = locks[index].lock();
        let _second = locks[1 - index].lock();
    });
}

/// One thread loads and exchanges what the other loads.
pub(crate) fn load_and_exchange() {
    let word = Arc::new(AtomicUsize::new(0));
    threads(2, move |index| {
        let seen = word.load(Ordering::Relaxed);
        if index == 0 {
            let _ = word.compare_exchange(seen, 1, Ordering::AcqRel, Ordering::Relaxed);
        }
    });
}
