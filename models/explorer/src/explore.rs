//! Exploring a program: on all processors, within limits, in parts.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use platform::model::{FailureKind, Names};

use crate::cycle;
use crate::naive::Naive;
use crate::optimal::Optimal;
use crate::program::{Lent, Program, Runner};
use crate::report::{Counts, Found, Progress, Report, Stop};
use crate::saved::Saved;
use crate::schedule::{self, Played, Schedule, on_own_thread};
use crate::search::{Bound, Ending, Job, Limits, Search};
use crate::shard::{Checkpoint, Shard, ShardError};
use crate::source::Source;
use crate::split::Splitter;

/// The most steps of an execution, unless [`Explorer::depth`] says otherwise.
pub const DEPTH: usize = 10_000;

/// How many executions are tried in one piece before a program is split.
const SMALL: u64 = 4_000;

/// Into how many parts a program is split at least, if it can be.
const PARTS: usize = 64;

/// The deepest split.
const DEEPEST: usize = 20;

/// How the tree of schedules is searched.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// All schedules, without reduction.
    Naive,
    /// Source-DPOR with sleep sets: each class completed once, some executions begun in vain.
    Source,
    /// Optimal DPOR with wakeup trees: each class once, nothing begun in vain.
    Optimal,
}

type OnProgress = Arc<dyn Fn(&Progress) + Send + Sync>;

/// Explores programs; made with [`new`](Self::new), told what to do by its methods, set off by
/// [`run`](Self::run).
#[derive(Clone)]
pub struct Explorer {
    mode: Mode,
    workers: usize,
    depth: usize,
    preemptions: Option<usize>,
    spurious: u32,
    budget: Option<Duration>,
    executions: Option<u64>,
    keep_going: bool,
    shard: Shard,
    checkpoint: Option<PathBuf>,
    build: String,
    on_progress: Option<OnProgress>,
}

impl fmt::Debug for Explorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explorer")
            .field("mode", &self.mode)
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}

impl Default for Explorer {
    fn default() -> Self {
        Self::new()
    }
}

impl Explorer {
    /// Explores optimally, on all processors, without bounds but for a depth that only an endless execution
    /// reaches, until the first failure.
    pub fn new() -> Self {
        Self {
            mode: Mode::Optimal,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            depth: DEPTH,
            preemptions: None,
            spurious: 0,
            budget: None,
            executions: None,
            keep_going: false,
            shard: Shard::WHOLE,
            checkpoint: None,
            build: String::new(),
            on_progress: None,
        }
    }

    /// How to search.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// On how many operating-system threads, at least one.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Cuts executions off after so many steps.
    pub fn depth(mut self, steps: usize) -> Self {
        self.depth = steps;
        self
    }

    /// Cuts executions off before the next preemption (a switch away from a thread that could go on) after so many.
    ///
    /// With [`Mode::Naive`] all schedules within the bound are explored. With reduction some of them may be left
    /// out, in favour of equivalent ones that the bound cut off.
    pub fn preemption_bound(mut self, preemptions: Option<usize>) -> Self {
        self.preemptions = preemptions;
        self
    }

    /// Lets each thread wake up from waits for no reason so many times.
    pub fn spurious(mut self, times: u32) -> Self {
        self.spurious = times;
        self
    }

    /// Ends the exploration after this time.
    pub fn budget(mut self, budget: Option<Duration>) -> Self {
        self.budget = budget;
        self
    }

    /// Ends the exploration after about so many executions.
    pub fn executions(mut self, executions: Option<u64>) -> Self {
        self.executions = executions;
        self
    }

    /// Goes on after a failure; the first one is reported.
    pub fn keep_going(mut self, keep_going: bool) -> Self {
        self.keep_going = keep_going;
        self
    }

    /// Explores one of several parts only.
    pub fn shard(mut self, shard: Shard) -> Self {
        self.shard = shard;
        self
    }

    /// Writes what is done into this file from time to time, and goes on from there if the file exists.
    pub fn checkpoint(mut self, file: Option<PathBuf>) -> Self {
        self.checkpoint = file;
        self
    }

    /// Names the build of the program: a checkpoint of another one is refused, and so is a merge with it. The digest of
    /// the program sees only how its executions begin.
    pub fn build(mut self, build: impl Into<String>) -> Self {
        self.build = build.into();
        self
    }

