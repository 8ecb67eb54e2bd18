//! Sequential actors and meta-processes: blocking I/O beside message handling, without a lock and without a
//! race.
#![deny(unsafe_code)]

mod address;
pub mod executor;
mod exit;
mod family;
pub mod inbox;
#[cfg(feature = "io")]
pub mod io;
mod lifecycle;
mod mailbox;
pub mod meta;
mod node;
mod process;

pub use address::{Address, SendError};
pub use event::{ActorId, Class, Kind};
pub use exit::Exit;
pub use meta::{Handler, HandlerContext, Interrupt, Reader, ReaderContext};
pub use node::{DeadLetter, Node, StopError, Unended};
pub use process::{Actor, Context, SpawnError};
