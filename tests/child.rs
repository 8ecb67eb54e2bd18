//! `io::child` with real child processes: what is told of them, and what is written to them.

mod child_support;
mod io_support;

use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::process;
use std::time::Duration;

use antiphon::io::Signal;
use antiphon::io::child::{self, Command, Data, Event, Forward, Line, Options, Stream};
use antiphon::{Exit, Node};
use child_support::*;
use io_support::*;

#[test]
fn lines_and_the_exit_status_are_told_and_that_is_the_end() {
    let node = Node::new();
    let script = "echo venite; echo adoremus >&2; printf 'a b\\n\\nno end'; exit 3";
    let child = run(&node, Options::new(), &mut shell(script));
    let rest = child.rest();
    assert_eq!(rest.stdout, ["venite", "a b", "", "no end"]);
    assert_eq!(rest.stderr, ["adoremus"]);
    assert_eq!(rest.status.and_then(|status| status.code()), Some(3));
    assert_eq!(rest.reason, Exit::Normal);
    wait_until(|| !is_there(child.pid));
    stop(&node);
}

#[test]
fn a_death_by_a_signal_is_a_status_too() {
    let node = Node::new();
    let child = run(&node, Options::new(), &mut shell("kill -SEGV $$"));
    assert_eq!(child.rest().status.and_then(|status| status.signal()), Some(11));
    stop(&node);
}

#[test]
fn chunks_come_whole_and_in_order() {
    let node = Node::new();
    let child: Running<Data> = run_by(&node, Options::new(), process::Command::new("cat").arg("-"));
    let sent = pattern(3 << 20);
    child.send(Command::write(sent.clone()));
    child.send(Command::close_stdin());
    let mut back = Vec::new();
    loop {
        match child.next() {
            Event::Output { unit, .. } => back.extend_from_slice(&unit),
            Event::Exited { .. } => break,
            _ => {}
        }
    }
    assert!(back == sent, "{} of {} bytes came back before the exit", back.len(), sent.len());
    stop(&node);
}

#[test]
fn bytes_that_are_no_text_are_lines() {
    let node = Node::new();
    let child = run(&node, Options::new(), process::Command::new("cat").arg("-"));
    child.send(Command::write(&b"\xff\xfe\0x\r\n\x80\n"[..]));
    child.send(Command::close_stdin());
    for expected in [&b"\xff\xfe\0x\r"[..], b"\x80"] {
        match child.next() {
            Event::Output { unit: Line::Whole(line), .. } => assert_eq!(&line[..], expected),
            other => panic!("expected Output, not {other:?}"),
        }
    }
    stop(&node);
}

#[test]
fn a_line_that_is_too_long_comes_in_parts() {
    let node = Node::new();
    let script = "printf '12345\\n123456\\n1234567890\\n12345678901\\n\\n'";
    let child = run(&node, Options::new().limit(5), &mut shell(script));
    // Each with whether its line ends there, if it is a part of one.
    let expected = [
        ("12345", None),
        ("12345", Some(false)),
        ("6", Some(true)),
        ("12345", Some(false)),
        ("67890", Some(true)),
        ("12345", Some(false)),
        ("67890", Some(false)),
        ("1", Some(true)),
        ("", None),
    ];
    for expected in expected {
        let Event::Output { unit, .. } = child.next() else { panic!("there are more lines") };
        let part = if let Line::Part { last, .. } = &unit { Some(*last) } else { None };
        assert_eq!((text(&unit).as_str(), part), expected);
    }
    stop(&node);
}

#[test]
fn thousands_of_lines_all_come() {
    let node = Node::new();
    let script = "seq 1 200000; seq 1 1000 >&2";
    let rest = run(&node, Options::new(), &mut shell(script)).rest();
    assert!(rest.stdout.iter().map(|line| line.parse::<u32>()).eq((1..=200_000).map(Ok)));
    assert_eq!(rest.stderr.len(), 1000);
    assert!(rest.status.is_some_and(|status| status.success()));
    stop(&node);
}

#[test]
fn what_the_child_wrote_itself_is_told_before_its_exit() {
    let node = Node::new();
    for round in 0..100 {
        let script = format!("seq 1 500; printf {round}");
        let child = run(&node, Options::new(), &mut shell(&script));
        let mut lines = 0;
        let last = loop {
            match child.next() {
                Event::Output { unit: Line::Whole(line), .. } if lines == 500 => break line,
                Event::Output { .. } => lines += 1,
                Event::OutputEnded { stream: Stream::Stderr, .. } => {}
                other => panic!("{other:?} after {lines} lines"),
            }
        };
        assert_eq!(&*last, round.to_string().as_bytes());
        assert!(child.exited().success());
    }
    stop(&node);
}

#[test]
fn a_child_that_cannot_be_started_is_an_error_that_names_it() {
    let node = Node::new();
    let (to, _events) = collect(&node);
    let error = child::start(&mut process::Command::new("/nowhere/nothing"), Forward::<Event>::new(to))
        .map(drop)
        .expect_err("there is no such program");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("cannot start /nowhere/nothing"), "{error}");
    stop(&node);
}

