//! The actors of the example `jobs`, the same file, built on the model platform.
#![forbid(unsafe_code)]

#[allow(missing_docs, reason = "an example's actors")]
#[path = "../../../examples/jobs/desk.rs"]
pub mod desk;
