//! What the tests of all sources are made of.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::convert::Infallible;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use antiphon::{Actor, Address, Context, Exit, Node};

/// No single step takes that long, unless something hangs.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A process that does what it is told when it begins, and nothing else.
pub(crate) struct Owner<F>(Option<F>);

impl<F: FnOnce(&Context<'_, Infallible>) -> Result<(), Exit> + Send + 'static> Actor for Owner<F> {
    type Message = Infallible;

    fn init(&mut self, context: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        self.0.take().map_or(Ok(()), |begin| begin(context))
    }

    fn handle(&mut self, message: Infallible, _: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        match message {}
    }
}

/// Starts a process that begins with `begin`.
pub(crate) fn own(
    node: &Node,
    begin: impl FnOnce(&Context<'_, Infallible>) -> Result<(), Exit> + Send + 'static,
) -> Address<Infallible> {
    node.spawn(Owner(Some(begin))).expect("the node is up")
}

/// Hands what it is sent to the test.
struct Collector<E>(Sender<E>);

impl<E: Send + 'static> Actor for Collector<E> {
    type Message = E;

    fn handle(&mut self, event: E, _: &mut Context<'_, E>) -> Result<(), Exit> {
        self.0.send(event).map_err(|_| Exit::Normal)
    }
}

/// Starts an actor that hands what it is sent to the test.
pub(crate) fn collect<E: Send + 'static>(node: &Node) -> (Address<E>, Receiver<E>) {
    let (tell, told) = mpsc::channel();
    (node.spawn(Collector(tell)).expect("the node is up"), told)
}

/// Bytes in which each place is recognisable.
pub(crate) fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|place| (place ^ (place >> 8) ^ (place >> 16)) as u8).collect()
}

/// Stops a node on which nothing hangs, and says how long that took.
pub(crate) fn stop(node: &Node) -> Duration {
    let begin = Instant::now();
    node.stop(LONG).expect("everything ends");
    begin.elapsed()
}

/// Set in the process that is to run the test itself.
const INSIDE: &str = "ANTIPHON_TEST_IN_OWN_PROCESS";

/// Runs `body` in a process of its own; `name` is the test's. Rows of tables that it writes are passed on.
pub(crate) fn in_own_process(name: &str, variables: &[(&str, &str)], body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    // A program that runs another's tests in its own way has them in a module of that name.
    let program = env!("CARGO_CRATE_NAME");
    let name = program.strip_suffix("_shared").map_or(name.to_owned(), |module| format!("{module}::{name}"));
    let output = Command::new(std::env::current_exe().expect("this program has a path"))
        .args([&name, "--exact", "--test-threads=1", "--nocapture"])
        .env(INSIDE, "1")
        .envs(variables.iter().copied())
        .output()
        .expect("this program can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{}\n{stdout}\n{stderr}", output.status);
    assert!(stdout.contains("1 passed"), "the test named {name} did not run:\n{stdout}");
    stdout.lines().filter(|line| line.starts_with('|')).for_each(|row| println!("{row}"));
}

pub(crate) fn count(directory: &str) -> usize {
    std::fs::read_dir(directory).expect("/proc is there").count()
}

pub(crate) fn descriptors() -> usize {
    count("/proc/self/fd")
}

/// Waits until something is so that nobody tells of.
#[track_caller]
pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < until, "it does not come to be so");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until that many threads are left; a joined thread may take a moment to leave `/proc`.
#[track_caller]
pub(crate) fn expect_threads(expected: usize) {
    wait_until(|| count("/proc/self/task") == expected);
}

/// Waits until no other thread of this process runs for half a second: one that looks for something again and
/// again is never idle that long.
#[track_caller]
pub(crate) fn wait_until_idle() {
    wait_until(|| {
        let before = runs_of_others();
        thread::sleep(Duration::from_millis(500));
        runs_of_others() == before
    });
}

/// What grows when another thread runs: its processor time, and how often it was given the processor.
fn runs_of_others() -> Vec<String> {
    let own = fs::read_link("/proc/thread-self").expect("/proc is there");
    let tasks = fs::read_dir("/proc/self/task").expect("/proc is there").map_while(Result::ok);
    let others = tasks.filter(|task| Some(&*task.file_name()) != own.file_name());
    let runs = others.filter_map(|task| {
        // One that has ended meanwhile has neither.
        let times = fs::read_to_string(task.path().join("stat")).ok()?;
        let status = fs::read_to_string(task.path().join("status")).ok()?;
        // Behind the name in parentheses; utime and stime are the 12th and 13th from there.
        let times = times.rsplit(')').next()?.split_whitespace().skip(11).take(2);
        let switches = status.lines().filter(|line| line.contains("ctxt_switches"));
        Some(times.chain(switches).collect())
    });
    runs.collect()
}

/// A directory of the test's own, removed with everything in it.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("antiphon-test-{}-{number}", process::id()));
        fs::create_dir(&path).expect("a directory can be made where temporary ones belong");
        Self(path)
    }
}

impl Deref for Directory {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Nothing depends on it.
        let _ = fs::remove_dir_all(&self.0);
    }
}
