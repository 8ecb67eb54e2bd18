//! Why an actor ended.

use std::any::Any;
use std::fmt;

use platform::panic;

/// Why an actor ended, or is asked to.
///
/// Any error converts into [`Exit::Failed`], so a callback may use `?`:
///
/// ```
/// # use antiphon::Exit;
/// fn parse(text: &str) -> Result<u16, Exit> {
///     Ok(text.parse()?)
/// }
/// assert!(matches!(parse("many"), Err(Exit::Failed(_))));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Exit {
    /// It was done.
    Normal,
    /// It was told to end in an orderly way, for example by its node.
    Shutdown,
    /// It was killed.
    Killed,
    /// It returned an error; the text is the error's, with its sources.
    Failed(String),
    /// One of its callbacks, or its Reader, panicked; the text is the panic's, followed by where it came from, as
    /// in `no way out, at src/main.rs:7:9`. The place is missing where no panic hook is called, as by
    /// [`resume_unwind`](std::panic::resume_unwind), or where another hook has taken the place of ours.
    Panicked(String),
    /// It was a meta-process, and its parent ended.
    ParentEnded,
}

impl Exit {
    /// Says whether this is an end that nobody needs to worry about.
    pub fn is_normal(&self) -> bool {
        matches!(self, Self::Normal | Self::Shutdown)
    }

    pub(crate) fn from_panic(payload: &(dyn Any + Send)) -> Self {
        let text = panic::text(payload).unwrap_or("a panic without a text");
        Self::Panicked(match panic::location(payload) {
            Some(location) => format!("{text}, at {location}"),
            None => text.to_owned(),
        })
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::Shutdown => f.write_str("shutdown"),
            Self::Killed => f.write_str("killed"),
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::Panicked(text) => write!(f, "panic: {text}"),
            Self::ParentEnded => f.write_str("parent ended"),
        }
    }
}

impl<E: std::error::Error> From<E> for Exit {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self::Failed(text)
    }
}
