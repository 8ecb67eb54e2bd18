//! `antiphon verify`, end to end: each way to end, once.

mod common;

use std::fs;
use std::process::Stdio;

use common::{Scratch, antiphon, command, read, report, verify};
use serde_json::Value;

fn guarantee<'a>(report: &'a Value, id: &str) -> &'a Value {
    let guarantees = report["guarantees"].as_array().unwrap();
    guarantees.iter().find(|guarantee| guarantee["id"] == id).unwrap()
}

#[test]
fn a_sample_that_finds_nothing_says_so_and_no_more() {
    let scratch = Scratch::new();
    let ended = verify(&scratch, "shuttle/counts", "shuttle/random", &["--format", "json"]).expect(0);
    let report = report(&scratch);
    assert_eq!(ended.json(), report);
    assert_eq!(report["format"], "antiphon-report");
    assert_eq!(report["version"], 1);
    assert_eq!(report["verdict"], "no violation found");
    let run = &report["runs"][0];
    assert_eq!(run["scenario"], "selftest/shuttle/counts");
    assert_eq!(run["engine"], "shuttle/random");
    assert_eq!(run["guarantees"], serde_json::json!(["no-loss"]));
    assert_eq!(run["memory_model"], "sequential consistency");
    assert!(run["bounds"].as_str().unwrap().contains("sampled"));
    assert!(run["unseen"].as_str().unwrap().contains("not sampled"));
    assert!(run["executions"].as_u64().unwrap() > 100);
    assert!(run["seconds"].as_f64().unwrap() < 3.0);
    assert_eq!(guarantee(&report, "no-loss")["verdict"], "no violation found");
    assert_eq!(guarantee(&report, "capacity")["verdict"], Value::Null);
}

#[test]
fn loom_is_never_said_to_hold() {
    let scratch = Scratch::new();
    verify(&scratch, "loom/counts", "loom/unbounded", &[]).expect(0);
    let run = &report(&scratch)["runs"][0];
    assert_eq!(run["complete"], true);
    assert_eq!(run["verdict"], "no violation found");
}

#[test]
fn a_schedule_brings_the_violation_back() {
    for (scenario, engine) in [
        ("shuttle/loses-an-update", "shuttle/random"),
        ("shuttle/loses-an-update", "shuttle/pct"),
        ("shuttle/loses-an-update", "shuttle/urw"),
        ("shuttle/deadlocks", "shuttle/random"),
        ("loom/loses-an-update", "loom/preemptions-2"),
        ("loom/deadlocks", "loom/unbounded"),
        ("explorer/loses-an-update", "explorer"),
        ("explorer/deadlocks", "explorer"),
    ] {
        let scratch = Scratch::new();
        let ended = verify(&scratch, scenario, engine, &[]).expect(1);
        let report = report(&scratch);
        assert_eq!(report["verdict"], "violated");
        let failure = &report["runs"][0]["failure"];
        let broken = failure["guarantee"].as_str().unwrap();
        assert_eq!(broken, if scenario.contains("deadlocks") { "wake-up" } else { "no-loss" });
        assert_eq!(guarantee(&report, broken)["verdict"], "violated");
        assert!(ended.out.contains(&format!("Violated: {broken}")), "{}", ended.out);

        let file = report["runs"][0]["failure_file"].as_str().unwrap();
        assert!(ended.out.contains(&format!("antiphon replay {file}")), "{}", ended.out);
        let again = antiphon(&["--self-test", "replay", file]).expect(1);
        assert!(again.out.contains(broken), "{}", again.out);
        let message = failure["message"].as_str().unwrap();
        let first_word = message.split([' ', ';']).next().unwrap();
        assert!(again.out.contains(first_word), "{message}: {}", again.out);
    }
}

#[test]
fn what_was_saved_for_another_program_is_not_replayed_as_if_it_were_this_one() {
    let scratch = Scratch::new();
    verify(&scratch, "loom/loses-an-update", "loom/preemptions-2", &[]).expect(1);
    let report = report(&scratch);
    let file = report["runs"][0]["failure_file"].as_str().unwrap();
    let text = fs::read_to_string(file).unwrap();
    let other = text.replace("selftest/loom/loses-an-update", "selftest/loom/counts");
    let other = scratch.write("other.json", &other);
    let ended = antiphon(&["--self-test", "replay", other.to_str().unwrap()]).expect(0);
    assert!(ended.out.contains("does not fail any more"), "{}", ended.out);
    let renamed = text.replace("selftest/loom/loses-an-update", "selftest/loom/no-such-thing");
    let renamed = scratch.write("renamed.json", &renamed);
    let ended = antiphon(&["--self-test", "replay", renamed.to_str().unwrap()]).expect(2);
    assert!(ended.err.contains("no-such-thing"), "{}", ended.err);
}

