//! The primitives under `antiphon`, with a recorder that records.
//!
//! Everything but [`record`], and what [`readiness`] has beside the standard platform's, is the standard platform's. It is a crate of its own and not a
//! cargo feature, because features of one package are united over a whole workspace: one test that asks
//! for traces would slow down every benchmark built beside it, unseen.

pub use antiphon_platform::{cell, choice, limits, panic, queue, sync, thread, thread_local, time};

pub mod readiness;
pub mod record;
