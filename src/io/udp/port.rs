//! What the two lines need of a socket for datagrams.

use std::fmt::Debug;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, cmsg_space, recvmsg, setsockopt, sockopt::RxqOvfl,
};
use platform::readiness::Source;

/// A socket for datagrams, which never blocks.
pub trait Port: Debug + Send + Sync + 'static {
    /// What is waited for.
    fn source(&self) -> &dyn Source;

    /// Receives a datagram into `buffer`.
    ///
    /// # Errors
    /// `WouldBlock` if none is there; what the network says of those that were sent; any other ends the socket.
    fn receive(&self, buffer: &mut [u8]) -> io::Result<Arrived>;

    /// Sends a datagram.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room; why it cannot be sent, or what the network says of one before it.
    fn send(&self, bytes: &[u8], peer: SocketAddr) -> io::Result<()>;
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    /// How many bytes it has.
    pub length: usize,
    /// Who sent it.
    pub peer: SocketAddr,
    /// How many had been dropped before it, if that is known.
    pub dropped: Option<u32>,
}

/// Has the socket not block, and count what it drops.
pub(super) fn open(socket: UdpSocket) -> io::Result<impl Port> {
    socket.set_nonblocking(true)?;
    setsockopt(&socket, RxqOvfl, &1)?;
    Ok(socket)
}

impl Port for UdpSocket {
    fn source(&self) -> &dyn Source {
        self
    }

    fn receive(&self, buffer: &mut [u8]) -> io::Result<Arrived> {
        let mut control = [0; cmsg_space::<u32>()];
        let mut slices = [IoSliceMut::new(buffer)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let received = recvmsg::<SockaddrStorage>(self.as_raw_fd(), &mut slices, Some(&mut control), flags)?;
        let address = received.address.as_ref();
        let peer = address.and_then(|address| {
            let four = address.as_sockaddr_in().map(|four| SocketAddr::from(*four));
            four.or_else(|| address.as_sockaddr_in6().map(|six| SocketAddr::from(*six)))
        });
        let peer = peer.ok_or_else(|| io::Error::other("a datagram without a sender"))?;
        // As long as none was dropped, there is no such message.
        let dropped = received.cmsgs().ok().and_then(|mut messages| {
            messages.find_map(|message| match message {
                ControlMessageOwned::RxqOvfl(dropped) => Some(dropped),
                _ => None,
            })
        });
        Ok(Arrived { length: received.bytes, peer, dropped })
    }

    fn send(&self, bytes: &[u8], peer: SocketAddr) -> io::Result<()> {
        self.send_to(bytes, peer).map(drop)
    }
}
