//! Under construction.
pub use antiphon_event as event;