    /// Calls `tell` several times a second while exploring.
    pub fn on_progress(mut self, tell: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Arc::new(tell));
        self
    }

    fn limits(&self) -> Limits {
        Limits { depth: self.depth, preemptions: self.preemptions }
    }

    /// Explores `program`.
    ///
    /// # Errors
    /// If there is a checkpoint that can't be read or written, or that is of another program, shard or build.
    pub fn run(&self, program: &Program) -> Result<Report, ShardError> {
        let began = Instant::now();
        let names = Names::new();
        let in_parts = self.shard != Shard::WHOLE || self.checkpoint.is_some();
        if !in_parts {
            let whole = Parts { jobs: vec![(0, Job::default())], total: 1, digest: 0 };
            // With one worker, or by naive search, there is nothing to gain from a split.
            let alone = self.workers == 1 || self.mode == Mode::Naive;
            let most = if alone { u64::MAX } else { SMALL };
            let work = Work::new(self, program, &names, began, most);
            work.run(&whole.jobs, 1);
            if !work.gave_up() {
                return Ok(work.report(&whole));
            }
            program.call_forget();
        }
        let parts = on_own_thread(|| self.split(program, &names));
        let mut work = Work::new(self, program, &names, began, u64::MAX);
        if let Some(file) = &self.checkpoint {
            let fresh = Checkpoint::new(self.shard, self.mode, self.limits(), &self.build, &parts);
            work.saved = Some(Saved::open(file.clone(), fresh)?);
        }
        let jobs: Vec<_> = parts.jobs.iter().filter(|job| !work.is_done(job.0)).cloned().collect();
        work.run(&jobs, self.workers);
        let report = work.report(&parts);
        if let Some(saved) = work.saved {
            saved.close()?;
        }
        Ok(report)
    }

    /// Splits the program, the deeper the fewer parts there are.
    fn split(&self, program: &Program, names: &Names) -> Parts {
        let mut runner = Runner::new(program.clone(), names.clone(), self.spurious);
        let mut before = 0;
        for depth in 3..=DEEPEST {
            let mut splitter = Splitter::new(self.limits(), depth);
            loop {
                splitter.begin();
                runner.run(&mut splitter, |splitter, execution| {
                    splitter.end(execution);
                    // Nothing is judged here, so nothing is checked.
                    Some(Ending::Cut(Bound::Depth))
                });
                if !splitter.advance() {
                    break;
                }
            }
            let total = splitter.jobs.len();
            if total >= PARTS || depth == DEEPEST || (depth > 12 && total == before) {
                let mut hasher = DefaultHasher::new();
                for job in &splitter.jobs {
                    job.begin.hash(&mut hasher);
                    job.sleep.len().hash(&mut hasher);
                }
                depth.hash(&mut hasher);
                names.all().hash(&mut hasher);
                let jobs = splitter.jobs.into_iter().enumerate();
                let jobs = jobs.filter(|(index, _)| self.shard.has(*index)).collect();
                program.call_done();
                return Parts { jobs, total, digest: hasher.finish() };
            }
            before = total;
        }
        unreachable!("the deepest split returns")
    }

    /// Runs one execution of `program` by `schedule`: to the letter as far as it goes, and then without unasked
    /// switches to the end.
    pub fn replay(&self, program: &Program, schedule: &Schedule) -> Played {
        on_own_thread(|| {
            let mut runner = Runner::new(program.clone(), Names::new(), self.spurious);
            let played = schedule::play(&mut runner, schedule, self.depth, true);
            program.call_done();
            played
        })
    }
}

/// The parts of a program that are to be explored, with their numbers.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) jobs: Vec<(usize, Job)>,
    /// How many there are, those of other shards included.
    pub(crate) total: usize,
    pub(crate) digest: u64,
}

