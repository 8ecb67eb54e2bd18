//! TCP on loopback.

mod faults;
mod parts;
mod peers;
mod trouble;

use antiphon_harness::Scenario;

use crate::{COMMANDED, FAILED, SERVED};
use trouble::Trouble::{DoesNotRead, Resets, SendsByteByByte, Vanishes};
use trouble::{beside_others, while_the_owner_is_killed};

pub(crate) const SCENARIOS: &[Scenario] = catalogue! {
    "tcp/echo/1x50", SERVED, ["answered"], peers::echo(1, 50);
    "tcp/echo/8x200", SERVED, ["answered"], peers::echo(8, 200);
    "tcp/commands/200", COMMANDED, ["answered"], peers::commands(200);
    "tcp/half-closed/4", SERVED, ["answered after the end"], peers::half_closed(4);
    "tcp/owner-ends/8", SERVED, ["interrupted"], peers::owner_ends(8);
    "tcp/listener-stops-while-clients-connect/4", SERVED, ["answered", "not answered"], peers::listener_stops(4);
    "tcp/node-stops-while-clients-connect/4", SERVED, ["answered"], peers::node_stops(4);
    "tcp/peers-vanish/4", SERVED, ["trouble", "answered"], beside_others(Vanishes, 4);
    "tcp/peers-reset/4", SERVED, ["trouble", "answered"], beside_others(Resets, 4);
    "tcp/peers-do-not-read/2", SERVED, ["trouble", "congested", "answered"], beside_others(DoesNotRead, 2);
    "tcp/peers-send-byte-by-byte/4", SERVED, ["trouble", "answered"], beside_others(SendsByteByByte, 4);
    "tcp/owner-is-killed-while-peers-vanish/4", SERVED, ["trouble", "gone"],
        while_the_owner_is_killed(Vanishes, 4);
    "tcp/owner-is-killed-while-peers-reset/4", SERVED, ["trouble", "gone"],
        while_the_owner_is_killed(Resets, 4);
    "tcp/owner-is-killed-while-peers-do-not-read/2", SERVED, ["trouble", "congested", "gone"],
        while_the_owner_is_killed(DoesNotRead, 2);
    "tcp/owner-is-killed-while-peers-send-byte-by-byte/4", SERVED, ["trouble", "gone"],
        while_the_owner_is_killed(SendsByteByByte, 4);
    "tcp/panic-in-session", FAILED, ["panicked", "answered"], faults::panic_in_session();
    "tcp/no-descriptors", SERVED, ["accept failed", "answered"], faults::no_descriptors();
    "tcp/owner-is-killed-while-there-are-no-descriptors", SERVED, ["accept failed", "interrupted"],
        faults::no_descriptors_while_the_owner_is_killed();
    "tcp/disk-is-full/4", SERVED, ["write failed", "answered"], faults::disk_is_full(4);
    "tcp/file-is-read-only/4", SERVED, ["write failed", "answered"], faults::file_is_read_only(4);
};

/// Each fault, in words, and the scenarios that make it: beside others, and while the owner is killed.
pub(crate) const FAULTS: &[(&str, &[&str])] = &[
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
    ("a session panics", &["tcp/panic-in-session"]),
    ("the disk is full", &["tcp/disk-is-full/4"]),
    ("a file is read-only", &["tcp/file-is-read-only/4"]),
];
