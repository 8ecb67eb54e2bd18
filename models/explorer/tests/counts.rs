//! The number of classes of known programs, by each way of searching.

mod common;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc as Shared, Mutex};

use antiphon_explorer::{Ending, Explorer, Mode, Program, Report, classes};
use common::*;

fn explore(mode: Mode, workers: usize, body: fn()) -> Report {
    let report = Explorer::new()
        .mode(mode)
        .workers(workers)
        .keep_going(true)
        .run(&Program::new(body))
        .expect("no shards");
    assert!(report.complete, "{report:?}");
    report
}

/// Optimal: exactly one execution of each class, and none in vain. Source: one of each completed.
#[track_caller]
fn counts(classes: u64, body: fn()) {
    let optimal = explore(Mode::Optimal, 1, body);
    assert_eq!((optimal.executions, optimal.redundant), (classes, 0), "optimal");
    let source = explore(Mode::Source, 1, body);
    assert_eq!(source.executions, classes, "source");
    // Split over workers, whatever is begun in vain.
    let split = explore(Mode::Optimal, 2, body);
    assert_eq!(split.executions, classes, "optimal, two workers");
}

/// As [`counts`], and naive search finds the same classes.
#[track_caller]
fn counts_as_naive(number: u64, body: fn()) {
    counts(number, body);
    let by = |mode| classes(&Program::new(body), mode, 1_000_000, String::new);
    let naive = by(Mode::Naive);
    assert!(naive.complete);
    assert_eq!(naive.classes.len() as u64, number, "naive");
    for mode in [Mode::Source, Mode::Optimal] {
        assert!(
            by(mode).classes.keys().eq(naive.classes.keys()),
            "{mode:?}: the same classes, not only as many"
        );
    }
}

#[test]
fn locks() {
    counts_as_naive(6, || mutex(2, 2));
    counts(90, || mutex(3, 2));
    counts(1680, || mutex(3, 3));
    counts(2520, || mutex(4, 2));
}

#[test]
fn what_is_known_of_the_total_is_a_lower_bound() {
    let told = Shared::new(Mutex::new(Vec::new()));
    let telling = Shared::clone(&told);
    let report = Explorer::new()
        .workers(1)
        .on_progress(move |progress| telling.lock().unwrap().push((progress.executions, progress.at_least)))
        .run(&Program::new(|| mutex(3, 3)))
        .expect("no shards");
    assert!(report.complete);
    let told = told.lock().unwrap();
    let (executions, at_least) = told[0];
    assert!(executions < at_least, "there are branches to explore after {executions} executions");
    assert!(told.iter().all(|(_, at_least)| *at_least <= report.executions), "{told:?}");
}

#[test]
fn what_is_begun_anew_in_parts_is_forgotten() {
    let [counted, forgotten] = [0; 2].map(|zero| Shared::new(AtomicU64::new(zero)));
    let (counting, current, forgetting) = (counted.clone(), counted.clone(), forgotten.clone());
    let program = Program::new(|| push(3, 2))
        .after(move |ending| {
            counting.fetch_add(u64::from(ending != Ending::Redundant), Ordering::Relaxed);
            Ok(())
        })
        .forget(move || {
            forgetting.fetch_add(current.swap(0, Ordering::Relaxed), Ordering::Relaxed);
        });
    let report = Explorer::new().workers(2).run(&program).expect("no shards");
    assert_eq!(report.executions, 28_032);
    assert_eq!(counted.load(Ordering::Relaxed), report.executions, "each counts once");
    assert!(forgotten.load(Ordering::Relaxed) > 0, "it was begun anew");
}

#[test]
fn a_stack() {
    counts_as_naive(4, || push(2, 1));
    counts_as_naive(40, || push(2, 2));
    counts(48, || push(3, 1));
    counts(1536, || push(4, 1));
    counts(28_032, || push(3, 2));
}

#[test]
fn loads_and_compare_exchanges() {
    counts_as_naive(46, || increment(2, 2));
    counts(76_338, || increment(3, 2));
    counts_as_naive(2, load_and_exchange);
}

#[test]
fn reads_commute() {
    counts_as_naive(1, || disjoint(3));
    counts_as_naive(8, || readers(3));
    counts(4096, || readers(12));
}

#[test]
fn variables() {
    counts_as_naive(6, || add(2, 2));
    counts_as_naive(3, store_buffering);
    counts(64, || last_zero(5));
    counts(3328, || last_zero(10));
}

#[test]
fn a_deadlock_is_a_class() {
    counts_as_naive(3, crossed_locks);
    assert_eq!(explore(Mode::Optimal, 1, crossed_locks).stuck, 1);
}

#[test]
fn optimal_begins_nothing_in_vain_where_source_does() {
    assert!(explore(Mode::Source, 1, || last_zero(10)).redundant > 0);
}
