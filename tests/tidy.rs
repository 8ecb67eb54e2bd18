//! The project's own rules, checked over its whole tree.
//!
//! `tidy/rules.rs` holds the rules, each beside a bad sample on which it is seen to bite; here is where each
//! applies, and what is excepted, with the reason.

#[path = "tidy/manifests.rs"]
mod manifests;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/source.rs"]
mod source;

use rules::Rule;
use source::{Complaint, File, tree};

/// Files of more than [`rules::MOST_LINES`] lines, and why they are not two.
const LONG: &[(&str, &str)] = &[
    ("src/inbox.rs", "one protocol, a third of it its description"),
    ("models/explorer/src/explore.rs", "the options of an exploration, and the loop that obeys them"),
];

/// Files and folders with `unsafe`, and why. In all of them each use is argued for.
const UNSAFE: &[(&str, &str)] = &[
    ("src/inbox.rs", "ownership decided by an atomic word: what the rest of the runtime is built on"),
    ("src/parcel.rs", "memory that several threads give back, below the inbox"),
    ("src/platform/", "wraps the primitives that the inbox trusts"),
    ("models/explorer/src/sample.rs", "shuttle asks for Send and Sync of what never leaves its thread"),
    ("models/explorer/tests/failures.rs", "data races, made on purpose to be found"),
];

/// Crates that can't forbid `unsafe` as a whole, because of what is above; they deny it elsewhere.
const DENYING: &[(&str, &str)] = &[
    ("src/lib.rs", "the inbox is a part of it"),
    ("models/explorer/src/lib.rs", "see `sample.rs`"),
    ("models/mutants/src/lib.rs", "holds copies of the inbox"),
];

/// Where a rule applies, by path.
struct Applies {
    rule: Rule,
    to: fn(&str) -> bool,
}

const RULES: &[Applies] = &[
    Applies { rule: rules::layers, to: is_runtime },
    Applies { rule: rules::seam, to: is_runtime },
    Applies { rule: rules::purity, to: is_specification },
    Applies { rule: rules::no_unsafe, to: |path| is_rust(path) && !may_be_unsafe(path) },
    Applies { rule: rules::safety_is_argued, to: |path| is_rust(path) && may_be_unsafe(path) },
    Applies { rule: rules::unsafe_is_forbidden, to: |path| is_crate_root(path) && !may_be_unsafe(path) },
    Applies { rule: rules::orderings_are_explained, to: has_orderings },
    Applies { rule: rules::words, to: |path| path != "tests/tidy/rules.rs" },
    Applies { rule: rules::guarantees_exist, to: cites },
    Applies { rule: rules::length, to: |path| is_rust(path) && LONG.iter().all(|(long, _)| path != *long) },
    Applies { rule: rules::unique_scenarios, to: |path| path == "models/scenarios/src/catalogue.rs" },
];

fn is_rust(path: &str) -> bool {
    path.ends_with(".rs")
}

fn is_runtime(path: &str) -> bool {
    is_rust(path) && path.starts_with("src/") && !path.starts_with("src/platform/")
}

fn is_specification(path: &str) -> bool {
    is_rust(path) && (path.starts_with("models/spec/src/") || path.starts_with("models/spec/event/"))
}

fn may_be_unsafe(path: &str) -> bool {
    UNSAFE.iter().any(|(place, _)| path == *place || (place.ends_with('/') && path.starts_with(place)))
}

/// The models' platforms take orderings as data; what they mean there is no question of partners.
fn has_orderings(path: &str) -> bool {
    let ships = ["src/platform/std/", "src/platform/recorded/"].iter().any(|folder| path.starts_with(folder));
    is_runtime(path) || (is_rust(path) && ships)
}

/// The root of a library or binary of the workspace.
fn is_crate_root(path: &str) -> bool {
    let is_root = path.ends_with("src/lib.rs") || path.ends_with("src/main.rs");
    is_root && !path.starts_with("fuzz/") && DENYING.iter().all(|(root, _)| path != *root)
}

/// Texts that cite guarantees; `proofs/` names conditions and theorems of its own.
fn cites(path: &str) -> bool {
    let is_text = path.ends_with(".md") && !path.starts_with("proofs/");
    path != "tests/tidy/rules.rs" && (is_rust(path) || is_text)
}

#[test]
fn every_rule_is_kept() {
    let files = tree();
    let mut complaints: Vec<Complaint> = Vec::new();
    for Applies { rule, to } in RULES {
        let subjects: Vec<&File> = files.iter().filter(|file| to(&file.path)).collect();
        assert!(!subjects.is_empty(), "a rule applies to nothing: its paths are out of date");
        complaints.extend(subjects.into_iter().flat_map(rule));
    }
    let told: Vec<String> = complaints.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{} complaints:\n{}", told.len(), told.join("\n"));
}

#[test]
fn every_exception_is_still_needed() {
    for (path, reason) in LONG {
        let file = File::read(path);
        assert!(!rules::length(&file).is_empty(), "{path} is not long any more ({reason})");
    }
    for (place, reason) in UNSAFE {
        let here = |file: &&File| file.path.starts_with(place) && file.path.ends_with(".rs");
        let uses = tree().iter().filter(here).any(|file| !rules::no_unsafe(file).is_empty());
        assert!(uses, "{place} has no `unsafe` any more ({reason})");
    }
    for (root, reason) in DENYING {
        let file = File::read(root);
        assert!(
            !rules::unsafe_is_forbidden(&file).is_empty(),
            "{root} forbids `unsafe` all the same ({reason})"
        );
    }
}
