//! `io::lines` on real pipes, FIFOs, terminals and files.

mod io_support;
#[path = "../docs/snippets/machine.rs"]
mod machine;

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;
use std::{io, thread};

use antiphon::io::lines::{Data, Forward, Input, Line, Unit};
use antiphon::{Address, Exit, Handler, HandlerContext, Node};
use io_support::*;
use machine::Machine;
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, mkfifoat};

/// Hands what it is sent to the test, and why it ended.
struct Collect<U> {
    units: Sender<U>,
    end: Sender<Exit>,
}

impl<U: Send + 'static> Handler for Collect<U> {
    type Message = U;

    fn handle(&mut self, unit: U, _: &mut HandlerContext<'_, U>) -> Result<(), Exit> {
        self.units.send(unit).map_err(|_| Exit::Normal)
    }

    fn terminate(&mut self, reason: &Exit, _: &mut HandlerContext<'_, U>) {
        let _ = self.end.send(reason.clone());
    }
}

struct Reading<U: Send + 'static> {
    units: Receiver<U>,
    end: Receiver<Exit>,
    owner: Address<std::convert::Infallible>,
}

fn read<U: Unit + From<U>>(node: &Node, input: Input<U>) -> Reading<U>
where
    Input<U>: antiphon::Reader<U>,
{
    let ((units, told), (end, ended)) = (mpsc::channel(), mpsc::channel());
    let owner = own(node, move |context| {
        context.spawn_meta(input, Collect { units, end })?;
        Ok(())
    });
    Reading { units: told, end: ended, owner }
}

impl<U: Send + 'static> Reading<U> {
    fn next(&self) -> U {
        self.units.recv_timeout(LONG).expect("something comes")
    }

    fn end(&self) -> Exit {
        self.end.recv_timeout(LONG).expect("the meta-process ends")
    }
}

impl Reading<Line> {
    fn whole(&self) -> Vec<u8> {
        match self.next() {
            Line::Whole(line) => line.to_vec(),
            other => panic!("expected a whole line, not {other:?}"),
        }
    }

    fn part(&self) -> (Vec<u8>, bool) {
        match self.next() {
            Line::Part { data, last } => (data.to_vec(), last),
            other => panic!("expected a part of a line, not {other:?}"),
        }
    }

    #[track_caller]
    fn expect(&self, lines: &[&str]) {
        for line in lines {
            assert_eq!(String::from_utf8_lossy(&self.whole()), *line);
        }
    }
}

fn pipe() -> (PipeReader, PipeWriter) {
    io::pipe().expect("there are descriptors")
}

fn of(source: impl Into<OwnedFd>) -> Input {
    Input::of(source).expect("it can be read")
}

#[test]
fn lines_of_a_source_of_ones_own() {
    let node = Node::new();
    let (source, mut sink) = io::pipe().expect("there are descriptors");
    let machine = Machine(File::from(OwnedFd::from(source)));
    let reading = read(&node, Input::from_feed(machine).expect("there are descriptors"));
    for (text, line) in [("venite\rado", "venite"), ("remus\r", "adoremus")] {
        sink.write_all(text.as_bytes()).expect("it is read");
        assert_eq!(reading.whole(), line.as_bytes());
    }
    drop(sink);
    assert_eq!(reading.end(), Exit::Normal);
    stop(&node);
}

#[test]
fn lines_come_one_by_one_and_the_end_ends_it() {
    let (source, mut sink) = pipe();
    let node = Node::new();
    let lines = read(&node, of(source));
    sink.write_all(b"first\n\nthird: \xff\xfe\nCR stays\r\nno end").expect("it is read");
    lines.expect(&["first", ""]);
    assert_eq!(lines.whole(), b"third: \xff\xfe");
    lines.expect(&["CR stays\r"]);
    drop(sink);
    lines.expect(&["no end"]);
    assert_eq!(lines.end(), Exit::Normal);
    stop(&node);
}

#[test]
fn a_line_is_put_together_from_whatever_pieces() {
    let (source, mut sink) = pipe();
    let node = Node::new();
    let lines = read(&node, of(source));
    for byte in b"one byte\nat a time\n" {
        sink.write_all(&[*byte]).expect("it is read");
        thread::yield_now();
    }
    lines.expect(&["one byte", "at a time"]);
    let long = "x".repeat(50_000);
    sink.write_all(format!("{long}\nshort\n").as_bytes()).expect("it is read");
    lines.expect(&[&long, "short"]);
    stop(&node);
}

#[test]
fn a_line_beyond_the_limit_comes_in_parts() {
    let (source, mut sink) = pipe();
    let node = Node::new();
    let lines = read(&node, of(source).limit(4));
    sink.write_all(b"1234\n12345\n12345678\n\n123456789").expect("it is read");
    assert_eq!(lines.whole(), b"1234");
    assert_eq!(lines.part(), (b"1234".to_vec(), false));
    assert_eq!(lines.part(), (b"5".to_vec(), true));
    assert_eq!(lines.part(), (b"1234".to_vec(), false));
    assert_eq!(lines.part(), (b"5678".to_vec(), true));
    assert_eq!(lines.whole(), b"");
    assert_eq!(lines.part(), (b"1234".to_vec(), false));
    assert_eq!(lines.part(), (b"5678".to_vec(), false));
    drop(sink);
    assert_eq!(lines.part(), (b"9".to_vec(), true));
    assert_eq!(lines.end(), Exit::Normal);
    stop(&node);
}

