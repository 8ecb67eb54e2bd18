//! What only litmus programs use, of an engine that offers it in the shape that std gives it.

macro_rules! primitives {
    ($engine:ident) => {
        /// A lock that can be tried.
        pub(crate) struct TryMutex($engine::sync::Mutex<()>);

        impl TryMutex {
            pub(crate) fn new() -> Self {
                Self($engine::sync::Mutex::new(()))
            }

            pub(crate) fn lock(&self, work: impl FnOnce()) {
                let _guard = self.0.lock();
                work();
            }

            pub(crate) fn try_lock(&self, work: impl FnOnce()) -> bool {
                let guard = self.0.try_lock();
                if guard.is_ok() {
                    work();
                }
                guard.is_ok()
            }
        }

        /// A lock that says whether somebody panicked who had it.
        pub(crate) struct Poisonable($engine::sync::Mutex<()>);

        impl Poisonable {
            pub(crate) fn new() -> Self {
                Self($engine::sync::Mutex::new(()))
            }

            pub(crate) fn lock(&self, work: impl FnOnce()) -> &'static str {
                // loom takes std's lock inside of its own and unwraps the result: that is a panic, too.
                match crate::caught(|| {
                    self.0.lock().is_ok_and(|_guard| {
                        work();
                        true
                    })
                }) {
                    Some(true) => "clean",
                    Some(false) => "poisoned",
                    None => "panics",
                }
            }
        }

        /// The right to sleep until somebody unparks.
        #[derive(Clone)]
        pub(crate) struct Parker($engine::thread::Thread);

        impl Parker {
            /// Of the thread that calls this, which alone may park.
            pub(crate) fn here() -> Self {
                Self($engine::thread::current())
            }

            pub(crate) fn park(&self) {
                $engine::thread::park();
            }

            pub(crate) fn unpark(&self) {
                self.0.unpark();
            }
        }

        /// One end of a channel.
        #[derive(Clone)]
        pub(crate) struct Sender($engine::sync::mpsc::Sender<usize>);
        /// The other end.
        pub(crate) struct Receiver($engine::sync::mpsc::Receiver<usize>);

        pub(crate) fn channel() -> (Sender, Receiver) {
            let (sender, receiver) = $engine::sync::mpsc::channel();
            (Sender(sender), Receiver(receiver))
        }

        impl Sender {
            pub(crate) fn send(&self, value: usize) {
                self.0.send(value).expect("the other end is there");
            }
        }

        impl Receiver {
            pub(crate) fn recv(&self) -> usize {
                self.0.recv().expect("the other end is there")
            }

            pub(crate) fn try_recv(&self) -> Option<usize> {
                self.0.try_recv().ok()
            }
        }
    };
}

pub(crate) use primitives;
