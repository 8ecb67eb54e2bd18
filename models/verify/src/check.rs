//! `antiphon check`: what a recorded trace says.

use std::fmt::{self, Write};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use antiphon_spec::check::{Fault, Judgement, Outcome, Verdict};

use crate::cli::{self, Format};
use crate::{human, output};

/// Judges each file as it comes; returns the exit status of the worst.
///
/// # Errors
/// If standard output fails.
pub(crate) fn check(options: &cli::Check) -> Result<u8, String> {
    let mut worst = Verdict::Conforms;
    for path in &options.files {
        let outcome = judge(path);
        let text = match options.format {
            Format::Json => format!("{}\n", serde_json::to_string(&outcome).expect("plain data")),
            Format::Human => human_outcome(&outcome),
        };
        output::print(&text)?;
        if badness(outcome.verdict) > badness(worst) {
            worst = outcome.verdict;
        }
    }
    Ok(worst.exit_status())
}

/// Which of several files decides: 2, 1, 3, 0, as `--help` says.
fn badness(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Conforms => 0,
        Verdict::NothingJudged => 1,
        Verdict::Violates => 2,
        Verdict::Malformed => 3,
    }
}

fn judge(path: &Path) -> Outcome {
    if path == Path::new("-") {
        return Outcome::of("-", io::stdin().lock());
    }
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => Outcome::of(name, BufReader::with_capacity(1 << 16, file)),
        Err(error) => Outcome {
            file: name,
            verdict: Verdict::Malformed,
            guarantees: Vec::new(),
            violations: Vec::new(),
            events: 0,
            accepted: None,
            error: Some(Fault { line: None, column: None, message: error.to_string() }),
        },
    }
}

fn human_outcome(outcome: &Outcome) -> String {
    let mut out = String::new();
    write_outcome(&mut out, outcome).expect("a string can be written to");
    out
}

fn write_outcome(out: &mut String, outcome: &Outcome) -> fmt::Result {
    let (word, style) = match outcome.verdict {
        Verdict::Conforms => ("conforms", human::GREEN),
        Verdict::Violates => ("violates", human::RED),
        Verdict::Malformed => ("malformed", human::RED),
        Verdict::NothingJudged => ("nothing could be judged", human::YELLOW),
    };
    writeln!(out, "{}: {style}{word}{style:#}", outcome.file)?;
    if let Some(fault) = &outcome.error {
        let place = match (fault.line, fault.column) {
            (Some(line), Some(column)) => format!("line {line}, column {column}: "),
            (Some(line), None) => format!("line {line}: "),
            _ => String::new(),
        };
        return writeln!(out, "  {place}{}", fault.message);
    }
    for finding in &outcome.violations {
        let place = finding.line.map_or("at the end".to_string(), |line| format!("line {line}"));
        let style = human::RED;
        writeln!(out, "\n  {style}{}{style:#}, {place}", finding.guarantee.id())?;
        human::paragraph(out, "what", &finding.message)?;
        human::paragraph(out, "allowed", &finding.allowed)?;
        let lines: Vec<String> = finding.evidence.iter().map(ToString::to_string).collect();
        human::paragraph(out, "evidence", &format!("lines {}", lines.join(", ")))?;
    }
    writeln!(out)?;
    for (word, judgement) in [
        ("held", Judgement::Held),
        ("violated", Judgement::Violated),
        ("vacuous", Judgement::Vacuous),
        ("not judged", Judgement::NotJudged),
    ] {
        let said = outcome.guarantees.iter().filter(|judged| judged.judgement == judgement);
        let names: Vec<String> = said
            .map(|judged| match judgement {
                Judgement::Held => format!("{} ({})", judged.guarantee.id(), judged.premises),
                Judgement::Violated => format!("{} ({} times)", judged.guarantee.id(), judged.violations),
                Judgement::Vacuous | Judgement::NotJudged => judged.guarantee.id().to_string(),
            })
            .collect();
        if !names.is_empty() {
            human::paragraph(out, word, &names.join(", "))?;
        }
    }
    let accepted = outcome.accepted.map_or(String::new(), |line| format!(", accepted up to line {line}"));
    human::paragraph(out, "events", &format!("{}{accepted}", outcome.events))
}