#[test]
fn chunks_come_as_they_are_read() {
    let (source, mut sink) = pipe();
    let node = Node::new();
    let chunks: Reading<Data> = read(&node, of(source).by_chunk().limit(1000));
    let sent = pattern(20_000);
    sink.write_all(&sent).expect("it is read");
    drop(sink);
    assert_eq!(chunks.end(), Exit::Normal);
    let came: Vec<Data> = chunks.units.iter().collect();
    assert!(came.iter().all(|chunk| chunk.len() <= 1000));
    assert!(came.iter().flat_map(|chunk| chunk.to_vec()).eq(sent));
    stop(&node);
}

#[test]
fn an_actor_can_have_the_lines() {
    let (source, mut sink) = pipe();
    let node = Node::new();
    let (to, lines) = collect::<Line>(&node);
    own(&node, move |context| {
        context.spawn_meta(of(source), Forward::new(to))?;
        Ok(())
    });
    sink.write_all(b"hello\n").expect("it is read");
    match lines.recv_timeout(LONG) {
        Ok(Line::Whole(line)) => assert_eq!(&*line, b"hello"),
        other => panic!("{other:?}"),
    }
    stop(&node);
}

/// Writes until nobody has taken anything for a while; says how much was taken.
fn fill(sink: &PipeWriter, piece: &[u8], most: usize) -> usize {
    let flags = fcntl_getfl(sink).expect("it is open");
    fcntl_setfl(sink, flags | OFlags::NONBLOCK).expect("it is a pipe");
    let (mut taken, mut quiet) = (0, 0);
    while taken < most && quiet < 50 {
        match (&mut &*sink).write(piece) {
            Ok(count) => (taken, quiet) = (taken + count, 0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                quiet += 1;
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) => panic!("{error}"),
        }
    }
    taken
}

#[test]
fn lines_that_are_kept_hold_up_the_writer_and_lines_that_are_used_do_not() {
    const MOST: usize = 64 << 20;
    for piece in [pattern(4000), b"\n".repeat(4096)] {
        let (source, sink) = pipe();
        let node = Node::new();
        let lines = read(&node, of(source));
        let taken = fill(&sink, &piece, MOST);
        assert!(taken < MOST, "everything is read although nobody uses it");
        // Once they are used, all come.
        drop(sink);
        let seen: usize = lines
            .units
            .iter()
            .map(|line| match line {
                Line::Whole(data) => data.len() + 1,
                Line::Part { data, last } => data.len() + usize::from(last),
            })
            .sum();
        assert!((taken..=taken + 1).contains(&seen), "{seen} of {taken} bytes");
        assert_eq!(lines.end(), Exit::Normal);
        stop(&node);
    }
}

#[test]
fn a_reader_ends_at_once_whatever_it_waits_for() {
    let node = Node::new();
    let (idle, _sink) = pipe();
    let idle = read(&node, of(idle));
    let (half, mut half_sink) = pipe();
    let half = read(&node, of(half));
    half_sink.write_all(b"the begin of a line").expect("it is read");
    let (held, held_sink) = pipe();
    let held = read(&node, of(held));
    fill(&held_sink, &pattern(4000), 64 << 20);
    for reading in [&idle, &half, &held] {
        node.kill(&reading.owner);
        assert_eq!(reading.end(), Exit::ParentEnded);
    }
    stop(&node);
}

#[test]
fn a_handler_that_ends_ends_its_reader() {
    let (source, mut sink) = pipe();
    let node = Node::new();
    let (units, told) = mpsc::channel::<Line>();
    let (end, ended) = mpsc::channel();
    drop(told);
    own(&node, move |context| {
        context.spawn_meta(of(source), Collect { units, end })?;
        Ok(())
    });
    sink.write_all(b"nobody wants this\n").expect("there is room in the pipe");
    assert_eq!(ended.recv_timeout(LONG).expect("it ends"), Exit::Normal);
    // Nobody can read the pipe any more.
    wait_until(|| sink.write(b"x").is_err_and(|error| error.kind() == ErrorKind::BrokenPipe));
    stop(&node);
}

fn mkfifo(path: &Path) {
    mkfifoat(rustix::fs::CWD, path, Mode::RUSR | Mode::WUSR).expect("the directory can be written to");
}

fn writer(path: &Path) -> File {
    OpenOptions::new().write(true).open(path).expect("somebody reads it")
}

