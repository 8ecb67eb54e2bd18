//! The book and the README say what is so: guarantees, links, programs, traces.
//!
//! Tables between `<!-- name: begin -->` and `<!-- name: end -->` are made from what they tell. With
//! `ANTIPHON_BLESS=1` in the environment a test writes its table instead of comparing it; the README's
//! verdicts are taken from `target/verify/report.json` then, if it is there.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use antiphon_spec::check::{Outcome, Verdict};
use antiphon_spec::event::{ActorId, Event};
use antiphon_spec::{Group, Guarantee, State};
use serde_json::Value;

#[path = "../docs/snippets/counter.rs"]
mod counter;
#[path = "../docs/snippets/dead_letters.rs"]
mod dead_letters;
#[path = "../docs/snippets/desk.rs"]
mod desk;
#[path = "../docs/snippets/lines.rs"]
mod lines;
#[path = "../docs/snippets/look.rs"]
mod look;
#[path = "../docs/snippets/nursery.rs"]
mod nursery;
#[path = "../docs/snippets/reminder.rs"]
mod reminder;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == ending));
    files.sort();
    assert!(!files.is_empty(), "{folder} has no {ending}");
    files
}

fn is_blessing() -> bool {
    env::var_os("ANTIPHON_BLESS").is_some()
}

/// Compares the part of a file between two markers with what it should be, or writes it.
fn part(path: &str, name: &str, expected: &str) {
    let text = read(path);
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
    let from = text.find(&begin).unwrap_or_else(|| panic!("{path} has no {begin}")) + begin.len();
    let to = text.find(&end).unwrap_or_else(|| panic!("{path} has no {end}"));
    if is_blessing() {
        let new = format!("{}{expected}{}", &text[..from], &text[to..]);
        fs::write(root().join(path), new).expect("the source tree can be written to");
    } else {
        assert!(text[from..to] == *expected, "`{name}` in {path} is out of date; it should be:\n{expected}");
    }
}

#[test]
fn the_guarantees_are_those_that_are_checked() {
    let mut table = String::new();
    let mut group = None;
    for guarantee in Guarantee::ALL {
        if group.replace(guarantee.group()) != Some(guarantee.group()) {
            let title = match guarantee.group() {
                Group::Messages => "Messages",
                Group::Lifecycles => "Lifecycles",
                Group::Relations => "Relations",
                Group::Memory => "Memory",
            };
            write!(table, "\n## {title}\n\n| id | statement |\n|---|---|\n").unwrap();
        }
        writeln!(table, "| `{}` | {} |", guarantee.id(), guarantee.statement()).unwrap();
    }
    table += "\n";
    part("docs/src/guarantees.md", "guarantees", &table);
}

#[test]
fn what_can_be_judged_from_a_trace_is_told() {
    // A trace that says everything: interrupts and ends are told.
    let mut state = State::default();
    state.step(&Event::Interrupt { actor: ActorId(1) }).expect("an interrupt alone breaks nothing");
    let row = |guarantee: &Guarantee| {
        let when = if state.judges(*guarantee, false) { "from any trace" } else { "from a complete trace" };
        state.judges(*guarantee, true).then(|| format!("| `{guarantee}` | {when} |\n"))
    };
    let rows: String = Guarantee::ALL.iter().filter_map(row).collect();
    part("docs/src/guarantees.md", "judged", &format!("\n| id | can be judged |\n|---|---|\n{rows}\n"));
}

/// The README's table: from the report when blessing, else only its shape is checked.
#[test]
fn the_readme_lists_every_guarantee_with_a_verdict() {
    let report = root().join("target/verify/report.json");
    if is_blessing() && report.exists() {
        let report: Value = serde_json::from_str(&read(report)).expect("a report");
        let rows: String = report["guarantees"].as_array().expect("a list").iter().map(row).collect();
        let table = format!("\n| guarantee | verdict | engines | runs |\n|---|---|---|---:|\n{rows}\n");
        return part("README.md", "verdicts", &table);
    }
    const VERDICTS: &[&str] =
        &["holds within bounds", "no violation found", "inconclusive", "violated", "not checked"];
    let text = read("README.md");
    let rows: Vec<Vec<&str>> = text
        .lines()
        .skip_while(|line| !line.starts_with("<!-- verdicts: begin"))
        .take_while(|line| !line.starts_with("<!-- verdicts: end"))
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let ids: Vec<&str> = rows.iter().map(|row| row[1].trim_matches('`')).collect();
    let all: Vec<&str> = Guarantee::ALL.iter().map(|guarantee| guarantee.id()).collect();
    assert_eq!(ids, all);
    for row in rows {
        assert!(VERDICTS.contains(&row[2]), "`{}` is no verdict", row[2]);
    }
}

