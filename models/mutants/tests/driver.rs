//! Runs every mutant until it is caught, each run in a process of its own, and prints what caught it.
//!
//! `--only TEXT` restricts it to the mutants whose name contains the text; `--all` goes on after the first
//! scenario and configuration that caught one.

use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fmt, process, thread};

use antiphon_harness::{Engine, Fault, Mutant, Scenario, Unseen};
use antiphon_spec::Guarantee;

/// How long one run may explore.
const LIMIT: Duration = Duration::from_secs(20);

/// How long beyond it a child is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many executions the unchanged copy is explored for.
const CONTROL: usize = 300;

/// The name under which the unchanged copy is run.
const UNCHANGED: &str = "(unchanged)";

/// What a package has to run, and how.
pub(crate) struct Suite {
    pub(crate) engine: Engine,
    /// The names of the engine's configurations, the quickest first.
    pub(crate) configurations: &'static [&'static str],
    pub(crate) mutants: &'static [Mutant],
    pub(crate) unseen: &'static [Unseen],
    /// The scenarios on a copy of the runtime without any bug.
    pub(crate) control: &'static [Scenario],
    /// Makes the copy one without any bug.
    pub(crate) install_unchanged: fn(),
    /// Explores in this configuration, by calling [`Run::execute`], until it fails or the time is over.
    pub(crate) explore: fn(&str, &'static Run),
}

/// One exploration, in the child.
pub(crate) struct Run {
    body: fn(),
    deadline: Instant,
    at_most: usize,
    executions: AtomicU64,
    fault: Mutex<Option<Fault>>,
}

/// The payload with which an execution stops its engine.
struct Stop;

impl Run {
    /// One execution; `body` is run inside whatever `around` puts around it.
    ///
    /// # Panics
    /// After a fault: it is the only way to make an engine stop.
    pub(crate) fn execute(&self, around: impl FnOnce(fn())) {
        self.executions.fetch_add(1, Ordering::Relaxed);
        antiphon_harness::begin();
        around(self.body);
        if let Err(fault) = antiphon_harness::finish(true) {
            *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
            panic::resume_unwind(Box::new(Stop));
        }
    }

    /// The time that is left.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// How many executions there may be.
    pub(crate) fn at_most(&self) -> usize {
        self.at_most
    }

    fn passed(&self) -> ! {
        say(&format!("passed\t{}", self.executions.load(Ordering::Relaxed)))
    }

    /// Says what is wrong with the execution that an engine gave up, and ends the process.
    fn failed(&self, message: &str) -> ! {
        let found = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        // At a deadlock nothing moves any more: what waits then, waits for ever.
        let fault = found.or_else(|| antiphon_harness::finish(is_deadlock(message)).err());
        let (guarantee, message) = match &fault {
            Some(fault) => (Some(fault.guarantee), fault.message.as_str()),
            None => (owner(message), message),
        };
        let guarantee = guarantee.map_or("none", Guarantee::id);
        let message = message.lines().next().unwrap_or_default();
        say(&format!("caught\t{guarantee}\t{}\t{message}", self.executions.load(Ordering::Relaxed)))
    }
}

fn is_deadlock(message: &str) -> bool {
    message.to_ascii_lowercase().contains("deadlock")
}

/// The guarantee that an engine's own finding belongs to.
fn finding(message: &str) -> Option<Guarantee> {
    if is_deadlock(message) {
        Some(Guarantee::WakeUp)
    } else if ["Causality violation", "currently writing", "currently reading"]
        .iter()
        .any(|race| message.contains(race))
    {
        Some(Guarantee::RaceFreedom)
    } else if message.contains("Arc leaked") {
        Some(Guarantee::NoLeak)
    } else {
        None
    }
}

/// Whether this panic only shows that the one before it got out of an execution, and what was left was dropped.
fn is_aftermath(message: &str) -> bool {
    message.starts_with("cannot access Loom execution state") || message.starts_with("panic in a ")
}

/// The guarantee that is broken if an execution ends with this panic.
fn owner(message: &str) -> Option<Guarantee> {
    finding(message).or_else(|| antiphon_harness::owner(message))
}

/// The child's last word.
fn say(line: &str) -> ! {
    let _ = writeln!(io::stdout(), "\n{line}");
    process::exit(0)
}

fn child(suite: &Suite, mutant: &str, scenario: &str, configuration: &str) -> ! {
    let of = suite.mutants.iter().find(|other| other.name == mutant);
    let scenarios = of.map_or(suite.control, |mutant| mutant.scenarios);
    let scenario = scenarios.iter().find(|other| other.name == scenario).expect("the parent knows its names");
    let run: &'static Run = Box::leak(Box::new(Run {
        body: scenario.body,
        deadline: Instant::now() + LIMIT,
        at_most: if of.is_some() { usize::MAX } else { CONTROL },
        executions: AtomicU64::new(0),
        fault: Mutex::new(None),
    }));
    let last = Mutex::new(String::new());
    panic::set_hook(Box::new(move |info| {
        let message = info.payload_as_str().unwrap_or("a panic without a message");
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        // What an engine finds is its last word, and unwinding from it may abort on the way: the process ends
        // here instead. Any other panic is provoked, contained, or the end of its execution.
        if finding(message).is_some() {
            run.failed(message);
        }
        if is_aftermath(message) {
            run.failed(&last);
        }
        *last = message.to_owned();
    }));
    of.map_or(suite.install_unchanged, |mutant| mutant.install)();
    match panic::catch_unwind(AssertUnwindSafe(|| (suite.explore)(configuration, run))) {
        Ok(()) => run.passed(),
        Err(payload) => {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            run.failed(text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic"))
        }
    }
}

