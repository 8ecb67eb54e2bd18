//! The programs on loom's platform.

#[path = "programs.rs"]
pub(crate) mod programs;

/// What the programs use.
pub(crate) mod engine {
    pub(crate) use antiphon_platform_loom as platform;

    pub(crate) use crate::tell;
    pub(crate) use loom::sync::atomic::fence;

    crate::like_std::primitives!(loom);
}
