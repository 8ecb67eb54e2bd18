//! The result as people read it.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use antiphon_spec::Guarantee;
use indicatif::HumanCount;
use serde_json::Value;
use textwrap::{Options, WordSeparator, WordSplitter};

use crate::engine::states::Unreached;
use crate::mutants::{self, MutantResult};
use crate::outcome::{Failure, Schedule};
use crate::report::{DefectKind, GuaranteeReport, Report, RunReport};
use crate::verdict::Verdict;

/// Lines are no longer than this, however wide the terminal is: nobody reads longer ones.
const WIDTH: usize = 100;

/// How many scenarios with one kind of trouble are listed.
const LISTED: usize = 12;

/// Where the names of engines begin in the table.
const ENGINES: usize = 53;

/// How many violations are told in full.
const TOLD: usize = 6;

/// Where the text beside a label begins.
const LABEL: usize = 14;

/// Where a remark begins.
const REMARK: usize = 17;

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// The whole result: the table by guarantee, what it does not cover, what went wrong, and the sum of it.
pub(crate) fn report(report: &Report, path: &Path) -> String {
    let mut out = String::new();
    write_report(&mut out, report, path).expect("a string can be written to");
    out
}

fn write_report(out: &mut String, report: &Report, path: &Path) -> fmt::Result {
    table(out, report)?;
    unseen(out, report)?;
    cross_checks(out, report)?;
    notes(out, report)?;
    defects(out, report)?;
    holes(out, report)?;
    violations(out, report)?;
    summary(out, report, path)
}

fn table(out: &mut String, report: &Report) -> fmt::Result {
    let header =
        format!("  {:<18} {:<19} {:>4} {:>5}  {}", "guarantee", "verdict", "runs", "bugs", "engines");
    writeln!(out, "\n{DIM}{header}{DIM:#}")?;
    let mut group = None;
    let mut unchecked = Vec::new();
    for (guarantee, said) in Guarantee::ALL.iter().zip(&report.guarantees) {
        let Some(verdict) = said.verdict else {
            unchecked.push(guarantee.id());
            continue;
        };
        if group.replace(guarantee.group()).is_some_and(|last| last != guarantee.group()) {
            writeln!(out)?;
        }
        row(out, said, verdict, mutants::caught(&report.mutants, *guarantee))?;
    }
    if !unchecked.is_empty() {
        writeln!(out)?;
        paragraph(out, "not checked", &unchecked.join(", "))?;
    }
    Ok(())
}

fn row(out: &mut String, said: &GuaranteeReport, verdict: Verdict, bugs: (usize, usize)) -> fmt::Result {
    let mut engines: Vec<&str> = said.runs.iter().map(|run| family(&run.engine)).collect();
    engines.sort_unstable();
    engines.dedup();
    let style = verdict.style();
    // Caught, of all that were seeded: what a verdict is worth that found nothing.
    let bugs = if bugs.1 == 0 { "-".to_string() } else { format!("{}/{}", bugs.0, bugs.1) };
    write!(out, "  {:<18} {style}{verdict:<19}{style:#} {:>4} {bugs:>5}", said.id, said.runs.len())?;
    let engines = wrap(&engines.join(" "), ENGINES);
    writeln!(out, "  {DIM}{}{DIM:#}", engines.trim_start())
}

/// The name of an engine without its configuration.
fn family(engine: &str) -> &str {
    engine.split('/').next().unwrap_or(engine)
}

/// What the verdicts do not cover, by engine.
fn unseen(out: &mut String, report: &Report) -> fmt::Result {
    let mut engines: BTreeMap<&str, &str> = BTreeMap::new();
    for run in &report.runs {
        engines.insert(family(&run.engine), &run.unseen);
    }
    writeln!(out, "\n{BOLD}What the engines can't see{BOLD:#}")?;
    for (engine, text) in engines {
        paragraph(out, engine, text)?;
        known_holes(out, report, engine)?;
    }
    Ok(())
}

/// The holes that concern what the runs of this engine do, each with how many runs it concerns.
fn known_holes(out: &mut String, report: &Report, engine: &str) -> fmt::Result {
    let mut holes: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for run in report.runs.iter().filter(|run| family(&run.engine) == engine) {
        let reasons: BTreeMap<&str, &str> =
            run.holes.iter().map(|hole| (hole.because.as_str(), hole.program.as_str())).collect();
        for (because, program) in reasons {
            holes.entry(because).or_insert((program, 0)).1 += 1;
        }
    }
    for (because, (program, runs)) in holes {
        let runs = if runs == 1 { "1 run".to_string() } else { format!("{runs} runs") };
        remark(out, &format!("could matter to {runs}: {because} (antiphon litmus --only {program})"))?;
    }
    Ok(())
}

