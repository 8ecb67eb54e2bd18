//! The example `tail`, driven as a user would drive it.

mod example_support;
mod io_support;

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use example_support::{program, refuses};
use io_support::Directory;
use rustix::process::{Pid, Signal, kill_process};

/// The example; killed if the test ends before it does.
struct Tail {
    child: Child,
    out: BufReader<ChildStdout>,
    news: BufReader<ChildStderr>,
}

impl Drop for Tail {
    fn drop(&mut self) {
        // It may have ended, as it should.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).expect("it writes text");
    assert!(line.ends_with('\n'), "it ended after {line:?}");
    line.trim_end().to_owned()
}

impl Tail {
    fn start(files: &[&Path]) -> Self {
        let mut child = Command::new(program("tail"))
            .args(files)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("cargo has built the example");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        let news = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut tail = Self { child, out, news };
        assert_eq!(line(&mut tail.news), "tail: following");
        tail
    }

    fn expect(&mut self, lines: &[&str]) {
        lines.iter().for_each(|expected| assert_eq!(line(&mut self.out), *expected));
    }

    fn expect_news(&mut self, news: &str) {
        let said = line(&mut self.news);
        assert!(said.ends_with(news), "{said} instead of {news}");
    }

    /// Has it end by a signal, with success and without another word.
    fn end(&mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
        assert!(self.child.wait().expect("it is our child").success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("it writes text");
        self.news.read_to_string(&mut rest).expect("it writes text");
        assert_eq!(rest, "");
    }
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("it can be written to");
    file.write_all(text.as_bytes()).expect("the disk has room");
}

#[test]
fn what_is_added_is_printed_and_control_c_ends_it() {
    for signal in [Signal::INT, Signal::TERM] {
        let directory = Directory::new();
        let path = directory.join("log");
        append(&path, "old\n");
        let mut tail = Tail::start(&[&path]);
        append(&path, "new\nand more\n");
        tail.expect(&["new", "and more"]);

        File::create(&path).expect("it can be written to");
        tail.expect_news("log was truncated");
        append(&path, "after\n");
        tail.expect(&["after"]);

        fs::rename(&path, directory.join("log.1")).expect("it is there");
        tail.expect_news("log was renamed or removed");
        append(&directory.join("log.1"), "late\n");
        tail.expect(&["late"]);
        append(&path, "first of the next\n");
        tail.expect(&["first of the next"]);
        tail.expect_news("log is another file now");
        tail.end(signal);
    }
}

#[test]
fn several_files_are_told_apart_and_one_may_come_later() {
    let directory = Directory::new();
    let (first, second) = (directory.join("first"), directory.join("second"));
    append(&first, "");
    let mut tail = Tail::start(&[&first, &second]);
    append(&first, "one\n");
    tail.expect(&[&format!("==> {} <==", first.display()), "one"]);
    append(&second, "two\n");
    tail.expect_news("second has appeared");
    tail.expect(&[&format!("==> {} <==", second.display()), "two"]);
    append(&second, "three\n");
    tail.expect(&["three"]);
    tail.end(Signal::INT);
}

#[test]
fn what_cannot_be_followed_is_an_error_that_says_so() {
    assert!(refuses("tail", &[]).contains("which files?"));
    let directory = Directory::new();
    let nowhere = directory.join("nowhere/log");
    let stderr = refuses("tail", &[nowhere.to_str().expect("it is text")]);
    assert!(stderr.contains("nowhere: "), "{stderr}");
}
