//! Errors that say which file they are about.

use std::io;
use std::path::Path;

/// The error, with the file that it is about before its text.
pub(crate) fn at(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
