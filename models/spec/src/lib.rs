//! The executable specification of actors and meta-processes.
//!
//! | module | what it is |
//! |---|---|
//! | [`event`] | the alphabet: what a runtime says that it did |
//! | [`guarantee`] | the guarantees: ids and statements |
//! | [`machine`] | which event is allowed next; what must have happened in the end |
//! | [`trace`] | recorded traces: reads and writes format version 1 |
//! | [`check`] | judges a whole recorded trace |
//! | [`simulate`] | a correct runtime, simulated: the generator of the tests and fuzz targets |
//!
//! It imports nothing of any runtime: no threads, no time, no unsafe.
//!
//! # To judge an execution while it runs
//!
//! Start with [`State::instrumented`] if the recorder leaves nothing out, else with [`State::default`]. For
//! each event ask [`State::admits`], which says whether the *recording* makes sense, and then
//! [`State::step`], which says whether the *runtime* kept its guarantees. When nothing can move any more, ask
//! [`State::finish`] what is missing, and [`State::premises`] what was put to the test at all.
//!
//! ```
//! use antiphon_spec::event::{ActorId, Class, Event, Kind, MessageId};
//! use antiphon_spec::{Guarantee, State};
//!
//! let (actor, message) = (ActorId(1), MessageId(1));
//! let mut state = State::instrumented();
//! for event in [
//!     Event::InitBegin { actor, kind: Kind::Process, parent: None },
//!     Event::InitEnd { actor, ok: true },
//!     Event::SendBegin { message, from: None, to: actor, class: Class::Main },
//!     Event::SendEnd { message, accepted: true },
//! ] {
//!     state.admits(&event)?;
//!     state.step(&event)?;
//! }
//! // If nothing more happens, the message waits for ever.
//! assert_eq!(state.finish()[0].guarantee, Guarantee::WakeUp);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! To judge what was recorded before, see [`check`].
//!
//! # What events cannot show
//!
//! `race-freedom`, `handover`, `no-leak`, `capacity`, `independence`, `clean-stop` and `link-propagation`
//! are judged by engines and scenarios; from a trace alone they are *not judged* ([`State::judges`]).
//!
//! # Architecture invariants
//!
//! - `machine` knows neither lines nor files; `trace` knows no guarantee; only `check` knows both.
//! - A rule of the machine reports a violation only if every reading of the recorded intervals violates the
//!   specification, and reports one fault under one name.
#![forbid(unsafe_code)]

pub use antiphon_event as event;

pub mod check;
pub mod guarantee;
pub mod machine;
pub mod simulate;
pub mod trace;
mod violation;

pub use guarantee::{Group, Guarantee};
pub use machine::State;
pub use violation::{Premises, Violation};