#[test]
fn standard_input_is_written_in_order_and_closed_after_that() {
    let node = Node::new();
    let child = run(&node, Options::new(), process::Command::new("sort").arg("-r"));
    for line in ["venite\n", "adoremus\n", "gloria\n"] {
        child.send(Command::write(line));
    }
    child.send(Command::close_stdin());
    let rest = child.rest();
    assert_eq!(rest.stdout, ["venite", "gloria", "adoremus"]);
    stop(&node);
}

#[test]
fn a_child_that_does_not_read_is_told_of_and_catches_up() {
    let node = Node::new();
    let script = "read go; exec wc -c";
    let child = run(&node, Options::new(), &mut shell(script));
    let piece = vec![b'x'; 1 << 20];
    (0..4).for_each(|_| child.send(Command::write(piece.clone())));
    assert!(matches!(child.next(), Event::Congested { .. }));
    // It has read nothing but its first line, which never ends: let it begin anew.
    child.send(Command::write("\n1234"));
    child.send(Command::close_stdin());
    assert!(matches!(child.next(), Event::Drained { .. }));
    assert_eq!(child.rest().stdout, ["4"]);
    stop(&node);
}

#[test]
fn what_a_child_never_reads_is_limited() {
    let node = Node::new();
    let child = run(&node, Options::new(), process::Command::new("sleep").arg("600"));
    let piece = vec![b'x'; 1 << 20];
    while child.meta.send(Command::write(piece.clone())).is_ok() {}
    match child.rest().reason {
        Exit::Failed(text) => assert!(text.contains("does not read"), "{text}"),
        other => panic!("expected a failure, not {other:?}"),
    }
    stop(&node);
    assert!(!is_there(child.pid));
}

#[test]
fn a_child_that_closes_its_input_is_no_failure() {
    let node = Node::new();
    let script = "trap 'echo on; exit 0' USR1; exec <&-; echo closed; while :; do sleep 0.01; done";
    let child = run(&node, Options::new(), &mut shell(script));
    assert_eq!(child.line(), "closed");
    child.send(Command::write("nobody reads this"));
    assert!(matches!(child.next(), Event::StdinClosed { .. }));
    child.send(Command::write("nor this"));
    child.send(Command::signal(Signal::User1));
    assert_eq!(child.line(), "on");
    assert!(child.exited().success());
    stop(&node);
}

#[test]
fn a_child_that_closes_its_outputs_early_runs_on() {
    let node = Node::new();
    let child = run(&node, Options::new(), &mut shell("echo bye; exec >&- 2>&-; read line; exit 5"));
    assert_eq!(child.line(), "bye");
    let mut ended = [child.next(), child.next()].map(|event| match event {
        Event::OutputEnded { stream, .. } => stream,
        other => panic!("expected OutputEnded, not {other:?}"),
    });
    ended.sort();
    assert_eq!(ended, [Stream::Stdout, Stream::Stderr]);
    assert!(is_there(child.pid));
    child.send(Command::write("\n"));
    assert_eq!(child.rest().status.and_then(|status| status.code()), Some(5));
    stop(&node);
}

#[test]
fn a_child_that_writes_faster_than_it_is_listened_to_is_held_up() {
    let node = Node::new();
    let child = run(&node, Options::new(), &mut shell("yes '' | head -n 3000000"));
    let mut kept = vec![child.next()];
    // Empty lines, too, have a weight: else they would fill the memory.
    while let Ok(event) = child.events.recv_timeout(Duration::from_millis(300)) {
        kept.push(event);
        assert!(kept.len() < 50_000, "the child is not held up");
    }
    assert!(is_there(child.pid), "it waits");
    let seen = kept.len();
    drop(kept);
    let rest = child.rest();
    assert_eq!(seen + rest.stdout.len(), 3_000_000);
    stop(&node);
}

#[test]
fn streams_that_are_not_connected_are_left_alone() {
    let node = Node::new();
    let options = Options::new().stdin(process::Stdio::null()).stderr(process::Stdio::null());
    let child = run(&node, options, &mut shell("echo lost >&2; cat; echo kept"));
    let rest = child.rest();
    assert_eq!((rest.stdout, rest.stderr), (vec!["kept".to_owned()], vec![]));
    stop(&node);
}

#[test]
fn a_child_inherits_nothing_but_its_three_streams() {
    let node = Node::new();
    let mut list = shell("ls /proc/self/fd");
    // What this program has inherited itself is passed on.
    let inherited = list.output().expect("it can be started").stdout;
    let _others: Vec<_> =
        (0..5).map(|_| run(&node, Options::new(), process::Command::new("cat").arg("-"))).collect();
    let listed = run(&node, Options::new(), &mut list).rest().stdout;
    assert_eq!(listed, String::from_utf8_lossy(&inherited).lines().collect::<Vec<_>>());
    stop(&node);
}