/// What the workers share.
struct Work<'a> {
    explorer: &'a Explorer,
    program: &'a Program,
    names: &'a Names,
    began: Instant,
    /// After how many executions to give up and split.
    most: u64,
    next: AtomicUsize,
    /// How many parts there are to do.
    total: AtomicUsize,
    stop: AtomicBool,
    stopped_by: Mutex<Option<Stop>>,
    looked_for_livelock: AtomicBool,
    gave_up: AtomicBool,
    /// Whether the program turned out to be none that can be explored.
    broken: AtomicBool,
    /// Executions so far, with those that do not count.
    begun: AtomicU64,
    executions: AtomicU64,
    /// How many more are known of.
    known: AtomicU64,
    guesses: Vec<AtomicU64>,
    done: Mutex<BTreeMap<usize, Counts>>,
    /// Of jobs that were not finished.
    unfinished: Mutex<Counts>,
    found: Mutex<Option<Found>>,
    told: Mutex<Option<Instant>>,
    saved: Option<Saved>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Work<'a> {
    fn new(
        explorer: &'a Explorer,
        program: &'a Program,
        names: &'a Names,
        began: Instant,
        most: u64,
    ) -> Self {
        Self {
            explorer,
            program,
            names,
            began,
            most,
            next: AtomicUsize::new(0),
            total: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            stopped_by: Mutex::new(None),
            looked_for_livelock: AtomicBool::new(false),
            gave_up: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            executions: AtomicU64::new(0),
            known: AtomicU64::new(0),
            guesses: (0..explorer.workers.max(1)).map(|_| AtomicU64::new(0)).collect(),
            done: Mutex::new(BTreeMap::new()),
            unfinished: Mutex::new(Counts::default()),
            found: Mutex::new(None),
            told: Mutex::new(None),
            saved: None,
        }
    }

    fn gave_up(&self) -> bool {
        self.gave_up.load(Ordering::Relaxed)
    }

    fn is_done(&self, job: usize) -> bool {
        self.saved.as_ref().is_some_and(|saved| lock(&saved.checkpoint).done.contains_key(&job))
    }

    fn run(&self, jobs: &[(usize, Job)], workers: usize) {
        self.total.store(jobs.len(), Ordering::Relaxed);
        std::thread::scope(|scope| {
            for worker in 0..workers.min(jobs.len()).max(1) {
                std::thread::Builder::new()
                    .name(format!("explorer {worker}"))
                    .stack_size(8 << 20)
                    .spawn_scoped(scope, move || self.worker(worker, jobs))
                    .expect("a thread");
            }
        });
    }

    fn worker(&self, worker: usize, jobs: &[(usize, Job)]) {
        let mut runner = Runner::new(self.program.clone(), self.names.clone(), self.explorer.spurious);
        while !self.stop.load(Ordering::Relaxed) {
            let Some((index, job)) = jobs.get(self.next.fetch_add(1, Ordering::Relaxed)) else { break };
            let limits = self.explorer.limits();
            let mut counts = Counts::default();
            let finished = match self.explorer.mode {
                Mode::Naive if job.begin.is_empty() => {
                    self.search(worker, &mut runner, &mut Naive::new(limits), &mut counts)
                }
                Mode::Naive | Mode::Source => {
                    self.search(worker, &mut runner, &mut Source::new(limits, job), &mut counts)
                }
                Mode::Optimal => {
                    self.search(worker, &mut runner, &mut Optimal::new(limits, job), &mut counts)
                }
            };
            self.guesses[worker].store(0, Ordering::Relaxed);
            if finished {
                lock(&self.done).insert(*index, counts);
                if let Some(saved) = &self.saved {
                    saved.finished(*index, counts);
                }
            } else {
                lock(&self.unfinished).add(&counts);
            }
        }
        self.program.call_done();
    }

    /// Explores one part; false if it was ended before its end.
    fn search<S: Search>(
        &self,
        worker: usize,
        runner: &mut Runner,
        search: &mut S,
        counts: &mut Counts,
    ) -> bool {
        let (mut since, mut told) = (0_u64, 0);
        loop {
            search.begin();
            let mut schedule = None;
            let mut lent = Lent(&mut *search);
            let (ending, failure) = runner.run(&mut lent, |search, execution| {
                let search = &mut *search.0;
                counts.steps += execution.log.len() as u64;
                counts.max_depth = counts.max_depth.max(execution.log.len() as u64);
                if execution.failure.is_some() {
                    schedule = Some(Schedule::of(execution, execution.log.len()));
                }
                search.end(execution);
                search.course().ended
            });
            match ending {
                Ending::Redundant => counts.redundant += 1,
                Ending::Cut(bound) => {
                    counts.cut.count(bound);
                    if bound == Bound::Depth && self.is_livelock(runner) {
                        return false;
                    }
                }
                Ending::Complete | Ending::Stuck | Ending::Failed => {
                    counts.executions += 1;
                    counts.stuck += u64::from(ending == Ending::Stuck);
                }
            }
            // What a redundant execution does wrong, its equivalent does too, and is reported with it.
            if let Some(failure) = failure
                && ending != Ending::Redundant
                && !matches!(ending, Ending::Cut(_))
            {
                // What was found after the end has been left as it was.
                let schedule = schedule.unwrap_or_else(|| runner.last_schedule());
                self.fail(runner, schedule, failure.kind, failure.message);
                let broken = failure.kind == FailureKind::Misuse;
                self.broken.fetch_or(broken, Ordering::Relaxed);
                if broken || !self.explorer.keep_going {
                    self.stop.store(true, Ordering::Relaxed);
                    return false;
                }
            }
            since += 1;
            if since == 64 {
                self.known.store(search.known(), Ordering::Relaxed);
                self.tell(worker, since, counts.executions - told, search.progress());
                (since, told) = (0, counts.executions);
            }
            if !search.advance() {
                self.known.store(0, Ordering::Relaxed);
                self.tell(worker, since, counts.executions - told, 1.0);
                return true;
            }
            if self.stop.load(Ordering::Relaxed) || counts.executions >= self.most {
                self.gave_up.store(counts.executions >= self.most, Ordering::Relaxed);
                return false;
            }
        }
    }

    /// Looks once, when an execution has reached the depth bound, whether that is for want of fairness or a livelock;
    /// true if it is one, and ends the exploration.
    fn is_livelock(&self, runner: &mut Runner) -> bool {
        if self.looked_for_livelock.swap(true, Ordering::Relaxed) {
            return false;
        }
        let Some(schedule) = cycle::look_for(runner, self.explorer.depth) else { return false };
        self.fail(runner, schedule, FailureKind::Livelock, "it goes round and round".to_owned());
        let stop = !self.explorer.keep_going;
        self.stop.fetch_or(stop, Ordering::Relaxed);
        stop
    }

    /// Notes a failure, the first one, with a schedule made as small as can be.
    fn fail(&self, runner: &mut Runner, schedule: Schedule, kind: FailureKind, message: String) {
        let mut found = lock(&self.found);
        if found.is_some() {
            return;
        }
        let again = schedule::play(runner, &schedule, self.explorer.depth, kind == FailureKind::Livelock);
        let reproducible =
            again.failure.as_ref().is_some_and(|failure| failure.kind == kind) && again.faithful;
        let smallest =
            if reproducible { schedule::minimise(runner, again, self.explorer.depth) } else { again };
        let message = smallest.failure.map_or(message, |failure| failure.message);
        *found = Some(Found {
            kind,
            message,
            schedule,
            minimised: smallest.schedule,
            operations: smallest.operations,
            reproducible,
        });
    }

    /// Counts executions, looks at the limits, and tells how far it is.
    fn tell(&self, worker: usize, begun: u64, counted: u64, guess: f64) {
        let begun = self.begun.fetch_add(begun, Ordering::Relaxed) + begun;
        let executions = self.executions.fetch_add(counted, Ordering::Relaxed) + counted;
        self.guesses[worker].store((guess * 1e6) as u64, Ordering::Relaxed);
        let elapsed = self.began.elapsed();
        let over = if self.explorer.budget.is_some_and(|budget| elapsed >= budget) {
            Some(Stop::Time)
        } else if self.explorer.executions.is_some_and(|most| begun >= most) {
            Some(Stop::Executions)
        } else {
            None
        };
        if over.is_some() && !self.stop.swap(true, Ordering::Relaxed) {
            *lock(&self.stopped_by) = over;
        }
        let Some(tell) = &self.explorer.on_progress else { return };
        let Ok(mut told) = self.told.try_lock() else { return };
        if told.is_some_and(|told| told.elapsed() < Duration::from_millis(200)) {
            return;
        }
        *told = Some(Instant::now());
        let jobs = lock(&self.done).len() as f64;
        let now: f64 = self.guesses.iter().map(|guess| guess.load(Ordering::Relaxed) as f64 / 1e6).sum();
        let guess = ((jobs + now) / self.total.load(Ordering::Relaxed).max(1) as f64).min(1.0);
        let at_least = executions + self.known.load(Ordering::Relaxed);
        tell(&Progress { executions, at_least, guess, seconds: elapsed.as_secs_f64() });
    }

    fn report(&self, parts: &Parts) -> Report {
        let mut counts = *lock(&self.unfinished);
        let mut finished = 0;
        match &self.saved {
            Some(saved) => {
                let checkpoint = lock(&saved.checkpoint);
                finished = checkpoint.done.len();
                checkpoint.done.values().for_each(|done| counts.add(done));
            }
            None => {
                let done = lock(&self.done);
                finished += done.len();
                done.values().for_each(|done| counts.add(done));
            }
        }
        let found = lock(&self.found).clone();
        let stopped_by = *lock(&self.stopped_by);
        let failed_early =
            found.is_some() && (!self.explorer.keep_going || self.broken.load(Ordering::Relaxed));
        Report {
            complete: counts.cut.is_nothing()
                && stopped_by.is_none()
                && !failed_early
                && finished == parts.jobs.len(),
            mode: self.explorer.mode,
            executions: counts.executions,
            redundant: counts.redundant,
            stuck: counts.stuck,
            cut: counts.cut,
            steps: counts.steps,
            max_depth: counts.max_depth as usize,
            stopped_by,
            failure: found,
            parts: parts.total,
            digest: parts.digest,
            seconds: self.began.elapsed().as_secs_f64(),
        }
    }
}
