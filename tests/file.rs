//! `io::file` on real files.

mod io_support;

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use antiphon::io::file::{self, Change, Command, Data, Line, Options, Reading, Session, Unit};
use antiphon::{Address, Exit, Node};
use io_support::*;

/// What a session was told.
#[derive(Debug)]
enum Told<U> {
    Received(U, u64),
    Changed(Change, u64),
    Ended,
    Closed(Exit),
}

/// Hands what it is told to the test; goes on at the end of the file if it is told to.
struct Collect<U> {
    tell: Sender<Told<U>>,
    goes_on: bool,
}

impl<U: Unit> Session for Collect<U> {
    type Unit = U;

    fn received(&mut self, unit: U, reading: &mut Reading<'_, U>) -> Result<(), Exit> {
        self.tell.send(Told::Received(unit, reading.position())).map_err(|_| Exit::Normal)
    }

    fn changed(&mut self, change: Change, reading: &mut Reading<'_, U>) -> Result<(), Exit> {
        self.tell.send(Told::Changed(change, reading.position())).map_err(|_| Exit::Normal)
    }

    fn ended(&mut self, _: &mut Reading<'_, U>) -> Result<(), Exit> {
        drop(self.tell.send(Told::Ended));
        if self.goes_on { Ok(()) } else { Err(Exit::Normal) }
    }

    fn closed(&mut self, reason: &Exit, _: &mut Reading<'_, U>) {
        drop(self.tell.send(Told::Closed(reason.clone())));
    }
}

struct Subject<U: Unit> {
    told: Receiver<Told<U>>,
    address: Address<Command<U>>,
    owner: Address<std::convert::Infallible>,
}

fn start<U: Unit>(node: &Node, options: Options, goes_on: bool) -> Subject<U> {
    let ((tell, told), (tell_address, address)) = (mpsc::channel(), mpsc::channel());
    let (reader, handler) = file::reader(options, Collect { tell, goes_on }).expect("it can be read");
    let owner = own(node, move |context| {
        drop(tell_address.send(context.spawn_meta(reader, handler)?));
        Ok(())
    });
    Subject { told, address: address.recv().expect("the owner has begun"), owner }
}

fn read(node: &Node, options: Options) -> Subject<Line> {
    start(node, options, false)
}

impl<U: Unit + std::fmt::Debug> Subject<U> {
    fn next(&self) -> Told<U> {
        self.told.recv_timeout(LONG).expect("something comes")
    }

    fn closed(&self) -> Exit {
        match self.next() {
            Told::Closed(reason) => reason,
            other => panic!("expected an end, not {other:?}"),
        }
    }

    fn changed(&self) -> Change {
        match self.next() {
            Told::Changed(change, _) => change,
            other => panic!("expected a change, not {other:?}"),
        }
    }

    fn send(&self, command: Command<U>) {
        self.address.send(command).expect("it lives");
    }
}

impl Subject<Line> {
    /// Expects whole lines; says where the last one ends.
    #[track_caller]
    fn expect(&self, lines: &[&str]) -> u64 {
        let mut position = 0;
        for expected in lines {
            match self.next() {
                Told::Received(Line::Whole(line), end) => {
                    assert_eq!(String::from_utf8_lossy(&line), *expected);
                    position = end;
                }
                other => panic!("expected {expected:?}, not {other:?}"),
            }
        }
        position
    }
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("it can be written to");
    file.write_all(text.as_bytes()).expect("the disk has room");
}

#[test]
fn a_file_is_read_to_its_end_by_lines() {
    let directory = Directory::new();
    let path = directory.join("file");
    append(&path, "one\n\nthree \nno end");
    let node = Node::new();
    let lines = read(&node, Options::new(&path));
    assert_eq!(lines.expect(&["one"]), 4);
    assert_eq!(lines.expect(&["", "three "]), 12);
    assert_eq!(lines.expect(&["no end"]), 18);
    assert!(matches!(lines.next(), Told::Ended));
    assert_eq!(lines.closed(), Exit::Normal);

    let lines = read(&node, Options::new(&path).from(5).limit(3));
    for (text, at, ends) in [("thr", 8, false), ("ee ", 12, true)] {
        match lines.next() {
            Told::Received(Line::Part { data, last }, end) => {
                assert_eq!((&*data, last, end), (text.as_bytes(), ends, at));
            }
            other => panic!("expected a part, not {other:?}"),
        }
    }
    stop(&node);
}

