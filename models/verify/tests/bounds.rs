//! `--preemptions` and `--depth`: what was cut off is said, and what holds within bounds that cut something off is not.

mod common;

use std::fs;

use common::{Ended, Scratch, antiphon, read, report, verify};
use serde_json::Value;

const ADDS_THREE: &str = "explorer/adds-three";

fn the_run(scratch: &Scratch) -> Value {
    report(scratch)["runs"][0].clone()
}

#[test]
fn a_bound_that_cuts_something_off_is_named_and_nothing_holds() {
    let scratch = Scratch::new();
    // Pinned as what it explores within the bound, which is not the whole.
    let pins = scratch.write("pins.toml", "[explorer]\n\"selftest/explorer/adds-three\" = 21\n");
    let pins = pins.to_str().unwrap();
    let ended = verify(&scratch, ADDS_THREE, "explorer", &["--preemptions", "1", "--pins", pins]).expect(0);
    let run = the_run(&scratch);
    let explored = run["executions"].as_u64().unwrap();
    assert!(0 < explored && explored < 90, "{run}");
    assert_eq!((&run["verdict"], &run["complete"]), (&"no violation found".into(), &false.into()));
    assert_eq!((&run["pinned"], &run["defect"]), (&Value::Null, &Value::Null));
    let note = run["note"].as_str().unwrap();
    assert!(note.contains("cut off at the bound of 1 preemption"), "{note}");
    assert!(run["bounds"].as_str().unwrap().contains("at most 1 preemption,"), "{run}");
    assert_eq!((&report(&scratch)["preemptions"], &report(&scratch)["depth"]), (&1.into(), &Value::Null));
    assert!(!ended.out.contains("holds"), "{}", ended.out);

    // Where everything is cut off, nothing was seen.
    let ended = verify(&scratch, ADDS_THREE, "explorer", &["--depth", "5", "--strict"]).expect(3);
    let run = the_run(&scratch);
    assert_eq!((&run["verdict"], &run["complete"]), (&"inconclusive".into(), &false.into()));
    assert!(run["bounds"].as_str().unwrap().contains(" 5 steps per execution"), "{run}");
    let note = run["note"].as_str().unwrap();
    assert!(note.contains("cut off at the depth bound of 5 steps"), "{note}");
    assert!(!ended.out.contains("holds"), "{}", ended.out);
}

#[test]
fn a_bound_that_cuts_nothing_off_is_no_bound() {
    let scratch = Scratch::new();
    let pins = scratch.write("pins.toml", "[explorer]\n\"selftest/explorer/adds-three\" = 90\n");
    let more = ["--preemptions", "9", "--depth", "1000", "--pins", pins.to_str().unwrap()];
    verify(&scratch, ADDS_THREE, "explorer", &more).expect(0);
    let run = the_run(&scratch);
    assert_eq!((&run["executions"], &run["pinned"]), (&90.into(), &90.into()));
    assert_eq!((&run["verdict"], &run["complete"]), (&"holds within bounds".into(), &true.into()));
    assert_eq!(run["note"], "no bound cut anything off");

    // More than the bound that is there if nobody asks for another.
    verify(&scratch, "explorer/goes-on-and-on", "explorer", &["--depth", "20000"]).expect(0);
    let run = the_run(&scratch);
    assert_eq!((&run["executions"], &run["complete"]), (&1.into(), &true.into()));
    assert!(run["note"].as_str().unwrap().ends_with("no bound cut anything off"), "{run}");
}

