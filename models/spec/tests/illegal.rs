//! A legal trace with one fault violates exactly the guarantee that owns the fault.

use std::collections::{BTreeMap, BTreeSet};

use antiphon_spec::event::Event;
use antiphon_spec::simulate::mutate::Mutation;
use antiphon_spec::simulate::{Bounds, Choices, oracle, simulate};
use antiphon_spec::{Guarantee, State};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

fn mutations() -> impl Iterator<Item = &'static Mutation> {
    Mutation::ALL.iter().copied().flatten()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_fault_has_one_name(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        oracle::execution(&bytes);
    }

    #[test]
    fn the_machine_takes_any_events(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        oracle::events(&bytes);
    }

    #[test]
    fn the_checker_takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        oracle::input(&bytes);
        let header = br#"{"format":"antiphon-trace","version":1,"runtime":"","complete":true}"#;
        oracle::input(&[&header[..], b"\n", &bytes].concat());
    }
}

/// The executions that the tests below look at, with the bytes that they were made from.
fn executions() -> impl Iterator<Item = (Vec<u8>, Vec<Event>)> {
    let mut runner = TestRunner::deterministic();
    let bytes = prop::collection::vec(any::<u8>(), 100..400);
    (0..500).map(move |_| {
        let bytes = bytes.new_tree(&mut runner).expect("a value").current();
        let events = simulate(Bounds::default(), &mut Choices::new(&bytes));
        (bytes, events)
    })
}

/// Each mutation finds its place often enough for the property above to mean something.
#[test]
fn each_mutation_applies() {
    let mut applied: BTreeMap<&str, u32> = mutations().map(|mutation| (mutation.name, 0)).collect();
    for (bytes, events) in executions() {
        for mutation in mutations() {
            if mutation.apply(&events, &mut Choices::new(&bytes)).is_some() {
                *applied.entry(mutation.name).or_default() += 1;
            }
        }
    }
    assert!(applied.values().all(|times| *times >= 5), "{applied:#?}");
}

#[test]
fn each_guarantee_is_broken() {
    let mut broken: BTreeSet<Guarantee> = BTreeSet::new();
    for (bytes, events) in executions() {
        let mutants = mutations().filter_map(|mutation| mutation.apply(&events, &mut Choices::new(&bytes)));
        broken.extend(mutants.map(|mutant| mutant.violates));
    }
    for guarantee in Guarantee::ALL {
        let judged = State::instrumented().judges(*guarantee, true);
        // Callers that wait for each other for ever: at rest, the simulation has no two callers to tie.
        let tied = *guarantee == Guarantee::DeadlockRefusal;
        // The simulation sets no timers; the corpus has a trace for each way to break this.
        let timers = *guarantee == Guarantee::TimerOutcome;
        assert_eq!(broken.contains(guarantee), judged && !tied && !timers, "{guarantee}");
    }
}
