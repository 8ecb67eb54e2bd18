//! The example `supervise`, driven as a user would drive it.

mod example_support;

use std::process::Command;

use example_support::{Example, program};
use rustix::process::Signal;

#[test]
fn commands_run_and_when_all_have_succeeded_it_ends() {
    let mut supervise = Example::start("supervise", &["echo venite", "true"]);
    let mut lines: Vec<_> = supervise.rest().lines().map(str::to_owned).collect();
    assert_eq!(lines.pop().as_deref(), Some("stopped"));
    lines.sort();
    assert_eq!(lines, ["[0] ended: exit status: 0", "[0] venite", "[1] ended: exit status: 0"]);
}

#[test]
fn a_command_that_fails_is_restarted_until_it_fails_too_often() {
    let output = Command::new(program("supervise"))
        .args(["echo try; exit 7", "exec sleep 600"])
        .output()
        .expect("cargo has built the example");
    assert_eq!(output.status.code(), Some(1));
    let stdout = String::from_utf8(output.stdout).expect("it is text");
    assert_eq!(stdout.matches("[0] try\n[0] ended: exit status: 7\n").count(), 4, "{stdout}");
    assert!(stdout.ends_with("stopped\n"), "{stdout}");
    let stderr = String::from_utf8(output.stderr).expect("it is text");
    assert!(stderr.contains("fails again and again"), "{stderr}");
}

#[test]
fn signals_are_forwarded_and_the_last_ends_all() {
    let polite =
        "trap 'echo reload' HUP; trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
    for signal in [Signal::TERM, Signal::INT] {
        let deaf = "trap '' HUP INT TERM; echo ready; exec sleep 600";
        let mut supervise = Example::start("supervise", &[polite, deaf]);
        let mut ready = [supervise.line(), supervise.line()];
        ready.sort();
        assert_eq!(ready, ["[0] ready", "[1] ready"]);
        supervise.signal(Signal::HUP);
        assert_eq!(supervise.line(), "[0] reload");
        supervise.signal(signal);
        let rest = supervise.rest();
        // The shell may also say that its own child was ended: the whole group hears of it.
        assert!(rest.contains("[0] bye\n"), "{rest}");
        assert!(rest.contains("[1] ended: signal: 9"), "{rest}");
        assert!(rest.ends_with("stopped\n"), "{rest}");
    }
}
