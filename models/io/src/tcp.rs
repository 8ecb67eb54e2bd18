//! TCP on loopback.

use std::convert::Infallible;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use antiphon::io::tcp::{self, Accept, Stop};
use antiphon::{Address, Context, Exit};
use antiphon_harness::Scenario;

use crate::parts::LONG;
use crate::stream::trouble::Trouble::{DoesNotRead, Resets, SendsByteByByte, Vanishes};
use crate::stream::trouble::{beside_others, while_the_owner_is_killed};
use crate::stream::{Client, faults, peers};
use crate::{COMMANDED, FAILED, Fault, SERVED};

type Tcp = TcpStream;

pub(crate) const SCENARIOS: &[Scenario] = catalogue! {
    "tcp/echo/1x50", SERVED, ["answered"], peers::echo::<Tcp>(1, 50);
    "tcp/echo/8x200", SERVED, ["answered"], peers::echo::<Tcp>(8, 200);
    "tcp/commands/200", COMMANDED, ["answered"], peers::commands::<Tcp>(200);
    "tcp/half-closed/4", SERVED, ["answered after the end"], peers::half_closed::<Tcp>(4);
    "tcp/owner-ends/8", SERVED, ["interrupted"], peers::owner_ends::<Tcp>(8);
    "tcp/listener-stops-while-clients-connect/4", SERVED, ["answered", "not answered"],
        peers::listener_stops::<Tcp>(4);
    "tcp/node-stops-while-clients-connect/4", SERVED, ["answered"], peers::node_stops::<Tcp>(4);
    "tcp/peers-vanish/4", SERVED, ["trouble", "answered"], beside_others::<Tcp>(Vanishes, 4);
    "tcp/peers-reset/4", SERVED, ["trouble", "answered"], beside_others::<Tcp>(Resets, 4);
    "tcp/peers-do-not-read/2", SERVED, ["trouble", "congested", "answered"],
        beside_others::<Tcp>(DoesNotRead, 2);
    "tcp/peers-send-byte-by-byte/4", SERVED, ["trouble", "answered"],
        beside_others::<Tcp>(SendsByteByByte, 4);
    "tcp/owner-is-killed-while-peers-vanish/4", SERVED, ["trouble", "gone"],
        while_the_owner_is_killed::<Tcp>(Vanishes, 4);
    "tcp/owner-is-killed-while-peers-reset/4", SERVED, ["trouble", "gone"],
        while_the_owner_is_killed::<Tcp>(Resets, 4);
    "tcp/owner-is-killed-while-peers-do-not-read/2", SERVED, ["trouble", "congested", "gone"],
        while_the_owner_is_killed::<Tcp>(DoesNotRead, 2);
    "tcp/owner-is-killed-while-peers-send-byte-by-byte/4", SERVED, ["trouble", "gone"],
        while_the_owner_is_killed::<Tcp>(SendsByteByByte, 4);
    "tcp/panic-in-session", FAILED, ["panicked", "answered"], faults::panic_in_session::<Tcp>();
    "tcp/owner-is-killed-while-sessions-panic/4", FAILED, ["panicked", "gone"],
        faults::panic_while_the_owner_is_killed::<Tcp>(4);
    "tcp/no-descriptors", SERVED, ["accept failed", "answered"], faults::no_descriptors::<Tcp>();
    "tcp/owner-is-killed-while-there-are-no-descriptors", SERVED, ["accept failed", "interrupted"],
        faults::no_descriptors_while_the_owner_is_killed::<Tcp>();
    "tcp/disk-is-full/4", SERVED, ["write failed", "answered"], faults::disk_is_full::<Tcp>(4);
    "tcp/owner-is-killed-while-the-disk-is-full/4", SERVED, ["write failed", "gone"],
        faults::disk_is_full_while_the_owner_is_killed::<Tcp>(4);
    "tcp/file-is-read-only/4", SERVED, ["write failed", "answered"], faults::file_is_read_only::<Tcp>(4);
    "tcp/owner-is-killed-while-a-file-is-read-only/4", SERVED, ["write failed", "gone"],
        faults::file_is_read_only_while_the_owner_is_killed::<Tcp>(4);
};

pub(crate) const FAULTS: &[Fault] = &[
    ("peers vanish", &["tcp/peers-vanish/4", "tcp/owner-is-killed-while-peers-vanish/4"]),
    ("peers reset", &["tcp/peers-reset/4", "tcp/owner-is-killed-while-peers-reset/4"]),
    ("peers do not read", &["tcp/peers-do-not-read/2", "tcp/owner-is-killed-while-peers-do-not-read/2"]),
    (
        "peers send byte by byte",
        &["tcp/peers-send-byte-by-byte/4", "tcp/owner-is-killed-while-peers-send-byte-by-byte/4"],
    ),
    (
        "no descriptors are left to accept",
        &["tcp/no-descriptors", "tcp/owner-is-killed-while-there-are-no-descriptors"],
    ),
    ("a session panics", &["tcp/panic-in-session", "tcp/owner-is-killed-while-sessions-panic/4"]),
    ("the disk is full", &["tcp/disk-is-full/4", "tcp/owner-is-killed-while-the-disk-is-full/4"]),
    ("a file is read-only", &["tcp/file-is-read-only/4", "tcp/owner-is-killed-while-a-file-is-read-only/4"]),
];

impl Client for TcpStream {
    type Place = SocketAddr;
    type Listener = TcpListener;
    type Peer = SocketAddr;

    fn listen() -> (TcpListener, SocketAddr) {
        let socket = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let place = socket.local_addr().expect("it is bound");
        (socket, place)
    }

    fn accept(
        listener: TcpListener,
        accept: impl Accept<SocketAddr>,
        context: &Context<'_, Infallible>,
    ) -> Result<Address<Stop>, Exit> {
        let (reader, handler) = tcp::listener(listener, accept)?;
        Ok(context.spawn_meta(reader, handler)?)
    }

    fn connect(place: &SocketAddr) -> io::Result<Self> {
        let client = Self::connect(place)?;
        client.set_nodelay(true)?;
        client.set_read_timeout(Some(LONG))?;
        Ok(client)
    }

    fn patience(&self, patience: Duration) -> io::Result<()> {
        self.set_write_timeout(Some(patience))
    }

    fn end(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn reset(self) -> io::Result<()> {
        Ok(rustix::net::sockopt::set_socket_linger(&self, Some(Duration::ZERO))?)
    }
}
