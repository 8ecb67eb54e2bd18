//! The programs in which somebody waits, or might: locks, condition variables, channels, parking.

use std::panic;
use std::time::Duration;

use super::super::engine::platform::sync::atomic::AtomicBool;
use super::super::engine::platform::sync::atomic::Ordering::{Acquire, Release};
use super::super::engine::platform::sync::{Arc, Condvar, Mutex};
use super::super::engine::platform::thread::JoinHandle;
use super::super::engine::{Parker, Poisonable, TryMutex, channel, tell};
use super::{Slots, nothing, pair, spawn};

/// In which order three threads, the main one among them, take one lock, twice each.
pub(crate) fn mutex_3x2() {
    let lock = Arc::new(Mutex::new(()));
    let slots = Slots::new(0);
    let take_twice = |index: usize, lock: &Mutex<()>, slots: &Slots| {
        for _ in 0..2 {
            let _guard = lock.lock();
            slots.append(index);
        }
    };
    let handles: Vec<_> = (0..2)
        .map(|index| {
            let (lock, slots) = (Arc::clone(&lock), slots.clone());
            spawn(move || take_twice(index, &lock, &slots))
        })
        .collect();
    take_twice(2, &lock, &slots);
    handles.into_iter().for_each(JoinHandle::join);
    slots.tell();
}

pub(crate) fn try_lock() {
    pair(
        TryMutex::new(),
        |lock| {
            lock.lock(|| ());
            if lock.try_lock(|| ()) { "y" } else { "n" }.to_owned()
        },
        |lock| if lock.try_lock(|| ()) { "y" } else { "n" }.to_owned(),
        nothing,
    );
}

pub(crate) fn condition_variable() {
    pair(
        (Mutex::new(0), Condvar::new()),
        |shared| {
            *shared.0.lock() = 7;
            shared.1.notify_one();
            String::new()
        },
        |shared| {
            let mut value = shared.0.lock();
            while *value == 0 {
                value = shared.1.wait(value);
            }
            value.to_string()
        },
        nothing,
    );
}

pub(crate) fn timeout() {
    pair(
        (Mutex::new(false), Condvar::new()),
        |shared| {
            *shared.0.lock() = true;
            shared.1.notify_one();
            String::new()
        },
        |shared| {
            let second = Duration::from_secs(1);
            let (_guard, timed_out) = shared.1.wait_timeout_while(shared.0.lock(), second, |done| !*done);
            if timed_out { "late" } else { "done" }.to_owned()
        },
        nothing,
    );
}

/// Two attempts to receive what another thread sends.
pub(crate) fn try_receive() {
    let (sender, receiver) = channel();
    let other = spawn(move || {
        sender.send(1);
        sender.send(2);
    });
    let attempt = || receiver.try_recv().map_or("-".to_owned(), |value| value.to_string());
    let seen = attempt() + &attempt();
    other.join();
    tell(seen);
}

/// In which order what two threads send arrives.
pub(crate) fn receive() {
    let (sender, receiver) = channel();
    let theirs = sender.clone();
    let other = spawn(move || theirs.send(1));
    sender.send(2);
    let seen = format!("{}{}", receiver.recv(), receiver.recv());
    other.join();
    tell(seen);
}

/// A thread parks until it sees the flag; the other sets it and unparks. No wake-up is lost.
pub(crate) fn park_until_told() {
    let flag = Arc::new(AtomicBool::new(false));
    let parker = Parker::here();
    let other = {
        let (flag, parker) = (Arc::clone(&flag), parker.clone());
        spawn(move || {
            flag.store(true, Release);
            parker.unpark();
        })
    };
    while !flag.load(Acquire) {
        parker.park();
    }
    other.join();
    tell("told".to_owned());
}

/// What is unparked before it parks does not sleep.
pub(crate) fn park_token() {
    let flag = Arc::new(AtomicBool::new(false));
    let other = {
        let flag = Arc::clone(&flag);
        spawn(move || flag.store(true, Release))
    };
    let parker = Parker::here();
    parker.unpark();
    parker.park();
    let seen = flag.load(Acquire);
    other.join();
    tell(usize::from(seen).to_string());
}

/// One wait without a look at whether what was waited for is there.
pub(crate) fn spurious_wake_up() {
    pair(
        (Mutex::new(0), Condvar::new()),
        |shared| {
            *shared.0.lock() = 1;
            shared.1.notify_one();
            String::new()
        },
        |shared| {
            let value = shared.0.lock();
            let value = if *value == 0 { shared.1.wait(value) } else { value };
            value.to_string()
        },
        nothing,
    );
}

/// A thread panics while it has the lock.
pub(crate) fn poisoning() {
    pair(
        Poisonable::new(),
        |lock| {
            lock.lock(|| panic::resume_unwind(Box::new("as planned")));
            String::new()
        },
        |lock| lock.lock(|| ()).to_owned(),
        nothing,
    );
}
