//! The example `echo`, driven as a user would drive it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// The example, built like this test; `cargo test` has done so already unless it was told to run one test.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("this program has a path");
    let directory = test.ancestors().nth(2).expect("target/<directory>/deps/<test>");
    let profile = if directory.ends_with("debug") { "test" } else { "bench" };
    let target = directory.parent().expect("target/<directory>");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--example", "echo", "--profile", profile, "--target-dir"])
        .arg(target)
        .status()
        .expect("cargo, which started this test, can be started");
    assert!(built.success());
    directory.join("examples/echo")
}

/// The example, killed if the test ends before it does.
struct Echo {
    child: Child,
    address: String,
}

impl Drop for Echo {
    fn drop(&mut self) {
        // It may have ended, as it should.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Echo {
    fn start() -> Self {
        let mut child = Command::new(program())
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo has built the example");
        let stdout = child.stdout.as_mut().expect("it is piped");
        let mut line = String::new();
        // One byte at a time: what comes after this line is for others.
        while !line.ends_with('\n') {
            let mut byte = [0];
            stdout.read_exact(&mut byte).expect("the example says where it listens");
            line.push(byte[0].into());
        }
        let address = line.trim().strip_prefix("listening on ").expect("it says so").to_owned();
        Self { child, address }
    }

    fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(&self.address).expect("it listens");
        client.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout of some length");
        client
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it runs");
    }
}

#[test]
fn lines_come_back_and_control_c_ends_it() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut echo = Echo::start();
        let mut client = echo.connect();
        let mut answers = BufReader::new(client.try_clone().expect("there are descriptors"));
        for line in ["hello\n", "a second line\n"] {
            client.write_all(line.as_bytes()).expect("it reads");
            let mut answer = String::new();
            answers.read_line(&mut answer).expect("it answers");
            assert_eq!(answer, line);
        }
        // A second client, who says all at once and waits for the rest, like `echo text | nc`.
        let mut other = echo.connect();
        other.write_all(b"all at once").expect("it reads");
        other.shutdown(Shutdown::Write).expect("the socket is open");
        let mut answer = String::new();
        other.read_to_string(&mut answer).expect("it answers");
        assert_eq!(answer, "all at once");

        echo.signal(signal);
        assert!(echo.child.wait().expect("it is our child").success());
        let mut rest = String::new();
        echo.child.stdout.take().expect("it is piped").read_to_string(&mut rest).expect("it is text");
        assert_eq!(rest, "stopped\n");
        assert_eq!(answers.read_line(&mut String::new()).ok(), Some(0), "its clients see the end");
    }
}

fn fails(address: &str) -> String {
    let Output { status, stderr, .. } =
        Command::new(program()).arg(address).output().expect("cargo has built the example");
    assert_eq!(status.code(), Some(1));
    String::from_utf8(stderr).expect("it is text")
}

#[test]
fn an_address_in_use_is_an_error_that_says_so() {
    let echo = Echo::start();
    let stderr = fails(&echo.address);
    assert!(stderr.contains(&format!("cannot listen on {}", echo.address)), "{stderr}");
    assert!(stderr.contains("in use"), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn an_address_that_is_none_is_an_error_that_says_so() {
    let stderr = fails("nonsense");
    assert!(stderr.contains("cannot listen on nonsense"), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}
