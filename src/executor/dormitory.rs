//! Where the threads of a pool sleep, and where they are started and joined.
//!
//! Which of them sleep is decided by the word in `state`; here a claimed sleeper is merely got out of bed. A
//! claim may come before its sleeper has lain down, so a wake-up is a *permit* that stays until taken. Any
//! sleeper may take it: all that were claimed are owed one each, and one is as good as another.
//!
//! Two kinds of threads sleep. *Residents* own a queue and stay until the pool is closed; *spares* stand in for
//! workers that are blocked, and end when nobody has needed them for a while. Residents are woken first.

use std::time::Duration;

use platform::sync::{Condvar, Mutex};
use platform::thread::{self, JoinHandle};

/// See the header.
#[derive(Debug)]
pub(super) struct Dormitory {
    beds: Mutex<Beds>,
    residents: Condvar,
    spares: Condvar,
    watchdog: Condvar,
}

#[derive(Debug)]
struct Beds {
    /// Wake-ups that nobody has taken yet.
    permits: usize,
    residents_in_bed: usize,
    closed: bool,
    /// Something needs to be watched.
    watchdog_called: bool,
    watchdog: Option<JoinHandle>,
    /// One place for each thread that there may be: residents first, then spares.
    threads: Box<[Option<JoinHandle>]>,
    /// The spare that ended last; it has joined the one before.
    last_ended: Option<JoinHandle>,
}

/// Why a sleeper got up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rise {
    /// It was claimed and woken.
    Woken,
    /// The pool is closed; it was not claimed.
    Closed,
    /// A spare slept long enough; it was not claimed.
    Expired,
}

/// Why a thread was not started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StartError {
    /// There are as many as there may be, or the operating system has no room for one more.
    NoRoom {
        /// How many there are.
        threads: usize,
    },
    /// The pool is closed.
    Closed,
}

impl Dormitory {
    pub(super) fn new(most_threads: usize) -> Self {
        Self {
            beds: Mutex::new(Beds {
                permits: 0,
                residents_in_bed: 0,
                closed: false,
                watchdog_called: false,
                watchdog: None,
                threads: (0..most_threads).map(|_| None).collect(),
                last_ended: None,
            }),
            residents: Condvar::new(),
            spares: Condvar::new(),
            watchdog: Condvar::new(),
        }
    }

    /// Starts a thread in the first free place; `body` is told which.
    pub(super) fn start(
        &self,
        name: impl FnOnce(usize) -> String,
        body: impl FnOnce(usize) + Send + 'static,
    ) -> Result<(), StartError> {
        // Held while the thread starts, so that it finds its place taken when it wants to leave it.
        let mut beds = self.beds.lock();
        if beds.closed {
            return Err(StartError::Closed);
        }
        let no_room = |beds: &Beds| StartError::NoRoom { threads: beds.threads.iter().flatten().count() };
        let Some(place) = beds.threads.iter().position(Option::is_none) else { return Err(no_room(&beds)) };
        match thread::spawn(name(place), 0, move || body(place)) {
            Ok(handle) => {
                beds.threads[place] = Some(handle);
                Ok(())
            }
            Err(_) => Err(no_room(&beds)),
        }
    }

    /// Gets one sleeper up.
    pub(super) fn wake(&self) {
        let mut beds = self.beds.lock();
        beds.permits += 1;
        // The residents in bed answer for as many permits as they are, the spares for the rest.
        let resident = beds.permits <= beds.residents_in_bed;
        drop(beds);
        if resident { self.residents.notify_one() } else { self.spares.notify_one() }
    }

    /// Sleeps until woken or closed.
    pub(super) fn sleep_resident(&self) -> Rise {
        let mut beds = self.beds.lock();
        beds.residents_in_bed += 1;
        while beds.permits == 0 && !beds.closed {
            beds = self.residents.wait(beds);
        }
        beds.residents_in_bed -= 1;
        beds.rise().expect("there was a reason to stop waiting")
    }

    /// Sleeps until woken or closed, or until `keep_alive` has passed and `leave` says that it may end.
    pub(super) fn sleep_spare(&self, keep_alive: Duration, leave: impl Fn() -> bool) -> Rise {
        let mut beds = self.beds.lock();
        loop {
            let asleep = |beds: &mut Beds| beds.permits == 0 && !beds.closed;
            (beds, _) = self.spares.wait_timeout_while(beds, keep_alive, asleep);
            if let Some(rise) = beds.rise() {
                return rise;
            }
            // Who has been claimed may not leave: its permit is on the way.
            if leave() {
                return Rise::Expired;
            }
        }
    }

    /// A thread ends before the pool does: its place becomes free.
    pub(super) fn check_out(&self, place: usize) {
        let mut beds = self.beds.lock();
        // At the end of the pool, the closer may have taken the handle already, to join it.
        let me = beds.threads[place].take();
        let before = me.and_then(|me| beds.last_ended.replace(me));
        drop(beds);
        if let Some(before) = before {
            before.join();
        }
    }

    /// Sends the watchdog on its rounds; starts it with `body` if there is none yet.
    pub(super) fn call_watchdog(&self, name: &str, body: impl FnOnce() + Send + 'static) -> bool {
        let mut beds = self.beds.lock();
        if beds.closed {
            return true;
        }
        beds.watchdog_called = true;
        if beds.watchdog.is_none() {
            beds.watchdog = thread::spawn(name.to_owned(), 0, body).ok();
        }
        let there = beds.watchdog.is_some();
        drop(beds);
        self.watchdog.notify_one();
        there
    }

    /// The watchdog rests until it is called; false if the pool was closed.
    pub(super) fn rest_watchdog(&self) -> bool {
        let mut beds = self.beds.lock();
        while !beds.watchdog_called && !beds.closed {
            beds = self.watchdog.wait(beds);
        }
        beds.watchdog_called = false;
        !beds.closed
    }

    /// The watchdog pauses between two rounds; false if the pool was closed.
    pub(super) fn pause_watchdog(&self, pause: Duration) -> bool {
        let (beds, _) = self.watchdog.wait_timeout_while(self.beds.lock(), pause, |beds| !beds.closed);
        !beds.closed
    }

    /// Gets everybody up for good.
    pub(super) fn close(&self) {
        self.beds.lock().closed = true;
        self.residents.notify_all();
        self.spares.notify_all();
        self.watchdog.notify_all();
    }

    /// Waits for the end of all threads of a closed pool.
    pub(super) fn join_all(&self) {
        loop {
            // Not held while joining: the thread checks out before it ends.
            let next = self.beds.lock().take_any();
            let Some(thread) = next else { return };
            thread.join();
        }
    }
}

impl Beds {
    fn rise(&mut self) -> Option<Rise> {
        if self.permits > 0 {
            self.permits -= 1;
            return Some(Rise::Woken);
        }
        self.closed.then_some(Rise::Closed)
    }

    fn take_any(&mut self) -> Option<JoinHandle> {
        self.threads
            .iter_mut()
            .find_map(Option::take)
            .or_else(|| self.watchdog.take())
            .or_else(|| self.last_ended.take())
    }
}
