//! Thousands of connections held at once, in both forms, and what they cost:
//! `cargo test --test scale -- --nocapture --test-threads=1`.
//!
//! The clients are in processes of their own, so that each process stays below its limit of descriptors.

mod tcp_support;

use std::convert::Infallible;
use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;

use antiphon::io::{shared, tcp};
use antiphon::{Context, Node};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tcp_support::*;

/// Says to whom the clients connect, and how many they are, in their process.
const CLIENTS: &str = "ANTIPHON_TEST_CLIENTS";

/// How many clients one process has at most.
const PROCESS: usize = 2_000;

/// How many of them connect before the first of them wants an answer: no more than a backlog holds.
const BACKLOG: usize = 100;

/// What this process needs beside its connections: its own descriptors, threads and mappings.
const RESERVE: usize = 300;

/// How the Readers run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Threads,
    Shared,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Threads => "a thread for each Reader",
            Self::Shared => "Readers share a poller",
        }
    }

    /// How many descriptors one connection takes: its socket, and what wakes a thread.
    fn descriptors(self) -> usize {
        match self {
            Self::Threads => 2,
            Self::Shared => 1,
        }
    }

    fn serve(self, node: &Node) -> SocketAddr {
        let socket = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = socket.local_addr().expect("it is bound");
        own(node, move |context: &Context<'_, Infallible>| {
            let (reader, handler) = tcp::listener(socket, |_| Echo)?;
            match self {
                Self::Threads => drop(context.spawn_meta(reader, handler)?),
                Self::Shared => drop(context.spawn_meta(shared(reader), handler)?),
            }
            Ok(())
        });
        address
    }
}

/// A number that the operating system keeps in a file; one that is not there limits nothing.
fn number(path: &str) -> usize {
    std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(usize::MAX)
}

/// How many connections this process may have; if these are fewer than wanted, says loudly what is missing.
fn allowed(form: Form, wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("as high as it may be");
    let descriptors = limit.maximum.map_or(usize::MAX, |most| most as usize);
    // A thread has a stack and a place for signals, each behind a guard.
    let limits = [
        ("descriptors (ulimit -Hn)", descriptors.saturating_sub(RESERVE) / form.descriptors(), true),
        ("mappings (vm.max_map_count)", number("/proc/sys/vm/max_map_count") / 4 - RESERVE, false),
        ("threads (kernel.threads-max)", number("/proc/sys/kernel/threads-max") / 2, false),
        ("threads (pids.max)", number("/sys/fs/cgroup/pids.max").saturating_sub(RESERVE), false),
    ];
    let limits = limits.into_iter().filter(|(_, _, always)| *always || form == Form::Threads);
    let (name, most, _) = limits.min_by_key(|(_, most, _)| *most).expect("there are limits");
    if most < wanted {
        println!("\n| ONLY {most} OF {wanted} CONNECTIONS: this system allows too few {name} |");
    }
    most.min(wanted)
}

/// A process full of clients; killed if the test ends before it does.
struct Clients {
    child: Child,
    words: BufReader<ChildStdout>,
}

