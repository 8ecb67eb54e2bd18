//! The example `chat`, driven as a user would drive it.

mod example_support;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Stdio};

use example_support::{Server, refuses};
use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::process::Signal;

/// Somebody at a terminal.
struct Person(BufReader<TcpStream>);

impl Person {
    fn connect(chat: &Server) -> Self {
        Self(BufReader::new(chat.connect()))
    }

    /// Connects and has a name.
    fn join(chat: &Server, name: &str) -> Self {
        let mut person = Self::connect(chat);
        person.hears("* what is your name?");
        person.says(name);
        person.hears(&format!("* welcome, {name}"));
        person
    }

    fn says(&mut self, line: &str) {
        writeln!(self.0.get_mut(), "{line}").expect("it reads");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("it goes on");
        line.trim_end().to_owned()
    }

    fn hears(&mut self, line: &str) {
        assert_eq!(self.line(), line);
    }

    fn hears_the_end(&mut self) {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).expect("an end, and not a reset");
        assert_eq!(rest, "");
    }
}

#[test]
fn what_one_says_the_others_hear_until_control_c_ends_it() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut chat = Server::start("chat");
        let mut anna = Person::join(&chat, "anna");
        let mut berta = Person::join(&chat, "berta");
        anna.hears("* berta joins");
        let mut clara = Person::join(&chat, "clara");
        anna.hears("* clara joins");
        berta.hears("* clara joins");

        anna.says("good morning");
        berta.hears("anna: good morning");
        clara.hears("anna: good morning");
        // Several lines at once, and one in pieces.
        berta.says("one\n\ntwo");
        for piece in ["th", "r", "ee\n"] {
            berta.0.get_mut().write_all(piece.as_bytes()).expect("it reads");
        }
        for line in ["berta: one", "berta: two", "berta: three"] {
            anna.hears(line);
            clara.hears(line);
        }

        clara.0.get_mut().shutdown(Shutdown::Write).expect("the socket is open");
        clara.hears_the_end();
        anna.hears("* clara leaves");
        berta.hears("* clara leaves");

        chat.example.signal(signal);
        assert_eq!(chat.example.rest(), "stopped\n");
        anna.hears_the_end();
        berta.hears_the_end();
    }
}

#[test]
fn a_name_is_one_word_and_nobody_elses() {
    let chat = Server::start("chat");
    let mut anna = Person::join(&chat, "anna");
    let mut other = Person::connect(&chat);
    other.hears("* what is your name?");
    for name in ["anna", "anna the second"] {
        other.says(name);
        other.hears("* take another name: one word, and nobody else's");
    }
    other.says("berta");
    other.hears("* welcome, berta");
    anna.hears("* berta joins");
    drop(other);
    anna.hears("* berta leaves");
    // It is free again.
    Person::join(&chat, "berta");
    anna.hears("* berta joins");
}

#[test]
fn a_line_without_end_is_not_collected() {
    let chat = Server::start("chat");
    let mut anna = Person::join(&chat, "anna");
    let mut client = chat.connect();
    // It is closed in the middle of it.
    let error = loop {
        if let Err(error) = client.write_all(&[b'x'; 1000]) {
            break error;
        }
    };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    let mut berta = Person::join(&chat, "berta");
    anna.hears("* berta joins");
    berta.says("still here");
    anna.hears("berta: still here");
}

#[test]
fn somebody_who_does_not_read_holds_up_nobody_and_is_told_what_they_missed() {
    // More than what fits into all buffers between the two.
    const LINES: usize = 15_000;
    let line = |number: usize| format!("{number:0>1000}");
    let chat = Server::start("chat");
    let mut speaker = Person::join(&chat, "speaker");
    let mut listener = Person::join(&chat, "listener");
    let mut sleeper = Person::join(&chat, "sleeper");
    set_socket_recv_buffer_size(sleeper.0.get_ref(), 64 << 10).expect("it is a socket");
    speaker.hears("* listener joins");
    speaker.hears("* sleeper joins");
    listener.hears("* sleeper joins");
    for number in 0..LINES {
        speaker.says(&line(number));
        // So that the one who reads is never slow, whatever else the machine does.
        if number % 50 == 49 {
            (number - 49..=number).for_each(|number| listener.hears(&format!("speaker: {}", line(number))));
        }
    }
    // Wakes up, and hears the beginning, and how much was lost. What is lost is the end: it was slow until now.
    let mut heard = 0;
    let missed = loop {
        let next = sleeper.line();
        match next.strip_prefix("* you missed ").and_then(|rest| rest.strip_suffix(" lines")) {
            Some(missed) => break missed.parse::<usize>().expect("a number"),
            None => assert_eq!(next, format!("speaker: {}", line(heard))),
        }
        heard += 1;
    };
    assert_eq!(heard + missed, LINES);
    speaker.says("are you there?");
    sleeper.hears("speaker: are you there?");
    sleeper.says("now I am");
    speaker.hears("sleeper: now I am");
}

#[test]
fn the_systems_own_client_can_join() {
    let chat = Server::start("chat");
    let mut anna = Person::join(&chat, "anna");
    let (host, port) = chat.address.split_once(':').expect("an address and a port");
    let mut client = match Command::new("nc")
        .args(["-N", host, port])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
    {
        Ok(client) => client,
        Err(error) => return println!("skipped, for there is no nc: {error}"),
    };
    let mut keyboard = client.stdin.take().expect("it is piped");
    keyboard.write_all(b"berta\nhello\n").expect("it reads");
    anna.hears("* berta joins");
    anna.hears("berta: hello");
    drop(keyboard);
    anna.hears("* berta leaves");
    let output = client.wait_with_output().expect("it is our child");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "* what is your name?\n* welcome, berta\n");
}

#[test]
fn an_address_in_use_is_an_error_that_says_so() {
    let chat = Server::start("chat");
    let stderr = refuses("chat", &[&chat.address]);
    assert!(stderr.contains(&format!("cannot listen on {}", chat.address)), "{stderr}");
}
