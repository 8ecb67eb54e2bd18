//! `antiphon check`, end to end.

mod common;

use std::io::Write;
use std::process::Stdio;

use common::{Scratch, antiphon, command};

const HEADER: &str =
    "{\"format\":\"antiphon-trace\",\"version\":1,\"runtime\":\"by hand\",\"complete\":true}\n";

/// A process that is sent one message; `handled` says whether it gets it.
fn trace(handled: bool) -> String {
    let mut events = vec![
        r#""ev":"init_begin","actor":1,"kind":"process""#,
        r#""ev":"init_end","actor":1,"ok":true"#,
        r#""ev":"send_begin","msg":1,"thread":"t","to":1"#,
        r#""ev":"send_end","msg":1,"accepted":true"#,
    ];
    if handled {
        events.push(r#""ev":"handle_begin","actor":1,"msg":1"#);
        events.push(r#""ev":"handle_end","actor":1,"msg":1,"ok":true"#);
    }
    events.push(r#""ev":"terminate_begin","actor":1"#);
    events.push(r#""ev":"terminate_end","actor":1"#);
    let numbered = events.iter().enumerate().map(|(seq, event)| format!("{{\"seq\":{},{event}}}\n", seq + 1));
    HEADER.to_string() + &numbered.collect::<String>()
}

#[test]
fn each_verdict_has_its_exit_status() {
    let scratch = Scratch::new();
    let good = scratch.write("good.jsonl", &trace(true));
    let bad = scratch.write("bad.jsonl", &trace(false));
    let empty = scratch.write("empty.jsonl", HEADER);
    let broken =
        scratch.write("broken.jsonl", &trace(true).replace("\"kind\":\"process\"", "\"kind\":\"star\""));
    let [good, bad, empty, broken] =
        [good, bad, empty, broken].map(|path| path.to_str().unwrap().to_string());

    let ended = antiphon(&["check", &good]).expect(0);
    assert!(ended.out.contains("conforms"), "{}", ended.out);
    let ended = antiphon(&["check", &bad]).expect(1);
    assert!(ended.out.contains("violates") && ended.out.contains("no-loss"), "{}", ended.out);
    let ended = antiphon(&["check", &empty]).expect(3);
    assert!(ended.out.contains("nothing could be judged"), "{}", ended.out);
    let ended = antiphon(&["check", &broken]).expect(2);
    assert!(ended.out.contains("line 2, column"), "{}", ended.out);
    let ended = antiphon(&["check", "no/such/file"]).expect(2);
    assert!(ended.out.contains("no/such/file"), "{}", ended.out);

    // The worst of several, in the order 2, 1, 3, 0.
    antiphon(&["check", &good, &empty]).expect(3);
    antiphon(&["check", &bad, &empty, &good]).expect(1);
    antiphon(&["check", &broken, &bad]).expect(2);
    antiphon(&["check"]).expect(2);
}

#[test]
fn programs_get_one_object_for_each_file() {
    let scratch = Scratch::new();
    let good = scratch.write("good.jsonl", &trace(true));
    let bad = scratch.write("bad.jsonl", &trace(false));
    let ended =
        antiphon(&["check", "--format", "json", good.to_str().unwrap(), bad.to_str().unwrap()]).expect(1);
    let objects: Vec<serde_json::Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[0]["file"], good.to_str().unwrap());
    assert_eq!(objects[0]["verdict"], "conforms");
    assert_eq!(objects[1]["verdict"], "violates");
    let guarantees = objects[1]["guarantees"].as_array().unwrap();
    assert_eq!(guarantees.len(), antiphon_spec::Guarantee::ALL.len());
    let lost = guarantees.iter().find(|guarantee| guarantee["id"] == "no-loss").unwrap();
    assert_eq!(lost["verdict"], "violated");
    assert!(lost["evidence"].as_array().unwrap().iter().all(serde_json::Value::is_u64));
    assert!(lost["premises"].as_u64().unwrap() > 0);
}

#[test]
fn a_dash_is_standard_input() {
    let mut child = command()
        .args(["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(trace(false).as_bytes()).unwrap();
    let ended: common::Ended = child.wait_with_output().unwrap().into();
    assert!(ended.expect(1).out.contains("no-loss"));
}