impl Drop for Clients {
    fn drop(&mut self) {
        // It may have ended, as it should.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Clients {
    fn start(address: SocketAddr, count: usize) -> Self {
        let mut child = Command::new(env::current_exe().expect("this program has a path"))
            .args(["clients", "--exact", "--test-threads=1", "--nocapture"])
            .env(CLIENTS, format!("{address} {count}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started");
        let words = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut clients = Self { child, words };
        clients.hear("connected");
        clients
    }

    fn hear(&mut self, word: &str) {
        let mut line = String::new();
        while line.trim() != word {
            line.clear();
            assert_ne!(self.words.read_line(&mut line).expect("it writes text"), 0, "it ended early");
        }
    }

    fn tell(&mut self, word: &str) {
        writeln!(self.child.stdin.as_mut().expect("it is piped"), "{word}").expect("it listens");
    }
}

/// Sends something by each, and only then wants the answers.
fn exchange_all(clients: &mut [TcpStream]) {
    for (number, client) in clients.iter_mut().enumerate() {
        client.write_all(&(number as u64).to_ne_bytes()).expect("the server reads");
    }
    for (number, client) in clients.iter_mut().enumerate() {
        let mut answer = [0; 8];
        client.read_exact(&mut answer).expect("the server answers");
        assert_eq!(u64::from_ne_bytes(answer), number as u64);
    }
}

/// Not a test, but the other side of those below: it runs in processes that they start.
#[test]
fn clients() {
    let Ok(order) = env::var(CLIENTS) else { return };
    let (address, count) = order.split_once(' ').expect("an address and a count");
    let (address, count) = (address.parse().expect("an address"), count.parse().expect("a count"));
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("as high as it may be");
    let mut clients: Vec<TcpStream> = Vec::new();
    while clients.len() < count {
        let begin = clients.len();
        clients.extend((begin..count.min(begin + BACKLOG)).map(|_| connect(address)));
        exchange_all(&mut clients[begin..]);
    }
    println!("\nconnected");
    for order in io::stdin().lines() {
        match order.expect("it is text").as_str() {
            "exchange" => exchange_all(&mut clients),
            // With a reset at last: else thousands of ports stay taken for a minute.
            "end" => clients.drain(..).for_each(|mut client| {
                expect_end(&mut client);
                reset(client);
            }),
            other => panic!("unknown: {other}"),
        }
        println!("\ndone");
    }
}

/// Bytes of memory that this process has resident.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("/proc is there");
    let pages: usize =
        text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    pages * rustix::param::page_size()
}

/// Holds up to `wanted` connections at once, each of which echoes `rounds` times while all are there; then the
/// node stops. Writes what they cost.
fn hold(form: Form, wanted: usize, rounds: usize) {
    let count = allowed(form, wanted);
    let node = Node::new();
    let address = form.serve(&node);
    // What the first of all costs is no other's cost.
    exchange(&mut connect(address), b"warm up");
    let (files, lines, bytes) = (descriptors(), count_threads(), resident());

    let sizes = (0..count).step_by(PROCESS).map(|begin| PROCESS.min(count - begin));
    let mut processes: Vec<Clients> = sizes.map(|size| Clients::start(address, size)).collect();
    for _ in 0..rounds {
        processes.iter_mut().for_each(|clients| clients.tell("exchange"));
        processes.iter_mut().for_each(|clients| clients.hear("done"));
    }
    let (more_files, more_lines) = (descriptors() - files, count_threads() - lines);
    let more_bytes = resident() - bytes;
    // The client that warmed up may be there no more.
    assert!(more_files + 2 >= count, "{more_files} descriptors: not all are held at once");
    match form {
        Form::Threads => assert!(more_lines + 1 >= count, "{more_lines} threads for {count} Readers"),
        // The executor may have added a few workers meanwhile.
        Form::Shared => assert!(more_lines < 50, "{more_lines} threads more for {count} connections"),
    }
    println!(
        "\n| {} | {count} | {more_lines} | {:.1} | {:.1} KiB |",
        form.name(),
        more_files as f64 / count as f64,
        more_bytes as f64 / count as f64 / 1024.0,
    );

    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            processes.iter_mut().for_each(|clients| clients.tell("end"));
            processes.iter_mut().for_each(|clients| clients.hear("done"));
            tell.send(()).expect("the test waits");
        });
        stop(&node);
        told.recv_timeout(LONG).expect("every client sees the end");
    });
}

fn count_threads() -> usize {
    count("/proc/self/task")
}

#[test]
fn five_thousand_connections_echo_with_a_thread_each() {
    let name = "five_thousand_connections_echo_with_a_thread_each";
    in_own_process(name, &[], || hold(Form::Threads, 5_000, 2));
}

#[test]
fn five_thousand_connections_echo_and_share_a_poller() {
    let name = "five_thousand_connections_echo_and_share_a_poller";
    in_own_process(name, &[], || hold(Form::Shared, 5_000, 2));
}

#[test]
fn twenty_thousand_idle_connections_share_a_poller() {
    let name = "twenty_thousand_idle_connections_share_a_poller";
    in_own_process(name, &[], || hold(Form::Shared, 20_000, 0));
}