#[test]
fn only_the_explorer_is_bounded() {
    let scratch = Scratch::new();
    let ended = verify(&scratch, "loom/counts", "loom/unbounded", &["--preemptions", "1"]).expect(2);
    assert!(ended.err.contains("--preemptions 1 is for runs of the explorer"), "{}", ended.err);

    let path = scratch.path("report.json");
    let path = path.to_str().unwrap();
    let only = ["--only", "selftest/loom/counts", "--only", "selftest/explorer/counts"];
    let arguments = ["--self-test", "verify", "--report", path, "--budget", "5s", "--depth", "1"];
    antiphon(&[&arguments[..], &only].concat()).expect(0);
    let runs = report(&scratch)["runs"].as_array().unwrap().clone();
    for run in runs {
        let explorer = run["engine"].as_str().unwrap().starts_with("explorer");
        assert_eq!(run["complete"], !explorer, "{run}");
    }
}

#[test]
fn bounds_that_mean_nothing_are_refused() {
    for wrong in [
        &["--depth", "0"][..],
        &["--preemptions", "few"],
        &["--preemptions", "2", "--pin"],
        &["--depth", "100", "--pin"],
        &["--depth", "100", "--list"],
    ] {
        let ended = antiphon(&[&["verify"], wrong].concat()).expect(2);
        assert!(ended.err.contains(wrong[0]), "{}", ended.err);
    }
}

/// Makes both parts, each with its own bound, and joins them.
fn joined(scratch: &Scratch, preemptions: [&str; 2]) -> Ended {
    let whole = scratch.path("whole.json");
    let mut merge = vec!["--self-test".to_string(), "merge".to_string(), "--report".to_string()];
    merge.push(whole.to_str().unwrap().to_string());
    for (shard, most) in ["1/2", "2/2"].into_iter().zip(preemptions) {
        verify(
            scratch,
            ADDS_THREE,
            "explorer",
            &["--shard", shard, "--preemptions", most, "--budget", "20s"],
        )
        .expect(0);
        let part = scratch.path(&format!("{}.json", &shard[..1]));
        fs::rename(scratch.path("report.json"), &part).unwrap();
        merge.push(part.to_str().unwrap().to_string());
    }
    antiphon(&merge.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn parts_within_the_same_bounds_are_joined_and_others_are_not() {
    let scratch = Scratch::new();
    verify(&scratch, ADDS_THREE, "explorer", &["--preemptions", "1"]).expect(0);
    let alone = the_run(&scratch);
    joined(&scratch, ["1", "1"]).expect(0);
    let whole = read(&scratch.path("whole.json"))["runs"][0].clone();
    for what in ["bounds", "verdict", "complete", "pinned"] {
        assert_eq!(whole[what], alone[what], "{what}");
    }
    assert!(whole["note"].as_str().unwrap().contains("cut off at the bound of 1 preemption"), "{whole}");

    let ended = joined(&scratch, ["1", "2"]).expect(2);
    assert!(
        ended.err.contains("one was made with --preemptions 1, one with --preemptions 2"),
        "{}",
        ended.err
    );
    let whole = joined(&scratch, ["9", "9"]).expect(0);
    assert!(whole.out.contains("no violation found"), "{}", whole.out);
    let whole = &read(&scratch.path("whole.json"))["runs"][0];
    assert_eq!((&whole["executions"], &whole["complete"]), (&90.into(), &true.into()));
    assert!(whole["note"].as_str().unwrap().ends_with("no bound cut anything off"), "{whole}");
}

#[test]
fn a_checkpoint_is_gone_on_from_within_the_same_bounds_only() {
    let scratch = Scratch::new();
    let directory = scratch.path("checkpoints");
    let directory = directory.to_str().unwrap();
    let run = |most: &str| {
        verify(&scratch, ADDS_THREE, "explorer", &["--checkpoint", directory, "--preemptions", most])
            .expect(0);
        the_run(&scratch)
    };
    let first = run("1");
    assert_eq!(run("1")["executions"], first["executions"], "what is done is not done again");
    let other = run("2");
    assert_eq!((&other["verdict"], &other["executions"]), (&"inconclusive".into(), &0.into()));
    assert!(other["note"].as_str().unwrap().contains("the bound on preemptions is 1, not 2"), "{other}");
}
