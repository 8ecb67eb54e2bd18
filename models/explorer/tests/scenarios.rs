//! The scenarios of the runtime that are small enough for naive search: the reduced searches find the same classes.
//!
//! Here is everything that random programs do not have: events with footprints, panics that are caught, memory
//! that is freed, thread-local variables, locks that are held while another is taken.

use antiphon_explorer::{Program, cross_check};
use antiphon_harness::Engine;

/// The most schedules that are searched naively for one scenario.
const MOST: u64 = 2_000;

#[test]
fn reduced_searches_find_what_naive_search_finds() {
    let mut compared = 0;
    for scenario in antiphon_scenarios_shuttle::scenarios() {
        if !scenario.engines.contains(&Engine::Explorer) {
            continue;
        }
        let program = Program::new(scenario.body)
            .before(|| {
                antiphon_scenarios_shuttle::install();
                antiphon_harness::begin();
            })
            .leaks_fail(false);
        let judged =
            || antiphon_harness::finish(true).err().map_or_else(String::new, |fault| fault.to_string());
        let Some(agreement) = cross_check(&program, MOST, judged) else { continue };
        let agreement = agreement.unwrap_or_else(|wrong| panic!("{}: {wrong}", scenario.name));
        compared += 1;
        println!("{}: {agreement:?}", scenario.name);
    }
    assert!(compared >= 5, "nothing was compared");
}
