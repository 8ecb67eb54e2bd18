//! Threads.

use std::io;

/// The right to wait for a thread's end.
#[derive(Debug)]
pub struct JoinHandle(std::thread::JoinHandle<()>);

impl JoinHandle {
    /// Waits until the thread has ended. A panic that ended it stays its own.
    pub fn join(self) {
        // The runtime catches what user code throws; a panic that reaches here was reported by the hook.
        let _ = self.0.join();
    }
}

/// Starts a thread with a name and, if `stack_bytes` is not zero, with a stack of that size.
///
/// # Errors
/// The operating system's, for example when it has no room for one more thread.
pub fn spawn(
    name: String,
    stack_bytes: usize,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle> {
    let mut builder = std::thread::Builder::new().name(name);
    if stack_bytes > 0 {
        builder = builder.stack_size(stack_bytes);
    }
    builder.spawn(body).map(JoinHandle)
}

/// How many threads can run at the same time here; at least one.
pub fn parallelism() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Lets others run.
pub fn yield_now() {
    std::thread::yield_now();
}

/// Waits for about a microsecond, too short to give the thread away.
#[inline]
pub fn linger() {
    // As many as took a microsecond where it was measured; what it takes elsewhere is of the same kind.
    for _ in 0..24 {
        std::hint::spin_loop();
    }
}
