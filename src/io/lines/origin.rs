//! Lines from the operating system: pipes, FIFOs, terminals, sockets, files.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use platform::readiness::Source;
use rustix::fs::{FileType, Mode, OFlags, fcntl_getfl, fstat};
use rustix::net::{RecvFlags, recv};
use rustix::termios::isatty;

use super::Feed;
use crate::io::place::at;

/// Where lines come from.
#[derive(Debug)]
pub(super) enum Origin {
    /// Read with an offset, or by a description that does not block.
    Read(OwnedFd),
    /// A socket.
    Received(OwnedFd),
    /// A FIFO, to be opened again when all who wrote to it have gone.
    Fifo(OwnedFd, PathBuf),
}

impl Origin {
    /// A descriptor whose description others may share.
    pub(super) fn shared(descriptor: OwnedFd) -> io::Result<Self> {
        if fcntl_getfl(&descriptor)? & OFlags::ACCMODE == OFlags::WRONLY {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the descriptor is not open for reading",
            ));
        }
        Ok(match FileType::from_raw_mode(fstat(&descriptor)?.st_mode) {
            FileType::Socket => Self::Received(descriptor),
            FileType::Fifo => Self::Read(reopen(descriptor)),
            FileType::CharacterDevice if isatty(&descriptor) => Self::Read(reopen(descriptor)),
            // A file knows where it stands; of a device nobody knows what opening it again does.
            _ => Self::Read(descriptor),
        })
    }

    pub(super) fn fifo(path: PathBuf) -> io::Result<Self> {
        Ok(Self::Fifo(open_fifo(&path)?, path))
    }
}

impl Feed for Origin {
    fn source(&self) -> &dyn Source {
        match self {
            Self::Read(descriptor) | Self::Received(descriptor) | Self::Fifo(descriptor, _) => descriptor,
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(match self {
            Self::Read(descriptor) | Self::Fifo(descriptor, _) => rustix::io::read(descriptor, buffer)?,
            Self::Received(socket) => recv(socket, buffer, RecvFlags::DONTWAIT)?.0,
        })
    }

    fn begin_again(&mut self) -> io::Result<bool> {
        match self {
            Self::Read(_) | Self::Received(_) => Ok(false),
            Self::Fifo(descriptor, path) => {
                // Opened anew, it does not remember that there were writers, so the end is not told again.
                // Meanwhile the old one keeps what the next writer may have written.
                *descriptor = open_fifo(path)?;
                Ok(true)
            }
        }
    }
}

/// A description of this process's own for a pipe or a terminal, which does not block; or the descriptor
/// itself, where that is not allowed.
fn reopen(descriptor: OwnedFd) -> OwnedFd {
    let path = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
    open(path).unwrap_or(descriptor)
}

fn open_fifo(path: &Path) -> io::Result<OwnedFd> {
    let fifo = open(path).map_err(|error| at(path, error.into()))?;
    match FileType::from_raw_mode(fstat(&fifo)?.st_mode) {
        FileType::Fifo => Ok(fifo),
        _ => Err(at(path, io::Error::new(io::ErrorKind::InvalidInput, "it is no FIFO"))),
    }
}

fn open(path: impl rustix::path::Arg) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}
