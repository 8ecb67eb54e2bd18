//! The life of a child process: how it is ended, and that it is waited for.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{self, ExitStatus};
use std::time::Duration;

use platform::sync::Arc;
use platform::time;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};

/// A child process that belongs to whoever has this. When it is dropped, the child is killed and waited for.
#[derive(Debug)]
pub(super) struct Leader {
    child: process::Child,
    pidfd: Arc<OwnedFd>,
    /// It is the first of a process group that ends with it.
    group: bool,
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
    /// Takes over `child`. If it fails, the child is killed and waited for.
    pub(super) fn new(
        mut child: process::Child,
        group: bool,
        grace: Duration,
    ) -> io::Result<(Self, Arc<OwnedFd>)> {
        // The number means the child: nobody has waited for it.
        match pidfd_open(pid(&child), PidfdFlags::empty()) {
            Ok(pidfd) => {
                let pidfd = Arc::new(pidfd);
                Ok((Self { child, pidfd: Arc::clone(&pidfd), group, grace, end: End::NotAsked }, pidfd))
            }
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error.into())
            }
        }
    }

    /// Becomes readable when the child has exited.
    pub(super) fn as_source(&self) -> &OwnedFd {
        &self.pidfd
    }

    /// Asks the child to end, if nobody has.
    pub(super) fn stop(&mut self) {
        if self.end == End::NotAsked {
            if self.grace.is_zero() {
                self.kill();
            } else {
                self.signal(Signal::TERM);
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

    /// Kills a child that has not obeyed.
    pub(super) fn kill_if_due(&mut self) {
        if let End::Asked(until) = self.end
            && until <= time::now()
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
        if self.group {
            // As long as nobody has waited for the child, its number is its group's and nobody else's.
            let _ = kill_process_group(pid(&self.child), Signal::KILL);
        }
        let status = self.child.try_wait()?;
        if let Some(status) = status {
            self.end = End::Exited(status);
        }
        Ok(status)
    }

    fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.end = End::Killed;
    }

    /// Sends a signal to the child, or to its group.
    fn signal(&self, signal: Signal) {
        debug_assert!(!self.has_exited(), "its number may mean another process");
        let group = if self.group { kill_process_group(pid(&self.child), signal) } else { Err(Errno::SRCH) };
        if group.is_err() {
            // It fails only if there is nobody left to be told.
            let _ = pidfd_send_signal(&*self.pidfd, signal);
        }
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if !self.has_exited() {
            self.kill();
            // It fails only if somebody else has waited for it.
            let _ = self.child.wait();
        }
    }
}

fn pid(child: &process::Child) -> Pid {
    Pid::from_child(child)
}
