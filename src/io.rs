//! Meta-processes for the operating system's blocking sources.
//!
//! | module | Reader | Handler |
//! |---|---|---|
//! | [`tcp`] listener | accepts, and spawns a connection for each | stops it |
//! | [`tcp`] connection | reads | runs the session, writes, half-closes, closes |
//! | [`file`](mod@file) | reads a file by lines or by chunks, and follows it | runs the session, seeks, stops, says where it is |
//! | [`lines`] | reads standard input, a pipe, a FIFO, by line or by chunk | is yours |
//! | [`signals`] | waits for signals | hands them on, changes the set |
//! | [`child`] | reads what a child process writes, waits for its exit | runs the session, writes to its standard input, signals, stops, kills |
//! | [`udp`] | receives datagrams | runs the session, sends datagrams |
//! | [`unix`] listener and connection | the same, on Unix stream sockets | the same |
//!
//! Each Reader blocks in one place, where it waits for its source *and* for its waker: so an interrupt ends
//! it at once, with no timeout that is tried again and no descriptor closed under another thread's feet
//! (`interruption`). It needs Linux, or Android.
//!
//! # A thread for each Reader, or one poller for all
//! Where many are idle, a Reader may share the node's poller instead of having a thread of its own:
//! `spawn_meta(shared(reader), handler)` instead of `spawn_meta(reader, handler)`, see [`shared()`]. It keeps the
//! same promises. A listener that shares has its connections share, too. What can be shared is what goes in
//! steps: [`tcp`] and [`unix`], any other [`stream`] socket, and whatever implements [`Stepwise`].

pub mod child;
mod connection;
mod data;
pub mod file;
mod forward;
mod line;
pub mod lines;
mod link;
mod listener;
mod output;
mod place;
mod poller;
mod queue;
mod session;
mod shared;
mod signal;
pub mod signals;
mod stepwise;
pub mod stream;
pub mod tcp;
pub mod udp;
pub mod unix;
mod waker;

pub use bytes::Bytes;
pub use platform::readiness::{Readiness, Source};
pub use signal::Signal;
pub use stepwise::{Step, Steps, Stepwise, Wait, shared};
pub use waker::{Ready, Requests, Waker};
