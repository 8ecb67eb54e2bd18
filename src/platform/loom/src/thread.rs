//! Threads of the model; five at most in one execution, the main thread included.

use std::io;

/// The right to wait for a thread's end.
#[derive(Debug)]
pub struct JoinHandle(loom::thread::JoinHandle<()>);

impl JoinHandle {
    /// Waits until the thread has ended.
    #[track_caller]
    pub fn join(self) {
        // loom has no result to give for a thread that panicked: the panic has ended the model.
        let _ = self.0.join();
    }
}

/// Starts a thread with a name. The size of the stack is loom's: models are shallow.
///
/// # Errors
/// Never; the signature is that of the other platforms.
#[track_caller]
pub fn spawn(
    name: String,
    _stack_bytes: usize,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle> {
    loom::thread::Builder::new().name(name).spawn(body).map(JoinHandle)
}

/// How many threads can run at the same time: one, since a model cannot afford more unasked.
pub fn parallelism() -> usize {
    1
}

/// Lets others run. In loom this is more than a hint: the thread is not run again before another one was.
pub fn yield_now() {
    loom::thread::yield_now();
}

/// Does not wait: time does not pass in a model.
#[inline]
pub fn linger() {}
