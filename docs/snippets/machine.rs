//! A machine whose lines end with a carriage return: lines of a source of one's own.

use std::fs::File;
use std::io::{self, Read};

use antiphon::io::Source;
use antiphon::io::lines::Feed;

// ANCHOR: feed
/// The port of a machine whose lines end with a carriage return.
#[derive(Debug)]
pub(crate) struct Machine(pub(crate) File);

impl Feed for Machine {
    fn source(&self) -> &dyn Source {
        &self.0
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        buffer[..count].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        Ok(count)
    }
}
// ANCHOR_END: feed
