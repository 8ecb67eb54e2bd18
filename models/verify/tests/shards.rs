//! The examples of the book's chapter on shards, executed as they are printed there, on a small scenario.

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use common::{Ended, Scratch, read};

/// The whole is known: the writes of three threads, of which none commute.
const WHOLE: u64 = 90;

fn chapter() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/shards.md");
    fs::read_to_string(path).unwrap()
}

/// The first block of the chapter in this language that says `what`.
fn block(language: &str, what: &str) -> String {
    let text = chapter();
    let blocks = text.split("```").skip(1).step_by(2);
    let found = blocks.filter_map(|block| block.strip_prefix(language)).find(|block| block.contains(what));
    found.unwrap_or_else(|| panic!("the chapter has no {language} with {what:?}")).to_string()
}

/// What follows the only `key` in `text`, to the end of the line.
fn after<'a>(text: &'a str, key: &str) -> &'a str {
    let mut found = text.split(key).skip(1);
    let rest = found.next().unwrap_or_else(|| panic!("the example has no {key:?}"));
    rest.lines().next().unwrap()
}

/// A place in which the commands of the examples mean the ones under test, with one small scenario to make.
struct Place {
    scratch: Scratch,
}

impl Place {
    fn new() -> Self {
        let place = Self { scratch: Scratch::new() };
        let antiphon = env!("CARGO_BIN_EXE_antiphon");
        let small = "--only selftest/explorer/adds-three --only explorer";
        let tool = format!(
            "case $1 in verify) exec '{antiphon}' --self-test \"$@\" {small};; *) exec '{antiphon}' --self-test \"$@\";; esac"
        );
        place.program("bin/antiphon", &tool);
        // The aliases of `.cargo/config.toml`.
        place.program(
            "aliases/cargo",
            "if [ \"$1\" = antiphon ]; then shift; fi\nexec \"${0%/*}/../bin/antiphon\" \"$@\"",
        );
        place
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.scratch.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// `program`, which finds these commands before others.
    fn command(&self, program: &str, first: &[&str]) -> Command {
        let mut paths: Vec<_> = first.iter().map(|place| self.scratch.path(place)).collect();
        paths.extend(env::split_paths(&env::var_os("PATH").unwrap()));
        let mut command = Command::new(program);
        command.env("PATH", env::join_paths(paths).unwrap()).stdin(Stdio::null());
        command.current_dir(self.scratch.path(""));
        command
    }

    fn sh(&self, script: &str, variables: &[(&str, &str)]) {
        let mut command = self.command("sh", &["aliases", "bin"]);
        let ended: Ended =
            command.args(["-e", "-c", script]).envs(variables.iter().copied()).output().unwrap().into();
        ended.expect(0);
    }

    /// Joins what the example left, with the command that it names, and looks whether it is the whole.
    fn merges(&self, script: &str) {
        self.sh(&format!("{script} --report whole.json"), &[]);
        let report = read(&self.scratch.path("whole.json"));
        assert_eq!(report["runs"][0]["executions"].as_u64(), Some(WHOLE));
        assert_eq!(report["runs"][0]["complete"], true);
    }
}

#[test]
fn the_commands_by_hand() {
    let place = Place::new();
    let lines = block("console", "--shard 1/3");
    let (parts, merge): (Vec<_>, Vec<_>) =
        lines.lines().filter_map(|line| line.strip_prefix("$ ")).partition(|line| line.contains("--shard"));
    assert_eq!((parts.len(), merge.len()), (3, 1));
    parts.iter().for_each(|part| place.sh(part, &[]));
    place.merges(merge[0]);
}

#[test]
fn the_ci_matrix() {
    let place = Place::new();
    let jobs = block("yaml", "matrix");
    let numbers = after(&jobs, "matrix: { part: [").trim_end_matches("] }").split(", ");
    let run = after(&jobs, "run: cargo verify");
    let mut parts = 0;
    for part in numbers {
        place.sh(&format!("cargo verify{}", run.replace("${{ matrix.part }}", part)), &[]);
        parts += 1;
    }
    assert!(run.contains(&format!("/{parts} ")), "the parts of the matrix are the parts of the whole");
    place.merges(&format!("cargo antiphon merge{}", after(&jobs, "run: cargo antiphon merge")));
}

#[test]
fn the_indexed_job() {
    let place = Place::new();
    let job = block("yaml", "completionMode: Indexed");
    // As YAML folds it.
    let folded = job.split(">-\n").nth(1).unwrap().split("volumeMounts").next().unwrap();
    let script = folded.split_whitespace().collect::<Vec<_>>().join(" ").replace("/reports", "reports");
    fs::create_dir(place.scratch.path("reports")).unwrap();
    let completions: usize = after(&job, "completions: ").parse().unwrap();
    for index in 0..completions {
        place.sh(&script, &[("JOB_COMPLETION_INDEX", &index.to_string())]);
    }
    // One that was evicted after its last word begins again, and has nothing to do.
    place.sh(&script, &[("JOB_COMPLETION_INDEX", "0")]);
    place.merges("antiphon merge reports/part-*.json");
}

/// Where nextest is not installed, the tests of the example are made without it.
#[test]
fn the_nextest_partitions() {
    let place = Place::new();
    fs::create_dir(place.scratch.path("tests")).unwrap();
    place
        .scratch
        .write("Cargo.toml", "[package]\nname = \"parts\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\n");
    place.scratch.write("lib.rs", "");
    place.scratch.write("tests/parts.rs", &block("rust,ignore", "macro_rules! parts"));
    let cargo = |arguments: &[&str]| {
        let mut command = place.command("cargo", &["bin"]);
        // The tests of this workspace may be run with settings of their own.
        command.env_remove("RUSTFLAGS").env("CARGO_TARGET_DIR", place.scratch.path("target"));
        Ended::from(command.args(arguments).arg("--offline").output().unwrap())
    };
    if cargo(&["nextest", "list"]).status == 0 {
        for part in 1..=4 {
            let ended = cargo(&["nextest", "run", "--partition", &format!("count:{part}/4")]).expect(0);
            assert!(ended.err.contains("1 test run: 1 passed"), "{}", ended.err);
        }
    } else {
        cargo(&["test"]).expect(0);
    }
    place.merges("antiphon merge part-*.json");
}