#[test]
fn a_stale_failure_is_removed_when_the_run_passes() {
    let scratch = Scratch::new();
    let name = "selftest-threads-passes.threads.json";
    fs::create_dir_all(scratch.path("failures")).unwrap();
    let stale = scratch.write(&format!("failures/{name}"), "{}");
    verify(&scratch, "threads/passes", "threads", &[]).expect(0);
    assert!(!stale.exists());
}

#[test]
fn a_real_execution_that_breaks_a_guarantee_is_named() {
    let scratch = Scratch::new();
    let ended = verify(&scratch, "threads/breaks-a-guarantee", "threads", &[]).expect(1);
    assert!(ended.out.contains("Violated: no-loss"), "{}", ended.out);
    let file = report(&scratch)["runs"][0]["failure_file"].as_str().unwrap().to_string();
    let again = antiphon(&["--self-test", "replay", &file]).expect(2);
    assert!(again.err.contains("nothing brings this execution back"), "{}", again.err);
}

#[test]
fn the_trace_of_a_real_execution_is_saved_for_the_checker() {
    let scratch = Scratch::new();
    verify(&scratch, "threads/loses-a-message", "threads", &[]).expect(1);
    let report = report(&scratch);
    let file = report["runs"][0]["failure_file"].as_str().unwrap();
    let trace = read(file.as_ref())["trace"].as_str().unwrap().to_string();
    let trace = scratch.path("failures").join(trace);
    let ended = antiphon(&["check", "--format", "json", trace.to_str().unwrap()]).expect(1);
    let violated = |judged: &&Value| judged["verdict"] == "violated";
    let judged = ended.json();
    let violated: Vec<&Value> = judged["guarantees"].as_array().unwrap().iter().filter(violated).collect();
    assert_eq!(violated.len(), 1);
    assert_eq!(violated[0]["id"], "no-loss");
}

#[test]
fn a_process_that_dies_is_a_violation() {
    for (scenario, engine, word) in [
        ("threads/aborts", "threads", "SIGABRT"),
        ("threads/exits", "threads", "exit status: 0"),
        ("threads/panics", "threads", "the scenario panicked"),
        ("loom/aborts-in-a-deadlock", "loom/preemptions-2", "deadlock"),
    ] {
        let scratch = Scratch::new();
        let ended = verify(&scratch, scenario, engine, &[]).expect(1);
        assert!(ended.out.contains(word), "{scenario}: {}", ended.out);
        let report = report(&scratch);
        assert_eq!(report["runs"][0]["verdict"], "violated");
        let owner = if word == "deadlock" { "wake-up" } else { "no-loss" };
        assert_eq!(guarantee(&report, owner)["verdict"], "violated", "{scenario}");
    }
}

#[test]
fn a_real_execution_that_never_ends_is_a_violation() {
    let scratch = Scratch::new();
    let ended = verify(&scratch, "threads/hangs", "threads", &[]).expect(1);
    assert!(ended.out.contains("did not end"), "{}", ended.out);
}

#[test]
fn a_child_that_does_not_answer_is_killed_and_inconclusive() {
    let scratch = Scratch::new();
    let ended = verify(&scratch, "loom/sleeps", "loom/preemptions-2", &["--strict"]).expect(3);
    assert!(ended.out.contains("killed"), "{}", ended.out);
    let report = report(&scratch);
    assert_eq!(report["runs"][0]["verdict"], "inconclusive");
    assert!(report["runs"][0]["seconds"].as_f64().unwrap() < 15.0);
}

#[test]
fn an_endless_execution_counts_where_the_scheduler_is_fair() {
    let scratch = Scratch::new();
    let ended = verify(&scratch, "shuttle/spins", "shuttle/random", &[]).expect(1);
    assert!(ended.out.contains("max_steps"), "{}", ended.out);
    let scratch = Scratch::new();
    let ended = verify(&scratch, "shuttle/spins", "shuttle/pct", &[]).expect(0);
    assert!(ended.out.contains("unfair"), "{}", ended.out);
    assert_eq!(report(&scratch)["runs"][0]["verdict"], "inconclusive");
}