fn row(guarantee: &Value) -> String {
    let runs = guarantee["runs"].as_array().expect("a list");
    let family =
        |run: &Value| run["engine"].as_str().and_then(|name| name.split('/').next()).map(String::from);
    let mut engines: Vec<String> = runs.iter().filter_map(family).collect();
    engines.sort();
    engines.dedup();
    let verdict = guarantee["verdict"].as_str().unwrap_or("not checked");
    let id = guarantee["id"].as_str().expect("an id");
    format!("| `{id}` | {verdict} | {} | {} |\n", engines.join(", "), runs.len())
}

#[test]
fn the_readmes_example_is_the_one_that_the_library_tests() {
    let code = |text: &str, comment: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.strip_prefix(comment).unwrap_or(line).trim_end().to_owned());
        let fenced = lines.skip_while(|line| !line.trim().starts_with("```")).skip(1);
        let block = fenced.take_while(|line| line.trim() != "```");
        block
            .map(|line| line.trim_start_matches(' ').to_owned())
            .filter(|line| !line.starts_with('#'))
            .collect()
    };
    let library = code(&read("src/lib.rs"), "//!");
    assert!(library.len() > 10, "{library:?}");
    assert_eq!(code(&read("README.md"), "\0"), library);
}

#[test]
fn the_programs_of_the_book_run() {
    counter::main().expect("the first actor");
    lines::main().expect("the first meta-process");
    dead_letters::main().expect("dead letters");
    desk::main().expect("calls, monitors, names");
    reminder::main().expect("timers");
    nursery::main().expect("supervisors");
    look::main().expect("a look into a node");
}

#[test]
fn every_chapter_is_in_the_summary_and_every_link_leads_somewhere() {
    let summary = read("docs/src/SUMMARY.md");
    let mut pages = files("docs/src", "md");
    for page in &pages {
        let name = page.file_name().and_then(|name| name.to_str()).expect("names are text");
        assert!(
            name == "SUMMARY.md" || summary.contains(&format!("({name})")),
            "{name} is not in the summary"
        );
    }
    pages.extend(["README.md", "CHANGELOG.md", "docs/ARCHITECTURE.md"].map(|path| root().join(path)));
    let mut links = 0;
    for page in pages {
        let text = read(&page);
        let included = text.split("{{#include ").skip(1).map(|rest| rest.split([':', '}']).next());
        let linked = text.split("](").skip(1).map(|rest| rest.split([')', '#']).next());
        for target in included.chain(linked).flatten() {
            if target.is_empty() || target.contains("://") {
                continue;
            }
            links += 1;
            let folder = page.parent().expect("a page is in a folder");
            assert!(folder.join(target).exists(), "{}: {target} leads nowhere", page.display());
        }
    }
    assert!(links > 30, "only {links} links were found");
}

/// The fenced blocks of a page that begin like this.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

#[test]
fn the_example_of_a_trace_conforms() {
    let text = read("docs/src/trace-format.md");
    let [trace] = blocks(&text, "json")[..] else { panic!("one example is expected") };
    let outcome = Outcome::of("the book", trace.as_bytes());
    assert_eq!(outcome.verdict, Verdict::Conforms, "{outcome:?}");
    assert_eq!(outcome.events, trace.lines().count() - 1);
}

/// A trace with an event that says nothing: the reader tells an unknown event from one that lacks a field.
#[test]
fn every_event_of_the_format_is_told_and_no_other() {
    let text = read("docs/src/trace-format.md");
    let told: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .filter(|(_, rest)| rest.matches('|').count() == 2)
        .map(|(name, _)| name)
        .collect();
    let header = r#"{"format":"antiphon-trace","version":1,"runtime":"test","complete":false}"#;
    let complaint = |name: &str| {
        let trace = format!("{header}\n{{\"seq\":1,\"ev\":\"{name}\"}}");
        Outcome::of(name, trace.as_bytes()).error.map(|fault| fault.message).unwrap_or_default()
    };
    let events: Vec<&&str> = told.iter().filter(|name| complaint(name).contains("needs the field")).collect();
    assert_eq!(events.len(), 29, "{events:?}");
    assert!(complaint("teleport").contains("unknown event"));
}

