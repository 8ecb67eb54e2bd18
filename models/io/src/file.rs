//! Files that grow, shrink, and are replaced.

mod trouble;

use std::convert::Infallible;
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
use crate::{COMMANDED, Fault, SERVED};
use trouble::Trouble::{Refused, Removed, Truncated};
use trouble::{beside_another, directory_is_removed, while_the_owner_is_killed};

pub(crate) const SCENARIOS: &[Scenario] = catalogue! {
    "file/grows/100", SERVED, ["handled", "interrupted"], grows(100);
    "file/rotated/10", SERVED, ["handled", "replaced", "interrupted"], rotated(10);
    "file/seeks-while-reading/20", COMMANDED, ["handled", "sought"], seeks(20);
    "file/is-truncated/5", SERVED, ["told", "handled", "answered"], beside_another(Truncated, 5);
    "file/is-removed/5", SERVED, ["told", "handled", "answered"], beside_another(Removed, 5);
    "file/is-refused/5", SERVED, ["told", "handled", "answered"], beside_another(Refused, 5);
    "file/owner-is-killed-while-it-is-truncated", SERVED, ["told", "interrupted", "answered"],
        while_the_owner_is_killed(Truncated);
    "file/owner-is-killed-while-it-is-removed", SERVED, ["told", "interrupted", "answered"],
        while_the_owner_is_killed(Removed);
    "file/owner-is-killed-while-it-is-refused", SERVED, ["told", "interrupted", "answered"],
        while_the_owner_is_killed(Refused);
    "file/directory-is-removed/5", SERVED, ["failed", "answered"], directory_is_removed(5);
};

pub(crate) const FAULTS: &[Fault] = &[
    (
        "a file is truncated while it is followed",
        &["file/is-truncated/5", "file/owner-is-killed-while-it-is-truncated"],
    ),
    (
        "a file is removed while it is followed",
        &["file/is-removed/5", "file/owner-is-killed-while-it-is-removed"],
    ),
    (
        "something that is no file takes its name",
        &["file/is-refused/5", "file/owner-is-killed-while-it-is-refused"],
    ),
    ("the directory of a file is removed", &["file/directory-is-removed/5"]),
];

/// Hands lines, and changes, to the scenario.
struct Collect {
    lines: Sender<(Vec<u8>, u64)>,
    changes: Sender<&'static str>,
}

impl Session for Collect {
    type Unit = Line;

    fn received(&mut self, line: Line, reading: &mut Reading<'_, Line>) -> Result<(), Exit> {
        match line {
            Line::Whole(line) | Line::Part { data: line, .. } => {
                self.lines.send((line.to_vec(), reading.position())).map_err(|_| Exit::Normal)
            }
        }
    }

    fn changed(&mut self, change: Change, _: &mut Reading<'_, Line>) -> Result<(), Exit> {
        let label = match change {
            Change::Truncated => "truncated",
            Change::Replaced => "replaced",
            Change::Removed => "removed",
            Change::Refused(_) => "refused",
            _ => "changed",
        };
        reached(label);
        // Not every scenario asks for them.
        let _ = self.changes.send(label);
        Ok(())
    }

    fn closed(&mut self, reason: &Exit, _: &mut Reading<'_, Line>) {
        match reason {
            Exit::ParentEnded => reached("interrupted"),
            Exit::Failed(_) => reached("failed"),
            _ => {}
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

/// A file that is followed, and who owns the meta-process.
struct Followed {
    owner: Address<Infallible>,
    meta: Address<Command>,
    lines: Lines,
    changes: Receiver<&'static str>,
}

fn follow(node: &Node, path: &Path) -> Followed {
    let (tell, lines) = mpsc::channel();
    let (tell_changes, changes) = mpsc::channel();
    let options = Options::new(path).follow();
    let (owner, meta) = own(node, move |context| {
        let (reader, handler) = file::reader(options, Collect { lines: tell, changes: tell_changes })?;
        Ok(context.spawn_meta(reader, handler)?)
    });
    Followed { owner, meta, lines, changes }
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
        let lines = follow(node, &path).lines;
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
        let lines = follow(node, &path).lines;
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
        let Followed { meta, lines, .. } = follow(node, &path);
        for number in 0..count {
            let offset = (number * 7919 % 2000) as u64 * 8;
            let accepted = meta.send(Command::seek(offset)).is_ok();
            check(accepted, Guarantee::NoLoss, || "the command was refused".into());
            let whole = lines.recv_timeout(LONG);
            let fits = matches!(&whole, Ok((line, end))
                if String::from_utf8_lossy(line).parse::<u64>() == Ok(end / 8 - 1));
            check(fits, Guarantee::SenderOrder, || format!("{whole:?} is not what is there"));
        }
        let at = node.call(&meta, Command::position, LONG);
        check(at.is_ok_and(|at| at.is_multiple_of(8)), Guarantee::NoLoss, || format!("position {at:?}"));
        // The end of the file comes by any order of reading and seeking, once.
        let _ = meta.send(Command::seek(1999 * 8));
        while lines.recv_timeout(LONG).is_ok_and(|(line, _)| line != b"0001999") {}
        reached("handled");
        reached("sought");
    });
}
