//! `io::lines` on standard input, of whatever kind it is.

mod io_support;

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::{env, io};

use antiphon::io::lines::{Input, Line};
use antiphon::{Exit, Handler, HandlerContext, Node};
use io_support::*;
use rustix::fs::{OFlags, fcntl_getfl};

/// Prints lines, each behind a mark, and tells the test why it ended.
struct Print(Sender<Exit>);

impl Handler for Print {
    type Message = Line;

    fn handle(&mut self, line: Line, _: &mut HandlerContext<'_, Line>) -> Result<(), Exit> {
        match line {
            Line::Whole(line) => println!("\n> {}", String::from_utf8_lossy(&line)),
            other => panic!("{other:?}"),
        }
        Ok(())
    }

    fn terminate(&mut self, reason: &Exit, _: &mut HandlerContext<'_, Line>) {
        let _ = self.0.send(reason.clone());
    }
}

/// Set in the process whose standard input is read.
const READS_STDIN: &str = "ANTIPHON_TEST_READS_STDIN";

/// Reads standard input to its end, and says what came.
fn read_standard_input() {
    let before = fcntl_getfl(io::stdin()).expect("it is open");
    let node = Node::new();
    let (tell, told) = mpsc::channel();
    own(&node, |context| {
        context.spawn_meta(Input::stdin()?, Print(tell))?;
        Ok(())
    });
    println!("\nend {}", told.recv_timeout(LONG).expect("it ends"));
    stop(&node);
    assert_eq!(fcntl_getfl(io::stdin()).expect("it is open"), before, "standard input was changed");
}

fn start_with(stdin: impl Into<Stdio>) -> Child {
    Command::new(env::current_exe().expect("this program has a path"))
        .args(["standard_input_may_be_a_pipe", "--exact", "--nocapture"])
        .env(READS_STDIN, "1")
        .stdin(stdin)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program can be started")
}

/// What such a process said that it read, when it has ended as it should.
fn said(child: Child) -> Vec<String> {
    let output = child.wait_with_output().expect("it is our child");
    let text = String::from_utf8(output.stdout).expect("it is text");
    assert!(output.status.success(), "{text}");
    assert!(text.contains("end normal"), "{text}");
    text.lines().filter_map(|line| line.strip_prefix("> ")).map(String::from).collect()
}

/// The processes that the tests start run this one, and read.
#[test]
fn standard_input_may_be_a_pipe() {
    if env::var_os(READS_STDIN).is_some() {
        return read_standard_input();
    }
    let mut child = start_with(Stdio::piped());
    child.stdin.take().expect("it is piped").write_all(b"one\ntwo").expect("it is read");
    assert_eq!(said(child), ["one", "two"]);
}

#[test]
fn standard_input_may_be_a_file_and_is_read_from_where_it_stands() {
    let directory = Directory::new();
    let path = directory.join("file");
    fs::write(&path, "skipped\none\ntwo\n").expect("the directory can be written to");
    let mut file = File::open(&path).expect("it is there");
    file.read_exact(&mut [0; 8]).expect("it is long enough");
    assert_eq!(said(start_with(file)), ["one", "two"]);
}

#[test]
fn standard_input_may_be_nothing() {
    assert_eq!(said(start_with(Stdio::null())), [""; 0]);
}

#[test]
fn standard_input_may_be_a_socket() {
    let (mut ours, theirs) = UnixStream::pair().expect("there are descriptors");
    let child = start_with(OwnedFd::from(theirs));
    ours.write_all(b"one\ntwo\n").expect("it is read");
    drop(ours);
    assert_eq!(said(child), ["one", "two"]);
}

#[test]
fn standard_input_may_be_a_terminal() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are terminals");
    grantpt(&controller).and_then(|()| unlockpt(&controller)).expect("it is ours");
    let name = ptsname(&controller, Vec::new()).expect("it has a name").into_string().expect("it is text");
    let terminal = OpenOptions::new().read(true).write(true).open(name).expect("it is ours");
    let child = start_with(terminal.try_clone().expect("there are descriptors"));
    // Control-D, which is an end.
    let mut keyboard = File::from(controller);
    keyboard.write_all(b"one\ntwo\n\x04").expect("it is a terminal");
    assert_eq!(said(child), ["one", "two"]);
    assert!(!fcntl_getfl(terminal.as_fd()).expect("it is open").contains(OFlags::NONBLOCK));
}
