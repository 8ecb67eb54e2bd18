//! What `io::tcp` does with little, with Readers that share a poller.

#[path = "tcp_resources.rs"]
mod tcp_resources;
