//! The rules, each with a bad sample below.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use antiphon_spec::Guarantee;
use proc_macro2::{TokenStream, TokenTree};

use crate::source::{Complaint, File};

/// A rule: what is wrong with a file.
pub(crate) type Rule = fn(&File) -> Vec<Complaint>;

/// Beyond this a file probably has a second subject.
pub(crate) const MOST_LINES: usize = 500;

/// The layers of the runtime, lowest first. Modules that are not named are those of actors: the fourth.
const LAYERS: &[(&str, usize)] =
    &[("parcel", 0), ("inbox", 1), ("executor", 2), ("io", 4), ("supervisor", 4)];
const ACTORS: usize = 3;

fn layer(module: &str) -> usize {
    LAYERS.iter().find(|(name, _)| *name == module).map_or(ACTORS, |(_, layer)| *layer)
}

/// Imports point down: a module uses its own layer's modules and those below. The three lowest layers are one
/// module each.
pub(crate) fn layers(file: &File) -> Vec<Complaint> {
    let Some(own) = file.path.strip_prefix("src/").and_then(|path| path.split(['/', '.']).next()) else {
        return Vec::new();
    };
    if own == "lib" {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for (line, path) in file.paths() {
        let Some(other) = path.strip_prefix("crate::").and_then(|path| path.split("::").next()) else {
            continue;
        };
        if layer(other) > layer(own) || (layer(own) != ACTORS && layer(other) == layer(own) && other != own) {
            complaints.push(file.complain(line, format!("`{own}` imports `{other}`, which is not below it")));
        }
    }
    complaints
}

/// What may be switched on and off in the runtime, and the one file in which, if there is one.
const SWITCHES: &[(&str, Option<&str>)] = &[
    // Meta-processes for the operating system's sources: every build of the workspace has them.
    ("feature = \"io\"", None),
    // Events for a log: told in functions that are empty without it, so what calls them is the same in every build.
    ("feature = \"tracing\"", Some("src/log.rs")),
    ("not (feature = \"tracing\")", Some("src/log.rs")),
];

/// The runtime reaches threads, locks, atomics and clocks through `platform` only, and has no switch but [`SWITCHES`].
pub(crate) fn seam(file: &File) -> Vec<Complaint> {
    const BANNED: &[&str] = &[
        "std::sync",
        "std::thread",
        "std::time::Instant",
        "std::time::SystemTime",
        "std::cell::UnsafeCell",
        "core::sync",
        "loom",
        "shuttle",
    ];
    let mut complaints = Vec::new();
    for (line, path) in file.paths() {
        let inside = |banned: &&&str| path == **banned || path.starts_with(&format!("{banned}::"));
        if let Some(banned) = BANNED.iter().find(inside) {
            complaints.push(file.complain(line, format!("`{banned}` goes past `platform`")));
        }
    }
    switches(file, file.tokens(), &mut complaints);
    complaints
}

fn switches(file: &File, tokens: TokenStream, complaints: &mut Vec<Complaint>) {
    let mut switch = None;
    for token in tokens {
        match &token {
            TokenTree::Ident(ident) if ident == "cfg" || ident == "cfg_attr" => switch = Some(ident.span()),
            TokenTree::Punct(punct) if punct.as_char() == '!' => {}
            TokenTree::Group(group) => {
                let condition = group.stream().to_string();
                let allowed = |(switch, place): &(&str, Option<&str>)| {
                    *switch == condition && place.is_none_or(|place| place == file.path)
                };
                if let Some(at) = switch.take()
                    && !SWITCHES.iter().any(allowed)
                {
                    let what = format!("a switch on `{condition}`: every build has the same source");
                    complaints.push(file.complain(at.start().line, what));
                }
                switches(file, group.stream(), complaints);
            }
            _ => switch = None,
        }
    }
}

/// The specification knows no thread and no time.
pub(crate) fn purity(file: &File) -> Vec<Complaint> {
    let banned = |path: &str| {
        ["std::thread", "std::time", "platform", "antiphon"].iter().any(|root| is_in(path, root))
            || (is_in(path, "std::sync") && path != "std::sync::Arc")
    };
    let paths = file.paths().into_iter().filter(|(_, path)| banned(path));
    paths.map(|(line, path)| file.complain(line, format!("`{path}` in the specification"))).collect()
}

fn is_in(path: &str, root: &str) -> bool {
    path == root || path.strip_prefix(root).is_some_and(|rest| rest.starts_with("::"))
}

fn lines_of_unsafe(file: &File) -> Vec<usize> {
    fn find(tokens: TokenStream, lines: &mut Vec<usize>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (place, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => find(group.stream(), lines),
                // `unsafe fn(…)` is a type, and does nothing.
                TokenTree::Ident(ident) if ident == "unsafe" && !is_pointer(&tokens[place + 1..]) => {
                    lines.push(ident.span().start().line);
                }
                _ => {}
            }
        }
    }
    fn is_pointer(after: &[TokenTree]) -> bool {
        matches!(after, [TokenTree::Ident(word), TokenTree::Group(_), ..] if word == "fn")
    }
    let mut lines = Vec::new();
    find(file.tokens(), &mut lines);
    lines
}

