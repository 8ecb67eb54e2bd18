//! The theorems, checked by Coq.

use std::process::Command;
use std::sync::LazyLock;

use antiphon_harness::Observed;
use antiphon_spec::Guarantee;

use super::super::Task;
use super::{SCRIPT, listen};
use crate::files;
use crate::outcome::{Ended, Outcome};

/// What there is to prove: one theorem on each line, the guarantee that it belongs to first.
const THEOREMS: &str = include_str!("../../../../../proofs/coq/theorems.txt");

fn theorems() -> impl Iterator<Item = &'static str> {
    THEOREMS.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
}

/// How many theorems there are.
pub(crate) fn count() -> u64 {
    theorems().count() as u64
}

/// The guarantees that have a theorem.
pub(crate) fn guarantees() -> &'static [Guarantee] {
    static GUARANTEES: LazyLock<Vec<Guarantee>> = LazyLock::new(|| {
        let has = |guarantee: &&Guarantee| {
            theorems().any(|line| line.split('|').next().is_some_and(|id| id.trim() == guarantee.id()))
        };
        Guarantee::ALL.iter().filter(has).copied().collect()
    });
    &GUARANTEES
}

/// Has the proofs checked. What is counted as executions is the theorems.
pub(crate) fn check(task: &Task) -> Outcome {
    let script = files::root().join(SCRIPT);
    if !script.is_file() {
        return Outcome::no_result(format!("not run: {SCRIPT} is not here"));
    }
    let mut said = Said::default();
    let ended = listen(Command::new("sh").arg(&script).arg("--quick"), task.deadline, |line| said.take(line));
    match ended {
        Ok(Some(status)) if !status.success() && said.failed.is_none() && said.not_run.is_none() => {
            said.failed = Some(format!("the script ({status})"));
            said.outcome()
        }
        Ok(Some(_)) => said.outcome(),
        Ok(None) => Outcome::no_result("the time was over before the proofs were checked"),
        Err(error) => Outcome::no_result(format!("not run: {SCRIPT}: {error}")),
    }
}

/// What the script said.
#[derive(Default)]
struct Said {
    proved: Vec<String>,
    outdated: Vec<String>,
    skipped: Vec<String>,
    failed: Option<String>,
    not_run: Option<String>,
}

impl Said {
    fn take(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "proved" => self.proved.push(rest.split_whitespace().next().unwrap_or_default().to_string()),
            "outdated" => self.outdated.push(rest.to_string()),
            "skipped" => self.skipped.push(rest.to_string()),
            "failed" => self.failed = Some(rest.to_string()),
            "not" => self.not_run = Some(line.to_string()),
            // Where it put something, and what a tool had to say.
            _ => {}
        }
    }

    fn outcome(self) -> Outcome {
        if let Some(why) = self.not_run {
            return Outcome::no_result(why);
        }
        let mut outcome = Outcome::passed(Ended::Complete, &Observed::default());
        if let Some(what) = self.failed {
            // Nothing is violated: something is not shown.
            return Outcome { note: Some(format!("{what} does not check")), ..outcome };
        }
        outcome.executions = self.proved.len() as u64;
        for guarantee in self.proved {
            *outcome.premises.entry(guarantee).or_default() += 1;
        }
        if !self.outdated.is_empty() {
            outcome.ended = Ended::NoResult(format!(
                "all {} theorems are proved, but {} changed since the protocol that they are about was last read \
                 against it (proofs/README.md)",
                outcome.executions,
                self.outdated.join(", ")
            ));
        } else if !self.skipped.is_empty() {
            outcome.note = Some(format!("without {} ({SCRIPT} has it all)", self.skipped.join(", ")));
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::{Said, count, guarantees};
    use crate::outcome::Ended;

    fn said(lines: &[&str]) -> crate::outcome::Outcome {
        let mut said = Said::default();
        lines.iter().for_each(|line| said.take(line));
        said.outcome()
    }

    #[test]
    fn theorems_belong_to_guarantees() {
        assert!(count() as usize >= guarantees().len());
        assert!(guarantees().contains(&antiphon_spec::Guarantee::NoLoss));
    }

    #[test]
    fn what_is_proved_is_counted() {
        let outcome = said(&["proved no-loss Safety.no_loss", "proved no-loss Other", "judge /somewhere"]);
        assert_eq!((outcome.executions, outcome.premises["no-loss"]), (2, 2));
        assert_eq!((outcome.ended, outcome.note), (Ended::Complete, None));
    }

    #[test]
    fn what_fails_or_is_outdated_or_missing_proves_nothing() {
        assert_eq!(said(&["proved no-loss X", "failed Safety.v"]).executions, 0);
        let outdated = said(&["proved no-loss X", "outdated src/inbox.rs"]);
        assert!(matches!(outdated.ended, Ended::NoResult(why) if why.contains("src/inbox.rs")));
        let missing = said(&["not run: coqc missing"]);
        assert_eq!(missing.ended, Ended::NoResult("not run: coqc missing".into()));
    }
}
