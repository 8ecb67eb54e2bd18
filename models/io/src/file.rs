//! Files that grow, shrink, and are replaced.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::{env, process, thread};

use antiphon::io::file::{self, Change, Command, Line, Options, Reading, Session};
use antiphon::{Address, Exit, Node};
use antiphon_harness::{Scenario, check, reached};
use antiphon_spec::Guarantee;

use crate::parts::{LONG, on_a_node, own};
use crate::{COMMANDED, SERVED};

pub(crate) const SCENARIOS: &[Scenario] = catalogue! {
    "file/grows/100", SERVED, ["handled", "interrupted"], grows(100);
    "file/rotated/10", SERVED, ["handled", "replaced", "interrupted"], rotated(10);
    "file/seeks-while-reading/20", COMMANDED, ["handled", "sought"], seeks(20);
};

/// Hands lines to the scenario.
struct Collect(Sender<(Vec<u8>, u64)>);

impl Session for Collect {
    type Unit = Line;

    fn received(&mut self, line: Line, reading: &mut Reading<'_, Line>) -> Result<(), Exit> {
        match line {
            Line::Whole(line) | Line::Part { data: line, .. } => {
                self.0.send((line.to_vec(), reading.position())).map_err(|_| Exit::Normal)
            }
        }
    }

    fn changed(&mut self, change: Change, _: &mut Reading<'_, Line>) -> Result<(), Exit> {
        if matches!(change, Change::Replaced) {
            reached("replaced");
        }
        Ok(())
    }

    fn closed(&mut self, reason: &Exit, _: &mut Reading<'_, Line>) {
        if *reason == Exit::ParentEnded {
            reached("interrupted");
        }
    }
}

/// A directory of the scenario's own, removed at its end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("antiphon-scenario-file-{}", process::id()));
        fs::create_dir(&path).expect("temporary files can be made");
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Nothing depends on it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("it can be written to");
    file.write_all(text.as_bytes()).expect("the disk has room");
}

type Lines = Receiver<(Vec<u8>, u64)>;

fn follow(node: &Node, path: &Path) -> (Address<Command>, Lines) {
    let (tell, lines) = mpsc::channel();
    let options = Options::new(path).follow();
    let (_, address) = own(node, move |context| {
        let (reader, handler) = file::reader(options, Collect(tell))?;
        Ok(context.spawn_meta(reader, handler)?)
    });
    (address, lines)
}

fn expect(lines: &Lines, number: usize) {
    let line = lines.recv_timeout(LONG);
    let as_written = matches!(&line, Ok((line, _)) if *line == number.to_string().into_bytes());
    check(as_written, Guarantee::NoLoss, || format!("{line:?} instead of {number}"));
    reached("handled");
}

/// Lines come in order while they are written.
fn grows(count: usize) {
    let directory = Directory::new();
    let path = directory.0.join("file");
    on_a_node(|node| {
        let (_, lines) = follow(node, &path);
        thread::scope(|scope| {
            scope.spawn(|| (0..count).for_each(|number| append(&path, &format!("{number}\n"))));
            (0..count).for_each(|number| expect(&lines, number));
        });
    });
}

/// The file is renamed and made anew, and written to under both names.
fn rotated(rounds: usize) {
    let directory = Directory::new();
    let (path, old) = (directory.0.join("file"), directory.0.join("old"));
    append(&path, "0\n");
    on_a_node(|node| {
        let (_, lines) = follow(node, &path);
        expect(&lines, 0);
        for round in 1..=rounds {
            fs::rename(&path, &old).expect("it is there");
            append(&old, &format!("{round}\n"));
            expect(&lines, round);
            append(&path, &format!("{round}\n"));
            expect(&lines, round);
        }
    });
}

/// Somebody else has the Reader go back and forth while it reads: what comes after a seek comes from there.
fn seeks(count: usize) {
    let directory = Directory::new();
    let path = directory.0.join("file");
    append(&path, &(0..2000).map(|number| format!("{number:07}\n")).collect::<String>());
    on_a_node(|node| {
        let (address, lines) = follow(node, &path);
        for number in 0..count {
            let offset = (number * 7919 % 2000) as u64 * 8;
            let accepted = address.send(Command::seek(offset)).is_ok();
            check(accepted, Guarantee::NoLoss, || "the command was refused".into());
            let whole = lines.recv_timeout(LONG);
            let fits = matches!(&whole, Ok((line, end))
                if String::from_utf8_lossy(line).parse::<u64>() == Ok(end / 8 - 1));
            check(fits, Guarantee::SenderOrder, || format!("{whole:?} is not what is there"));
        }
        let at = node.call(&address, Command::position, LONG);
        check(at.is_ok_and(|at| at.is_multiple_of(8)), Guarantee::NoLoss, || format!("position {at:?}"));
        // The end of the file comes by any order of reading and seeking, once.
        let _ = address.send(Command::seek(1999 * 8));
        while lines.recv_timeout(LONG).is_ok_and(|(line, _)| line != b"0001999") {}
        reached("handled");
        reached("sought");
    });
}
