//! An example, built and started as a user would start it.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// No single step takes that long, unless something hangs.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// The example, built like this test; `cargo test` has done so already unless it was told to run one test.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this program has a path");
    let directory = test.ancestors().nth(2).expect("target/<directory>/deps/<test>");
    let profile = if directory.ends_with("debug") { "test" } else { "bench" };
    let target = directory.parent().expect("target/<directory>");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--example", name, "--profile", profile, "--target-dir"])
        .arg(target)
        .status()
        .expect("cargo, which started this test, can be started");
    assert!(built.success());
    directory.join("examples").join(name)
}

/// An example that runs; killed if the test ends before it does.
pub(crate) struct Example {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Drop for Example {
    fn drop(&mut self) {
        // It may have ended, as it should.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Example {
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(program(name))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo has built the example");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, stdout }
    }

    /// The next line that it writes, without its end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("it writes text");
        assert!(line.ends_with('\n'), "it ended after {line:?}");
        line.trim_end().to_owned()
    }

    /// What it writes until it ends, as it is expected to: with success.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("it writes text");
        assert!(self.child.wait().expect("it is our child").success());
        rest
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }
}

/// A server that runs, and where it listens: it is an example that says so first.
pub(crate) struct Server {
    pub(crate) example: Example,
    pub(crate) address: String,
}

impl Server {
    /// Starts it on a free port.
    pub(crate) fn start(name: &str) -> Self {
        let mut example = Example::start(name, &["127.0.0.1:0"]);
        let address = example.line().strip_prefix("listening on ").expect("it says so").to_owned();
        Self { example, address }
    }

    /// Connects a client on which nothing waits for ever.
    pub(crate) fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(&self.address).expect("it listens");
        client.set_read_timeout(Some(LONG)).expect("a timeout of some length");
        client.set_write_timeout(Some(LONG)).expect("a timeout of some length");
        client
    }
}

/// What an example says when it cannot start, for the reason that the arguments are.
pub(crate) fn refuses(name: &str, arguments: &[&str]) -> String {
    let Output { status, stderr, .. } =
        Command::new(program(name)).args(arguments).output().expect("cargo has built the example");
    assert_eq!(status.code(), Some(1));
    let stderr = String::from_utf8(stderr).expect("it is text");
    assert!(!stderr.contains("panicked"), "{stderr}");
    stderr
}