#[test]
fn a_run_that_shows_nothing_is_not_green() {
    for (scenario, missing) in
        [("loom/reaches-nothing", "the end"), ("loom/checks-nothing", "the premise of no-loss")]
    {
        let scratch = Scratch::new();
        let ended = verify(&scratch, scenario, "loom/preemptions-2", &[]).expect(1);
        assert!(ended.out.contains("vacuous") && ended.out.contains(missing), "{}", ended.out);
        let report = report(&scratch);
        assert_eq!(report["runs"][0]["defect"]["kind"], "vacuous");
        assert_eq!(report["runs"][0]["verdict"], "inconclusive");
        assert_eq!(report["green"], false);
    }
}

#[test]
fn another_number_than_the_pinned_one_is_not_green() {
    let scratch = Scratch::new();
    let pins = |number: u64| {
        let text = format!("[\"loom/unbounded\"]\n\"selftest/loom/counts\" = {number}\n");
        scratch.write("pins.toml", &text).to_str().unwrap().to_string()
    };
    let run = |pins: &str, more: &[&str]| {
        verify(&scratch, "loom/counts", "loom/unbounded", &[&["--pins", pins], more].concat())
    };
    let explored = {
        run(&pins(1), &["--pin"]).expect(1);
        report(&scratch)["runs"][0]["executions"].as_u64().unwrap()
    };
    // What was explored is what is pinned now.
    let written = scratch.path("pins.toml");
    run(written.to_str().unwrap(), &[]).expect(0);

    let ended = run(&pins(explored + 1), &[]).expect(1);
    assert!(ended.out.contains("collapsed"), "{}", ended.out);
    assert!(ended.out.contains("--pin"), "{}", ended.out);
    assert_eq!(report(&scratch)["runs"][0]["defect"]["kind"], "collapsed");
    let ended = run(&pins(explored - 1), &[]).expect(1);
    assert!(ended.out.contains("changed"), "{}", ended.out);
}

#[test]
fn only_what_is_exhaustive_and_pinned_is_said_to_hold() {
    let scratch = Scratch::new();
    let none = scratch.write("none.toml", "");
    let none = none.to_str().unwrap();
    verify(&scratch, "explorer/counts", "explorer", &["--pins", none]).expect(0);
    let unpinned = report(&scratch);
    assert_eq!(unpinned["verdict"], "no violation found");
    assert_eq!(unpinned["runs"][0]["complete"], true);
    let executions = unpinned["runs"][0]["executions"].as_u64().unwrap();

    let pins = format!("[explorer]\n\"selftest/explorer/counts\" = {executions}\n");
    let pins = scratch.write("pins.toml", &pins);
    verify(&scratch, "explorer/counts", "explorer", &["--pins", pins.to_str().unwrap()]).expect(0);
    assert_eq!(report(&scratch)["verdict"], "holds within bounds");
}

#[test]
fn a_race_is_found_though_it_did_no_harm() {
    let scratch = Scratch::new();
    let ended = verify(&scratch, "explorer/races", "explorer", &[]).expect(1);
    assert!(ended.out.contains("Violated: race-freedom"), "{}", ended.out);
}

