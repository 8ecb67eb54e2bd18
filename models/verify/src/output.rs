//! Standard output that may be closed, full, or no terminal.

use std::io::{self, Write};

/// Writes all of `text` to standard output, with its colours if they are wanted there.
///
/// Nobody reading any more is no failure: who closes a pipe has seen enough.
///
/// # Errors
/// Any other failure, told for the user.
pub(crate) fn print(text: &str) -> Result<(), String> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("can't write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// Tells the user what is wrong, on standard error; if nobody listens there either, nothing can be done.
pub(crate) fn complain(message: &str) {
    let style = anstyle::AnsiColor::Red.on_default().bold();
    let _ = writeln!(anstream::stderr(), "{style}error:{style:#} {message}");
}
