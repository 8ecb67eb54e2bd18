//! From what a run saw to its verdict.

use antiphon_explorer::Cut;

use crate::catalogue::Run;
use crate::outcome::{Ended, Outcome};
use crate::report::{Defect, DefectKind};
use crate::verdict::Verdict;

/// A verdict with the reasons for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    pub(crate) defect: Option<Defect>,
    pub(crate) note: Option<String>,
}

impl Judgement {
    fn plain(verdict: Verdict) -> Self {
        Self { verdict, defect: None, note: None }
    }

    fn noted(verdict: Verdict, note: impl Into<String>) -> Self {
        Self { verdict, defect: None, note: Some(note.into()) }
    }

    /// A run that is worth nothing is not evidence of anything; what is wrong with it is said apart.
    fn defective(kind: DefectKind, message: String) -> Self {
        Self { verdict: Verdict::Inconclusive, defect: Some(Defect { kind, message }), note: None }
    }
}

/// The expected number of executions, if `outcome` can be held against it: what was asked to stay within bounds only if
/// it has ended and they cut nothing off. Then it is the whole.
pub(crate) fn comparable(run: &Run, outcome: &Outcome, pin: Option<u64>) -> Option<u64> {
    pin.filter(|_| !run.engine.asked().are_asked_for() || outcome.ended == Ended::Complete)
}

/// Says what `outcome` is worth.
pub(crate) fn judge(run: &Run, outcome: &Outcome, pin: Option<u64>) -> Judgement {
    let mut judgement = judge_result(run, outcome, pin);
    let within = run.engine.asked().are_asked_for() && outcome.ended == Ended::Complete;
    let remarks = within.then_some("no bound cut anything off").into_iter().chain(outcome.note.as_deref());
    for remark in remarks {
        let said = match &mut judgement.defect {
            Some(defect) => &mut defect.message,
            None => judgement.note.get_or_insert_default(),
        };
        *said = if said.is_empty() { remark.to_string() } else { format!("{said}; {remark}") };
    }
    judgement
}

/// Says what a part of a run is worth: what is missing in one part may be in another.
pub(crate) fn judge_part(run: &Run, outcome: &Outcome, shard: &str) -> Judgement {
    match &outcome.ended {
        _ if outcome.failure.is_some() => Judgement::plain(Verdict::Violated),
        Ended::NoResult(why) => Judgement::noted(Verdict::Inconclusive, why),
        Ended::Complete => Judgement::noted(
            Verdict::NoViolation,
            format!("part {shard} is complete; `antiphon merge` joins"),
        ),
        Ended::Cut { cut, late } => {
            let late = if *late { ", and the time was over" } else { "" };
            let what = run.engine.asked().tell(*cut);
            Judgement::noted(Verdict::Inconclusive, format!("{what}{late}, within part {shard}"))
        }
        Ended::Budget | Ended::Failure => {
            Judgement::noted(Verdict::Inconclusive, format!("the time was over within part {shard}"))
        }
    }
}

fn judge_result(run: &Run, outcome: &Outcome, pin: Option<u64>) -> Judgement {
    if outcome.failure.is_some() {
        return Judgement::plain(Verdict::Violated);
    }
    match &outcome.ended {
        Ended::NoResult(why) => Judgement::noted(Verdict::Inconclusive, why),
        Ended::Complete => complete(run, outcome, pin),
        Ended::Cut { cut, late } => cut_off(run, outcome, *cut, *late),
        // A failure without its description would be a bug of ours.
        Ended::Budget | Ended::Failure => late(run, outcome, pin),
    }
}

/// A run that had nothing left to explore.
fn complete(run: &Run, outcome: &Outcome, pin: Option<u64>) -> Judgement {
    let explored = outcome.executions;
    if explored == 0 {
        return Judgement::defective(DefectKind::Collapsed, "it explored nothing".to_string());
    }
    if let Some(missing) = missing(run, outcome) {
        return Judgement::defective(DefectKind::Vacuous, missing);
    }
    match pin {
        Some(expected) if expected != explored => {
            let kind = if explored < expected { DefectKind::Collapsed } else { DefectKind::Changed };
            Judgement::defective(kind, format!("expected {expected} executions, explored {explored}"))
        }
        Some(_) if run.engine.exhaustive() => Judgement::plain(Verdict::Holds),
        None if run.engine.exhaustive() => Judgement::noted(
            Verdict::NoViolation,
            "complete, but its number of executions is not pinned (antiphon verify --pin)",
        ),
        _ => Judgement::plain(Verdict::NoViolation),
    }
}

/// A run of which a bound cut something off: what would have followed was not seen, however much time there is.
fn cut_off(run: &Run, outcome: &Outcome, cut: Cut, late: bool) -> Judgement {
    let bounds = run.engine.asked();
    let mut what = bounds.tell(cut);
    if late {
        what += &format!("; the time was over after {} executions", outcome.executions);
    }
    match missing(run, outcome) {
        Some(missing) => Judgement::noted(Verdict::Inconclusive, format!("{what}; {missing}")),
        // Nobody asked for less than everything.
        None if !bounds.want(cut) || outcome.executions == 0 => Judgement::noted(Verdict::Inconclusive, what),
        None => Judgement::noted(Verdict::NoViolation, what),
    }
}

/// A run that the time ended.
fn late(run: &Run, outcome: &Outcome, pin: Option<u64>) -> Judgement {
    let explored = outcome.executions;
    if explored == 0 {
        return Judgement::noted(Verdict::Inconclusive, "the time was over before the first execution");
    }
    if let Some(expected) = pin.filter(|expected| explored > *expected) {
        let message = format!("expected {expected} executions, explored {explored} and there are more");
        return Judgement::defective(DefectKind::Changed, message);
    }
    match missing(run, outcome) {
        // However long a sampler has sampled, it has not shown that nothing else occurs: it has shown nothing.
        Some(missing) => Judgement::noted(Verdict::Inconclusive, missing),
        None if run.engine.exhaustive() && pin.is_some() => Judgement::noted(
            Verdict::Inconclusive,
            format!("the time was over after {explored} of {} executions", pin.unwrap_or_default()),
        ),
        None if run.engine.ends() => {
            Judgement::noted(Verdict::NoViolation, format!("the time was over after {explored} executions"))
        }
        None => Judgement::plain(Verdict::NoViolation),
    }
}

/// What the scenario exists for and never saw.
fn missing(run: &Run, outcome: &Outcome) -> Option<String> {
    let occurred = |count: Option<&u64>| count.is_some_and(|count| *count > 0);
    let situations = run.reaches.iter().filter(|label| !occurred(outcome.reached.get(**label)));
    let premises = run.claims(outcome).filter(|g| !occurred(outcome.premises.get(g.id())));
    let names: Vec<String> = situations
        .map(|label| format!("\"{label}\""))
        .chain(premises.map(|guarantee| format!("the premise of {}", guarantee.id())))
        .collect();
    let never = format!("never occurred in {} executions: {}", outcome.executions, names.join(", "));
    (!names.is_empty()).then_some(never)
}
