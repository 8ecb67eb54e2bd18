//! The programs on shuttle's own primitives, as shuttle's users have them.

#[path = "programs.rs"]
pub(crate) mod programs;

/// What the programs use.
pub(crate) mod engine {
    pub(crate) use crate::tell;
    pub(crate) use shuttle::sync::atomic::fence;

    /// shuttle's primitives in the shape of a platform, as far as the programs use it.
    pub(crate) mod platform {
        pub(crate) mod sync {
            use std::sync::PoisonError;
            use std::time::Duration;

            pub(crate) use shuttle::sync::Arc;

            pub(crate) mod atomic {
                pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
            }

            pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);
            pub(crate) type MutexGuard<'a, T> = shuttle::sync::MutexGuard<'a, T>;

            impl<T> Mutex<T> {
                pub(crate) fn new(value: T) -> Self {
                    Self(shuttle::sync::Mutex::new(value))
                }

                pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
                    self.0.lock().unwrap_or_else(PoisonError::into_inner)
                }
            }

            pub(crate) struct Condvar(shuttle::sync::Condvar);

            impl Condvar {
                pub(crate) fn new() -> Self {
                    Self(shuttle::sync::Condvar::new())
                }

                pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
                    self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
                }

                pub(crate) fn wait_timeout_while<'a, T>(
                    &self,
                    guard: MutexGuard<'a, T>,
                    timeout: Duration,
                    condition: impl FnMut(&mut T) -> bool,
                ) -> (MutexGuard<'a, T>, bool) {
                    let waited = self.0.wait_timeout_while(guard, timeout, condition);
                    let (guard, result) = waited.unwrap_or_else(PoisonError::into_inner);
                    (guard, result.timed_out())
                }

                pub(crate) fn notify_one(&self) {
                    self.0.notify_one();
                }
            }
        }

        pub(crate) mod thread {
            use std::io;

            pub(crate) struct JoinHandle(shuttle::thread::JoinHandle<()>);

            impl JoinHandle {
                pub(crate) fn join(self) {
                    self.0.join().expect("no thread of a program panics");
                }
            }

            pub(crate) fn spawn(
                _name: String,
                _stack_bytes: usize,
                body: impl FnOnce() + Send + 'static,
            ) -> io::Result<JoinHandle> {
                Ok(JoinHandle(shuttle::thread::spawn(body)))
            }
        }
    }

    crate::like_std::primitives!(shuttle);
}