#[test]
fn a_large_file_comes_whole_by_chunks() {
    let directory = Directory::new();
    let path = directory.join("file");
    let content = pattern(3 << 20);
    fs::write(&path, &content).expect("the disk has room");
    let node = Node::new();
    let chunks: Subject<Data> = start(&node, Options::new(&path), false);
    let mut came = Vec::new();
    loop {
        match chunks.next() {
            Told::Received(data, end) => {
                came.extend_from_slice(&data);
                assert_eq!(came.len() as u64, end);
            }
            Told::Ended => break,
            other => panic!("unexpected {other:?}"),
        }
    }
    assert!(came == content, "{} of {} bytes", came.len(), content.len());
    stop(&node);
}

#[test]
fn seek_and_position() {
    let directory = Directory::new();
    let path = directory.join("file");
    let lines: String = (0..50_000).map(|number| format!("{number:06}\n")).collect();
    append(&path, &lines);
    let node = Node::new();
    let subject: Subject<Line> = start(&node, Options::new(&path), true);
    let position = || node.call(&subject.address, Command::position, LONG).expect("it answers");
    let drain = || while !matches!(subject.next(), Told::Ended) {};
    drain();
    assert_eq!(position(), 350_000);
    // In the middle of nothing, and while it reads.
    for target in [7_000, 0, 343_000, 70_000] {
        subject.send(Command::seek(target));
        subject.expect(&[&format!("{:06}", target / 7), &format!("{:06}", target / 7 + 1)]);
        subject.send(Command::seek(349_993));
        // What had been read before the seek is not handed over after it.
        loop {
            match subject.next() {
                Told::Received(Line::Whole(line), _) if *line == *b"049999" => break,
                Told::Received(..) => {}
                other => panic!("unexpected {other:?}"),
            }
        }
        assert!(matches!(subject.next(), Told::Ended));
    }
    subject.send(Command::seek_to_end());
    assert!(matches!(subject.next(), Told::Ended));
    assert_eq!(position(), 350_000);
    subject.send(Command::seek(1 << 40));
    assert!(matches!(subject.next(), Told::Ended));
    assert_eq!(position(), 350_000, "beyond the end is the end");
    subject.send(Command::stop());
    assert_eq!(subject.closed(), Exit::Normal);
    stop(&node);
}

#[test]
fn a_growing_file_is_followed() {
    let directory = Directory::new();
    let path = directory.join("file");
    append(&path, "old\n");
    let node = Node::new();
    let lines = read(&node, Options::new(&path).follow().from_end());
    append(&path, "new\nhalf a ");
    assert_eq!(lines.expect(&["new"]), 8);
    append(&path, "line\n");
    lines.expect(&["half a line"]);
    for number in 0..1000 {
        append(&path, &format!("{number}\n"));
    }
    for number in 0..1000 {
        lines.expect(&[&number.to_string()]);
    }
    node.kill(&lines.owner);
    assert_eq!(lines.closed(), Exit::ParentEnded);
    stop(&node);
}

#[test]
fn a_file_that_is_truncated_is_read_from_its_begin() {
    let directory = Directory::new();
    let path = directory.join("file");
    append(&path, "a first line\nleft without an end");
    let node = Node::new();
    let lines = read(&node, Options::new(&path).follow());
    lines.expect(&["a first line"]);
    // What is truncated before it was read cannot be known; a second one is read for sure.
    append(&path, "\nanother begin");
    lines.expect(&["left without an end"]);
    File::create(&path).expect("it can be written to");
    wait_until(|| match lines.told.try_recv() {
        Ok(Told::Changed(Change::Truncated, at)) => at == 0,
        Ok(Told::Received(Line::Whole(line), _)) => {
            assert_eq!(&*line, b"another begin");
            false
        }
        Ok(other) => panic!("unexpected {other:?}"),
        Err(_) => false,
    });
    append(&path, "short\n");
    assert_eq!(lines.expect(&["short"]), 6);
    stop(&node);
}

