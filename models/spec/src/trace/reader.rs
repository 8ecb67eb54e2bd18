//! The streaming reader.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Read};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::line::{Fault, HeaderLine, Line};
use super::{FORMAT, Header, VERSION};
use crate::event::Event;

/// The longest line that is read, in bytes, unless another limit is given.
pub const DEFAULT_LINE_LIMIT: usize = 1 << 16;

/// Why a trace cannot be read.
#[derive(Debug)]
pub enum ReadError {
    /// The input does not follow the format.
    Malformed {
        /// The line, from one.
        line: usize,
        /// The byte of the line, from one.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// The input could not be read.
    Io(io::Error),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { line, column, message } => {
                write!(f, "line {line}, column {column}: {message}")
            }
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Malformed { .. } => None,
            Self::Io(error) => Some(error),
        }
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// One line of a trace after the header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The line, from one; the header is line one.
    pub line: usize,
    /// Its place in the order of all events.
    pub seq: u64,
    /// What it says; `None` for an extension that is not known here.
    pub event: Option<Event>,
}

/// Reads a trace line by line.
///
/// As an iterator it yields the records in order; after an error, nothing more. It holds one line at a
/// time, of limited length.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    buffer: Vec<u8>,
    limit: usize,
    line: usize,
    last_seq: Option<u64>,
    header: Header,
    failed: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header, with the default limit on lines.
    ///
    /// # Errors
    ///
    /// The input fails, or its first line is no header of a trace of this version.
    pub fn new(source: R) -> Result<Self, ReadError> {
        Self::with_line_limit(source, DEFAULT_LINE_LIMIT)
    }

    /// Reads the header; no line may be longer than `limit` bytes.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_line_limit(source: R, limit: usize) -> Result<Self, ReadError> {
        let header = Header { runtime: String::new(), complete: false };
        let mut reader =
            Self { source, buffer: Vec::new(), limit, line: 0, last_seq: None, header, failed: false };
        if !reader.next_line()? {
            return Err(ReadError::Malformed {
                line: 1,
                column: 1,
                message: "the input is empty; the first line must be the header".to_owned(),
            });
        }
        reader.header = reader.parse_header()?;
        Ok(reader)
    }

    /// What the first line said.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The line that was read last, from one.
    pub fn line(&self) -> usize {
        self.line
    }

    /// An error about a field of the line that was read last.
    ///
    /// For what only the events together show to be wrong; the column is that of the field's value.
    pub fn malformed(&self, field: &str, message: impl Into<String>) -> ReadError {
        let text = std::str::from_utf8(&self.buffer).unwrap_or_default();
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap_or_default();
        let column = match fields.get(field) {
            // A raw value is a part of the text: its distance from the start is its place.
            Some(value) => value.get().as_ptr() as usize - text.as_ptr() as usize + 1,
            None => text.trim_end().len().max(1),
        };
        self.at(column, message.into())
    }

    fn at(&self, column: usize, message: String) -> ReadError {
        ReadError::Malformed { line: self.line, column, message }
    }

    /// Reads the next line into the buffer; `false` at the end of the input.
    fn next_line(&mut self) -> Result<bool, ReadError> {
        self.buffer.clear();
        // One byte more than allowed tells a line that is too long; one more is the line feed.
        let most = u64::try_from(self.limit).unwrap_or(u64::MAX).saturating_add(2);
        (&mut self.source).take(most).read_until(b'\n', &mut self.buffer)?;
        if self.buffer.is_empty() {
            return Ok(false);
        }
        self.line += 1;
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        }
        if self.buffer.len() > self.limit {
            let message = format!("the line is longer than {} bytes", self.limit);
            return Err(self.at(self.limit + 1, message));
        }
        Ok(true)
    }

    fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ReadError> {
        let text = std::str::from_utf8(&self.buffer)
            .map_err(|error| self.at(error.valid_up_to() + 1, "the text is not UTF-8".to_owned()))?;
        // A struct could be read from an array as well, which is not the format.
        let start = text.len() - text.trim_start().len();
        if !text[start..].starts_with('{') {
            return Err(self.at(start + 1, "a JSON object is expected".to_owned()));
        }
        serde_json::from_str(text).map_err(|error| {
            let message = error.to_string();
            // The position is this line's, and said by the error itself.
            let end = message.rfind(" at line ").unwrap_or(message.len());
            self.at(error.column().max(1), message[..end].to_owned())
        })
    }

    fn parse_header(&self) -> Result<Header, ReadError> {
        let header: HeaderLine<'_> = self.parse()?;
        if header.format != FORMAT {
            return Err(self.malformed("format", format!("the format must be `{FORMAT}`")));
        }
        if header.version != VERSION {
            let message = format!("version {} is not known; this reads version {VERSION}", header.version);
            return Err(self.malformed("version", message));
        }
        Ok(Header { runtime: header.runtime.into_owned(), complete: header.complete })
    }

    fn parse_record(&self) -> Result<Record, ReadError> {
        let line: Line<'_> = self.parse()?;
        if let Some(last) = self.last_seq.filter(|last| *last >= line.seq) {
            let message = format!("seq {} does not come after seq {last}", line.seq);
            return Err(self.malformed("seq", message));
        }
        let event = line.event().map_err(|fault| match fault {
            Fault::UnknownEvent => self.malformed("ev", format!("unknown event `{}`", line.ev)),
            Fault::Missing(field) => {
                self.malformed(field, format!("`{}` needs the field `{field}`", line.ev))
            }
            Fault::Contradictory(field, other) => {
                self.malformed(field, format!("`{field}` and `{other}` exclude each other"))
            }
        })?;
        Ok(Record { line: self.line, seq: line.seq, event })
    }

    fn read(&mut self) -> Result<Option<Record>, ReadError> {
        if !self.next_line()? {
            return Ok(None);
        }
        let record = self.parse_record()?;
        self.last_seq = Some(record.seq);
        Ok(Some(record))
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let record = self.read();
        self.failed = record.is_err();
        record.transpose()
    }
}
