//! The signals of the operating system that a program deals with.

use rustix::process;

/// A signal of the operating system.
///
/// Those that nobody can catch are missing: to end a child process by SIGKILL, see
/// [`child::Command::kill`](super::child::Command::kill).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Signal {
    /// SIGHUP: the terminal is gone; by custom, a service reads its configuration again.
    HangUp,
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGQUIT: Ctrl-\.
    Quit,
    /// SIGUSR1: whatever the program says.
    User1,
    /// SIGUSR2: whatever the program says.
    User2,
    /// SIGTERM: please end.
    Terminate,
    /// SIGCHLD: a child process has ended.
    Child,
    /// SIGCONT: go on, after a stop.
    Continue,
    /// SIGWINCH: the terminal has another size.
    WindowChange,
}

impl Signal {
    /// Every one, each at its own place.
    pub(crate) const ALL: [Self; 9] = [
        Self::HangUp,
        Self::Interrupt,
        Self::Quit,
        Self::User1,
        Self::User2,
        Self::Terminate,
        Self::Child,
        Self::Continue,
        Self::WindowChange,
    ];

    /// Its number on this system.
    pub fn number(self) -> i32 {
        self.raw().as_raw()
    }

    pub(crate) fn raw(self) -> process::Signal {
        match self {
            Self::HangUp => process::Signal::HUP,
            Self::Interrupt => process::Signal::INT,
            Self::Quit => process::Signal::QUIT,
            Self::User1 => process::Signal::USR1,
            Self::User2 => process::Signal::USR2,
            Self::Terminate => process::Signal::TERM,
            Self::Child => process::Signal::CHILD,
            Self::Continue => process::Signal::CONT,
            Self::WindowChange => process::Signal::WINCH,
        }
    }
}
