//! What input is cut into: lines, or chunks as they come.

use std::mem;

use memchr::memchr;
use platform::sync::Arc;

use super::data::{Data, Window};

/// What a unit counts beside its bytes: a message is never free, however short the line.
const OVERHEAD: usize = 64;

/// A line of input, as bytes: nothing is said of its encoding.
#[derive(Debug)]
pub enum Line {
    /// A whole line, without the line feed that ends it. The last line of an input may have none.
    Whole(Data),
    /// A part of a line that is longer than the limit: as long as the limit allows, and in order.
    Part {
        /// The bytes, without the line feed.
        data: Data,
        /// Whether the line ends here.
        last: bool,
    },
}

/// What input can be cut into: a [`Line`], or [`Data`] as they come.
pub trait Unit: Cut + Send + 'static {}

impl Unit for Line {}
impl Unit for Data {}

/// How a unit is cut.
pub trait Cut: Sized {
    /// What cuts it.
    type Cutter: Cutter<Self> + Send;
}

impl Cut for Line {
    type Cutter = Lines;
}

impl Cut for Data {
    type Cutter = Chunks;
}

/// Cuts input into units, wherever the pieces begin and end in which it is read.
pub trait Cutter<U> {
    /// One that makes no unit longer than `limit` bytes.
    fn new(limit: usize) -> Self;

    /// Hands each unit that ends in `bytes` to `each`, with how many of `bytes` are used up after it; keeps what
    /// is left. After an error of `each` the rest of `bytes` is gone.
    fn feed<E>(
        &mut self,
        bytes: &[u8],
        hold: &Hold<'_>,
        each: impl FnMut(U, usize) -> Result<(), E>,
    ) -> Result<(), E>;

    /// Likewise, of what holds up the Reader already.
    fn feed_data<E>(
        &mut self,
        data: Data,
        hold: &Hold<'_>,
        mut each: impl FnMut(U) -> Result<(), E>,
    ) -> Result<(), E> {
        self.feed(&data, hold, |unit, _| each(unit))
    }

    /// The input has ended here: gives the unit that this ends, if one has begun.
    fn finish(&mut self, hold: &Hold<'_>) -> Option<U>;
}

/// What units hold up while they are kept.
pub struct Hold<'a>(pub(crate) &'a Arc<Window>);

impl Hold<'_> {
    fn data(&self, bytes: &[u8]) -> Data {
        Data::weighing(bytes.len() + OVERHEAD, bytes, self.0)
    }
}

/// Cuts into lines.
#[derive(Debug)]
pub struct Lines {
    limit: usize,
    /// The begin of a line, or of a part of one, whose end has not been seen.
    begun: Vec<u8>,
    /// The line that has begun had parts already.
    in_parts: bool,
}

impl Lines {
    /// The line feed, or the end of the input, has come.
    fn end(&mut self, rest: &[u8], hold: &Hold<'_>) -> Line {
        let data = self.data(rest, hold);
        if mem::take(&mut self.in_parts) { Line::Part { data, last: true } } else { Line::Whole(data) }
    }

    fn part(&mut self, rest: &[u8], hold: &Hold<'_>) -> Line {
        self.in_parts = true;
        Line::Part { data: self.data(rest, hold), last: false }
    }

    /// What has begun, and `rest`.
    fn data(&mut self, rest: &[u8], hold: &Hold<'_>) -> Data {
        if self.begun.is_empty() {
            return hold.data(rest);
        }
        self.begun.extend_from_slice(rest);
        let data = hold.data(&self.begun);
        self.begun.clear();
        data
    }
}

impl Cutter<Line> for Lines {
    fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), begun: Vec::new(), in_parts: false }
    }

    fn feed<E>(
        &mut self,
        bytes: &[u8],
        hold: &Hold<'_>,
        mut each: impl FnMut(Line, usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            let room = self.limit - self.begun.len();
            // A line that is just as long as it may be is whole: its end comes next.
            let line = match memchr(b'\n', &rest[..rest.len().min(room + 1)]) {
                Some(end) => {
                    used += end + 1;
                    self.end(&rest[..end], hold)
                }
                None if rest.len() > room => {
                    used += room;
                    self.part(&rest[..room], hold)
                }
                None => {
                    self.begun.extend_from_slice(rest);
                    return Ok(());
                }
            };
            each(line, used)?;
        }
    }

    fn finish(&mut self, hold: &Hold<'_>) -> Option<Line> {
        (!self.begun.is_empty()).then(|| self.end(&[], hold))
    }
}

/// Cuts into what is read at once, or less.
#[derive(Debug)]
pub struct Chunks {
    limit: usize,
}

impl Cutter<Data> for Chunks {
    fn new(limit: usize) -> Self {
        Self { limit: limit.max(1) }
    }

    fn feed<E>(
        &mut self,
        bytes: &[u8],
        hold: &Hold<'_>,
        mut each: impl FnMut(Data, usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut used = 0;
        bytes.chunks(self.limit).try_for_each(|chunk| {
            used += chunk.len();
            each(hold.data(chunk), used)
        })
    }

    fn feed_data<E>(
        &mut self,
        data: Data,
        hold: &Hold<'_>,
        mut each: impl FnMut(Data) -> Result<(), E>,
    ) -> Result<(), E> {
        if data.len() <= self.limit { each(data) } else { self.feed(&data, hold, |chunk, _| each(chunk)) }
    }

    fn finish(&mut self, _: &Hold<'_>) -> Option<Data> {
        None
    }
}
