//! Schedules written down: played back, and made smaller.
//!
//! A schedule is one line of text, `antiphon-schedule 1 DIGEST STEP...`: who goes on at each decision, as a thread's
//! way down from the main thread `t` with the number of times (`t.1*3`), and which way each choice goes (`?0`). What
//! commutes with everything (starts, ends and joins of threads) is not in it. The digest is of the operations done,
//! so that a schedule of another program is not taken for one of this.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;

use platform::model::{Execution, Failure, FailureKind, Kind, Next, Scheduler, ThreadId};

use crate::cycle;
use crate::program::Runner;
use crate::search::{Bound, Course, Ending, Limits};

/// One decision of a schedule.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Decision {
    /// This thread goes on.
    Thread(String),
    /// The choice goes this way.
    Way(usize),
}

/// The decisions that determine one execution.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    digest: u64,
    decisions: Vec<Decision>,
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "antiphon-schedule 1 {:016x}", self.digest)?;
        let mut rest = &self.decisions[..];
        while let Some(first) = rest.first() {
            match first {
                Decision::Way(way) => {
                    write!(f, " ?{way}")?;
                    rest = &rest[1..];
                }
                Decision::Thread(name) => {
                    let times = rest.iter().take_while(|decision| *decision == first).count();
                    write!(f, " {name}")?;
                    if times > 1 {
                        write!(f, "*{times}")?;
                    }
                    rest = &rest[times..];
                }
            }
        }
        Ok(())
    }
}

/// Why a text is not a schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScheduleError(String);

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a schedule: {}", self.0)
    }
}

impl std::error::Error for ScheduleError {}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        const MOST: usize = 1 << 20;
        let error = |what: &str| ScheduleError(what.to_owned());
        let mut words = text.split_whitespace();
        if words.next() != Some("antiphon-schedule") {
            return Err(error("it does not begin with `antiphon-schedule`"));
        }
        if words.next() != Some("1") {
            return Err(error("it is not of version 1"));
        }
        let digest = words.next().and_then(|word| u64::from_str_radix(word, 16).ok());
        let digest =
            digest.ok_or_else(|| error("the third word is not a digest of 16 hexadecimal digits"))?;
        let mut decisions = Vec::new();
        for word in words {
            if let Some(way) = word.strip_prefix('?') {
                let way = way.parse().map_err(|_| error(&format!("`{word}` is not a way of a choice")))?;
                decisions.push(Decision::Way(way));
                continue;
            }
            let (name, times) = word.split_once('*').unwrap_or((word, "1"));
            let times: usize =
                times.parse().map_err(|_| error(&format!("`{word}` has no number of times")))?;
            let named =
                name == "t" || name.strip_prefix("t.").is_some_and(|way| way.split('.').all(is_number));
            if !named {
                return Err(error(&format!("`{name}` is not the name of a thread")));
            }
            if decisions.len() + times > MOST {
                return Err(error("it is too long"));
            }
            decisions.extend(std::iter::repeat_n(Decision::Thread(name.to_owned()), times));
        }
        Ok(Self { digest, decisions })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Schedule {
    /// The schedule of an execution's first `length` steps.
    pub(crate) fn of(execution: &Execution, length: usize) -> Self {
        let mut hasher = DefaultHasher::new();
        let mut decisions = Vec::new();
        for (thread, operation) in &execution.log[..length] {
            let name = execution.name(*thread);
            name.hash(&mut hasher);
            operation.kind.hash(&mut hasher);
            match operation.kind {
                Kind::Join => {}
                Kind::Choice => decisions.push(Decision::Way(operation.new as usize)),
                _ => decisions.push(Decision::Thread(name)),
            }
        }
        Self { digest: hasher.finish(), decisions }
    }

    /// How often another thread goes on than the one that went on before.
    pub fn switches(&self) -> usize {
        let threads: Vec<_> = self.decisions.iter().filter(|d| matches!(d, Decision::Thread(_))).collect();
        threads.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    /// How many decisions it has.
    pub fn len(&self) -> usize {
        self.decisions.len()
    }

    /// Whether it decides nothing.
    pub fn is_empty(&self) -> bool {
        self.decisions.is_empty()
    }
}

/// What is known of one execution that was played back.
#[derive(Clone, Debug)]
pub struct Played {
    /// How it ended.
    pub ending: Ending,
    /// What is wrong with it.
    pub failure: Option<Failure>,
    /// The schedule that it really had.
    pub schedule: Schedule,
    /// Its operations, one line each.
    pub operations: Vec<String>,
    /// Whether it went on as the given schedule says to its end, with the same operations.
    pub faithful: bool,
}

/// Plays a schedule: as far as it can be followed, and then without unasked switches.
#[derive(Debug)]
struct Player<'a> {
    decisions: &'a [Decision],
    at: usize,
    /// The ways of choices, when the rest is not followed to the letter.
    ways: VecDeque<usize>,
    faithful: bool,
    /// Whether a schedule that ends in a cycle shows a livelock.
    cycles: bool,
    course: Course,
}

impl<'a> Player<'a> {
    fn new(decisions: &'a [Decision], depth: usize, cycles: bool) -> Self {
        let ways = decisions.iter().filter_map(|decision| match decision {
            Decision::Way(way) => Some(*way),
            Decision::Thread(_) => None,
        });
        let limits = Limits { depth, preemptions: None };
        Self { decisions, at: 0, ways: ways.collect(), faithful: true, cycles, course: Course::new(limits) }
    }

