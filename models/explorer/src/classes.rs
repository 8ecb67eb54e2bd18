//! Counting classes, to compare one way of searching with another.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use platform::model::Names;

use crate::canonical;
use crate::explore::{DEPTH, Mode};
use crate::naive::Naive;
use crate::optimal::Optimal;
use crate::program::{Program, Runner};
use crate::schedule::on_own_thread;
use crate::search::{Ending, Job, Limits, Search};
use crate::source::Source;
use crate::trace::Trace;

/// The classes that a search came across.
#[derive(Clone, Debug, Default)]
pub struct Classes {
    /// The name of each class, and how often an execution of it was completed.
    pub classes: BTreeMap<u128, u64>,
    /// What each execution said of itself, and how often; see [`classes`].
    pub outcomes: BTreeMap<String, u64>,
    /// Executions that counted.
    pub executions: u64,
    /// Executions found out to be equivalent to others.
    pub redundant: u64,
    /// Whether the search came to its end.
    pub complete: bool,
}

/// Explores `program` and names the class of each execution; ends after about `most` executions.
///
/// `outcome` is asked after each execution what came out of it, on the operating-system thread that ran it. An
/// execution in which threads are stuck has the outcome followed by `stuck`. Failures other than that end the
/// search by a panic.
///
/// # Panics
/// If an execution fails.
pub fn classes(
    program: &Program,
    mode: Mode,
    most: u64,
    outcome: impl Fn() -> String + Send + Sync + 'static,
) -> Classes {
    find(program, mode, Most { executions: most, hopeful: f64::INFINITY }, outcome)
}

/// When a search is given up.
#[derive(Clone, Copy)]
struct Most {
    /// After so many executions.
    executions: u64,
    /// When it seems, after [`ENOUGH`] of them, that there are more than so many.
    hopeful: f64,
}

/// How many executions tell whether a search has any hope. What it guesses of the whole is then far too little.
const ENOUGH: u64 = 100;

fn find(
    program: &Program,
    mode: Mode,
    most: Most,
    outcome: impl Fn() -> String + Send + Sync + 'static,
) -> Classes {
    let limits = Limits { depth: DEPTH, preemptions: None };
    let job = Job::default();
    let outcome: Arc<dyn Fn() -> String + Send + Sync> = Arc::new(outcome);
    on_own_thread(|| match mode {
        Mode::Naive => count(program, &mut Naive::new(limits), most, &outcome),
        Mode::Source => count(program, &mut Source::new(limits, &job), most, &outcome),
        Mode::Optimal => count(program, &mut Optimal::new(limits, &job), most, &outcome),
    })
}

/// What a search without reduction and the reduced ones agree on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Agreement {
    /// Classes of equivalent executions.
    pub classes: u64,
    /// Schedules that were searched to find them all.
    pub schedules: u64,
}

/// Compares what both reduced searches find with what a search without reduction finds: the same classes, each
/// completed once, with the same outcomes. None if there are more than `most` schedules, or seem to be ten times as many.
///
/// # Errors
/// In what they differ.
///
/// # Panics
/// If an execution fails.
pub fn cross_check(
    program: &Program,
    most: u64,
    outcome: impl Fn() -> String + Send + Sync + Clone + 'static,
) -> Option<Result<Agreement, String>> {
    let most = Most { executions: most, hopeful: 10.0 * most as f64 };
    let naive = find(program, Mode::Naive, most, outcome.clone());
    if !naive.complete {
        return None;
    }
    let number = naive.classes.len() as u64;
    for mode in [Mode::Source, Mode::Optimal] {
        // There are at most as many as without reduction; a search that begins more has gone astray.
        let found = classes(program, mode, 2 * naive.executions + 100, outcome.clone());
        let wrong = if !found.complete {
            "does not end"
        } else if !found.classes.keys().eq(naive.classes.keys()) {
            "finds other classes"
        } else if !found.outcomes.keys().eq(naive.outcomes.keys()) {
            "finds other outcomes"
        } else if found.executions != number {
            "completes a class twice"
        } else {
            continue;
        };
        return Some(Err(format!(
            "{mode:?} search {wrong}: {} executions of {} classes with {} outcomes, where there are {number} classes with {}",
            found.executions,
            found.classes.len(),
            found.outcomes.len(),
            naive.outcomes.len(),
        )));
    }
    Some(Ok(Agreement { classes: number, schedules: naive.executions }))
}

fn count<S: Search>(
    program: &Program,
    search: &mut S,
    most: Most,
    outcome: &Arc<dyn Fn() -> String + Send + Sync>,
) -> Classes {
    let said = Arc::new(Mutex::new(String::new()));
    let program = {
        let (said, outcome) = (Arc::clone(&said), Arc::clone(outcome));
        program.clone().after(move |_| {
            *said.lock().unwrap_or_else(PoisonError::into_inner) = outcome();
            Ok(())
        })
    };
    let mut runner = Runner::new(program, Names::new(), 0);
    let mut found = Classes::default();
    loop {
        search.begin();
        let (ending, failure) = runner.run(search, |search, execution| {
            search.end(execution);
            let ended = search.course().ended;
            if ended != Some(Ending::Redundant) {
                let mut trace = Trace::default();
                trace.read(execution, execution.log.len(), usize::MAX, &[]);
                *found.classes.entry(canonical::class(&trace)).or_default() += 1;
            }
            ended
        });
        match ending {
            Ending::Redundant => found.redundant += 1,
            Ending::Stuck => {
                found.executions += 1;
                *found.outcomes.entry("stuck".to_owned()).or_default() += 1;
            }
            Ending::Complete => {
                assert_eq!(failure, None, "an execution failed");
                found.executions += 1;
                let said = std::mem::take(&mut *said.lock().unwrap_or_else(PoisonError::into_inner));
                *found.outcomes.entry(said).or_default() += 1;
            }
            Ending::Failed | Ending::Cut(_) => panic!("an execution failed: {ending:?} {failure:?}"),
        }
        if !search.advance() {
            found.complete = true;
            return found;
        }
        let begun = found.executions + found.redundant;
        let hopeless = || begun as f64 / search.progress() > most.hopeful;
        if begun >= most.executions || (begun == ENOUGH && hopeless()) {
            return found;
        }
    }
}
