//! The operating system's child processes.

use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};

use platform::readiness::Source;
use platform::sync::Arc;
use rustix::io::{Errno, ioctl_fionbio, ioctl_fionread};
use rustix::process::{self, Pid, PidfdFlags, kill_process_group, pidfd_open, pidfd_send_signal};

use super::process::{Parts, Pipe, Process, Target};
use crate::io::signal::Signal;

/// Starts a child; as the first of a process group that ends with it, if `group` says so.
///
/// # Errors
/// The operating system's. No child is left then.
pub(super) fn spawn(command: &mut Command, group: bool) -> io::Result<Parts> {
    let mut child = command.spawn()?;
    match Ends::of(&mut child) {
        Ok(Ends { pidfd, stdin, outputs }) => {
            let (pidfd, pid) = (Arc::new(pidfd), child.id());
            let target = Box::new(Pidfd(Arc::clone(&pidfd)));
            Ok(Parts { process: Box::new(Leader { child, pidfd, group }), target, pid, stdin, outputs })
        }
        Err(error) => {
            child.kill()?;
            child.wait()?;
            Err(error)
        }
    }
}

/// By what this side knows a child.
struct Ends {
    pidfd: OwnedFd,
    stdin: Option<Box<dyn Pipe>>,
    outputs: [Option<Box<dyn Pipe>>; 2],
}

impl Ends {
    fn of(child: &mut Child) -> io::Result<Self> {
        // The number means the child: nobody has waited for it.
        let pidfd = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
        let stdin = child.stdin.take().map(pipe).transpose()?;
        let stdout = child.stdout.take().map(pipe).transpose()?;
        let stderr = child.stderr.take().map(pipe).transpose()?;
        Ok(Self { pidfd, stdin, outputs: [stdout, stderr] })
    }
}

fn pipe(stream: impl Into<OwnedFd>) -> io::Result<Box<dyn Pipe>> {
    let stream = stream.into();
    ioctl_fionbio(&stream, true)?;
    Ok(Box::new(stream))
}

/// A child, or the first of a process group.
#[derive(Debug)]
struct Leader {
    child: Child,
    pidfd: Arc<OwnedFd>,
    group: bool,
}

impl Leader {
    fn tell(&self, signal: process::Signal) {
        let group = if self.group {
            kill_process_group(Pid::from_child(&self.child), signal)
        } else {
            Err(Errno::SRCH)
        };
        if group.is_err() {
            // It fails only if there is nobody left to be told.
            let _ = pidfd_send_signal(&*self.pidfd, signal);
        }
    }
}

impl Process for Leader {
    fn source(&self) -> &dyn Source {
        &*self.pidfd
    }

    fn terminate(&self) {
        self.tell(process::Signal::TERM);
    }

    fn kill(&self) {
        self.tell(process::Signal::KILL);
    }

    fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.group {
            // As long as nobody has waited for the child, its number is its group's and nobody else's.
            let _ = kill_process_group(Pid::from_child(&self.child), process::Signal::KILL);
        }
        self.child.try_wait()
    }

    fn wait(&mut self) -> io::Result<()> {
        self.child.wait().map(drop)
    }
}

/// A child, by its descriptor: whoever has its number now is never meant.
#[derive(Debug)]
struct Pidfd(Arc<OwnedFd>);

impl Pidfd {
    fn send(&self, signal: process::Signal) -> io::Result<()> {
        match pidfd_send_signal(&*self.0, signal) {
            Err(Errno::SRCH) => Ok(()),
            result => Ok(result?),
        }
    }
}

impl Target for Pidfd {
    fn signal(&self, signal: Signal) -> io::Result<()> {
        self.send(signal.raw())
    }

    fn kill(&self) -> io::Result<()> {
        self.send(process::Signal::KILL)
    }
}

impl Pipe for OwnedFd {
    fn source(&self) -> &dyn Source {
        self
    }

    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(self, buffer)?)
    }

    fn unread(&self) -> io::Result<usize> {
        Ok(usize::try_from(ioctl_fionread(self)?).unwrap_or(usize::MAX))
    }

    fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(rustix::io::writev(self, slices)?)
    }
}
