//! Every scenario, a few times, judged as the engine `threads` judges it.

use antiphon_harness::{begin_shared, finish, take};

/// They run one after the other: the recorder is the process's.
#[test]
fn every_scenario_is_allowed_and_shows_what_it_is_for() {
    antiphon_io_scenarios::install();
    let mut missing = Vec::new();
    for scenario in antiphon_io_scenarios::scenarios() {
        for execution in 0..5 {
            begin_shared();
            (scenario.body)();
            if let Err(fault) = finish(true) {
                panic!("{}, execution {execution}: {fault}\n{:#?}", scenario.name, fault.event);
            }
        }
        let seen = take();
        assert_eq!(seen.executions, 5, "{}", scenario.name);
        let unreached = scenario.reaches.iter().filter(|label| !seen.reached.contains_key(*label));
        missing.extend(unreached.map(|label| format!("{} never reached {label:?}", scenario.name)));
        let untested = scenario.guarantees.iter().filter(|guarantee| !seen.premises.contains_key(*guarantee));
        missing.extend(untested.map(|guarantee| format!("{} never tests {guarantee:?}", scenario.name)));
    }
    antiphon_io_scenarios::uninstall();
    assert!(missing.is_empty(), "{missing:#?}");
}