/// `unsafe` occurs in the inbox, in what it is built on, and in platforms only.
pub(crate) fn no_unsafe(file: &File) -> Vec<Complaint> {
    let lines = lines_of_unsafe(file).into_iter();
    lines
        .map(|line| file.complain(line, "`unsafe` outside of the inbox, what it is built on, and platforms"))
        .collect()
}

/// Every crate that needs no `unsafe` says so in its root.
pub(crate) fn unsafe_is_forbidden(file: &File) -> Vec<Complaint> {
    let said = file.text.lines().any(|line| line == "#![forbid(unsafe_code)]");
    if said { Vec::new() } else { vec![file.complain(1, "the crate does not forbid unsafe code")] }
}

/// Whether a comment in the few lines above `line`, or on it, satisfies `says`.
fn commented(file: &File, line: usize, reach: usize, says: impl Fn(&str) -> bool) -> bool {
    let above: Vec<&str> = file.text.lines().take(line).collect();
    above
        .iter()
        .rev()
        .take(reach + 1)
        .any(|text| text.split_once("//").is_some_and(|(_, comment)| says(comment)))
}

/// Each `unsafe` has the reason for which it holds, near by.
pub(crate) fn safety_is_argued(file: &File) -> Vec<Complaint> {
    let argued = |line: &usize| {
        commented(file, *line, 6, |comment| comment.contains("SAFETY:") || comment.contains("# Safety"))
    };
    let lines = lines_of_unsafe(file).into_iter().filter(|line| !argued(line));
    lines.map(|line| file.complain(line, "`unsafe` without a `SAFETY` comment above it")).collect()
}

/// Each memory ordering has a comment near by that names it, and so says what it pairs with; or one comment
/// says it of every access in the file.
pub(crate) fn orderings_are_explained(file: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (line, path) in file.paths() {
        let mut segments = path.rsplit("::");
        let (Some(ordering), Some("Ordering")) = (segments.next(), segments.next()) else { continue };
        let names: &[&str] = match ordering {
            "AcqRel" => &["Acquire", "Release", "AcqRel"],
            "Acquire" | "Release" | "Relaxed" | "SeqCst" => &[ordering],
            _ => continue,
        };
        let every = format!("Every access is {ordering}");
        let near = commented(file, line, 12, |comment| names.iter().any(|name| comment.contains(name)));
        if !near && !commented(file, line, usize::MAX - 1, |comment| comment.contains(&every)) {
            complaints.push(file.complain(line, format!("nothing above says why this is {ordering}")));
        }
    }
    complaints
}

/// Words that mean "not done", and paths that exist on one machine only.
pub(crate) fn words(file: &File) -> Vec<Complaint> {
    const BANNED: &[&str] = &["todo!", "unimplemented!", "dbg!", "XXX", "FIXME", "TODO", "HACK"];
    // Absolute paths are some machine's own; spelled apart, since this file is checked too.
    let paths = ["root", "home", "tmp", "work"].map(|top| format!("/{top}/"));
    let mut complaints = Vec::new();
    for (line, text) in file.text.lines().enumerate() {
        let banned = BANNED.iter().copied().chain(paths.iter().map(String::as_str));
        for word in banned.filter(|word| text.contains(word)) {
            complaints.push(file.complain(line + 1, format!("the word `{word}`")));
        }
    }
    complaints
}

/// What looks like a guarantee's id in a text, between backticks, and is another name.
const OTHER_NAMES: &[&str] = &[
    "not-judged",
    "nothing-judged",
    "known-hole",
    "stronger-model",
    "crossbeam-deque",
    "cargo-fuzz",
    "signal-hook",
    "default-members",
    "rust-version",
    "source-sets",
];