/// What was compared, and which states of the specification the runtime never gets into.
fn cross_checks(out: &mut String, report: &Report) -> fmt::Result {
    let mut checks = report.runs.iter().filter(|run| run.engine == "crosscheck").peekable();
    if checks.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}Cross-checks{BOLD:#}")?;
    for run in checks {
        let what = run.scenario.rsplit('/').next().unwrap_or_default();
        match (&run.failure, &run.note) {
            (Some(_), _) => paragraph(out, what, "they disagree: see below")?,
            (None, Some(note)) => paragraph(out, what, note)?,
            (None, None) => paragraph(out, what, "they agree")?,
        }
        for Unreached { scenario, because, states } in &run.unreached {
            let text = format!(
                "{scenario}, {} of the specification's states are never reached: {because}",
                states.len()
            );
            remark(out, &text)?;
        }
    }
    Ok(())
}

/// Runs that say less than they might, and why.
fn notes(out: &mut String, report: &Report) -> fmt::Result {
    let mut troubles = Troubles::default();
    for run in &report.runs {
        if run.verdict == Verdict::Inconclusive && run.defect.is_none() {
            troubles.add(run, None, run.note.as_deref().unwrap_or_default());
        }
    }
    if troubles.0.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}Inconclusive{BOLD:#}")?;
    troubles.write(out)
}

fn defects(out: &mut String, report: &Report) -> fmt::Result {
    let mut troubles = Troubles::default();
    for run in &report.runs {
        if let Some(defect) = &run.defect {
            troubles.add(run, Some(defect.kind), &defect.message);
        }
    }
    if troubles.0.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{RED}Worth nothing{RED:#}")?;
    troubles.write(out)?;
    if troubles.0.iter().any(|trouble| trouble.kind != Some(DefectKind::Vacuous)) {
        let hint = "If the change is intended, say why in its commit and run `antiphon verify --pin`.";
        writeln!(out, "\n  {DIM}{hint}{DIM:#}")?;
    }
    Ok(())
}

/// Seeded bugs that were not caught.
fn holes(out: &mut String, report: &Report) -> fmt::Result {
    let troubles = || report.mutants.iter().filter_map(|mutant| Some((mutant, mutant.trouble()?)));
    if troubles().next().is_none() {
        return Ok(());
    }
    let hole = report.mutants.iter().any(|mutant| !mutant.is_green());
    let style = if hole { RED } else { YELLOW };
    writeln!(out, "\n{style}Seeded bugs that were not caught{style:#}")?;
    for (mutant, trouble) in troubles() {
        writeln!(out, "  {} {DIM}on {}, in {}{DIM:#}", mutant.mutant, mutant.engine, mutant.scenario)?;
        writeln!(out, "{}", wrap(&format!("{trouble} ({}: {})", mutant.file, mutant.why), 6))?;
    }
    Ok(())
}

/// What is the matter with runs, told once for each scenario.
#[derive(Default)]
struct Troubles<'a>(Vec<Trouble<'a>>);

struct Trouble<'a> {
    scenario: &'a str,
    kind: Option<DefectKind>,
    why: &'a str,
    engines: Vec<&'a str>,
}

impl<'a> Troubles<'a> {
    fn add(&mut self, run: &'a RunReport, kind: Option<DefectKind>, why: &'a str) {
        let known = self.0.iter_mut().find(|known| known.scenario == run.scenario && known.kind == kind);
        match known {
            Some(known) => known.engines.push(&run.engine),
            None => self.0.push(Trouble { scenario: &run.scenario, kind, why, engines: vec![&run.engine] }),
        }
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        for Trouble { scenario, kind, why, engines } in self.0.iter().take(LISTED) {
            writeln!(out, "  {scenario} {DIM}on {}{DIM:#}", engines.join(", "))?;
            let kind = kind.map_or(String::new(), |kind| format!("{}: ", name_of(kind)));
            writeln!(out, "{}", wrap(&format!("{kind}{why}"), 6))?;
        }
        match self.0.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => writeln!(out, "  {DIM}and {more} more scenarios, all in the report{DIM:#}"),
        }
    }
}

fn name_of(kind: DefectKind) -> &'static str {
    match kind {
        DefectKind::Collapsed => "collapsed",
        DefectKind::Changed => "changed",
        DefectKind::Vacuous => "vacuous",
    }
}

/// Each violation once, however many engines found it: the same guarantee broken by the same scenario.
fn violations(out: &mut String, report: &Report) -> fmt::Result {
    let mut kinds: Vec<(&RunReport, &Failure, Vec<&str>)> = Vec::new();
    for run in &report.runs {
        let Some(failure) = &run.failure else { continue };
        let same = kinds
            .iter_mut()
            .find(|(first, known, _)| first.scenario == run.scenario && known.guarantee == failure.guarantee);
        match same {
            Some((_, _, also)) => also.push(&run.engine),
            None => kinds.push((run, failure, Vec::new())),
        }
    }
    for (run, failure, also) in kinds.iter().take(TOLD) {
        violation(out, run, failure, also, report.seed)?;
    }
    match kinds.len().saturating_sub(TOLD) {
        0 => Ok(()),
        more => writeln!(out, "\n{RED}and {more} more{RED:#}{DIM}, all in the report{DIM:#}"),
    }
}

