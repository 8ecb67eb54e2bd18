//! Sequential actors and meta-processes: blocking I/O beside message handling, without a lock and without a
//! race.
//!
//! An actor handles one message at a time, so it needs no lock for what it owns; but an actor that blocks
//! on a socket hears nothing. A [meta-process](meta) has two voices: a [`Reader`] that blocks on the outside
//! world, and a [`Handler`] that answers messages one at a time. Neither interrupts the other.
//!
//! ```
//! use antiphon::{Exit, Handler, HandlerContext, Interrupt, Reader, ReaderContext};
//! use std::io::{BufRead, BufReader, Write};
//! use std::net::{Shutdown, TcpStream};
//!
//! struct Ears(TcpStream);
//! struct Mouth(TcpStream);
//!
//! impl Reader<String> for Ears {
//!     fn interrupt(&mut self) -> Interrupt {
//!         let socket = self.0.try_clone().expect("a descriptor is left");
//!         Interrupt::new(move || drop(socket.shutdown(Shutdown::Both)))
//!     }
//!     fn run(self, context: &ReaderContext<String>) -> Result<(), Exit> {
//!         for line in BufReader::new(self.0).lines() {
//!             context.address().send(line?)?;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! impl Handler for Mouth {
//!     type Message = String;
//!     fn handle(&mut self, line: String, _: &mut HandlerContext<'_, String>) -> Result<(), Exit> {
//!         Ok(writeln!(self.0, "{line}")?)
//!     }
//! }
//! #
//! # struct Server(std::net::TcpListener);
//! # impl antiphon::Actor for Server {
//! #     type Message = ();
//! #     fn init(&mut self, context: &mut antiphon::Context<'_, ()>) -> Result<(), Exit> {
//! #         let (socket, _) = self.0.accept()?;
//! #         context.spawn_meta(Ears(socket.try_clone()?), Mouth(socket))?;
//! #         Ok(())
//! #     }
//! #     fn handle(&mut self, (): (), _: &mut antiphon::Context<'_, ()>) -> Result<(), Exit> { Ok(()) }
//! # }
//! # let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
//! # let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
//! # let node = antiphon::Node::new();
//! # node.spawn(Server(listener)).unwrap();
//! # client.write_all(b"venite\n").unwrap();
//! # let mut answer = String::new();
//! # BufReader::new(client.try_clone().unwrap()).read_line(&mut answer).unwrap();
//! # assert_eq!(answer, "venite\n");
//! # node.stop(std::time::Duration::from_secs(10)).unwrap();
//! ```
//!
//! A process starts it from one of its callbacks, with
//! [`context.spawn_meta(Ears(..), Mouth(..))`](Context::spawn_meta), and it ends with that process.
//!
//! | what | where |
//! |---|---|
//! | sequential actors | [`Actor`], [`Context`], [`Address`] |
//! | meta-processes | [`meta`] |
//! | actors that start other actors, and start them again | [`supervisor`] |
//! | where actors live, and how all of them end | [`Node`] |
//! | a look into a node | [`snapshot`] |
//! | messages that are sent later | [`timer`] |
//! | who runs them | [`executor`] |
//! | queue, wake-up, exclusion and closing in one atomic word | [`inbox`] |
//!
//! Names such as `no-loss` are the ids of guarantees. Each is stated in the book and checked by
//! `cargo verify`.
#![deny(unsafe_code)]

mod address;
mod call;
mod capacity;
pub mod executor;
mod exit;
mod family;
pub mod inbox;
#[cfg(feature = "io")]
pub mod io;
mod lifecycle;
mod log;
mod mailbox;
pub mod meta;
mod node;
#[doc(hidden)]
pub mod parcel;
mod process;
mod relations;
pub mod snapshot;
pub mod supervisor;
pub mod timer;

pub use address::{Address, SendError};
pub use call::{CallError, Reply};
pub use event::{ActorId, Class, Kind};
pub use exit::Exit;
pub use meta::{Handler, HandlerContext, Interrupt, Reader, ReaderContext};
pub use node::{DeadLetter, Node, StopError, Unended};
pub use process::{Actor, Context, Down, Exited, Link, Monitor, SpawnError};
pub use snapshot::Snapshot;
pub use supervisor::{Child, Supervisor};
pub use timer::{Timer, TimerError};
