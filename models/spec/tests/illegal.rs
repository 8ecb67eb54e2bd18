//! A legal trace with one fault violates exactly the guarantee that owns the fault.

use std::collections::BTreeMap;

use antiphon_spec::event::Event;
use antiphon_spec::simulate::mutate::{Mutant, Mutation};
use antiphon_spec::simulate::{Bounds, Choices, simulate};
use antiphon_spec::{Guarantee, State};
use proptest::prelude::*;

fn violated(events: &[Event]) -> Vec<Guarantee> {
    let mut state = State::default();
    let mut violations = Vec::new();
    for event in events {
        assert_eq!(state.admits(event), Ok(()), "a mutant is illegal, not malformed");
        state.observe(event, &mut violations);
    }
    violations.extend(state.finish());
    let mut guarantees: Vec<Guarantee> = violations.iter().map(|violation| violation.guarantee).collect();
    guarantees.sort();
    guarantees.dedup();
    guarantees
}

fn mutations() -> impl Iterator<Item = &'static Mutation> {
    Mutation::ALL.iter().copied().flatten()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_fault_has_one_name(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        places in prop::collection::vec(any::<u8>(), 1..4),
    ) {
        let events = simulate(Bounds::default(), &mut Choices::new(&bytes));
        for mutation in mutations() {
            let Some(Mutant { events, violates }) = mutation.apply(&events, &mut Choices::new(&places)) else {
                continue;
            };
            prop_assert_eq!(violated(&events), [violates], "{}: {:?}", mutation.name, events);
        }
    }
}

/// Each mutation finds its place often enough for the property above to mean something.
#[test]
fn each_mutation_applies() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut applied: BTreeMap<&str, u32> = mutations().map(|mutation| (mutation.name, 0)).collect();
    let bytes = prop::collection::vec(any::<u8>(), 100..400);
    for _ in 0..500 {
        use proptest::strategy::ValueTree;
        let bytes = bytes.new_tree(&mut runner).expect("a value").current();
        let events = simulate(Bounds::default(), &mut Choices::new(&bytes));
        for mutation in mutations() {
            if mutation.apply(&events, &mut Choices::new(&bytes)).is_some() {
                *applied.entry(mutation.name).or_default() += 1;
            }
        }
    }
    assert!(applied.values().all(|times| *times >= 5), "{applied:#?}");
}

/// A guarantee that the machine judges and no mutation breaks is named here, with the reason.
#[test]
fn each_guarantee_is_broken() {
    let mut broken: Vec<Guarantee> = Vec::new();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let bytes = prop::collection::vec(any::<u8>(), 100..400);
    for _ in 0..300 {
        use proptest::strategy::ValueTree;
        let bytes = bytes.new_tree(&mut runner).expect("a value").current();
        let events = simulate(Bounds::default(), &mut Choices::new(&bytes));
        broken.extend(
            mutations().filter_map(|m| m.apply(&events, &mut Choices::new(&bytes))).map(|m| m.violates),
        );
    }
    for guarantee in Guarantee::ALL {
        let judged = State::instrumented().judges(*guarantee, true);
        // Callers that wait for each other for ever: the simulation has no two callers at rest to tie.
        let tied = *guarantee == Guarantee::DeadlockRefusal;
        assert_eq!(broken.contains(guarantee), judged && !tied, "{guarantee}");
    }
}
