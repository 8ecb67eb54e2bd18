//! The scenarios of the runtime that are small enough for naive search: the reduced searches find the same classes.
//!
//! Here is everything that random programs do not have: events with footprints, panics that are caught, memory
//! that is freed, thread-local variables, locks that are held while another is taken.

use antiphon_explorer::{Classes, Mode, Program, classes};
use antiphon_harness::{Engine, Scenario};

/// The most schedules that are searched naively for one scenario.
const MOST: u64 = 2_000;

fn searched(scenario: &Scenario, mode: Mode) -> Classes {
    let program = Program::new(scenario.body)
        .before(|| {
            antiphon_scenarios_shuttle::install();
            antiphon_harness::begin();
        })
        .leaks_fail(false);
    classes(&program, mode, MOST, || match antiphon_harness::finish(true) {
        Ok(()) => String::new(),
        Err(fault) => fault.to_string(),
    })
}

#[test]
fn reduced_searches_find_what_naive_search_finds() {
    let mut compared = 0;
    let mut executions = 0;
    for scenario in antiphon_scenarios_shuttle::scenarios() {
        if !scenario.engines.contains(&Engine::Explorer) {
            continue;
        }
        let naive = searched(scenario, Mode::Naive);
        if !naive.complete {
            continue;
        }
        compared += 1;
        executions += naive.executions;
        println!("{}: {} schedules, {} classes", scenario.name, naive.executions, naive.classes.len());
        for mode in [Mode::Source, Mode::Optimal] {
            let found = searched(scenario, mode);
            assert!(found.complete, "{} by {mode:?}", scenario.name);
            assert!(
                found.classes.keys().eq(naive.classes.keys()),
                "other classes of {} by {mode:?}",
                scenario.name
            );
            assert!(
                found.outcomes.keys().eq(naive.outcomes.keys()),
                "other outcomes of {} by {mode:?}",
                scenario.name
            );
            assert_eq!(
                found.executions,
                naive.classes.len() as u64,
                "a class twice of {} by {mode:?}",
                scenario.name
            );
        }
    }
    println!("{compared} scenarios compared, {executions} schedules");
    assert!(compared >= 5, "nothing was compared");
}
