//! Recorded traces, format version 1: JSON Lines, a header and then one event on each line.
//!
//! [`Reader`] takes a trace apart line by line, in memory bounded by its longest line, and says of a fault
//! where it is; [`Writer`] writes one. What the events mean together is not looked at here: see
//! [`check`](crate::check).

mod line;
mod reader;
mod writer;

pub use reader::{DEFAULT_LINE_LIMIT, ReadError, Reader, Record};
pub use writer::Writer;

/// The `format` of every trace.
pub const FORMAT: &str = "antiphon-trace";

/// The version of the format that is read and written here.
pub const VERSION: u64 = 1;

/// What the first line of a trace says.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Header {
    /// Which runtime recorded it.
    pub runtime: String,
    /// Whether recording went on until nothing was left in flight.
    pub complete: bool,
}
