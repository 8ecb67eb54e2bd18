//! The book's tables of how far two minutes go: made from a report, and held against the pins.
//!
//! With `ANTIPHON_BLESS=1` in the environment they are written anew from `target/verify/explorer.json`, which is what
//! `antiphon verify --only explorer --budget 120s --jobs 2 --seed 5 --report target/verify/explorer.json` leaves.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use common::{antiphon, read};
use serde_json::Value;

const CHAPTER: &str = "docs/src/verdicts.md";

const REPORT: &str = "target/verify/explorer.json";

const BEGIN: &str = "<!-- reach: begin -->\n";

const END: &str = "<!-- reach: end -->";

type Pins = BTreeMap<String, BTreeMap<String, u64>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// A number as people write it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let comma = |(index, digit): (usize, char)| {
        let before = (index > 0 && (digits.len() - index).is_multiple_of(3)).then_some(',');
        before.into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(comma).collect()
}

/// What the engines `explorer` and `explorer/spurious` came to, by family and scenario.
#[derive(Default)]
struct Family<'a> {
    explorer: Vec<&'a Value>,
    spurious: Vec<&'a Value>,
}

fn executions(run: &Value) -> u64 {
    run["executions"].as_u64().unwrap()
}

fn whole(runs: &[&Value]) -> usize {
    runs.iter().filter(|run| run["complete"] == true).count()
}

/// The two tables: of each family what was explored to its end, and by name what was not.
fn tables(report: &Value) -> String {
    let mut families: BTreeMap<&str, Family> = BTreeMap::new();
    for run in report["runs"].as_array().unwrap() {
        let family =
            families.entry(run["scenario"].as_str().unwrap().split('/').next().unwrap()).or_default();
        match run["engine"].as_str().unwrap() {
            "explorer" => family.explorer.push(run),
            _ => family.spurious.push(run),
        }
    }
    let mut out = String::from(
        "\n| family | to its end | the largest of these | executions | seconds | a second |\n|---|--:|---|--:|--:|--:|\n",
    );
    let mut unfinished: Vec<&Value> = Vec::new();
    for (family, Family { explorer, spurious }) in &families {
        let all = explorer.iter().chain(spurious);
        let largest = all.clone().filter(|run| run["complete"] == true).max_by_key(|run| executions(run));
        let largest = largest.expect("each family has something small");
        let (count, seconds) = (executions(largest), largest["seconds"].as_f64().unwrap());
        writeln!(
            out,
            "| {family} | {} of {} | `{}` | {} | {seconds:.1} | {} |",
            whole(explorer) + whole(spurious),
            explorer.len() + spurious.len(),
            named(largest),
            grouped(count),
            grouped((count as f64 / seconds) as u64 / 100 * 100),
        )
        .unwrap();
        unfinished.extend(all.filter(|run| run["complete"] != true));
    }
    out += "\n| not at its end | executions, and there are more | seconds |\n|---|--:|--:|\n";
    for run in unfinished {
        let seconds = run["seconds"].as_f64().unwrap();
        writeln!(out, "| `{}` | {} | {seconds:.1} |", named(run), grouped(executions(run))).unwrap();
    }
    out + "\n"
}

/// The scenario; with waits that end for no reason it is another.
fn named(run: &Value) -> String {
    let scenario = run["scenario"].as_str().unwrap();
    let spurious = run["engine"] == "explorer/spurious";
    if spurious { format!("{scenario} (spurious)") } else { scenario.to_string() }
}

#[test]
fn the_book_says_how_far_two_minutes_go() {
    let mut chapter = text(CHAPTER);
    let from = chapter.find(BEGIN).unwrap() + BEGIN.len();
    let to = chapter.find(END).unwrap();
    if env::var_os("ANTIPHON_BLESS").is_some() && root().join(REPORT).is_file() {
        chapter.replace_range(from..to, &tables(&read(&root().join(REPORT))));
        fs::write(root().join(CHAPTER), &chapter).unwrap();
    }

    let pins: Pins = toml::from_str(&text("models/verify/pins.toml")).unwrap();
    let list = antiphon(&["verify", "--list", "--format", "json"]).expect(0).json();
    let scenarios =
        list["guarantees"].as_array().unwrap().iter().flat_map(|g| g["scenarios"].as_array().unwrap());
    let exist: BTreeSet<(&str, &str)> =
        scenarios.map(|run| (run["name"].as_str().unwrap(), run["engine"].as_str().unwrap())).collect();
    let section = chapter.split("## How far it gets").nth(1).unwrap().split("\n## ").next().unwrap();
    let (mut ended, mut unended) = (0, 0);
    for row in section.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let name = row.split('`').nth(1).unwrap();
        let (name, engine) = match name.strip_suffix(" (spurious)") {
            Some(name) => (name, "explorer/spurious"),
            None => (name, "explorer"),
        };
        assert!(exist.contains(&(name, engine)), "there is no {name} on {engine}: {row}");
        let said = row.rsplit('`').next().unwrap().split('|').nth(1).unwrap().trim();
        let number: u64 =
            said.replace(',', "").parse().unwrap_or_else(|_| panic!("{said} is no number: {row}"));
        let pin = pins[engine].get(name);
        // In the first table, of what is at its end, the name is in the third column.
        if row.starts_with("| `") && row.matches('|').count() == 4 {
            assert!(pin.is_none_or(|pin| number < *pin), "{pin:?} are all: {row}");
            unended += 1;
        } else {
            assert!(pin.is_none_or(|pin| number == *pin), "{pin:?} are pinned: {row}");
            ended += 1;
        }
    }
    assert!(ended > 0 && unended > 0, "the tables are there");
}
