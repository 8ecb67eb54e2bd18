//! The programs on the platform whose operations announce themselves.

#[path = "programs.rs"]
pub(crate) mod programs;

/// What the programs use.
pub(crate) mod engine {
    pub(crate) use antiphon_platform_shuttle as platform;
    use platform::sync::atomic::Ordering;

    pub(crate) use crate::tell;

    /// Values are sequentially consistent: a fence does nothing to them.
    pub(crate) fn fence(_: Ordering) {}

    /// A lock that can be tried.
    pub(crate) struct TryMutex(platform::sync::Mutex<()>);

    impl TryMutex {
        pub(crate) fn new() -> Self {
            Self(platform::sync::Mutex::new(()))
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
}
