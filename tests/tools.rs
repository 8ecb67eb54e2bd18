//! Each source of `io` at the other end of the system's own tools, as somebody at a terminal would try it.
//!
//! A tool that is not installed is named and left out. `io::child` and `io::signals` are driven by `sh`, `ps` and `kill` in
//! tests of their own.

mod io_support;

use std::io::{ErrorKind, Write};
use std::net::{TcpListener, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender};

use antiphon::io::lines::{Input, Line};
use antiphon::io::{file, lines, tcp, udp, unix};
use antiphon::{Exit, Node};
use io_support::*;

const SAID: &str = "to whom it may concern\nsecond line\n";

/// What a tool prints when it is given `SAID`; nothing if it is not installed.
fn ask(tool: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(tool);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("not run: {tool} missing");
            return None;
        }
        Err(error) => panic!("{tool}: {error}"),
    };
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(SAID.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it is our child");
    Some(String::from_utf8(output.stdout).expect("what was sent"))
}

/// Each of the tools hears what it said.
#[track_caller]
fn expect_echo(tools: &[(&str, &[&str])]) {
    for (tool, arguments) in tools {
        if let Some(heard) = ask(tool, arguments) {
            assert_eq!(heard, SAID, "{tool} {arguments:?}");
        }
    }
}

fn sh(script: &str) {
    let status = Command::new("sh").args(["-e", "-c", script]).status().expect("the system has sh");
    assert!(status.success(), "{script}");
}

struct Echo;

/// On TCP and on Unix sockets.
impl tcp::Session for Echo {
    fn received(&mut self, data: tcp::Data, connection: &mut tcp::Connection<'_>) -> Result<(), Exit> {
        Ok(connection.write(data)?)
    }
}

impl udp::Session for Echo {
    fn received(&mut self, datagram: udp::Datagram, socket: &mut udp::Socket<'_>) -> Result<(), Exit> {
        Ok(socket.send(datagram.peer, datagram.data)?)
    }
}

#[test]
fn tcp_answers_nc_and_socat() {
    let node = Node::new();
    let socket = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = socket.local_addr().expect("it is bound");
    own(&node, move |context| {
        let (reader, handler) = tcp::listener(socket, |_| Echo)?;
        context.spawn_meta(reader, handler).map(drop)?;
        Ok(())
    });
    expect_echo(&[
        ("nc", &["-N", "127.0.0.1", &address.port().to_string()]),
        ("socat", &["-t", "10", "-", &format!("TCP:{address}")]),
    ]);
    stop(&node);
}

#[test]
fn udp_answers_nc_and_socat() {
    let node = Node::new();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = socket.local_addr().expect("it is bound");
    own(&node, move |context| {
        let (reader, handler) = udp::socket(socket, Echo)?;
        context.spawn_meta(reader, handler).map(drop)?;
        Ok(())
    });
    // Nobody says that a conversation in datagrams is over: they wait that long for another one.
    expect_echo(&[
        ("nc", &["-u", "-w", "1", "127.0.0.1", &address.port().to_string()]),
        ("socat", &["-t", "1", "-", &format!("UDP:{address}")]),
    ]);
    stop(&node);
}

#[test]
fn unix_answers_nc_and_socat() {
    let directory = Directory::new();
    let path = directory.join("socket");
    let node = Node::new();
    let socket = unix::Listener::bind(&path).expect("nobody listens there");
    own(&node, move |context| {
        let (reader, handler) = unix::listener(socket, |_| Echo)?;
        context.spawn_meta(reader, handler).map(drop)?;
        Ok(())
    });
    let path = path.to_str().expect("it is text");
    expect_echo(&[
        ("nc", &["-N", "-U", path]),
        ("socat", &["-t", "10", "-", &format!("UNIX-CONNECT:{path}")]),
    ]);
    stop(&node);
}

/// The lines that `input` gives to an actor.
fn lines(node: &Node, input: Input) -> Receiver<Line> {
    let (to, told) = collect(node);
    own(node, move |context| {
        context.spawn_meta(input, lines::Forward::new(to)).map(drop)?;
        Ok(())
    });
    told
}

#[track_caller]
fn expect_lines(told: &Receiver<Line>, expected: &[&str]) {
    for expected in expected {
        match told.recv_timeout(LONG).expect("a line comes") {
            Line::Whole(line) => assert_eq!(String::from_utf8_lossy(&line), *expected),
            other => panic!("expected {expected:?}, not {other:?}"),
        }
    }
}

#[test]
fn lines_come_through_a_pipe_of_the_shell() {
    let node = Node::new();
    let mut shell = Command::new("sh")
        .args(["-c", "printf 'b\\na\\nc\\n' | sort | tr a-z A-Z"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the system has sh");
    let pipe = shell.stdout.take().expect("it is piped");
    expect_lines(&lines(&node, Input::of(pipe).expect("it can be read")), &["A", "B", "C"]);
    assert!(shell.wait().expect("it is our child").success());
    stop(&node);
}

#[test]
fn lines_come_through_a_fifo_of_the_shell() {
    let directory = Directory::new();
    let path = directory.join("fifo");
    sh(&format!("mkfifo '{}'", path.display()));
    let node = Node::new();
    let told = lines(&node, Input::fifo(&path).expect("it is a FIFO"));
    for round in 0..3 {
        sh(&format!("echo {round} > '{}'", path.display()));
        expect_lines(&told, &[&round.to_string()]);
    }
    stop(&node);
}

/// Hands lines and changes to the test.
struct Follow(Sender<String>);

impl file::Session for Follow {
    type Unit = file::Line;

    fn received(&mut self, line: file::Line, _: &mut file::Reading<'_, file::Line>) -> Result<(), Exit> {
        let file::Line::Whole(line) = line else { panic!("the lines are short") };
        self.0.send(String::from_utf8_lossy(&line).into_owned()).map_err(|_| Exit::Normal)
    }

    fn changed(&mut self, change: file::Change, _: &mut file::Reading<'_, file::Line>) -> Result<(), Exit> {
        self.0.send(format!("{change:?}")).map_err(|_| Exit::Normal)
    }
}

#[test]
fn a_file_is_followed_while_the_shell_rotates_it() {
    let directory = Directory::new();
    let path = directory.join("log");
    sh(&format!("echo one > '{}'", path.display()));
    let node = Node::new();
    let (tell, told) = std::sync::mpsc::channel();
    let options = file::Options::new(&path).follow();
    let (reader, handler) = file::reader(options, Follow(tell)).expect("it can be read");
    own(&node, move |context| {
        context.spawn_meta(reader, handler).map(drop)?;
        Ok(())
    });
    let expect = |expected: &str| {
        assert_eq!(told.recv_timeout(LONG).expect("something comes"), expected);
    };
    expect("one");
    let log = path.display();
    sh(&format!("echo two >> '{log}'"));
    expect("two");
    // As logrotate does it, with another file and with the same.
    sh(&format!("echo three > '{log}.new'; mv '{log}' '{log}.1'; mv '{log}.new' '{log}'"));
    // Between the two there was no file of that name, which it may have seen.
    let next = told.recv_timeout(LONG).expect("something comes");
    if next == "Removed" {
        expect("Replaced");
    } else {
        assert_eq!(next, "Replaced");
    }
    expect("three");
    sh(&format!("cp '{log}' '{log}.2'; : > '{log}'"));
    expect("Truncated");
    sh(&format!("echo four >> '{log}'"));
    expect("four");
    stop(&node);
}
