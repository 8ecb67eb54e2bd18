//! Sequences of operations on the runtime, judged against a plain model.
//!
//! Each module has three parts: an operation as data, a model so plain that it is obviously right, and
//! `apply`, which does one operation on both and compares everything that can be seen. The same code serves
//! the property tests (which generate operations and shrink them) and the fuzz targets (which decode them
//! from bytes): one byte for what is done, one for what with.
#![forbid(unsafe_code)]

pub mod inbox;
pub mod mailbox;
pub mod timer;

/// Operations from arbitrary bytes, two for each; a last odd byte is ignored.
pub fn decode<O>(bytes: &[u8], operation: impl Fn(u8, u8) -> O) -> impl Iterator<Item = O> {
    bytes.as_chunks().0.iter().map(move |[what, with]| operation(*what, *with))
}
