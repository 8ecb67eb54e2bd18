//! The protocol as quantified conditions, checked by z3; and bugs in it, each of which must break one.

use std::process::Command;

use antiphon_harness::Observed;
use antiphon_spec::Guarantee;

use super::super::Task;
use super::listen;
use crate::files;
use crate::outcome::{Ended, Outcome};

/// The script, from the root of the workspace.
const SCRIPT: &str = "proofs/smt/protocol.py";

/// The guarantees that are invariants there, under their own names.
pub(crate) const GUARANTEES: &[Guarantee] = &[
    Guarantee::HandlerExclusion,
    Guarantee::NoLoss,
    Guarantee::ClosedIsClosed,
    Guarantee::WakeUp,
    Guarantee::TerminateOnce,
    Guarantee::ReaderLifetime,
    Guarantee::Ownership,
    Guarantee::Interruption,
];

/// Has the conditions checked. What is counted as executions is the conditions.
pub(crate) fn check(task: &Task) -> Outcome {
    let script = files::root().join(SCRIPT);
    let mut said = Said::default();
    let ended = listen(Command::new("python3").arg(&script), task.deadline, |line| said.take(line));
    match ended {
        Ok(Some(status)) => said.outcome(status.success()),
        Ok(None) => Outcome::no_result("the time was over before the conditions were checked"),
        Err(error) => Outcome::no_result(format!("not run: python3: {error}")),
    }
}

/// What the script said.
#[derive(Default)]
struct Said {
    not_run: Option<String>,
    conditions: u64,
    /// For each invariant that holds, how many conditions it has.
    holds: Vec<(String, u64)>,
    caught: u64,
    failed: Vec<String>,
}

impl Said {
    fn take(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, rest.split_once(": ")) {
            ("not", _) => self.not_run = Some(line.to_string()),
            ("holds", Some((invariant, conditions))) => {
                let number = conditions.split(' ').next().and_then(|number| number.parse().ok());
                let number = number.unwrap_or_default();
                self.conditions += number;
                self.holds.push((invariant.to_string(), number));
            }
            ("failed:", _) => self.failed.push(rest.to_string()),
            ("bug:", Some((_, what))) if what.starts_with("caught") => self.caught += 1,
            ("bug:", _) => self.failed.push(rest.to_string()),
            _ => {}
        }
    }

    fn outcome(mut self, success: bool) -> Outcome {
        if let Some(why) = self.not_run {
            return Outcome::no_result(why);
        }
        let mut outcome = Outcome::passed(Ended::Complete, &Observed::default());
        if !success && self.failed.is_empty() {
            self.failed.push(format!("{SCRIPT} broke down"));
        }
        if !self.failed.is_empty() {
            // Nothing is violated: something is not shown.
            return Outcome { note: Some(self.failed.join("; ")), ..outcome };
        }
        outcome.executions = self.conditions;
        let ids = GUARANTEES.iter().map(|guarantee| guarantee.id());
        outcome.premises =
            self.holds.into_iter().filter(|(name, _)| ids.clone().any(|id| id == name)).collect();
        outcome.note = Some(format!("{} bugs in the protocol were caught", self.caught));
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::Said;
    use crate::outcome::{Ended, Outcome};

    fn said(lines: &[&str], success: bool) -> Outcome {
        let mut said = Said::default();
        lines.iter().for_each(|line| said.take(line));
        said.outcome(success)
    }

    #[test]
    fn what_holds_is_counted() {
        let outcome = said(
            &["holds no-loss: 30 conditions", "holds the-shape: 20 conditions", "bug: b: caught at x by y"],
            true,
        );
        assert_eq!((outcome.executions, outcome.premises["no-loss"]), (50, 30));
        assert!(!outcome.premises.contains_key("the-shape"));
        assert_eq!(outcome.ended, Ended::Complete);
        assert!(outcome.note.is_some_and(|note| note.starts_with("1 bug")));
    }

    #[test]
    fn what_fails_or_is_not_caught_or_is_missing_shows_nothing() {
        assert_eq!(
            said(&["holds no-loss: 30 conditions", "failed: push can break no-loss"], false).executions,
            0
        );
        assert_eq!(
            said(&["holds no-loss: 30 conditions", "bug: b: NOT CAUGHT at x by y"], false).executions,
            0
        );
        assert_eq!(said(&["holds no-loss: 30 conditions"], false).executions, 0);
        let missing = said(&["not run: z3 missing"], false);
        assert_eq!(missing.ended, Ended::NoResult("not run: z3 missing".into()));
    }
}
