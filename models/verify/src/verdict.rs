//! The four verdicts, and what is derived from several of them.

use std::fmt;

use anstyle::{AnsiColor, Style};
use serde::{Deserialize, Serialize};

/// What a run, or all runs of a guarantee, say. The order is that of [`Verdict::weakest`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(crate) enum Verdict {
    /// Everything within the stated bounds was explored, and the number of executions is the pinned one.
    #[serde(rename = "holds within bounds")]
    Holds,
    /// A sample, or an exploration that its engine does not claim to be complete, found nothing.
    #[serde(rename = "no violation found")]
    NoViolation,
    /// The budget ended before there was anything to say, or a tool is missing.
    #[serde(rename = "inconclusive")]
    Inconclusive,
    /// Something that a guarantee does not allow happened.
    #[serde(rename = "violated")]
    Violated,
}

impl Verdict {
    /// The least that can be said of all of them together; none if there are none.
    pub(crate) fn weakest(verdicts: impl IntoIterator<Item = Verdict>) -> Option<Verdict> {
        verdicts.into_iter().max()
    }

    /// What several runs say of one guarantee: a violation outweighs everything, and otherwise the
    /// strongest evidence counts; none if there are none.
    pub(crate) fn of_guarantee(verdicts: impl IntoIterator<Item = Verdict> + Clone) -> Option<Verdict> {
        if verdicts.clone().into_iter().any(|verdict| verdict == Verdict::Violated) {
            return Some(Verdict::Violated);
        }
        verdicts.into_iter().min()
    }

    /// How it looks on a terminal.
    pub(crate) fn style(self) -> Style {
        match self {
            Verdict::Holds => AnsiColor::Green.on_default().bold(),
            Verdict::NoViolation => AnsiColor::Green.on_default(),
            Verdict::Inconclusive => AnsiColor::Yellow.on_default(),
            Verdict::Violated => AnsiColor::Red.on_default().bold(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Holds => "holds within bounds",
            Verdict::NoViolation => "no violation found",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Violated => "violated",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{self, Holds, Inconclusive, NoViolation, Violated};

    #[test]
    fn a_violation_outweighs_any_evidence() {
        assert_eq!(Verdict::of_guarantee([Holds, Violated, NoViolation]), Some(Violated));
        assert_eq!(Verdict::of_guarantee([Inconclusive, NoViolation]), Some(NoViolation));
        assert_eq!(Verdict::of_guarantee([Inconclusive, Holds]), Some(Holds));
        assert_eq!(Verdict::of_guarantee([]), None);
    }

    #[test]
    fn the_whole_is_as_weak_as_its_weakest_part() {
        assert_eq!(Verdict::weakest([Holds, NoViolation]), Some(NoViolation));
        assert_eq!(Verdict::weakest([Holds, Inconclusive]), Some(Inconclusive));
        assert_eq!(Verdict::weakest([Violated, Inconclusive]), Some(Violated));
        assert_eq!(Verdict::weakest([Holds]), Some(Holds));
    }
}
