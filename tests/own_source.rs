//! A source of one's own, as the book shows it, on a pseudo-terminal: the nearest to a serial port.

mod io_support;
#[path = "../docs/snippets/serial.rs"]
mod serial;

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;

use antiphon::Node;
use antiphon::io::{Steps, Waker, shared};
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
