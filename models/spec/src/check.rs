//! Judges a whole recorded trace.
//!
//! [`judge`] reads a trace to its end and says of each guarantee whether it was held, violated, held only
//! vacuously, or could not be judged; [`Outcome`] is that for one file, in the shape in which
//! `antiphon check --format json` prints it.

use std::io::BufRead;

use serde::Serialize;

use crate::guarantee::Guarantee;
use crate::machine::State;
use crate::trace::{Header, ReadError, Reader};
use crate::violation::Violation;

/// How many violations of one guarantee are told in full; all are counted.
pub const TOLD: usize = 16;

/// What a trace says about one guarantee.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// It was put to the test, and kept.
    Held,
    /// It was broken under every reading of the trace.
    Violated,
    /// Its premise never occurred.
    Vacuous,
    /// The trace does not say enough.
    NotJudged,
}

/// One guarantee, as a trace shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Judged {
    /// The guarantee.
    #[serde(rename = "id", serialize_with = "id")]
    pub guarantee: Guarantee,
    /// What the trace says about it.
    #[serde(rename = "verdict")]
    pub judgement: Judgement,
    /// How many times its premise occurred.
    pub premises: u64,
    /// The lines that prove a violation, ascending.
    pub evidence: Vec<usize>,
    /// How many violations there were; [`TOLD`] of them are told in full.
    pub violations: u64,
}

/// One violation, in lines of the trace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// The guarantee that is broken.
    #[serde(rename = "id", serialize_with = "id")]
    pub guarantee: Guarantee,
    /// The line of the event that is not allowed; `None` if it is the end that is not.
    pub line: Option<usize>,
    /// The lines that prove it, ascending.
    pub evidence: Vec<usize>,
    /// What happened.
    pub message: String,
    /// What the specification would have allowed there.
    pub allowed: String,
}

fn id<S: serde::Serializer>(guarantee: &Guarantee, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(guarantee.id())
}

/// What a whole trace says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// What its first line said.
    pub header: Header,
    /// The number of events judged; extensions that are not known are not among them.
    pub events: usize,
    /// The last line of the longest prefix that the specification accepts: the header's, if the first event
    /// is refused; the trace's, if nothing is wrong or only that nothing more happened.
    pub accepted: usize,
    /// Every guarantee, in the book's order.
    pub guarantees: Vec<Judged>,
    /// The violations, in the order in which they were found.
    pub findings: Vec<Finding>,
}

/// The verdict on one file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing was violated, and something was held.
    Conforms,
    /// Something was violated.
    Violates,
    /// The input cannot be read as a trace.
    Malformed,
    /// Nothing was violated, and nothing was put to the test.
    NothingJudged,
}

impl Verdict {
    /// The exit status of a checker that comes to this verdict.
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Conforms => 0,
            Self::Violates => 1,
            Self::Malformed => 2,
            Self::NothingJudged => 3,
        }
    }
}

impl Report {
    /// The verdict on the trace; never [`Verdict::Malformed`].
    pub fn verdict(&self) -> Verdict {
        let any = |judgement| self.guarantees.iter().any(|judged| judged.judgement == judgement);
        if any(Judgement::Violated) {
            Verdict::Violates
        } else if any(Judgement::Held) {
            Verdict::Conforms
        } else {
            Verdict::NothingJudged
        }
    }

    /// What it says about one guarantee.
    pub fn of(&self, guarantee: Guarantee) -> &Judged {
        &self.guarantees[guarantee.index()]
    }

    /// The guarantees that are violated, in the book's order.
    pub fn violated(&self) -> impl Iterator<Item = Guarantee> {
        let violated = |judged: &&Judged| judged.judgement == Judgement::Violated;
        self.guarantees.iter().filter(violated).map(|judged| judged.guarantee)
    }
}

/// Judges the rest of a trace.
///
/// Reads it once, line by line. What is remembered grows with the number of actors, calls, monitors and
/// messages in flight, and by a few words for each message that is over, so that a second handling of it
/// is recognised.
///
/// # Errors
///
/// The input fails, does not follow the format, or contradicts itself ([`State::admits`]); a violation found
/// before that is not reported, because a trace that contradicts itself proves nothing.
pub fn judge<R: BufRead>(mut reader: Reader<R>) -> Result<Report, ReadError> {
    let mut state = State::default();
    let mut lines = Lines::default();
    let mut findings = Findings::default();
    let mut violations = Vec::new();
    while let Some(record) = reader.next() {
        let record = record?;
        let Some(event) = record.event else { continue };
        if let Err(malformed) = state.admits(&event) {
            return Err(reader.malformed(malformed.field, malformed.message));
        }
        lines.note(state.events(), record.line);
        state.observe(&event, &mut violations);
        for violation in violations.drain(..) {
            findings.add(violation, &lines);
        }
    }
    let header = reader.header().clone();
    if header.complete {
        for violation in state.finish() {
            findings.add(violation, &lines);
        }
    }
    Ok(report(header, &state, findings, reader.line()))
}