/// What a run came to, as the parent sees it.
enum Outcome {
    Passed { executions: u64 },
    Caught { guarantee: String, executions: u64, message: String },
    Broken(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed { executions } => write!(f, "NOT CAUGHT in {executions}"),
            Self::Caught { guarantee, executions, message } => {
                write!(f, "{guarantee} in execution {executions}: {message}")
            }
            Self::Broken(how) => write!(f, "NO RESULT: {how}"),
        }
    }
}

fn start(mutant: &str, scenario: &str, configuration: &str) -> io::Result<Outcome> {
    let mut child = Command::new(env::current_exe()?)
        .args(["--child", mutant, scenario, configuration])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let began = Instant::now();
    // Its one line fits the pipe, so it need not be read while it runs.
    while child.try_wait()?.is_none() {
        if began.elapsed() > LIMIT + PATIENCE {
            child.kill()?;
        }
        thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    let outcome = match *last.split('\t').collect::<Vec<_>>() {
        ["passed", executions] => executions.parse().ok().map(|executions| Outcome::Passed { executions }),
        ["caught", guarantee, executions, message] => executions.parse().ok().map(|executions| {
            Outcome::Caught { guarantee: guarantee.into(), executions, message: message.into() }
        }),
        _ => None,
    };
    Ok(outcome.unwrap_or_else(|| Outcome::Broken(format!("{}", output.status))))
}

/// Runs one mutant until it is caught; returns the lines to print and whether all is well.
fn judge(suite: &Suite, mutant: &Mutant, all: bool) -> (String, bool) {
    let mut lines = String::new();
    let mut caught = false;
    let fits = |scenario: &&Scenario| scenario.engines.contains(&suite.engine);
    for scenario in mutant.scenarios.iter().filter(fits) {
        for configuration in suite.configurations {
            if caught && !all {
                break;
            }
            let began = Instant::now();
            let outcome = start(mutant.name, scenario.name, configuration)
                .unwrap_or_else(|error| Outcome::Broken(error.to_string()));
            let right = match &outcome {
                Outcome::Caught { guarantee, .. } => guarantee == (mutant.shows)(suite.engine).id(),
                Outcome::Passed { .. } | Outcome::Broken(_) => false,
            };
            let mark = if right { "ok  " } else { "    " };
            let seconds = began.elapsed().as_secs_f64();
            lines += &format!(
                "{mark}{:<36} {:<18} {:<34} {configuration:<14} {seconds:>5.2}s  {outcome}\n",
                mutant.name,
                mutant.breaks.id(),
                scenario.name
            );
            match outcome {
                // Found, and named wrongly: no other scenario makes up for it.
                Outcome::Caught { .. } if !right => return (lines, false),
                outcome => caught |= matches!(outcome, Outcome::Caught { .. }),
            }
        }
    }
    if !caught {
        lines += &format!("    {:<36} NOBODY CAUGHT IT\n", mutant.name);
    }
    (lines, caught)
}

/// The copy without a bug shows none: what catches the others is the bug, not the copying.
fn control(suite: &Suite, scenario: &Scenario) -> (String, bool) {
    // The last one has no bounds, and takes programs without any choice.
    let configuration = suite.configurations[suite.configurations.len() - 1];
    let outcome = start(UNCHANGED, scenario.name, configuration)
        .unwrap_or_else(|error| Outcome::Broken(error.to_string()));
    match outcome {
        Outcome::Passed { executions } if executions > 0 => (String::new(), true),
        outcome => (format!("    {UNCHANGED} {} {configuration}: {outcome}\n", scenario.name), false),
    }
}

/// The test program.
pub(crate) fn main(suite: &Suite) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [child_flag, mutant, scenario, configuration] = arguments.as_slice()
        && child_flag == "--child"
    {
        child(suite, mutant, scenario, configuration);
    }
    let all = arguments.iter().any(|argument| argument == "--all");
    let only =
        arguments.iter().skip_while(|argument| *argument != "--only").nth(1).cloned().unwrap_or_default();
    let mutants: Vec<&Mutant> = suite.mutants.iter().filter(|mutant| mutant.name.contains(&only)).collect();
    let fits = |scenario: &&Scenario| scenario.engines.contains(&suite.engine) && only.is_empty();
    let named = |scenario: &&Scenario| {
        suite.mutants.iter().any(|mutant| mutant.scenarios.iter().any(|other| other.name == scenario.name))
    };
    let controls: Vec<&Scenario> = suite.control.iter().filter(fits).filter(named).collect();
    let next = AtomicUsize::new(0);
    let failures = AtomicUsize::new(0);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let (lines, well) = match (mutants.get(index), index.checked_sub(mutants.len())) {
                (Some(mutant), _) => judge(suite, mutant, all),
                (None, Some(index)) if index < controls.len() => control(suite, controls[index]),
                _ => return,
            };
            print!("{lines}");
            failures.fetch_add(usize::from(!well), Ordering::Relaxed);
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..workers).for_each(|_| _ = scope.spawn(work)));
    for unseen in suite.unseen {
        println!("--  {:<36} {:<18} cannot be seen here: {}", unseen.name, unseen.breaks.id(), unseen.why);
    }
    let failures = failures.into_inner();
    println!(
        "{} mutants, {} scenarios without one; {failures} not as they should be",
        mutants.len(),
        controls.len()
    );
    if failures == 0 && !(mutants.is_empty() && only.is_empty()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
