//! The primitives under `antiphon`, for engines that explore interleavings.
//!
//! The same items as `antiphon-platform`, with the same meaning, under sequential consistency. Each operation
//! on shared state *announces* itself (thread, object, kind) before its scheduling point, and says after it
//! what it turned out to be; see [`model`]. That is what an engine needs to explore interleavings up to
//! equivalence, and all that the sampling engines need is to be asked at each point who goes on.
//!
//! On top of sequential consistency, the *written* memory orderings are followed by vector clocks: a plain
//! access through [`cell`] that no release/acquire pair orders is a data race, in whichever schedule it is
//! come across, whether or not it did harm.
//!
//! What is not modelled is in the README beside this crate's manifest.
#![allow(unsafe_code, reason = "a platform wraps the primitives that the rest of the runtime trusts")]

pub mod cell;
pub mod footprint;
pub mod limits;
pub mod local;
pub mod model;
pub mod panic;
#[path = "../../model_queue.rs"]
pub mod queue;
#[path = "../../model_readiness.rs"]
pub mod readiness;
pub mod record;
pub mod sync;
pub mod thread;
pub mod time;

mod allocator;

pub use model::choice;
