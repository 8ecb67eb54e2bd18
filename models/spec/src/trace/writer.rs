//! The writer, for recorders.

use std::borrow::Cow;
use std::io::{self, Seek, SeekFrom, Write};

use super::line::{HeaderLine, Line};
use super::{FORMAT, Header, VERSION};
use crate::event::Event;

/// Writes a trace: the header, then one line for each event, numbered from one.
///
/// A recorder must not fail in the middle of what it records, so [`event`](Self::event) keeps the first
/// error and writes nothing after it; [`finish`](Self::finish) returns it. The writer makes one small write
/// for each event: give it a buffered sink.
#[derive(Debug)]
pub struct Writer<W> {
    sink: W,
    seq: u64,
    /// Where in the output the header says `complete`.
    complete_at: u64,
    complete: bool,
    line: Vec<u8>,
    error: Option<io::Error>,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// A recorder that cannot yet know whether recording will go on until nothing is left in flight says
    /// `complete: false` and, in the end, [`complete`](Self::complete).
    pub fn new(sink: W, header: &Header) -> Self {
        let mut writer =
            Self { sink, seq: 0, complete_at: 0, complete: header.complete, line: Vec::new(), error: None };
        let line = HeaderLine {
            format: Cow::Borrowed(FORMAT),
            version: VERSION,
            runtime: Cow::Borrowed(&header.runtime),
            complete: header.complete,
        };
        writer.write(&line);
        let after = format!("{}}}\n", header.complete).len();
        writer.complete_at = writer.line.len().saturating_sub(after) as u64;
        writer
    }

    /// Writes one event.
    pub fn event(&mut self, event: &Event) {
        self.seq += 1;
        self.write(&Line::new(self.seq, event));
    }

    /// The first error so far, if there was one; nothing is written after it.
    pub fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    /// Flushes, and gives the sink back.
    ///
    /// # Errors
    ///
    /// The first error of all writes, or that of the flush.
    pub fn finish(mut self) -> io::Result<W> {
        match self.error {
            Some(error) => Err(error),
            None => self.sink.flush().map(|()| self.sink),
        }
    }

    fn write(&mut self, line: &impl serde::Serialize) {
        if self.error.is_some() {
            return;
        }
        self.line.clear();
        let written = serde_json::to_writer(&mut self.line, line).map_err(io::Error::from).and_then(|()| {
            self.line.push(b'\n');
            self.sink.write_all(&self.line)
        });
        self.error = written.err();
    }
}

impl<W: Write + Seek> Writer<W> {
    /// Says in the header that recording went on until nothing was left in flight; then as
    /// [`finish`](Self::finish).
    ///
    /// The sink must have been at its start when the writer was made.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn complete(mut self) -> io::Result<W> {
        if self.error.is_none() && !self.complete {
            // A space makes up for the letter that `true` is shorter by.
            self.sink.seek(SeekFrom::Start(self.complete_at))?;
            self.sink.write_all(b"true ")?;
            self.sink.seek(SeekFrom::End(0))?;
        }
        self.finish()
    }
}
