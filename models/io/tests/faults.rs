//! Each fault, a number of times, in a process of its own; and the table of what became of them:
//! `cargo test -p antiphon-io-scenarios --test faults -- --nocapture`.

use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use antiphon_harness::{Scenario, begin_shared, finish, take};
use antiphon_io_scenarios::{Tally, faults, install, scenarios, tally, uninstall};

/// Names the scenario, in the process that is to run it.
const SCENARIO: &str = "ANTIPHON_TEST_SCENARIO";

/// How often each scenario is run.
const EXECUTIONS: u64 = 5;

/// What precedes a row of the table in what a scenario's process writes.
const ROW: &str = "row: ";

fn count(directory: &str) -> usize {
    fs::read_dir(directory).expect("/proc is there").count()
}

fn descriptors() -> usize {
    count("/proc/self/fd")
}

/// How many threads there are, once there are no more than `expected`: one that was joined may take a moment
/// to leave `/proc`.
fn threads(expected: usize) -> usize {
    let until = Instant::now() + Duration::from_secs(10);
    while count("/proc/self/task") > expected && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
    count("/proc/self/task")
}

fn named(name: &str) -> &'static Scenario {
    let found = scenarios().iter().find(|scenario| scenario.name == name);
    found.unwrap_or_else(|| panic!("there is no scenario {name}"))
}

/// Runs a scenario here, judged by the specification, and writes what a row needs.
fn run(scenario: &Scenario) {
    let (files, lines) = (descriptors(), threads(usize::MAX));
    install();
    for execution in 0..EXECUTIONS {
        begin_shared();
        (scenario.body)();
        if let Err(fault) = finish(true) {
            panic!("{}, execution {execution}: {fault}\n{:#?}", scenario.name, fault.event);
        }
    }
    let seen = take();
    uninstall();
    assert_eq!(seen.executions, EXECUTIONS);
    for label in scenario.reaches {
        assert!(seen.reached.contains_key(label), "{} never reached {label:?}", scenario.name);
    }
    let Tally { faults, asked, answered } = tally();
    assert!(faults >= EXECUTIONS, "{} makes too few faults: {faults}", scenario.name);
    assert_eq!(answered, asked, "{} loses answers", scenario.name);
    let (files_after, lines_after) = (descriptors(), threads(lines));
    assert_eq!(files_after, files, "{} leaks descriptors", scenario.name);
    assert_eq!(lines_after, lines, "{} leaks threads", scenario.name);
    let lost = asked - answered;
    println!("{ROW}{faults} | {asked} | {lost} | {files} → {files_after} | {lines} → {lines_after} |");
}

/// Runs a scenario in a process of its own, and gives its row.
fn row(scenario: &Scenario) -> String {
    let output = Command::new(env::current_exe().expect("this program has a path"))
        .args(["every_fault_is_survived", "--exact", "--nocapture"])
        .env(SCENARIO, scenario.name)
        .output()
        .expect("this program can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{}: {}\n{stdout}\n{stderr}", scenario.name, output.status);
    let row = stdout.lines().find_map(|line| line.split_once(ROW));
    row.unwrap_or_else(|| panic!("{} gave no row:\n{stdout}", scenario.name)).1.to_owned()
}

#[test]
fn every_fault_is_survived() {
    if let Ok(name) = env::var(SCENARIO) {
        return run(named(&name));
    }
    println!("| fault | scenario | tries | asked beside it | lost | descriptors | threads |");
    println!("|---|---|---:|---:|---:|---:|---:|");
    for (fault, names) in faults() {
        for name in *names {
            println!("| {fault} | `{name}` | {}", row(named(name)));
        }
    }
}
