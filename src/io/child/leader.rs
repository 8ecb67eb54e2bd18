//! The life of a child process: how it is ended, and that it is waited for.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use platform::readiness::Source;
use platform::time;

use super::process::Process;

/// A child process that belongs to whoever has this. When it is dropped, the child is killed and waited for.
#[derive(Debug)]
pub(super) struct Leader {
    process: Box<dyn Process>,
    grace: Duration,
    end: End,
}

/// How near a child is to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    NotAsked,
    /// It was asked to end, and is killed when this time has come.
    Asked(Duration),
    Killed,
    /// It has exited and was waited for: its number may mean another process from now on.
    Exited(ExitStatus),
}

impl Leader {
    pub(super) fn new(process: Box<dyn Process>, grace: Duration) -> Self {
        Self { process, grace, end: End::NotAsked }
    }

    /// Becomes readable when the child has exited.
    pub(super) fn as_source(&self) -> &dyn Source {
        self.process.source()
    }

    /// Asks the child to end, if nobody has.
    pub(super) fn stop(&mut self) {
        if self.end == End::NotAsked {
            if self.grace.is_zero() {
                self.kill();
            } else {
                self.process.terminate();
                self.end = End::Asked(time::now().saturating_add(self.grace));
            }
        }
    }

    /// How long to wait for the child before [`kill_if_due`](Self::kill_if_due); for ever, if nothing is said.
    pub(super) fn patience(&self) -> Option<Duration> {
        match self.end {
            End::Asked(until) => Some(until.saturating_sub(time::now())),
            End::NotAsked | End::Killed | End::Exited(_) => None,
        }
    }

    /// Kills a child that has not obeyed: when a wait says that the time is over, or the clock does.
    pub(super) fn kill_if_due(&mut self, is_due: bool) {
        if let End::Asked(until) = self.end
            && (is_due || until <= time::now())
        {
            self.kill();
        }
    }

    /// Whether the child has exited and was waited for.
    pub(super) fn has_exited(&self) -> bool {
        matches!(self.end, End::Exited(_))
    }

    /// Waits for the child, once [`as_source`](Self::as_source) is readable; nothing, if it was too early.
    ///
    /// # Errors
    /// Somebody else has waited for it, or this program ignores SIGCHLD.
    pub(super) fn exit(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.process.try_wait()?;
        if let Some(status) = status {
            self.end = End::Exited(status);
        }
        Ok(status)
    }

    fn kill(&mut self) {
        debug_assert!(!self.has_exited(), "its number may mean another process");
        self.process.kill();
        self.end = End::Killed;
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if !self.has_exited() {
            self.kill();
            // It fails only if somebody else has waited for it.
            let _ = self.process.wait();
        }
    }
}