fn violation(out: &mut String, run: &RunReport, failure: &Failure, also: &[&str], seed: u64) -> fmt::Result {
    let broken = failure.guarantee.as_deref().unwrap_or("an execution broke down");
    writeln!(out, "\n{RED}Violated: {broken}{RED:#}")?;
    paragraph(out, "scenario", &run.scenario)?;
    paragraph(out, "engine", &format!("{}, execution {}", run.engine, HumanCount(failure.execution)))?;
    if !also.is_empty() {
        paragraph(out, "also on", &also.join(", "))?;
    }
    told(out, failure)?;
    let Some(file) = &run.failure_file else { return Ok(()) };
    let reproduce = match failure.schedule {
        Schedule::None => {
            format!("antiphon verify --only {} --only {} --seed {seed}", run.scenario, run.engine)
        }
        _ => format!("antiphon replay {file}"),
    };
    // Neither is wrapped: they are there to be copied.
    writeln!(out, "  {DIM}{:<11}{DIM:#} {file}", "saved")?;
    writeln!(out, "  {DIM}{:<11}{DIM:#} {reproduce}", "reproduce")
}

/// What happened, in which order, and what would have been allowed.
pub(crate) fn told(out: &mut String, failure: &Failure) -> fmt::Result {
    paragraph(out, "what", &failure.message)?;
    if !failure.allowed.is_empty() {
        paragraph(out, "allowed", &failure.allowed)?;
    }
    if let Some(event) = &failure.event {
        writeln!(out, "  {DIM}{:<11}{DIM:#} {event}", "event")?;
    }
    let mut label = "before it";
    if failure.event.is_none() {
        label = "events";
    }
    if failure.earlier > 0 {
        writeln!(out, "  {DIM}{label:<11} ({} earlier events){DIM:#}", failure.earlier)?;
        label = "";
    }
    for event in &failure.history {
        writeln!(out, "  {DIM}{label:<11}{DIM:#} {}", plain(event))?;
        label = "";
    }
    if let Schedule::Explorer { operations, .. } = &failure.schedule {
        // Where there are no events, the operations are told in their place.
        let told = failure.history.first().is_some_and(Value::is_string);
        let mut label = "schedule";
        for operation in operations.iter().filter(|_| !told) {
            writeln!(out, "  {DIM}{label:<11}{DIM:#} {operation}")?;
            label = "";
        }
    }
    Ok(())
}

/// An event as a line of a trace; a text as it is.
fn plain(event: &Value) -> String {
    event.as_str().map_or_else(|| event.to_string(), str::to_string)
}

fn summary(out: &mut String, report: &Report, path: &Path) -> fmt::Result {
    let executions: u64 = report.runs.iter().map(|run| run.executions).sum();
    let (text, style) = match (report.green, report.verdict) {
        (_, Some(Verdict::Violated)) => ("violated".to_string(), RED),
        (false, _) if report.mutants.iter().any(|mutant| !mutant.is_green()) => {
            ("not green: a seeded bug was not caught".to_string(), RED)
        }
        (false, _) => ("not green: some runs are worth nothing".to_string(), RED),
        (true, Some(verdict)) => (verdict.to_string(), verdict.style().bold()),
        (true, None) if !report.mutants.is_empty() => ("only seeded bugs were run".to_string(), GREEN),
        (true, None) => ("nothing was checked".to_string(), Verdict::Inconclusive.style()),
    };
    writeln!(out, "\n{style}{text}{style:#}")?;
    if !report.mutants.is_empty() {
        let caught = report.mutants.iter().filter(|mutant| mutant.result == MutantResult::Caught).count();
        writeln!(out, "{DIM}seeded bugs: {caught} of {} caught{DIM:#}", report.mutants.len())?;
    }
    writeln!(
        out,
        "{DIM}{} runs, {} executions, {:.1} s, seed {}; {}{DIM:#}",
        report.runs.len(),
        HumanCount(executions),
        report.seconds,
        report.seed,
        path.display()
    )
}

/// A label and a text beside it, wrapped.
pub(crate) fn paragraph(out: &mut String, label: &str, text: &str) -> fmt::Result {
    // The first line begins after the label, the others below it.
    let wrapped = wrap(text, LABEL);
    writeln!(out, "  {DIM}{label:<11}{DIM:#} {}", wrapped.trim_start())
}

/// The text in lines that are not too long, each indented by `indent`.
fn wrap(text: &str, indent: usize) -> String {
    let indent = " ".repeat(indent);
    let options = Options::new(textwrap::termwidth().min(WIDTH))
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(text, options.initial_indent(&indent).subsequent_indent(&indent))
}

/// A name with a remark and a text below it.
pub(crate) fn entry(out: &mut String, name: &str, remark: &str, text: &str) -> fmt::Result {
    writeln!(out, "{BOLD}{name}{BOLD:#} {DIM}({remark}){DIM:#}")?;
    writeln!(out, "{}", wrap(text, 2))
}

/// A dim text below what it is about.
pub(crate) fn remark(out: &mut String, text: &str) -> fmt::Result {
    writeln!(out, "{DIM}{}{DIM:#}", wrap(text, REMARK))
}
