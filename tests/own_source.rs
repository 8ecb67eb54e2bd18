//! Sources of one's own: the serial port of the book, on a pseudo-terminal, which is the nearest to one; and
//! libraries that block.

mod io_support;
#[path = "../docs/snippets/serial.rs"]
mod serial;

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, PipeReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use antiphon::io::{Steps, Waker, shared};
use antiphon::{Exit, Handler, HandlerContext, Interrupt, Node, Reader, ReaderContext};
use io_support::*;
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serial::{Answers, Port};

/// The two ends of a line: the other end, and the device at this one.
fn line() -> (File, File) {
    let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are pseudo-terminals");
    grantpt(&far).expect("it is new");
    unlockpt(&far).expect("it is new");
    let name = ptsname(&far, Vec::new()).expect("it has a name").into_string().expect("it is text");
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
    let device = OpenOptions::new().read(true).write(true).custom_flags(flags).open(name);
    (far.into(), device.expect("it can be opened"))
}

#[test]
fn a_serial_port_answers_and_ends_at_once_on_a_thread_or_on_a_poller() {
    for shares in [false, true] {
        let node = Node::new();
        let (mut far, device) = line();
        let port =
            Port { device: device.try_clone().expect("there are descriptors"), waker: Waker::unbound() };
        let steps = if shares { shared(Steps::new(port)) } else { Steps::new(port) };
        own(&node, move |context| {
            context.spawn_meta(steps, Answers(device))?;
            Ok(())
        });
        let mut answers = BufReader::new(far.try_clone().expect("there are descriptors"));
        for word in ["venite", "adoremus"] {
            writeln!(far, "{word}").expect("the line is open");
            // The terminal may echo what it is told; what matters is the answer.
            let answered = (0..4).any(|_| {
                let mut line = String::new();
                answers.read_line(&mut line).expect("the line is open");
                line.trim() == format!("<{word}>")
            });
            assert!(answered, "no answer to {word}");
        }
        stop(&node);
    }
}

/// A library that blocks, and has a function of its own to cancel that.
#[derive(Default)]
struct Library {
    cancelled: Mutex<bool>,
    changed: Condvar,
}

impl Library {
    fn wait_for_ever(&self) {
        let cancelled = self.cancelled.lock().expect("nobody panics with it");
        drop(self.changed.wait_while(cancelled, |cancelled| !*cancelled).expect("nobody panics with it"));
    }

    fn cancel(&self) {
        *self.cancelled.lock().expect("nobody panics with it") = true;
        self.changed.notify_all();
    }
}

struct Calls(Arc<Library>);

impl Reader<()> for Calls {
    fn interrupt(&mut self) -> Interrupt {
        let library = Arc::clone(&self.0);
        Interrupt::new(move || library.cancel())
    }

    fn run(self, _: &ReaderContext<()>) -> Result<(), Exit> {
        self.0.wait_for_ever();
        Ok(())
    }
}

/// Blocks in a system call, and nothing of this program can end that.
struct Deaf(PipeReader);

impl Reader<()> for Deaf {
    fn interrupt(&mut self) -> Interrupt {
        Interrupt::none()
    }

    fn run(mut self, _: &ReaderContext<()>) -> Result<(), Exit> {
        self.0.read_to_end(&mut Vec::new())?;
        Ok(())
    }
}

struct Nothing;

impl Handler for Nothing {
    type Message = ();

    fn handle(&mut self, (): (), _: &mut HandlerContext<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }
}

#[test]
fn a_library_that_blocks_is_interrupted_by_its_own_means() {
    let node = Node::new();
    own(&node, |context| {
        context.spawn_meta(Calls(Arc::default()), Nothing)?;
        Ok(())
    });
    stop(&node);
}

#[test]
fn a_reader_that_blocks_and_cannot_be_interrupted_is_named_when_the_node_stops() {
    let node = Node::new();
    let (input, output) = std::io::pipe().expect("there are descriptors");
    own(&node, |context| {
        context.spawn_meta(Deaf(input), Nothing)?;
        Ok(())
    });
    let error = node.stop(Duration::from_millis(100)).expect_err("the Reader blocks");
    assert!(error.0.iter().any(|actor| actor.reader), "{error}");
    assert!(error.to_string().contains("Nothing"), "{error}");
    drop(output);
    stop(&node);
}