/// Every guarantee that is cited between backticks exists.
pub(crate) fn guarantees_exist(file: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut fenced = false;
    for (number, line) in file.text.lines().enumerate() {
        let text = match file.path.ends_with(".rs") {
            true => line.split_once("//").map_or("", |(_, comment)| comment),
            false => line,
        };
        fenced ^= text.trim_start_matches(['!', '/', ' ']).starts_with("```");
        if fenced {
            continue;
        }
        for cited in text.split('`').skip(1).step_by(2) {
            if looks_like_an_id(cited) && Guarantee::from_id(cited).is_none() && !is_known(cited) {
                complaints.push(file.complain(number + 1, format!("`{cited}` is no guarantee's id")));
            }
        }
    }
    complaints
}

fn looks_like_an_id(text: &str) -> bool {
    text.contains('-')
        && text.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
}

/// Names that have their own source of truth: packages, seeded bugs, litmus programs.
fn is_known(name: &str) -> bool {
    let listed = |file: &str, entry: &str| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        fs::read_to_string(file).is_ok_and(|text| text.contains(entry))
    };
    name.starts_with("antiphon-")
        || OTHER_NAMES.contains(&name)
        || listed("models/mutants/mutants.toml", &format!("name = \"{name}\""))
        || listed("models/litmus/src/catalogue.rs", &format!("    \"{name}\" "))
}

/// A file has one subject.
pub(crate) fn length(file: &File) -> Vec<Complaint> {
    let lines = file.text.lines().count();
    if lines <= MOST_LINES {
        return Vec::new();
    }
    vec![
        file.complain(
            lines,
            format!("{lines} lines: look for the second subject, or except it with a reason"),
        ),
    ]
}

