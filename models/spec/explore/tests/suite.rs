//! The protocol as it should be has the guarantees; each seeded bug is caught.

use std::collections::BTreeSet;
use std::time::Duration;

use antiphon_spec_explore::{Bug, INSTANCES, SEEDED, explore};

const LIMIT: Duration = Duration::from_secs(300);

#[test]
fn the_protocol_has_the_guarantees() {
    let mut counts = Vec::new();
    for instance in INSTANCES {
        let exploration = explore(&instance.scope, instance.guarantees, 1, LIMIT);
        let name = instance.name;
        assert!(exploration.complete, "{name} was not explored to its end");
        assert_eq!(exploration.discoveries, [], "{name}");
        assert_eq!(exploration.reached, instance.guarantees, "{name} is vacuous");
        counts.push((name, exploration.unique_states));
    }
    let pinned: Vec<_> = INSTANCES.iter().map(|instance| (instance.name, instance.unique_states)).collect();
    assert_eq!(counts, pinned);
}

#[test]
fn each_bug_is_caught_under_its_own_name() {
    for seeded in SEEDED {
        let bug = seeded.bug;
        let exploration = explore(&seeded.scope.with(bug), &[], 1, LIMIT);
        assert!(exploration.complete, "{bug:?} was not explored to its end");
        let mut expected = bug.breaks().to_vec();
        expected.sort();
        assert_eq!(exploration.violated(), expected, "{bug:?}: {:?}", exploration.discoveries);
    }
}

#[test]
fn each_bug_is_seeded_once() {
    let seeded: BTreeSet<Bug> = SEEDED.iter().map(|seeded| seeded.bug).collect();
    assert_eq!(seeded.len(), SEEDED.len());
    assert_eq!(seeded, Bug::ALL.iter().copied().collect());
}

#[test]
fn several_threads_see_the_same_states() {
    let instance = &INSTANCES[0];
    let exploration = explore(&instance.scope, instance.guarantees, 2, LIMIT);
    assert_eq!(exploration.unique_states, instance.unique_states);
}

#[test]
fn an_exploration_out_of_time_is_not_complete() {
    let exploration = explore(&INSTANCES[0].scope, &[], 1, Duration::from_nanos(1));
    assert!(exploration.unique_states < INSTANCES[0].unique_states, "the time was not over");
    assert!(!exploration.complete);
}
