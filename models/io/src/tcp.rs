//! TCP on loopback.

mod faults;
mod parts;
mod peers;

use antiphon_harness::Scenario;

use crate::{COMMANDED, FAILED, SERVED};

pub(crate) const SCENARIOS: &[Scenario] = catalogue! {
    "tcp/echo/1x50", SERVED, ["answered"], peers::echo(1, 50);
    "tcp/echo/8x200", SERVED, ["answered"], peers::echo(8, 200);
    "tcp/commands/200", COMMANDED, ["answered"], peers::commands(200);
    "tcp/half-closed/4", SERVED, ["answered after the end"], peers::half_closed(4);
    "tcp/vanishing-clients/8", SERVED, ["vanished", "answered"], peers::vanishing(8);
    "tcp/owner-ends/8", SERVED, ["interrupted"], peers::owner_ends(8);
    "tcp/listener-stops-while-clients-connect/4", SERVED, ["answered", "not answered"], peers::listener_stops(4);
    "tcp/node-stops-while-clients-connect/4", SERVED, ["answered"], peers::node_stops(4);
    "tcp/peer-does-not-read", SERVED, ["congested"], faults::peer_does_not_read();
    "tcp/panic-in-session", FAILED, ["panicked", "answered"], faults::panic_in_session();
    "tcp/no-descriptors", SERVED, ["accept failed", "answered"], faults::no_descriptors();
};
