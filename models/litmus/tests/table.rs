//! Each engine's answer is as pinned, and the book's tables say so.

use std::collections::BTreeSet;
use std::fmt::Write;

use antiphon_litmus::{Answer, Status, cross_check, programs, table};

const BOOK: &str = include_str!("../../../docs/src/litmus.md");

/// The most schedules that are searched without reduction.
const MOST: u64 = 100_000;

#[test]
fn each_answer_is_as_pinned() {
    let answers: Vec<Answer> = table().collect();
    let wrong: Vec<String> = answers
        .iter()
        .filter(|answer| answer.status == Status::Unexpected)
        .map(|answer| format!("{} on {}: {:?}", answer.program, answer.engine.name(), answer.outcomes))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (name, text) in [("executions", executions(&answers)), ("holes", holes(&answers))] {
        let (begin, end) = (format!("<!-- {name}: begin -->\n\n"), format!("\n<!-- {name}: end -->"));
        let there = BOOK.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end));
        let there = there.expect("the book has the table").0;
        assert!(there == text, "the book's table is to be\n{text}");
    }
}

/// How many executions each engine needs, and what its answer is worth.
fn executions(answers: &[Answer]) -> String {
    let mut text = "| program | explorer | naive search | loom | shuttle's search |\n".to_owned();
    text.push_str("|---|--:|--:|--:|--:|\n");
    for of_one in answers.chunk_by(|one, other| one.program == other.program) {
        write!(text, "| `{}` |", of_one[0].program).expect("a string");
        for Answer { status, executions, bounds, .. } in of_one {
            let worth = match status {
                Status::Exact => "",
                Status::StrongerModel => " (SC)",
                Status::KnownHole => " **hole**",
                Status::Unexpected => " ?",
            };
            let cut = if bounds.is_some() { ", cut" } else { "" };
            write!(text, " {executions}{worth}{cut} |").expect("a string");
        }
        text.push('\n');
    }
    text
}

/// What is known to be wrong, and why.
fn holes(answers: &[Answer]) -> String {
    let mut text =
        "| program | C11 allows | who answers | what | because |\n|---|---|---|---|---|\n".to_owned();
    let list = |outcomes: &BTreeSet<&str>| {
        let all: Vec<&str> = outcomes.iter().copied().collect();
        if all.len() > 7 { format!("{} outcomes", all.len()) } else { all.join(" ") }
    };
    for answer in answers {
        let Some(because) = answer.because else { continue };
        let seen: BTreeSet<&str> = answer.outcomes.iter().map(String::as_str).collect();
        let wrong: BTreeSet<&str> = seen.difference(&answer.expected_c11).copied().collect();
        let missing: BTreeSet<&str> = answer.expected_c11.difference(&seen).copied().collect();
        let mut what = Vec::new();
        if !missing.is_empty() {
            what.push(format!("never {}", list(&missing)));
        }
        if !wrong.is_empty() {
            what.push(format!("also {}", list(&wrong)));
        }
        let because = linked(because);
        let (program, engine) = (answer.program, answer.engine.name());
        let what = what.join(", ");
        writeln!(text, "| `{program}` | {} | {engine} | {what} | {because} |", list(&answer.expected_c11))
            .expect("a string");
    }
    text
}

/// With a link to the issue that it names.
fn linked(because: &str) -> String {
    match because.split_once("tokio-rs/loom#") {
        Some((before, number)) => {
            format!("{before}[loom#{number}](https://github.com/tokio-rs/loom/issues/{number})")
        }
        None => because.to_owned(),
    }
}

#[test]
fn the_explorer_completes_one_execution_of_each_class() {
    for litmus in programs() {
        let agreement = cross_check(litmus, MOST).expect("all of them are small enough");
        let agreement = agreement.unwrap_or_else(|wrong| panic!("{}: {wrong}", litmus.name));
        assert!(agreement.classes > 0, "{}", litmus.name);
    }
}
