//! What the benchmarks are made of: rounds that take turns, and their medians in a table.
#![allow(dead_code, reason = "each benchmark uses its own part")]

use std::collections::HashMap;
use std::time::Duration;

/// How many rounds each subject gets.
const ROUNDS: usize = 7;

/// `cargo bench` measures; `cargo test --benches` only tries whether everything runs.
pub(crate) fn is_measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// A number of things to do: as many as that to measure, a few to try.
pub(crate) fn scale(count: usize) -> usize {
    if is_measuring() { count } else { (count / 1000).max(2) }
}

/// Something that is measured.
pub(crate) struct Subject<'a> {
    name: &'a str,
    /// One round; says how long one step of it took, in nanoseconds.
    round: Box<dyn FnMut() -> f64 + 'a>,
}

impl<'a> Subject<'a> {
    /// `round` says how long all its steps took, and how many they were.
    pub(crate) fn per_step(name: &'a str, mut round: impl FnMut() -> (Duration, usize) + 'a) -> Self {
        let round = move || {
            let (time, steps) = round();
            time.as_nanos() as f64 / steps as f64
        };
        Self { name, round: Box::new(round) }
    }
}

/// Says whether the user asked for this subject: by a part of its name, or by nothing for all.
fn is_wanted(subject: &Subject<'_>) -> bool {
    let mut parts = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).peekable();
    parts.peek().is_none() || parts.any(|part| subject.name.contains(&part))
}

/// Measures the wanted subjects in turns, so that what disturbs the machine disturbs all alike; gives their
/// medians, by name.
pub(crate) fn compare<'a>(mut subjects: Vec<Subject<'a>>) -> HashMap<&'a str, f64> {
    subjects.retain(is_wanted);
    let rounds = if is_measuring() { ROUNDS } else { 1 };
    let mut times: Vec<Vec<f64>> = subjects.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (subject, times) in subjects.iter_mut().zip(&mut times) {
            times.push((subject.round)());
        }
    }
    println!("{:<44} {:>10} {:>10} {:>10}", "nanoseconds", "median", "least", "most");
    let median = |mut times: Vec<f64>, subject: &Subject<'a>| {
        times.sort_by(f64::total_cmp);
        let median = times[times.len() / 2];
        println!("{:<44} {:>10.1} {:>10.1} {:>10.1}", subject.name, median, times[0], times[times.len() - 1]);
        (subject.name, median)
    };
    times.into_iter().zip(&subjects).map(|(times, subject)| median(times, subject)).collect()
}
