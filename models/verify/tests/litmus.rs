//! `antiphon litmus`: the table for programs and for people.

mod common;

use std::process::Stdio;

use common::{antiphon, command};

#[test]
fn an_answer_has_what_the_book_says() {
    let only = ["litmus", "--only", "mutex-3x2", "--only", "explorer", "--format", "json"];
    let answers = antiphon(&only).expect(0).json();
    let answers = answers.as_array().expect("an array");
    assert_eq!(answers.len(), 1);
    let answer = &answers[0];
    assert_eq!(answer["program"], "mutex-3x2");
    assert_eq!(answer["engine"], "explorer");
    assert_eq!(answer["executions"], 90);
    assert_eq!(answer["status"], "exact");
    for outcomes in ["outcomes", "expected_sc", "expected_c11"] {
        assert_eq!(answer[outcomes].as_array().map(Vec::len), Some(90), "{outcomes}");
    }
}

#[test]
fn a_hole_and_a_stronger_model_are_told_apart() {
    let statuses = |program: &str, engine: &str| {
        let answers = antiphon(&["litmus", "--only", program, "--only", engine, "--format", "json"]);
        answers.expect(0).json()[0]["status"].clone()
    };
    assert_eq!(statuses("load-then-store", "loom"), "known-hole");
    assert_eq!(statuses("message-passing-relaxed", "naive-dfs"), "stronger-model");
    assert_eq!(statuses("try-receive", "shuttle-dfs"), "exact");
    let told = antiphon(&["litmus", "--only", "load-then-store"]).expect(0).out;
    assert!(told.contains("known hole") && told.contains("loom#392"), "{told}");
    assert!(!told.contains('\x1b'), "nobody asked for colours: {told}");
}

#[test]
fn wrong_use_is_told_apart() {
    let ended = antiphon(&["litmus", "--only", "mutex-3x3"]).expect(2);
    assert!(ended.err.contains("mutex-3x2"), "{}", ended.err);
    antiphon(&["litmus", "--format", "yaml"]).expect(2);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut child = command();
    child.args(["litmus", "--only", "mutex-3x2", "--only", "explorer", "--format", "json"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