#[test]
fn a_file_that_is_rotated_is_read_to_its_end_and_then_the_new_one() {
    let directory = Directory::new();
    let (path, old) = (directory.join("log"), directory.join("log.1"));
    append(&path, "0\n");
    let node = Node::new();
    let lines = read(&node, Options::new(&path).follow());
    lines.expect(&["0"]);
    for round in 1..50 {
        fs::rename(&path, &old).expect("it is there");
        assert!(matches!(lines.changed(), Change::Removed));
        append(&old, &format!("late {round}\n"));
        lines.expect(&[&format!("late {round}")]);
        append(&path, &format!("{round}\n"));
        assert!(matches!(lines.changed(), Change::Replaced));
        assert_eq!(lines.expect(&[&round.to_string()]), round.to_string().len() as u64 + 1);
        append(&path, "more\n");
        lines.expect(&["more"]);
    }
    stop(&node);
}

#[test]
fn a_file_that_is_replaced_at_once_is_noticed() {
    let directory = Directory::new();
    let (path, next) = (directory.join("file"), directory.join("next"));
    append(&path, "0\n");
    let node = Node::new();
    let lines = read(&node, Options::new(&path).follow());
    lines.expect(&["0"]);
    for round in 1..200 {
        append(&next, &format!("{round}\n"));
        fs::rename(&next, &path).expect("it is there");
        assert!(matches!(lines.changed(), Change::Replaced));
        lines.expect(&[&round.to_string()]);
        append(&path, "more\n");
        lines.expect(&["more"]);
    }
    stop(&node);
}

#[test]
fn a_file_that_comes_later_is_waited_for() {
    let directory = Directory::new();
    let path = directory.join("file");
    let node = Node::new();
    let lines = read(&node, Options::new(&path).follow().from_end());
    append(&directory.join("another"), "not this one\n");
    append(&path, "here\n");
    assert!(matches!(lines.changed(), Change::Appeared));
    lines.expect(&["here"]);
    fs::remove_file(&path).expect("it is there");
    assert!(matches!(lines.changed(), Change::Removed));
    append(&path, "again\n");
    assert!(matches!(lines.changed(), Change::Replaced));
    lines.expect(&["again"]);
    stop(&node);
}

#[test]
fn a_symbolic_link_is_followed_to_another_directory() {
    let (directory, elsewhere) = (Directory::new(), Directory::new());
    let (link, target) = (directory.join("link"), elsewhere.join("target"));
    append(&target, "0\n");
    symlink(&target, &link).expect("the directory can be written to");
    let node = Node::new();
    let lines = read(&node, Options::new(&link).follow());
    lines.expect(&["0"]);
    // The target is replaced, in its own directory.
    fs::rename(&target, elsewhere.join("old")).expect("it is there");
    assert!(matches!(lines.changed(), Change::Removed));
    append(&target, "1\n");
    assert!(matches!(lines.changed(), Change::Replaced));
    lines.expect(&["1"]);
    // The link is replaced.
    append(&elsewhere.join("other"), "2\n");
    symlink(elsewhere.join("other"), directory.join("new")).expect("the directory can be written to");
    fs::rename(directory.join("new"), &link).expect("it is there");
    assert!(matches!(lines.changed(), Change::Replaced));
    lines.expect(&["2"]);
    append(&elsewhere.join("other"), "3\n");
    lines.expect(&["3"]);
    stop(&node);
}

