//! Prints what is added to files. Start it with `cargo run --example tail FILE...`, end
//! it with Ctrl-C.
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use antiphon::io::file::{self, Change, Line, Options, Reading, Session};
use antiphon::io::{Signal, signals};
use antiphon::{Actor, Address, Context, Exit, Node};

/// What is printed: a line of a file, or what has become of the file.
enum Print {
    Text { file: String, line: Line },
    News { file: String, news: String },
}

// ANCHOR: session
/// What each file's meta-process does: it hands everything to the printer.
struct Follow {
    file: String,
    printer: Address<Print>,
}

impl Follow {
    fn print(&self, print: Print) -> Result<(), Exit> {
        self.printer.send(print).map_err(|_| Exit::Normal)
    }
}

impl Session for Follow {
    type Unit = Line;

    fn received(&mut self, line: Line, _: &mut Reading<'_, Line>) -> Result<(), Exit> {
        self.print(Print::Text { file: self.file.clone(), line })
    }

    fn changed(&mut self, change: Change, _: &mut Reading<'_, Line>) -> Result<(), Exit> {
        let news = match change {
            Change::Truncated => "was truncated".into(),
            Change::Replaced => "is another file now".into(),
            Change::Removed => "was renamed or removed".into(),
            Change::Appeared => "has appeared".into(),
            other => format!("{other:?}"),
        };
        self.print(Print::News { file: self.file.clone(), news })
    }

    fn closed(&mut self, reason: &Exit, _: &mut Reading<'_, Line>) {
        if let Exit::Failed(error) = reason {
            // If the printer has ended, so has everything.
            let _ = self.print(Print::News { file: self.file.clone(), news: format!("is lost: {error}") });
        }
    }
}
// ANCHOR_END: session

/// The process that prints, and that the files belong to. As long as it has not printed a line, the line
/// holds up whoever reads that file.
struct Printer {
    files: Vec<String>,
    /// Which file the last line was of.
    last: Option<String>,
    signalled: Sender<signals::Received>,
}

impl Actor for Printer {
    type Message = Print;

    fn init(&mut self, context: &mut Context<'_, Print>) -> Result<(), Exit> {
        for file in &self.files {
            let session = Follow { file: file.clone(), printer: context.address() };
            let (reader, handler) = file::reader(Options::new(file).follow().from_end(), session)?;
            context.spawn_meta(reader, handler)?;
        }
        let signalled = self.signalled.clone();
        let tell = move |signal| signalled.send(signal).map_err(|_| Exit::Normal);
        let (reader, handler) = signals::signals([Signal::Interrupt, Signal::Terminate], tell)?;
        context.spawn_meta(reader, handler)?;
        Ok(())
    }

    fn handle(&mut self, print: Print, _: &mut Context<'_, Print>) -> Result<(), Exit> {
        match print {
            Print::Text { file, line } => {
                let mut out = io::stdout().lock();
                if self.files.len() > 1 && self.last.as_ref() != Some(&file) {
                    writeln!(out, "==> {file} <==")?;
                    self.last = Some(file);
                }
                match line {
                    Line::Whole(line) | Line::Part { data: line, last: true } => {
                        out.write_all(&line)?;
                        out.write_all(b"\n")?;
                    }
                    Line::Part { data, .. } => out.write_all(&data)?,
                }
                out.flush()?;
            }
            Print::News { file, news } => eprintln!("tail: {file} {news}"),
        }
        Ok(())
    }
}

fn run(files: Vec<String>) -> Result<(), Box<dyn Error>> {
    if files.is_empty() {
        return Err("which files? Say their names".into());
    }
    let (signalled, signal) = mpsc::channel();
    let node = Node::new();
    node.spawn(Printer { files, last: None, signalled })?;
    eprintln!("tail: following");
    signal.recv()?;
    node.stop(Duration::from_secs(5))?;
    Ok(())
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tail: {error}");
            ExitCode::FAILURE
        }
    }
}
