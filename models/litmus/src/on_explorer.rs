//! The programs on the platform whose operations announce themselves: for the explorer and for naive search.

#[path = "programs.rs"]
pub(crate) mod programs;

/// What the programs use.
pub(crate) mod engine {
    use std::collections::VecDeque;

    pub(crate) use antiphon_platform_shuttle as platform;
    use platform::sync::atomic::Ordering;
    use platform::sync::{Arc, Condvar, Mutex};

    pub(crate) use crate::tell;

    /// Values are sequentially consistent: a fence does nothing to them.
    pub(crate) fn fence(_: Ordering) {}

    /// A lock that can be tried.
    pub(crate) struct TryMutex(Mutex<()>);

    impl TryMutex {
        pub(crate) fn new() -> Self {
            Self(Mutex::new(()))
        }

        pub(crate) fn lock(&self, work: impl FnOnce()) {
            let _guard = self.0.lock();
            work();
        }

        pub(crate) fn try_lock(&self, work: impl FnOnce()) -> bool {
            let guard = self.0.try_lock();
            if guard.is_some() {
                work();
            }
            guard.is_some()
        }
    }

    /// A lock that says whether somebody panicked who had it: the platform's never does.
    pub(crate) struct Poisonable(Mutex<()>);

    impl Poisonable {
        pub(crate) fn new() -> Self {
            Self(Mutex::new(()))
        }

        pub(crate) fn lock(&self, work: impl FnOnce()) -> &'static str {
            let worked = crate::caught(|| {
                let _guard = self.0.lock();
                work();
            });
            if worked.is_some() { "clean" } else { "panics" }
        }
    }

    /// The right to sleep until somebody unparks. The platform has none, so it is built as std's is where the
    /// system has none: a token under a lock.
    #[derive(Clone)]
    pub(crate) struct Parker(Arc<(Mutex<bool>, Condvar)>);

    impl Parker {
        /// Of the thread that calls this, which alone may park.
        pub(crate) fn here() -> Self {
            Self(Arc::new((Mutex::new(false), Condvar::new())))
        }

        pub(crate) fn park(&self) {
            let mut token = self.0.0.lock();
            while !*token {
                token = self.0.1.wait(token);
            }
            *token = false;
        }

        pub(crate) fn unpark(&self) {
            *self.0.0.lock() = true;
            self.0.1.notify_one();
        }
    }

    type Queue = Arc<(Mutex<VecDeque<usize>>, Condvar)>;

    /// One end of a channel. The platform has none: a queue under a lock.
    #[derive(Clone)]
    pub(crate) struct Sender(Queue);
    /// The other end.
    pub(crate) struct Receiver(Queue);

    pub(crate) fn channel() -> (Sender, Receiver) {
        let queue = Arc::new((Mutex::new(VecDeque::new()), Condvar::new()));
        (Sender(Arc::clone(&queue)), Receiver(queue))
    }

    impl Sender {
        pub(crate) fn send(&self, value: usize) {
            self.0.0.lock().push_back(value);
            self.0.1.notify_one();
        }
    }

    impl Receiver {
        pub(crate) fn recv(&self) -> usize {
            let mut queue = self.0.0.lock();
            loop {
                if let Some(value) = queue.pop_front() {
                    return value;
                }
                queue = self.0.1.wait(queue);
            }
        }

        pub(crate) fn try_recv(&self) -> Option<usize> {
            self.0.0.lock().pop_front()
        }
    }
}