fn report(header: Header, state: &State, findings: Findings, last_line: usize) -> Report {
    let judge = |guarantee: &Guarantee| {
        let guarantee = *guarantee;
        let violations = findings.counts[guarantee.index()];
        let premises = state.premises().of(guarantee);
        let judgement = if violations > 0 {
            Judgement::Violated
        } else if !state.judges(guarantee, header.complete) {
            Judgement::NotJudged
        } else if premises == 0 {
            Judgement::Vacuous
        } else {
            Judgement::Held
        };
        let told = findings.told.iter().filter(|finding| finding.guarantee == guarantee);
        let mut evidence: Vec<usize> = told.flat_map(|finding| &finding.evidence).copied().collect();
        evidence.sort_unstable();
        evidence.dedup();
        Judged { guarantee, judgement, premises, evidence, violations }
    };
    let guarantees = Guarantee::ALL.iter().map(judge).collect();
    let accepted = findings.accepted.unwrap_or(last_line);
    Report { header, events: state.events(), accepted, guarantees, findings: findings.told }
}

/// From the index of an event to its line: they differ by the header and by unknown extensions between.
#[derive(Default)]
struct Lines {
    /// Where the difference changes: the index of an event, and the difference from there on.
    changes: Vec<(usize, usize)>,
}

impl Lines {
    fn note(&mut self, event: usize, line: usize) {
        let difference = line - event;
        if self.changes.last().is_none_or(|(_, last)| *last != difference) {
            self.changes.push((event, difference));
        }
    }

    fn of(&self, event: usize) -> usize {
        let place = self.changes.partition_point(|(from, _)| *from <= event);
        event + self.changes[place - 1].1
    }
}

#[derive(Default)]
struct Findings {
    told: Vec<Finding>,
    counts: [u64; Guarantee::COUNT],
    accepted: Option<usize>,
}

impl Findings {
    fn add(&mut self, violation: Violation, lines: &Lines) {
        let line = violation.event.map(|event| lines.of(event));
        if let Some(line) = line {
            self.accepted.get_or_insert(line - 1);
        }
        let count = &mut self.counts[violation.guarantee.index()];
        *count += 1;
        if *count > TOLD as u64 {
            return;
        }
        let Violation { guarantee, evidence, message, allowed, .. } = violation;
        let evidence = evidence.into_iter().map(|event| lines.of(event)).collect();
        self.told.push(Finding { guarantee, line, evidence, message, allowed });
    }
}

/// Where and why an input could not be read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fault {
    /// The line, from one; `None` if the input itself failed.
    pub line: Option<usize>,
    /// The byte of the line, from one.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
}

/// The verdict on one file: what `antiphon check --format json` prints of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Outcome {
    /// The file, as it was named.
    pub file: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Every guarantee, in the book's order; empty if the input is malformed.
    pub guarantees: Vec<Judged>,
    /// The violations, in the order in which they were found.
    pub violations: Vec<Finding>,
    /// The number of events judged.
    pub events: usize,
    /// The last line of the longest prefix that the specification accepts.
    pub accepted: Option<usize>,
    /// Why the input could not be read.
    pub error: Option<Fault>,
}

impl Outcome {
    /// Judges one input.
    pub fn of(file: impl Into<String>, input: impl BufRead) -> Self {
        let file = file.into();
        match Reader::new(input).and_then(judge) {
            Ok(report) => Self {
                file,
                verdict: report.verdict(),
                guarantees: report.guarantees,
                violations: report.findings,
                events: report.events,
                accepted: Some(report.accepted),
                error: None,
            },
            Err(error) => Self {
                file,
                verdict: Verdict::Malformed,
                guarantees: Vec::new(),
                violations: Vec::new(),
                events: 0,
                accepted: None,
                error: Some(error.into()),
            },
        }
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Malformed { line, column, message } => {
                Self { line: Some(line), column: Some(column), message }
            }
            ReadError::Io(error) => Self { line: None, column: None, message: error.to_string() },
        }
    }
}