/// What the worked example shows is what the checker says, word by word.
#[test]
fn the_worked_example_is_what_the_checker_says() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = words(&read("docs/src/check-your-runtime.md"));
    for (name, verdict) in [
        ("udp-echo", Verdict::Conforms),
        ("terminate-overlaps-handler", Verdict::Violates),
        ("lost-message", Verdict::Violates),
    ] {
        let path = format!("models/spec/tests/traces/field/{name}.jsonl");
        let text = read(&path);
        let outcome = Outcome::of(path.clone(), text.as_bytes());
        assert_eq!(outcome.verdict, verdict, "{path}");
        assert!(page.contains(&path), "{path}");
        let events = format!("events {}, accepted up to line {}", outcome.events, outcome.accepted.unwrap());
        assert!(page.contains(&events), "{path}: {events}");
        for finding in &outcome.violations {
            for said in [finding.guarantee.id(), &finding.message, &finding.allowed] {
                assert!(page.contains(&words(said)), "{path}: the page does not say: {said}");
            }
        }
    }
    let trace = read("models/spec/tests/traces/field/terminate-overlaps-handler.jsonl");
    let lines: Vec<&str> = trace.lines().collect();
    assert!(page.contains(lines[30]) && page.contains(lines[32]), "the evidence is not shown");
}

#[test]
fn the_corpus_is_as_large_as_the_book_says() {
    let count = |folder: &str| files(&format!("models/spec/tests/traces/{folder}"), "jsonl").len();
    let (violating, conforming, malformed) = (count("violating"), count("conforming"), count("malformed"));
    let said = format!("{violating} violating, {conforming} conforming and {malformed} malformed traces");
    part("docs/src/corpus.md", "counts", &format!("\nThere are {said}.\n\n"));
}

#[test]
fn the_theorems_are_those_that_are_checked() {
    let text = read("proofs/coq/theorems.txt");
    let theorems: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert!(theorems.len() > 10, "{theorems:?}");
    let mut rows = String::new();
    for theorem in theorems {
        let [of, name, statement] = theorem[..] else { panic!("three columns are expected: {theorem:?}") };
        writeln!(rows, "| `{of}` | {statement} `{name}` |").unwrap();
    }
    part(
        "docs/src/proofs.md",
        "theorems",
        &format!("\n| of | what is proved, and the theorem |\n|---|---|\n{rows}\n"),
    );
}

#[test]
fn each_step_of_the_model_is_taken_by_what_is_there() {
    let steps = read("proofs/coq/steps.txt");
    let rows = steps.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut taken = Vec::new();
    for row in rows {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let [steps, file, function] = columns[..] else { panic!("three columns are expected: {row}") };
        let source = read(file);
        let is_there = source.match_indices(&format!("fn {function}")).any(|(at, name)| {
            let next = source[at + name.len()..].chars().next();
            next.is_some_and(|next| !next.is_alphanumeric() && next != '_')
        });
        assert!(is_there, "{file} has no function `{function}`, which takes {steps}");
        taken.extend(steps.split(' ').map(str::to_owned));
    }
    // The steps of the runtime, as the model names them; the others belong to callbacks, or are told in the table.
    let table = read("proofs/README.md");
    for step in &taken {
        assert!(table.contains(&format!("`{step}`")), "the table does not tell {step}");
    }
    assert!(taken.len() > 40, "{taken:?}");
}

#[test]
fn every_litmus_program_is_told() {
    let catalogue = read("models/litmus/src/catalogue.rs");
    let page = read("docs/src/litmus.md");
    let name =
        |line: &str| line.trim_start().strip_prefix('"')?.split_once("\" ").map(|(name, _)| name.to_owned());
    let programs: Vec<String> =
        catalogue.lines().filter(|line| line.ends_with(':')).filter_map(name).collect();
    assert!(programs.len() > 10, "only {programs:?} were found");
    for program in programs {
        assert!(page.contains(&format!("`{program}`")), "{program}");
    }
}

#[test]
fn the_compile_fail_list_is_told() {
    let rows: String = files("proofs/rust/compile_fail", "rs")
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).expect("a readable file");
            let rule = text.lines().next().and_then(|line| line.strip_prefix("//! ")).expect("a first line");
            format!("| {rule} | `{}` |\n", file.file_name().and_then(|name| name.to_str()).expect("text"))
        })
        .collect();
    let table = format!("\n| the rule | the program that breaks it |\n|---|---|\n{rows}\n");
    part("docs/src/compiler.md", "compile-fail", &table);
}
