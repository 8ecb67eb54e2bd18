//! What must hold of any bytes: the oracles of the fuzz targets and of the property tests.
//!
//! Each takes any bytes and panics if something is wrong.

use std::collections::BTreeSet;

use super::mutate::Mutation;
use super::{Bounds, Choices, any_events, simulate};
use crate::check::{Outcome, Verdict, judge};
use crate::event::Event;
use crate::guarantee::Guarantee;
use crate::machine::State;
use crate::trace::{Header, Reader, Writer};

/// The reader and the checker take any input; what they accept, they can write and read again.
///
/// # Panics
///
/// If they do not.
pub fn input(bytes: &[u8]) {
    let outcome = Outcome::of("input", bytes);
    let is_malformed = outcome.verdict == Verdict::Malformed;
    assert_eq!(is_malformed, outcome.error.is_some());
    assert_eq!(is_malformed, outcome.guarantees.is_empty());
    if is_malformed {
        return;
    }
    let reader = Reader::new(bytes).expect("it was read before");
    let complete = reader.header().complete;
    let events: Vec<Event> = reader.filter_map(|record| record.expect("it was read before").event).collect();
    assert_eq!(outcome.events, events.len());
    assert_eq!(round_trip(&events, complete), events);
}

/// The machine takes any events: it never panics, its evidence exists, and an event that it does not admit
/// is not a violation of what came before.
///
/// # Panics
///
/// If it does not.
pub fn events(bytes: &[u8]) {
    let events = any_events(&mut Choices::new(bytes));
    assert_eq!(round_trip(&events, false), events);
    let mut state = State::default();
    let mut violations = Vec::new();
    for (index, event) in events.iter().enumerate() {
        state.observe(event, &mut violations);
        for violation in violations.drain(..) {
            assert_eq!(violation.event, Some(index));
            assert_eq!(violation.evidence.last(), Some(&index));
        }
    }
    for violation in state.finish() {
        assert_eq!(violation.event, None);
        assert!(violation.evidence.iter().all(|index| *index < events.len()), "{violation:?}");
    }
}

/// A simulated execution conforms; broken on purpose, it violates exactly what was broken.
///
/// # Panics
///
/// If it does not.
pub fn execution(bytes: &[u8]) {
    let events = simulate(Bounds::default(), &mut Choices::new(bytes));
    let text = write(&events, true);
    let report = Reader::new(&text[..]).and_then(judge).expect("what was written can be read");
    assert_eq!(report.findings, []);
    for mutation in Mutation::ALL.iter().copied().flatten() {
        if let Some(mutant) = mutation.apply(&events, &mut Choices::new(bytes)) {
            let violated = violated(&mutant.events);
            assert_eq!(violated, [mutant.violates].into(), "{}: {:?}", mutation.name, mutant.events);
        }
    }
}

/// All that a complete, well-formed trace violates.
///
/// # Panics
///
/// If the trace contradicts itself.
pub fn violated(events: &[Event]) -> BTreeSet<Guarantee> {
    let mut state = State::default();
    let mut violations = Vec::new();
    for event in events {
        assert_eq!(state.admits(event), Ok(()), "{event:?}");
        state.observe(event, &mut violations);
    }
    violations.extend(state.finish());
    violations.into_iter().map(|violation| violation.guarantee).collect()
}

fn write(events: &[Event], complete: bool) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &Header { runtime: "simulated".to_owned(), complete });
    events.iter().for_each(|event| writer.event(event));
    writer.finish().expect("memory takes everything")
}

fn round_trip(events: &[Event], complete: bool) -> Vec<Event> {
    let text = write(events, complete);
    let reader = Reader::new(&text[..]).expect("a header was written");
    assert_eq!(reader.header().complete, complete);
    reader.map(|record| record.expect("a record was written").event.expect("a known event")).collect()
}
