//! What the explorer takes for granted of events: two neighbours of different lines whose footprints do not
//! conflict can be exchanged, and the machine comes to the same verdict.
//!
//! Tried at every place of legal traces, and of traces with one fault: an exchange that hid a fault would
//! let the explorer miss it.

use antiphon_platform_shuttle::footprint::{Footprints, Touch};
use antiphon_platform_shuttle::model::Mode;
use antiphon_spec::event::{ActorId, Event, Sender};
use antiphon_spec::simulate::mutate::Mutation;
use antiphon_spec::simulate::{Bounds, Choices, simulate};
use antiphon_spec::{Guarantee, State};
use proptest::prelude::*;

/// The first choice of a simulation.
const TELLS_ENDS: u8 = 0;

/// A line of execution that an event may have been recorded on.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Line {
    Thread(String),
    Handler(ActorId),
    Reader(ActorId),
    Spawner(ActorId),
}

fn lines(events: &[Event], event: &Event) -> Vec<Line> {
    // The two ends of an operation are on one line.
    let begun = |is: &dyn Fn(&Event) -> bool| {
        events.iter().find(|event| is(event)).map(|event| lines(&[], event)).unwrap_or_default()
    };
    let of_sender = |from: &Option<Sender>| match from {
        Some(Sender::Thread(name)) => vec![Line::Thread(name.clone())],
        Some(Sender::Actor(actor)) => vec![Line::Handler(*actor), Line::Reader(*actor)],
        None => Vec::new(),
    };
    match event {
        Event::SendBegin { from, .. } | Event::CallBegin { from, .. } => of_sender(from),
        Event::Spawn { actor, .. } => vec![Line::Spawner(*actor)],
        // All that an actor does comes after its init has begun.
        Event::InitBegin { actor, .. } => {
            vec![Line::Spawner(*actor), Line::Handler(*actor), Line::Reader(*actor)]
        }
        Event::InitEnd { actor, .. } => vec![Line::Spawner(*actor), Line::Handler(*actor)],
        Event::SendEnd { message, .. } => {
            begun(&|event| matches!(event, Event::SendBegin { message: m, .. } if m == message))
        }
        Event::CallEnd { call, .. } => {
            begun(&|event| matches!(event, Event::CallBegin { call: c, .. } if c == call))
        }
        Event::HandleBegin { actor, .. }
        | Event::HandleEnd { actor, .. }
        | Event::Interrupt { actor }
        | Event::TerminateBegin { actor, .. }
        | Event::TerminateEnd { actor }
        | Event::DeadLetter { actor, .. }
        | Event::Name { actor, .. }
        | Event::Unname { actor, .. }
        | Event::Monitor { watcher: actor, .. }
        | Event::Down { watcher: actor, .. }
        | Event::Supervisor { actor, .. }
        | Event::ChildStart { actor, .. }
        | Event::ChildRemove { actor, .. }
        | Event::ChildStop { actor, .. }
        | Event::ChildEnd { actor, .. }
        | Event::SupervisorEnd { actor, .. } => vec![Line::Handler(*actor)],
        Event::ReaderBegin { actor } | Event::ReaderEnd { actor, .. } => vec![Line::Reader(*actor)],
        Event::Ended { actor } => vec![Line::Handler(*actor), Line::Reader(*actor)],
        Event::Timer { actor, .. } => vec![Line::Handler(*actor)],
        Event::Reply { .. }
        | Event::Demonitor { .. }
        | Event::TimerFired { .. }
        | Event::TimerCancelled { .. }
        | Event::Link { .. }
        | Event::ExitSignal { .. } => Vec::new(),
    }
}

fn conflict(a: &[Touch], b: &[Touch]) -> bool {
    a.iter().any(|(aspect, number, mode)| {
        b.iter().any(|other| {
            (other.0, other.1) == (*aspect, *number) && !(*mode == Mode::Read && other.2 == Mode::Read)
        })
    })
}

/// All that is violated from `state` on, the end included.
fn verdict(mut state: State, events: &[Event]) -> Option<Vec<Guarantee>> {
    let mut violations = Vec::new();
    for event in events {
        // An order that could not have been recorded is none that an engine could have explored.
        state.admits(event).ok()?;
        state.observe(event, &mut violations);
    }
    violations.extend(state.finish());
    let mut violated: Vec<Guarantee> = violations.iter().map(|violation| violation.guarantee).collect();
    violated.sort();
    violated.dedup();
    Some(violated)
}

/// Two neighbours of different lines whose exchange changes the verdict.
struct Difference {
    told: String,
    conflict: bool,
}

fn differences(events: &[Event]) -> Vec<Difference> {
    let mut footprints = Footprints::default();
    let touches: Vec<Vec<Touch>> = events
        .iter()
        .map(|event| {
            let mut touches = Vec::new();
            footprints.of(event, |touch| touches.push(touch));
            touches
        })
        .collect();
    let mut differences = Vec::new();
    let mut state = State::default();
    for index in 0..events.len().saturating_sub(1) {
        let (first, second) = (&events[index], &events[index + 1]);
        if !lines(events, first).iter().any(|line| lines(events, second).contains(line)) {
            let straight = verdict(state.clone(), &events[index..]);
            let mut exchanged = events[index..].to_vec();
            exchanged.swap(0, 1);
            if let (Some(straight), Some(crossed)) = (straight, verdict(state.clone(), &exchanged))
                && straight != crossed
            {
                let conflict = conflict(&touches[index], &touches[index + 1]);
                let told = format!("{first:?} and {second:?}: {straight:?} or {crossed:?}");
                differences.push(Difference { told, conflict });
            }
        }
        state.observe(first, &mut Vec::new());
    }
    differences
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_without_conflict_commute(
        bytes in prop::collection::vec(any::<u8>(), 0..150),
        places in prop::collection::vec(any::<u8>(), 1..4),
    ) {
        // The runtime under the explorer tells of ends. Where they are not told, what happens between a
        // child's last callback and the Down of its parent leaves no event that could conflict.
        let bytes = [&[TELLS_ENDS], &bytes[..]].concat();
        let events = simulate(Bounds::default(), &mut Choices::new(&bytes));
        let unseen = |events: &[Event]| {
            let unseen = differences(events).into_iter().find(|difference| !difference.conflict);
            unseen.map(|difference| difference.told)
        };
        prop_assert_eq!(unseen(&events), None);
        for mutation in Mutation::ALL.iter().copied().flatten() {
            if let Some(mutant) = mutation.apply(&events, &mut Choices::new(&places)) {
                prop_assert_eq!(unseen(&mutant.events), None, "{}", mutation.name);
            }
        }
    }
}

/// Without conflicts the property would not hold: it is the footprints that keep verdicts apart.
#[test]
fn the_footprints_are_needed() {
    let bytes: Vec<u8> = (0..4_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let needed = bytes.chunks(100).any(|bytes| {
        let bytes = [&[TELLS_ENDS], bytes].concat();
        let events = simulate(Bounds::default(), &mut Choices::new(&bytes));
        differences(&events).iter().any(|difference| difference.conflict)
    });
    assert!(needed);
}
