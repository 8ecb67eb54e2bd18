//! Unix stream sockets.

use std::convert::Infallible;
use std::io::{self, Read};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use antiphon::io::unix::{self, Accept, Peer, Stop};
use antiphon::{Address, Context, Exit};
use antiphon_harness::Scenario;

use crate::parts::LONG;
use crate::stream::trouble::Trouble::{DoesNotRead, Resets, SendsByteByByte, Vanishes};
use crate::stream::trouble::{beside_others, while_the_owner_is_killed};
use crate::stream::{Client, faults, peers};
use crate::{Fault, SERVED};

type Unix = UnixStream;

pub(crate) const SCENARIOS: &[Scenario] = catalogue! {
    "unix/echo/4x50", SERVED, ["answered"], peers::echo::<Unix>(4, 50);
    "unix/owner-ends/8", SERVED, ["answered", "interrupted"], peers::owner_ends::<Unix>(8);
    "unix/listener-stops/4", SERVED, ["answered", "not answered"], peers::listener_stops::<Unix>(4);
    "unix/peers-vanish/4", SERVED, ["trouble", "answered"], beside_others::<Unix>(Vanishes, 4);
    "unix/peers-reset/4", SERVED, ["trouble", "answered"], beside_others::<Unix>(Resets, 4);
    "unix/peers-do-not-read/2", SERVED, ["trouble", "congested", "answered"],
        beside_others::<Unix>(DoesNotRead, 2);
    "unix/peers-send-byte-by-byte/4", SERVED, ["trouble", "answered"],
        beside_others::<Unix>(SendsByteByByte, 4);
    "unix/owner-is-killed-while-peers-vanish/4", SERVED, ["trouble", "gone"],
        while_the_owner_is_killed::<Unix>(Vanishes, 4);
    "unix/owner-is-killed-while-peers-reset/4", SERVED, ["trouble", "gone"],
        while_the_owner_is_killed::<Unix>(Resets, 4);
    "unix/owner-is-killed-while-peers-do-not-read/2", SERVED, ["trouble", "congested", "gone"],
        while_the_owner_is_killed::<Unix>(DoesNotRead, 2);
    "unix/owner-is-killed-while-peers-send-byte-by-byte/4", SERVED, ["trouble", "gone"],
        while_the_owner_is_killed::<Unix>(SendsByteByByte, 4);
    "unix/no-descriptors", SERVED, ["accept failed", "answered"], faults::no_descriptors::<Unix>();
    "unix/owner-is-killed-while-there-are-no-descriptors", SERVED, ["accept failed", "interrupted"],
        faults::no_descriptors_while_the_owner_is_killed::<Unix>();
};

pub(crate) const FAULTS: &[Fault] = &[
    ("peers vanish", &["unix/peers-vanish/4", "unix/owner-is-killed-while-peers-vanish/4"]),
    ("peers reset", &["unix/peers-reset/4", "unix/owner-is-killed-while-peers-reset/4"]),
    ("peers do not read", &["unix/peers-do-not-read/2", "unix/owner-is-killed-while-peers-do-not-read/2"]),
    (
        "peers send byte by byte",
        &["unix/peers-send-byte-by-byte/4", "unix/owner-is-killed-while-peers-send-byte-by-byte/4"],
    ),
    (
        "no descriptors are left to accept",
        &["unix/no-descriptors", "unix/owner-is-killed-while-there-are-no-descriptors"],
    ),
];

impl Client for UnixStream {
    type Place = SocketAddr;
    type Listener = UnixListener;
    type Peer = Peer;

    /// Its address has no file.
    fn listen() -> (UnixListener, SocketAddr) {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // Relaxed: it gives each its own number, and orders nothing.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let place = SocketAddr::from_abstract_name(format!("antiphon-{}-{number}", process::id()))
            .expect("the name is short");
        (UnixListener::bind_addr(&place).expect("the name is new"), place)
    }

    fn accept(
        listener: UnixListener,
        accept: impl Accept<Peer>,
        context: &Context<'_, Infallible>,
    ) -> Result<Address<Stop>, Exit> {
        let (reader, handler) = unix::listener(listener, accept)?;
        Ok(context.spawn_meta(reader, handler)?)
    }

    fn connect(place: &SocketAddr) -> io::Result<Self> {
        let client = Self::connect_addr(place)?;
        client.set_read_timeout(Some(LONG))?;
        Ok(client)
    }

    fn patience(&self, patience: Duration) -> io::Result<()> {
        self.set_write_timeout(Some(patience))
    }

    fn end(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    /// That is what the other side is told if anything is unread: the answer, but for its first byte.
    fn reset(mut self) -> io::Result<()> {
        self.read_exact(&mut [0])
    }
}