#[test]
fn parts_make_the_whole_and_nothing_else_does() {
    let scratch = Scratch::new();
    let base = ["--self-test", "verify", "--only", "selftest/explorer/adds-three", "--only", "explorer"];
    let whole = scratch.path("whole.json").to_str().unwrap().to_string();
    antiphon(&[&base[..], &["--budget", "20s", "--report", &whole]].concat()).expect(0);
    let whole_report = read(whole.as_ref());
    let executions = &whole_report["runs"][0]["executions"];
    // The writes of the three threads do not commute: 6! / (2! 2! 2!) orders.
    assert_eq!(executions.as_u64(), Some(90));

    for k in [1, 2, 3, 8] {
        let part = |i: usize| {
            let name = format!("part-{i}-{k}.json");
            let path = scratch.path(&name).to_str().unwrap().to_string();
            let shard = format!("{i}/{k}");
            antiphon(&[&base[..], &["--budget", "20s", "--report", &path, "--shard", &shard]].concat())
                .expect(0);
            path
        };
        let parts: Vec<String> = (1..=k).map(part).collect();
        let merged = scratch.path("merged.json").to_str().unwrap().to_string();
        let merge = |parts: &[String]| {
            let mut arguments = vec!["--self-test", "merge", "--report", &merged];
            arguments.extend(parts.iter().map(String::as_str));
            antiphon(&arguments)
        };
        merge(&parts).expect(0);
        let report = read(merged.as_ref());
        assert_eq!(&report["runs"][0]["executions"], executions, "{k} parts");
        assert_eq!(report["runs"][0]["complete"], true);
        assert_eq!(report["runs"][0]["reached"], whole_report["runs"][0]["reached"], "{k} parts");
        assert_eq!(report["runs"][0]["premises"], whole_report["runs"][0]["premises"], "{k} parts");

        // Of other sources, the verdict of the whole would be of neither.
        let text = fs::read_to_string(&parts[0]).unwrap();
        let sources = read(parts[0].as_ref())["sources"].as_str().unwrap().to_string();
        let foreign = scratch.write("foreign.json", &text.replace(&sources, "0000000000000000"));
        let mixed = [&[foreign.to_str().unwrap().to_string()], &parts[1..]].concat();
        assert!(merge(&mixed).expect(2).err.contains("other sources"));

        let twice = [&parts[..], &parts[..1]].concat();
        assert!(merge(&twice).expect(2).err.contains("twice"));
        if k > 1 {
            assert!(merge(&parts[1..]).expect(2).err.contains("missing"));
        }
        assert!(merge(std::slice::from_ref(&whole)).expect(2).err.contains("not a part"));
    }
}

#[test]
fn on_several_processors_the_same_is_seen_as_on_one() {
    let seen = |jobs: &str| {
        let scratch = Scratch::new();
        verify(&scratch, "explorer/adds-more", "explorer", &["--jobs", jobs, "--budget", "60s"]).expect(0);
        let run = &report(&scratch)["runs"][0];
        assert_eq!(run["complete"], true, "{run}");
        ["executions", "reached", "premises"].map(|what| run[what].clone())
    };
    let one = seen("1");
    assert_eq!(one[0].as_u64(), Some(34_650));
    assert_eq!(one[1]["the end"].as_u64(), Some(34_650));
    for jobs in ["2", "3"] {
        assert_eq!(seen(jobs), one, "{jobs} processors");
    }
}

#[test]
fn a_verdict_says_which_bound_cut_something_off() {
    let scratch = Scratch::new();
    let ended = verify(&scratch, "explorer/goes-on-and-on", "explorer", &["--strict"]).expect(3);
    assert!(ended.out.contains("1 execution was cut off at the depth bound"), "{}", ended.out);
    let run = &report(&scratch)["runs"][0];
    assert_eq!((&run["verdict"], &run["complete"]), (&"inconclusive".into(), &false.into()));

    let scratch = Scratch::new();
    verify(&scratch, "explorer/counts", "explorer", &[]).expect(0);
    let run = &report(&scratch)["runs"][0];
    assert_eq!(run["complete"], true);
    assert!(run["bounds"].as_str().unwrap().contains("steps per execution"), "{run}");
}

#[test]
fn an_exploration_goes_on_from_its_checkpoint() {
    let scratch = Scratch::new();
    let checkpoints = scratch.path("checkpoints").to_str().unwrap().to_string();
    let more = ["--checkpoint", &checkpoints];
    let explored = |scratch: &Scratch| report(scratch)["runs"][0]["executions"].as_u64().unwrap();
    // However little time there is each time, in the end all is done.
    for _ in 0..200 {
        let ended = verify(&scratch, "explorer/adds-three", "explorer", &more);
        assert!(ended.status == 0, "{}{}", ended.out, ended.err);
        if report(&scratch)["runs"][0]["complete"] == true {
            break;
        }
    }
    let done = explored(&scratch);
    verify(&scratch, "explorer/adds-three", "explorer", &more).expect(0);
    assert_eq!(explored(&scratch), done, "what is done is not done again");
    assert!(report(&scratch)["runs"][0]["reached"]["the end"].as_u64().unwrap() >= done);
}

#[test]
fn a_scenario_may_print_what_it_likes() {
    let scratch = Scratch::new();
    verify(&scratch, "threads/prints", "threads", &[]).expect(0);
}

