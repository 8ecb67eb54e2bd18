//! Randomly built legal traces are accepted, and come back from a file as they were.

use antiphon_spec::State;
use antiphon_spec::check::{Judgement, Verdict, judge};
use antiphon_spec::event::Event;
use antiphon_spec::simulate::{Bounds, Choices, simulate};
use antiphon_spec::trace::{Header, Reader, Writer};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

fn text(events: &[Event], complete: bool) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &Header { runtime: "simulated".to_owned(), complete });
    events.iter().for_each(|event| writer.event(event));
    writer.finish().expect("memory takes everything")
}

fn execution() -> impl Strategy<Value = Vec<Event>> {
    let bounds = (1..4_usize, 0..4_usize, 1..4_usize, 0..60_usize).prop_map(
        |(processes, metas, threads, initiatives)| Bounds { processes, metas, threads, initiatives },
    );
    (bounds, prop::collection::vec(any::<u8>(), 0..400))
        .prop_map(|(bounds, bytes)| simulate(bounds, &mut Choices::new(&bytes)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn legal_traces_are_accepted(events in execution()) {
        let mut state = State::default();
        for (index, event) in events.iter().enumerate() {
            prop_assert_eq!(state.admits(event), Ok(()), "event {}", index);
            prop_assert_eq!(state.step(event), Ok(()), "event {}", index);
        }
        prop_assert_eq!(state.finish(), []);
    }

    #[test]
    fn each_prefix_is_accepted_while_incomplete(events in execution(), part in 0..100_usize) {
        let prefix = &events[..events.len() * part / 100];
        let text = text(prefix, false);
        let report = Reader::new(&text[..]).and_then(judge).expect("what was written can be read");
        prop_assert_eq!(report.findings, []);
    }

    #[test]
    fn what_is_written_is_read(events in execution()) {
        let text = text(&events, true);
        let reader = Reader::new(&text[..]).expect("the header");
        let read: Vec<Event> = reader.map(|record| record.expect("a record").event.expect("known")).collect();
        prop_assert_eq!(read, events);
    }
}

/// A generator that never gets anywhere would make the properties above hold of nothing.
#[test]
fn the_generator_puts_everything_to_the_test() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut held = std::collections::BTreeSet::new();
    for _ in 0..500 {
        let events = execution().new_tree(&mut runner).expect("a value").current();
        let report = Reader::new(&text(&events, true)[..]).and_then(judge).expect("well formed");
        assert_ne!(report.verdict(), Verdict::Violates);
        held.extend(report.guarantees.iter().filter(|j| j.judgement == Judgement::Held).map(|j| j.guarantee));
    }
    for guarantee in antiphon_spec::Guarantee::ALL {
        // The simulated runtime sets no timers: the corpus and the scenarios do.
        let judged = *guarantee != antiphon_spec::Guarantee::TimerOutcome
            && State::instrumented().judges(*guarantee, true);
        assert_eq!(held.contains(guarantee), judged, "{guarantee}");
    }
}
