//! Meta-processes for the operating system's blocking sources.
//!
//! | module | Reader | Handler |
//! |---|---|---|
//! | [`tcp`] listener | accepts, and spawns a connection for each | stops it |
//! | [`tcp`] connection | reads | runs the session, writes, half-closes, closes |
//!
//! Each Reader blocks in one place, where it waits for its source *and* for its waker: so an interrupt ends
//! it at once, with no timeout that is tried again and no descriptor closed under another thread's feet
//! (`interruption`). It needs an operating system with `poll(2)` and `eventfd(2)`: Linux, Android, FreeBSD,
//! illumos.

mod connection;
mod data;
mod link;
mod listener;
mod output;
mod queue;
mod session;
pub mod tcp;
mod waker;

pub use bytes::Bytes;