#[test]
fn something_that_is_no_file_takes_the_name_for_a_while() {
    let directory = Directory::new();
    let path = directory.join("file");
    append(&path, "0\n");
    let node = Node::new();
    let lines = read(&node, Options::new(&path).follow());
    lines.expect(&["0"]);
    symlink(&*directory, directory.join("new")).expect("the directory can be written to");
    fs::rename(directory.join("new"), &path).expect("it is there");
    match lines.changed() {
        Change::Refused(error) => assert!(error.to_string().contains("no regular file"), "{error}"),
        other => panic!("expected a refusal, not {other:?}"),
    }
    fs::remove_file(&path).expect("it is a link");
    append(&path, "1\n");
    assert!(matches!(lines.changed(), Change::Replaced));
    lines.expect(&["1"]);
    stop(&node);
}

#[test]
fn a_directory_that_goes_away_is_an_error() {
    let directory = Directory::new();
    let inner = directory.join("inner");
    fs::create_dir(&inner).expect("the directory can be written to");
    let path = inner.join("file");
    append(&path, "0\n");
    let node = Node::new();
    let lines = read(&node, Options::new(&path).follow());
    lines.expect(&["0"]);
    fs::rename(&inner, directory.join("elsewhere")).expect("it is there");
    match lines.closed() {
        Exit::Failed(text) => assert!(text.contains("inner: "), "{text}"),
        other => panic!("expected a failure, not {other:?}"),
    }
    stop(&node);
}

fn refused(options: Options) -> std::io::Error {
    let (tell, _told) = mpsc::channel::<Told<Line>>();
    match file::reader(options, Collect { tell, goes_on: false }) {
        Ok(_) => panic!("it can be read"),
        Err(error) => error,
    }
}

#[test]
fn what_cannot_be_read_is_an_error_that_says_which_file() {
    let directory = Directory::new();
    let path = directory.join("missing");
    let error = refused(Options::new(&path));
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("missing: "), "{error}");
    let error = refused(Options::new(directory.join("nowhere/file")).follow());
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("nowhere: "), "{error}");
    assert!(refused(Options::new(&*directory)).to_string().contains("no regular file"));
    // Who may read everything may read this one, too.
    if !rustix::process::geteuid().is_root() {
        append(&path, "secret\n");
        fs::set_permissions(&path, Permissions::from_mode(0o000)).expect("it is ours");
        assert_eq!(refused(Options::new(&path).follow()).kind(), ErrorKind::PermissionDenied);
    }
}

#[test]
fn units_that_are_kept_hold_up_the_reader() {
    let directory = Directory::new();
    let path = directory.join("file");
    fs::write(&path, pattern(8 << 20)).expect("the disk has room");
    let node = Node::new();
    let chunks: Subject<Data> = start(&node, Options::new(&path), false);
    let mut kept = Vec::new();
    while let Ok(told) = chunks.told.recv_timeout(Duration::from_millis(300)) {
        match told {
            Told::Received(data, _) => kept.push(data),
            other => panic!("the Reader went on to {other:?}"),
        }
    }
    let bytes: usize = kept.iter().map(|data| data.len()).sum();
    assert!((64 << 10..=256 << 10).contains(&bytes), "{bytes} bytes are kept");
    kept.clear();
    chunks.next();
    // Held up again, it ends at once.
    node.kill(&chunks.owner);
    wait_until(|| matches!(chunks.told.try_recv(), Ok(Told::Closed(Exit::ParentEnded))));
    stop(&node);
}

#[test]
fn nothing_is_left_when_a_node_has_stopped_and_waiting_uses_no_time() {
    in_own_process("nothing_is_left_when_a_node_has_stopped_and_waiting_uses_no_time", &[], || {
        let directory = Directory::new();
        let (files, threads) = (descriptors(), count("/proc/self/task"));
        for round in 0..3 {
            let node = Node::new();
            let keep = |number: usize| {
                let path = directory.join(number.to_string());
                append(&path, "hello\n");
                read(&node, Options::new(&path).follow()).next()
            };
            let kept: Vec<_> = (0..10).map(keep).collect();
            let _waiting = read(&node, Options::new(directory.join("never")).follow());
            assert!(descriptors() > files, "the test counts what it should");
            if round == 0 {
                wait_until_idle();
            }
            stop(&node);
            assert_eq!(descriptors(), files, "although lines are kept");
            drop(kept);
            drop(node);
            expect_threads(threads);
        }
    });
}
