//! `antiphon litmus`: what each engine sees of small programs of which everything is known.

use std::fmt::{self, Write};

use antiphon_litmus::{Answer, Engine, Litmus, Status, answer, programs};

use crate::cli::{self, Format};
use crate::{human, output, panics, select};

/// Prints the table; returns the exit status.
///
/// # Errors
/// If there is nothing of that name, or standard output fails.
pub(crate) fn litmus(options: &cli::Litmus) -> Result<u8, String> {
    let asked = asked(&options.only)?;
    panics::install();
    let answers: Vec<Answer> = asked.iter().map(|(program, engine)| answer(program, *engine)).collect();
    let text = match options.format {
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&answers).expect("plain data")),
        Format::Human => table(&answers),
    };
    output::print(&text)?;
    Ok(u8::from(answers.iter().any(|answer| answer.status == Status::Unexpected)))
}

/// Which programs on which engines: those that are named, or all.
fn asked(only: &[String]) -> Result<Vec<(&'static Litmus, Engine)>, String> {
    let is_engine = |name: &&String| Engine::ALL.iter().any(|engine| engine.name().starts_with(*name));
    let is_program = |name: &&String| programs().iter().any(|program| program.name.starts_with(*name));
    if let Some(unknown) = only.iter().find(|name| !is_engine(name) && !is_program(name)) {
        let names = programs().iter().map(|program| program.name);
        let near = select::near(unknown, names.chain(Engine::ALL.map(Engine::name)));
        let hint = near.unwrap_or("`antiphon litmus` shows all names".to_string());
        return Err(format!("no program or engine begins with '{unknown}'; {hint}"));
    }
    let named = |name: &str, of: &dyn Fn(&&String) -> bool| {
        let mut these = only.iter().filter(|only| of(only)).peekable();
        these.peek().is_none() || these.any(|only| name.starts_with(only.as_str()))
    };
    let programs = programs().iter().filter(|program| named(program.name, &is_program));
    let engines = |program| {
        let these = Engine::ALL.into_iter().filter(|engine| named(engine.name(), &is_engine));
        these.map(move |engine| (program, engine))
    };
    Ok(programs.flat_map(engines).collect())
}

fn table(answers: &[Answer]) -> String {
    let mut out = String::new();
    for of_one in answers.chunk_by(|one, other| one.program == other.program) {
        write_program(&mut out, of_one).expect("a string can be written to");
    }
    summary(&mut out, answers).expect("a string can be written to");
    out
}

fn write_program(out: &mut String, answers: &[Answer]) -> fmt::Result {
    let first = &answers[0];
    let sc = list(first.expected_sc.iter().copied());
    let more = first.expected_c11.difference(&first.expected_sc).copied();
    let c11 = if first.expected_c11 == first.expected_sc {
        "C11 allows the same".to_string()
    } else {
        format!("C11 also {}", list(more))
    };
    human::entry(out, first.program, &c11, &sc)?;
    for answer in answers {
        let (word, style) = match answer.status {
            Status::Exact => ("exact", human::GREEN),
            Status::StrongerModel => ("stronger model", human::GREEN),
            Status::KnownHole => ("known hole", human::YELLOW),
            Status::Unexpected => ("unexpected", human::RED),
        };
        let engine = answer.engine.name();
        let Answer { executions, seconds, .. } = answer;
        writeln!(
            out,
            "    {engine:<12} {executions:>7} executions {seconds:>7.3} s  {style}{word}{style:#}"
        )?;
        if matches!(answer.status, Status::KnownHole | Status::Unexpected) {
            human::remark(out, &difference(answer))?;
        }
        if let Some(because) = answer.because {
            human::remark(out, because)?;
        }
        if let Some(bounds) = &answer.bounds {
            human::remark(out, &format!("bounded: {bounds}"))?;
        }
    }
    writeln!(out)
}

/// What is missing of what C11 allows, and what is too much.
fn difference(answer: &Answer) -> String {
    let allowed = |outcome: &&str| answer.expected_c11.contains(*outcome);
    let seen = |outcome: &&&str| answer.outcomes.contains(**outcome);
    let missing: Vec<&str> = answer.expected_c11.iter().filter(|outcome| !seen(outcome)).copied().collect();
    let wrong: Vec<&str> =
        answer.outcomes.iter().map(String::as_str).filter(|outcome| !allowed(outcome)).collect();
    let missing = (!missing.is_empty()).then(|| format!("never {}", list(missing.into_iter())));
    let wrong =
        (!wrong.is_empty()).then(|| format!("also {}, which is not allowed", list(wrong.into_iter())));
    missing.into_iter().chain(wrong).collect::<Vec<_>>().join("; ")
}

/// The most outcomes that are listed one by one.
const LISTED: usize = 16;

fn list<'a>(outcomes: impl Iterator<Item = &'a str>) -> String {
    let outcomes: Vec<&str> = outcomes.collect();
    if outcomes.len() <= LISTED {
        return outcomes.join(" ");
    }
    format!("{} and {} more", outcomes[..LISTED].join(" "), outcomes.len() - LISTED)
}

fn summary(out: &mut String, answers: &[Answer]) -> fmt::Result {
    for engine in Engine::ALL {
        let of_it: Vec<&Answer> = answers.iter().filter(|answer| answer.engine == engine).collect();
        if of_it.is_empty() {
            continue;
        }
        let count = |status| of_it.iter().filter(|answer| answer.status == status).count();
        let executions: u64 = of_it.iter().map(|answer| answer.executions).sum();
        let seconds: f64 = of_it.iter().map(|answer| answer.seconds).sum();
        let counted = [
            (count(Status::Exact), "exact"),
            (count(Status::StrongerModel), "of a stronger model"),
            (count(Status::KnownHole), "known holes"),
            (count(Status::Unexpected), "UNEXPECTED"),
        ];
        let counted = counted.iter().filter(|(count, _)| *count > 0);
        let counted: Vec<String> = counted.map(|(count, what)| format!("{count} {what}")).collect();
        let text = format!("{}; {executions} executions in {seconds:.2} s", counted.join(", "));
        human::paragraph(out, engine.name(), &text)?;
    }
    Ok(())
}