    fn finished(&self) -> bool {
        self.decisions[self.at..].iter().all(|decision| matches!(decision, Decision::Way(_)))
    }
}

impl Scheduler for Player<'_> {
    fn next(&mut self, execution: &mut Execution) -> Next {
        let enabled = match self.course.look(execution) {
            Ok(enabled) => enabled,
            Err(stop) => return stop,
        };
        while let Some(decision) = self.decisions.get(self.at) {
            self.at += 1;
            let Decision::Thread(name) = decision else { continue };
            match enabled.iter().find(|id| execution.name(*id) == *name) {
                Some(thread) => return self.course.run(execution, enabled, thread),
                None => self.faithful = false,
            }
        }
        if std::mem::take(&mut self.cycles)
            && let Some(cycle) = cycle::of(execution, cycle::SHOWN)
        {
            cycle.fail(execution);
            self.course.note(execution, Ending::Failed);
            return Next::Stop;
        }
        let last = self.course.last().filter(|last| enabled.has(*last));
        let next = last.or_else(|| enabled.iter().next()).expect("somebody is enabled");
        self.course.run(execution, enabled, next)
    }

    fn choose(&mut self, _: &mut Execution, _: ThreadId, ways: u32) -> usize {
        let way = self.ways.pop_front().unwrap_or(0);
        if way >= ways as usize {
            self.faithful = false;
        }
        way.min(ways as usize - 1)
    }
}

/// Plays one execution of `program` by `schedule`; one that ends in a cycle shows a livelock, if `cycles`.
pub(crate) fn play(runner: &mut Runner, schedule: &Schedule, depth: usize, cycles: bool) -> Played {
    let mut player = Player::new(&schedule.decisions, depth, cycles);
    let mut seen = None;
    let (ending, failure) = runner.run(&mut player, |player, execution| {
        let length = player.course.length.unwrap_or(execution.log.len());
        let operations = execution.log.iter().map(|(thread, operation)| {
            let name = execution.name(*thread);
            format!("{name:8} {operation}")
        });
        seen = Some((Schedule::of(execution, length), operations.collect()));
        player.course.ended
    });
    let (done, operations) = seen.expect("an execution is read");
    let faithful = player.faithful && player.finished() && done.digest == schedule.digest;
    Played { ending, failure, schedule: done, operations, faithful }
}

/// An execution belongs to one operating-system thread; this gives it a fresh one.
pub(crate) fn on_own_thread<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("explorer".to_owned())
            .stack_size(8 << 20)
            .spawn_scoped(scope, work)
            .expect("a thread")
            .join()
            .unwrap_or_else(|payload| std::panic::resume_unwind(payload))
    })
}

/// How many executions may be spent on making one schedule smaller.
const PATIENCE: usize = 3_000;

/// Looks for a schedule that fails in the same way with fewer switches, and then with fewer steps.
///
/// Each round takes out one block of steps of one thread, or moves one to the end of the same thread's block before
/// or after it; what is smaller and still fails is kept, until nothing helps or the patience is at its end. What is
/// left out of a schedule is filled in without unasked switches.
pub(crate) fn minimise(runner: &mut Runner, first: Played, depth: usize) -> Played {
    let Some(kind) = first.failure.as_ref().map(|failure| failure.kind) else { return first };
    let mut best = first;
    let mut left = PATIENCE;
    loop {
        let mut better = None;
        for candidate in candidates(&best.schedule) {
            if left == 0 {
                return best;
            }
            left -= 1;
            let played = play(runner, &candidate, depth, kind == FailureKind::Livelock);
            let smaller = (played.schedule.switches(), played.schedule.len())
                < (best.schedule.switches(), best.schedule.len());
            if smaller && fails_alike(&played, kind) {
                better = Some(played);
                break;
            }
        }
        match better {
            Some(played) => best = played,
            None => return best,
        }
    }
}

fn fails_alike(played: &Played, kind: FailureKind) -> bool {
    played.failure.as_ref().is_some_and(|failure| failure.kind == kind)
        && !matches!(played.ending, Ending::Cut(Bound::Depth))
}

/// Schedules that may be smaller than this one.
fn candidates(schedule: &Schedule) -> Vec<Schedule> {
    let mut blocks: Vec<Vec<Decision>> = Vec::new();
    for decision in &schedule.decisions {
        match blocks.last_mut() {
            Some(block) if block.last() == Some(decision) || matches!(decision, Decision::Way(_)) => {
                block.push(decision.clone());
            }
            _ => blocks.push(vec![decision.clone()]),
        }
    }
    let of = |blocks: &[Vec<Decision>]| Schedule { digest: 0, decisions: blocks.concat() };
    let mut all = Vec::new();
    // Shorter beginnings first: what comes after them comes without switches.
    for end in 0..blocks.len() {
        all.push(of(&blocks[..end]));
    }
    for index in 0..blocks.len() {
        let mut without = blocks.clone();
        let block = without.remove(index);
        all.push(of(&without));
        let same = |other: &Vec<Decision>| other.first() == block.first();
        if let Some(before) = without[..index].iter().rposition(same) {
            let mut moved = without.clone();
            moved[before].extend(block.iter().cloned());
            all.push(of(&moved));
        }
        if let Some(after) = without[index..].iter().position(same) {
            let mut moved = without.clone();
            moved[index + after].splice(0..0, block.iter().cloned());
            all.push(of(&moved));
        }
        // One step less before the switch.
        if block.len() > 1 {
            let mut shorter = blocks.clone();
            shorter[index].pop();
            all.push(of(&shorter));
        }
    }
    all
}
