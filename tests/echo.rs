//! The example `echo`, driven as a user would drive it.

mod example_support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;

use example_support::{Server, refuses};
use rustix::process::Signal;

#[test]
fn lines_come_back_and_control_c_ends_it() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut echo = Server::start("echo");
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

        echo.example.signal(signal);
        assert_eq!(echo.example.rest(), "stopped\n");
        assert_eq!(answers.read_line(&mut String::new()).ok(), Some(0), "its clients see the end");
    }
}

#[test]
fn control_c_ends_it_from_when_it_says_that_it_listens() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut echo = Server::start("echo");
        echo.example.signal(signal);
        assert_eq!(echo.example.rest(), "stopped\n");
    }
}

#[test]
fn an_address_in_use_is_an_error_that_says_so() {
    let echo = Server::start("echo");
    let stderr = refuses("echo", &[&echo.address]);
    assert!(stderr.contains(&format!("cannot listen on {}", echo.address)), "{stderr}");
    assert!(stderr.contains("in use"), "{stderr}");
}

#[test]
fn an_address_that_is_none_is_an_error_that_says_so() {
    let stderr = refuses("echo", &["nonsense"]);
    assert!(stderr.contains("cannot listen on nonsense"), "{stderr}");
}
