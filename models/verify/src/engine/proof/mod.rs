//! The proofs: the abstract protocol, for any number of everything; and whether its model and the specification say
//! the same of what the source does.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

mod conditions;
mod opinions;
mod oracles;
mod theorems;
mod traces;

pub(crate) use conditions::{GUARANTEES as OF_CONDITIONS, check as conditions};
pub(crate) use opinions::JUDGED as OF_ORACLES;
pub(crate) use oracles::{check as oracles, origins};
pub(crate) use theorems::{check as theorems, count, guarantees as of_theorems};

/// The script that compiles the proofs and builds the judge, from the root of the workspace.
const SCRIPT: &str = "proofs/coq/check.sh";

/// How often the deadline is looked at.
const TICK: Duration = Duration::from_millis(50);

/// What the proofs are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Proof {
    /// Coq: all theorems.
    Theorems,
    /// z3: the conditions, and what breaks them.
    Conditions,
    /// The specification machine and the executable model, on the same traces.
    Oracles,
}

/// Runs a program and hands each line that it prints to `hear`; none if the time is over before it ends.
///
/// What it has to say to people goes nowhere: whoever wants to read that runs it by hand.
fn listen(
    command: &mut Command,
    deadline: Instant,
    mut hear: impl FnMut(&str),
) -> io::Result<Option<ExitStatus>> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let output = child.stdout.take().expect("it is piped");
    let (lines, inbox) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                break;
            }
        }
    });
    loop {
        match inbox.recv_timeout(TICK) {
            Ok(line) => hear(&line),
            Err(RecvTimeoutError::Disconnected) => return child.wait().map(Some),
            Err(RecvTimeoutError::Timeout) if Instant::now() >= deadline => {
                end(&mut child);
                return Ok(None);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// It is ours and has not been waited for. What it has started ends with the file it is at.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
