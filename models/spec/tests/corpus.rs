//! Hand-made traces, as data: what authors of other runtimes and checkers can test against.
//!
//! - `violating/<guarantee-id>.<what>.jsonl` violates exactly that guarantee. The offending event carries
//!   the field `"offends":true`, which a reader ignores; without one, what is wrong is the end.
//! - `conforming/` comes close to a violation and is none.
//! - `malformed/` cannot be read; `malformed/expected.txt` says where and why.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use antiphon_spec::Guarantee;
use antiphon_spec::check::{Outcome, Verdict};
use antiphon_spec::event::{ActorId, Event, Strategy};
use antiphon_spec::machine::State;

fn corpus(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces").join(name);
    let entries = fs::read_dir(&folder).expect("the corpus is a part of this package");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

fn name(file: &Path) -> &str {
    file.file_name().and_then(|name| name.to_str()).expect("names are text")
}

fn outcome(file: &Path) -> (Outcome, Vec<u8>) {
    let text = fs::read(file).expect("a readable file");
    (Outcome::of(name(file), &text[..]), text)
}

fn violated(outcome: &Outcome) -> BTreeSet<Guarantee> {
    outcome.violations.iter().map(|finding| finding.guarantee).collect()
}

#[test]
fn each_violating_trace_violates_exactly_its_guarantee_at_the_marked_event() {
    for file in corpus("violating") {
        let name = name(&file);
        let id = name.split('.').next().unwrap_or_default();
        let guarantee: Guarantee = id.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        let (outcome, text) = outcome(&file);
        assert_eq!(outcome.verdict, Verdict::Violates, "{name}: {:?}", outcome.error);
        assert_eq!(violated(&outcome), [guarantee].into(), "{name}: {:#?}", outcome.violations);
        let text = String::from_utf8(text).expect("a trace is UTF-8");
        let marked = text.lines().position(|line| line.contains("\"offends\":true")).map(|index| index + 1);
        let [finding] = &outcome.violations[..] else { panic!("{name}: {:#?}", outcome.violations) };
        assert_eq!(finding.line, marked, "{name}: {finding:?}");
        assert!(finding.evidence.is_sorted(), "{name}: {finding:?}");
        assert!(!finding.message.is_empty() && !finding.allowed.is_empty(), "{name}: {finding:?}");
        let earlier = finding.evidence.iter().any(|line| Some(*line) != marked);
        assert!(earlier, "{name}: nothing but the event itself is evidence: {finding:?}");
        let prefix = marked.map_or(text.lines().count(), |line| line - 1);
        assert_eq!(outcome.accepted, Some(prefix), "{name}");
    }
}

#[test]
fn each_guarantee_judged_from_events_has_a_violating_trace() {
    let shown: BTreeSet<String> = corpus("violating")
        .iter()
        .map(|file| name(file).split('.').next().unwrap_or_default().to_owned())
        .collect();
    // A trace that says everything: interrupts, ends and supervisors are told.
    let mut state = State::default();
    let actor = ActorId(1);
    let supervisor = Event::Supervisor { actor, strategy: Strategy::OneForOne, restarts: 0, within: 0 };
    for event in [Event::Interrupt { actor }, supervisor] {
        state.step(&event).expect("neither alone breaks anything");
    }
    for guarantee in Guarantee::ALL {
        let judged = state.judges(*guarantee, true);
        assert_eq!(judged, shown.contains(guarantee.id()), "{guarantee}");
    }
}

#[test]
fn near_misses_conform() {
    for file in corpus("conforming") {
        let (outcome, _) = outcome(&file);
        let name = name(&file);
        assert_eq!(outcome.verdict, Verdict::Conforms, "{name}: {outcome:#?}");
    }
}

#[test]
fn each_malformed_trace_is_told_by_line_and_column() {
    let mut told = String::new();
    for file in corpus("malformed") {
        let (outcome, _) = outcome(&file);
        let name = name(&file);
        assert_eq!(outcome.verdict, Verdict::Malformed, "{name}: {outcome:#?}");
        let fault = outcome.error.expect("what is malformed has an error");
        let (line, column) = (fault.line.unwrap_or_default(), fault.column.unwrap_or_default());
        told += &format!("{name} {line}:{column} {}\n", fault.message);
    }
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces/malformed/expected.txt");
    let expected = fs::read_to_string(expected).expect("a part of the corpus");
    assert_eq!(told, expected, "told:\n{told}");
}