#[test]
fn writers_of_a_fifo_come_and_go() {
    let directory = Directory::new();
    let path = directory.join("fifo");
    mkfifo(&path);
    let node = Node::new();
    let lines = read(&node, Input::fifo(&path).expect("it is a FIFO"));
    for round in 0..20 {
        let mut first = writer(&path);
        let mut second = writer(&path);
        writeln!(first, "first of {round}").expect("it is read");
        lines.expect(&[&format!("first of {round}")]);
        drop(first);
        write!(second, "no end of {round}").expect("it is read");
        drop(second);
        lines.expect(&[&format!("no end of {round}")]);
    }
    // Without waiting for anything between them: nothing is lost, and nothing is read twice.
    for round in 0..500 {
        writeln!(writer(&path), "{round}").expect("it is read");
    }
    (0..500).for_each(|round| lines.expect(&[&round.to_string()]));
    node.kill(&lines.owner);
    assert_eq!(lines.end(), Exit::ParentEnded);
    stop(&node);
}

#[test]
fn a_fifo_that_waits_for_a_writer_uses_no_time() {
    in_own_process("a_fifo_that_waits_for_a_writer_uses_no_time", &[], || {
        let directory = Directory::new();
        let path = directory.join("fifo");
        mkfifo(&path);
        let node = Node::new();
        let lines = read(&node, Input::fifo(&path).expect("it is a FIFO"));
        writeln!(writer(&path), "come and gone").expect("it is read");
        lines.expect(&["come and gone"]);
        wait_until_idle();
        stop(&node);
    });
}

#[test]
fn what_is_no_fifo_is_an_error_that_says_so() {
    let directory = Directory::new();
    let path = directory.join("nothing");
    let error = Input::fifo(&path).expect_err("nothing is there");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("nothing: "), "{error}");
    fs::write(&path, "").expect("the directory can be written to");
    let error = Input::fifo(&path).expect_err("it is a file");
    assert!(error.to_string().contains("no FIFO"), "{error}");
}

#[test]
fn a_fifo_that_is_removed_is_an_error_once_its_writers_have_gone() {
    let directory = Directory::new();
    let path = directory.join("fifo");
    mkfifo(&path);
    let node = Node::new();
    let lines = read(&node, Input::fifo(&path).expect("it is a FIFO"));
    let mut last = writer(&path);
    fs::remove_file(&path).expect("it is there");
    writeln!(last, "goodbye").expect("it is read");
    lines.expect(&["goodbye"]);
    drop(last);
    match lines.end() {
        Exit::Failed(text) => assert!(text.contains("fifo: "), "{text}"),
        other => panic!("expected a failure, not {other:?}"),
    }
    stop(&node);
}

#[test]
fn what_is_not_open_for_reading_is_an_error_that_says_so() {
    let (_source, sink) = pipe();
    let error = Input::of(sink).expect_err("it is for writing");
    assert!(error.to_string().contains("not open for reading"), "{error}");
}

#[test]
fn a_socket_can_be_read() {
    let (ours, theirs) = UnixStream::pair().expect("there are descriptors");
    let node = Node::new();
    let lines = read(&node, of(theirs.try_clone().expect("there are descriptors")));
    (&ours).write_all(b"one\ntwo\n").expect("it is read");
    lines.expect(&["one", "two"]);
    ours.shutdown(Shutdown::Write).expect("the socket is open");
    assert_eq!(lines.end(), Exit::Normal);
    assert!(!fcntl_getfl(&theirs).expect("it is open").contains(OFlags::NONBLOCK));
    stop(&node);
}

#[test]
fn a_descriptor_that_is_shared_is_left_as_it_was() {
    let (source, mut sink) = pipe();
    let shared = source.try_clone().expect("there are descriptors");
    let node = Node::new();
    let lines = read(&node, of(source));
    writeln!(sink, "hello").expect("it is read");
    lines.expect(&["hello"]);
    assert!(!fcntl_getfl(&shared).expect("it is open").contains(OFlags::NONBLOCK));
    stop(&node);
}

#[test]
fn a_reader_whose_input_is_taken_by_others_still_ends_at_once() {
    let (source, mut sink) = pipe();
    let mut others = source.try_clone().expect("there are descriptors");
    let node = Node::new();
    let lines = read(&node, of(source));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut buffer = [0; 64];
            while others.read(&mut buffer).is_ok_and(|count| count > 0) {}
        });
        // Each is taken by either.
        (0..2000).for_each(|_| writeln!(sink, "whose?").expect("it is read"));
        node.kill(&lines.owner);
        assert_eq!(lines.end(), Exit::ParentEnded);
        drop(sink);
    });
    stop(&node);
}

#[test]
fn nothing_is_left_when_a_node_has_stopped() {
    in_own_process("nothing_is_left_when_a_node_has_stopped", &[], || {
        let (files, threads) = (descriptors(), count("/proc/self/task"));
        for _ in 0..3 {
            let node = Node::new();
            let (pipes, kept): (Vec<_>, Vec<_>) = (0..20)
                .map(|_| {
                    let (source, mut sink) = pipe();
                    let lines = read(&node, of(source));
                    writeln!(sink, "hello").expect("it is read");
                    (sink, lines.next())
                })
                .unzip();
            stop(&node);
            drop(pipes);
            assert_eq!(descriptors(), files, "although lines are kept");
            drop(kept);
            drop(node);
            expect_threads(threads);
        }
    });
}