#[test]
fn wrong_use_is_told_apart() {
    let scratch = Scratch::new();
    antiphon(&["verify", "--no-such-flag"]).expect(2);
    antiphon(&[]).expect(2);
    antiphon(&["verify", "--jobs", "0"]).expect(2);
    let ended = antiphon(&["verify", "--budget", "soon"]).expect(2);
    assert!(ended.err.contains("90s"), "{}", ended.err);
    antiphon(&["verify", "--budget", "0s"]).expect(2);
    let ended = antiphon(&["verify", "--only", "handler-exclusoin"]).expect(2);
    assert!(ended.err.contains("handler-exclusion"), "{}", ended.err);
    let ended = antiphon(&["verify", "--pins", "no/such/file.toml"]).expect(2);
    assert!(ended.err.contains("no/such/file.toml"), "{}", ended.err);
    let pins = scratch.write("pins.toml", "[\"loom/unbounded\"]\n\"x\" = \"many\"\n");
    let ended = antiphon(&["verify", "--pins", pins.to_str().unwrap()]).expect(2);
    assert!(ended.err.contains("line 2"), "{}", ended.err);
    let ended = antiphon(&["replay", "no/such/file.json"]).expect(2);
    assert!(ended.err.contains("no/such/file.json"), "{}", ended.err);
    let ended = antiphon(&["replay", pins.to_str().unwrap()]).expect(2);
    assert!(ended.err.contains("not a failure"), "{}", ended.err);
}

#[test]
fn the_list_has_every_guarantee_with_what_exercises_it() {
    let list = antiphon(&["verify", "--list", "--format", "json"]).expect(0).json();
    let guarantees = list["guarantees"].as_array().unwrap();
    assert_eq!(guarantees.len(), antiphon_spec::Guarantee::ALL.len());
    let no_loss = guarantees.iter().find(|guarantee| guarantee["id"] == "no-loss").unwrap();
    assert_eq!(no_loss["statement"], antiphon_spec::Guarantee::NoLoss.statement());
    assert!(no_loss["scenarios"].as_array().unwrap().iter().any(|scenario| {
        scenario["name"] == "inbox/close/2x1" && scenario["engine"] == "loom/preemptions-2"
    }));
    assert!(no_loss["seeded_bugs"].as_array().unwrap().iter().any(|bug| bug == "spec/LeftoversDropped"));
    for guarantee in guarantees {
        let statement = guarantee["statement"].as_str().unwrap();
        assert!(statement.ends_with('.'), "{guarantee}");
        let scenarios = guarantee["scenarios"].as_array().unwrap();
        let on = |engine: &str| scenarios.iter().any(|on| on["engine"].as_str().unwrap().starts_with(engine));
        // What real threads read and wrote, and what they kept, nobody watches but by way of `io` and sanitizers.
        let unwatched = ["race-freedom", "handover", "no-leak"].contains(&guarantee["id"].as_str().unwrap());
        for engine in ["explorer", "loom", "shuttle", "threads"] {
            assert!(
                on(engine) || (engine == "threads" && unwatched),
                "{} has no scenario on {engine}",
                guarantee["id"]
            );
        }
        assert!(
            !guarantee["seeded_bugs"].as_array().unwrap().is_empty(),
            "{} is never broken",
            guarantee["id"]
        );
    }
    let text = antiphon(&["verify", "--list"]).expect(0).out;
    assert!(text.contains(antiphon_spec::Guarantee::NoLoss.statement().split(',').next().unwrap()), "{text}");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_insist() {
    let scratch = Scratch::new();
    let ended = verify(&scratch, "threads/passes", "threads", &[]).expect(0);
    assert!(!ended.out.contains('\x1b') && !ended.err.contains('\x1b'));
    let list = command().args(["verify", "--list"]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(String::from_utf8(list.stdout).unwrap().contains('\x1b'));
    let mut plain = command();
    plain.args(["verify", "--list"]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1");
    assert!(!String::from_utf8(plain.output().unwrap().stdout).unwrap().contains('\x1b'));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut child = command()
        .args(["verify", "--list", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success());
    assert_eq!(String::from_utf8(ended.stderr).unwrap(), "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ended: common::Ended = command()
        .args(["verify", "--list"])
        .stdout(full())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap()
        .into();
    let ended = ended.expect(2);
    assert!(ended.err.contains("can't write to standard output"), "{}", ended.err);
    let passes =
        ["verify", "--only", "selftest/threads/passes", "--budget", "300ms", "--report", "/dev/full"];
    let ended = antiphon(&[&["--self-test"], &passes[..]].concat()).expect(2);
    assert!(ended.err.contains("/dev/full"), "{}", ended.err);
}