/// No two scenarios share a name: verdicts and pins go by it.
pub(crate) fn unique_scenarios(file: &File) -> Vec<Complaint> {
    let mut seen = BTreeSet::new();
    let mut complaints = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        let name = line.trim_start().strip_prefix('"').and_then(|rest| rest.split_once("\","));
        let Some((name, _)) = name.filter(|(name, _)| name.contains('/')) else { continue };
        if !seen.insert(name) {
            complaints.push(file.complain(number + 1, format!("a second scenario `{name}`")));
        }
    }
    if seen.len() < 10 {
        complaints.push(file.complain(1, "only a few scenarios are found: this rule is out of date"));
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    /// How many complaints `rule` has about `text` as the file `path`.
    fn bites(rule: Rule, path: &str, text: &str) -> usize {
        rule(&sample(path, text)).len()
    }

    #[test]
    fn layers_bites() {
        assert_eq!(bites(layers, "src/inbox.rs", "use crate::executor::Executor;"), 1);
        assert_eq!(bites(layers, "src/executor/pool.rs", "use crate::{inbox::Task, node::Node};"), 1);
        assert_eq!(bites(layers, "src/meta.rs", "fn f() { crate::io::tcp::go(); }"), 1);
        assert_eq!(bites(layers, "src/io/tcp.rs", "use crate::meta::Reader;\nuse crate::io::waker;"), 0);
        assert_eq!(bites(layers, "src/node.rs", "use crate::process::Actor; // crate::io"), 0);
    }

    #[test]
    fn seam_bites() {
        assert_eq!(bites(seam, "src/node.rs", "use std::{fmt, sync::Arc};"), 1);
        assert_eq!(bites(seam, "src/node.rs", "fn f() { std::thread::yield_now(); }"), 1);
        assert_eq!(bites(seam, "src/node.rs", "use std::time::Instant;"), 1);
        assert_eq!(bites(seam, "src/node.rs", "#[cfg(test)]\nmod a;"), 1);
        assert_eq!(bites(seam, "src/node.rs", "fn f() { if cfg!(test) {} }"), 1);
        assert_eq!(bites(seam, "src/lib.rs", "#[cfg(feature = \"io\")]\nmod io;"), 0);
        assert_eq!(bites(seam, "src/log.rs", "#[cfg(not(feature = \"tracing\"))]\nmod a;"), 0);
        assert_eq!(bites(seam, "src/node.rs", "#[cfg(feature = \"tracing\")]\nmod a;"), 1);
        assert_eq!(bites(seam, "src/node.rs", "use std::time::Duration; // std::sync"), 0);
    }

    #[test]
    fn purity_bites() {
        assert_eq!(bites(purity, "models/spec/src/a.rs", "use std::sync::{Arc, Mutex};"), 1);
        assert_eq!(bites(purity, "models/spec/src/a.rs", "use std::time::Duration;"), 1);
        assert_eq!(bites(purity, "models/spec/src/a.rs", "use antiphon::Node;"), 1);
        assert_eq!(
            bites(purity, "models/spec/src/a.rs", "use std::sync::Arc;\nuse antiphon_event::Event;"),
            0
        );
    }

    #[test]
    fn no_unsafe_bites() {
        assert_eq!(bites(no_unsafe, "src/node.rs", "fn f() { unsafe { g() } }"), 1);
        assert_eq!(bites(no_unsafe, "src/node.rs", "// unsafe\nconst A: &str = \"unsafe\";"), 0);
        assert_eq!(bites(unsafe_is_forbidden, "models/a/src/lib.rs", "//! A crate."), 1);
        assert_eq!(bites(unsafe_is_forbidden, "models/a/src/lib.rs", "#![forbid(unsafe_code)]"), 0);
    }

    #[test]
    fn safety_is_argued_bites() {
        assert_eq!(bites(safety_is_argued, "src/inbox.rs", "fn f() {\n    unsafe { g() }\n}"), 1);
        assert_eq!(
            bites(safety_is_argued, "src/inbox.rs", "fn f() {\n    // SAFETY: so.\n    unsafe { g() }\n}"),
            0
        );
        assert_eq!(bites(safety_is_argued, "src/inbox.rs", "struct A { run: unsafe fn(*const ()) }"), 0);
    }

    #[test]
    fn orderings_are_explained_bites() {
        let bare = "fn f(a: &A) { a.load(Ordering::Acquire); }";
        assert_eq!(bites(orderings_are_explained, "src/inbox.rs", bare), 1);
        let wrong = "// Relaxed: only looked at.\nfn f(a: &A) { a.load(atomic::Ordering::Acquire); }";
        assert_eq!(bites(orderings_are_explained, "src/inbox.rs", wrong), 1);
        let right = "// Acquire: pairs with g.\nfn f(a: &A) { a.load(Ordering::Acquire); }";
        assert_eq!(bites(orderings_are_explained, "src/inbox.rs", right), 0);
        let far =
            format!("// Every access is Relaxed: it orders nothing.{}f(Ordering::Relaxed);", "\n".repeat(40));
        assert_eq!(bites(orderings_are_explained, "src/capacity.rs", &far), 0);
        assert_eq!(bites(orderings_are_explained, "src/capacity.rs", &far.replace("Every", "No")), 1);
        assert_eq!(bites(orderings_are_explained, "src/inbox.rs", "fn f() { cmp::Ordering::Less; }"), 0);
    }

    #[test]
    fn words_bites() {
        assert_eq!(bites(words, "src/node.rs", "fn f() { todo!() }\n// FIXME: later"), 2);
        assert_eq!(bites(words, "docs/a.md", "look into /home/somebody"), 1);
    }

    #[test]
    fn guarantees_exist_bites() {
        assert_eq!(bites(guarantees_exist, "docs/a.md", "It is `no-los`, and `no-loss`."), 1);
        assert_eq!(
            bites(guarantees_exist, "src/a.rs", "/// Keeps `wakeup-call`.\nconst A: &str = \"`a-b`\";"),
            1
        );
        assert_eq!(bites(guarantees_exist, "docs/a.md", "```\n`a-b`\n```\n`antiphon-spec` and `x_ended`"), 0);
    }

    #[test]
    fn length_bites() {
        assert_eq!(bites(length, "src/a.rs", &"//\n".repeat(MOST_LINES + 1)), 1);
        assert_eq!(bites(length, "src/a.rs", &"//\n".repeat(MOST_LINES)), 0);
    }

    #[test]
    fn unique_scenarios_bites() {
        let mut text: String = (0..10).map(|n| format!("    \"inbox/{n}\", ALL;\n")).collect();
        assert_eq!(bites(unique_scenarios, "catalogue.rs", &text), 0);
        text += "    \"inbox/3\", ALL;\n";
        assert_eq!(bites(unique_scenarios, "catalogue.rs", &text), 1);
        assert_eq!(bites(unique_scenarios, "catalogue.rs", ""), 1);
    }
}
