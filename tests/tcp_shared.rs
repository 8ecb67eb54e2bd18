//! All that `io::tcp` is tried for, with Readers that share a poller.

#[path = "tcp.rs"]
mod tcp;
