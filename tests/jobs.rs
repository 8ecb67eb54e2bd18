//! The example `jobs`, driven as a user would drive it.

mod example_support;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use example_support::{Server, refuses};
use rustix::process::Signal;

/// Somebody at a terminal.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(server: &Server) -> Self {
        Self(BufReader::new(server.connect()))
    }

    fn says(&mut self, line: &str) {
        writeln!(self.0.get_mut(), "{line}").expect("it reads");
    }

    fn hears(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("it goes on");
        line.trim_end().to_owned()
    }

    fn asks(&mut self, line: &str) -> String {
        self.says(line);
        self.hears()
    }
}

#[test]
fn work_is_done_and_what_crashes_its_workers_is_given_up() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut server = Server::start("jobs");
        let mut client = Client::connect(&server);
        assert_eq!(client.asks("factor 360360"), "13");
        assert_eq!(client.asks("factor 4294967291"), "4294967291");
        assert_eq!(client.asks("crash"), "given up: each worker that tried it has failed");
        // Whoever crashed is replaced.
        assert_eq!(client.asks("factor 91"), "13");
        while client.asks("status") != "2 workers, 0 jobs in work, 0 waiting" {}
        assert!(client.asks("factor a").starts_with("say: factor NUMBER"));
        server.example.signal(signal);
        assert_eq!(server.example.rest(), "stopped\n");
    }
}

#[test]
fn every_job_of_every_client_is_answered_once() {
    let server = Server::start("jobs");
    let mut clients: Vec<_> = (0..4).map(|_| Client::connect(&server)).collect();
    for client in &mut clients {
        for number in 0..20 {
            client.says(if number % 10 == 9 { "crash" } else { "factor 35" });
        }
    }
    for client in &mut clients {
        let mut given_up = 0;
        for _ in 0..20 {
            match client.hears().as_str() {
                // A worker may have been ended by nobody's fault but the crash before: each is tried twice.
                "7" => {}
                "given up: each worker that tried it has failed" => given_up += 1,
                other => panic!("{other}"),
            }
        }
        assert_eq!(given_up, 2);
        // Nothing is answered twice: this is the next line.
        assert!(client.asks("?").starts_with("say:"));
    }
}

#[test]
fn an_address_that_is_none_is_refused_with_a_reason() {
    let said = refuses("jobs", &["nowhere"]);
    assert!(said.starts_with("jobs: cannot listen on nowhere: "), "{said}");
}
