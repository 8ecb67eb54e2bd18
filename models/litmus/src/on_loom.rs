//! The programs on loom's platform.

#[path = "programs.rs"]
pub(crate) mod programs;

/// What the programs use.
pub(crate) mod engine {
    pub(crate) use antiphon_platform_loom as platform;

    pub(crate) use crate::tell;
    pub(crate) use loom::sync::atomic::fence;

    /// A lock that can be tried.
    pub(crate) struct TryMutex(loom::sync::Mutex<()>);

    impl TryMutex {
        pub(crate) fn new() -> Self {
            Self(loom::sync::Mutex::new(()))
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
}
