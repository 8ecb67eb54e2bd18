//! The node: where actors live.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use event::{ActorId, Event, Kind};
use platform::record::emit;
use platform::sync::atomic::{AtomicU64, Ordering};
use platform::sync::{Arc, Condvar, Mutex};
use platform::thread::JoinHandle;
use platform::{limits, panic, time};

use crate::address::{Address, SendError};
use crate::call::{CallError, Reply, Waits, call};
use crate::executor::{Executor, Pool};
use crate::exit::Exit;
use crate::family::{End, Family, Late};
use crate::inbox::Activation;
use crate::lifecycle::{Control, Lifecycle};
use crate::log;
use crate::mailbox::{Core, Signal};
use crate::process::{self, Actor, SpawnError};
use crate::snapshot::{self, Snapshot};
use crate::timer::{self, Timer, TimerError, Timers};

/// Where actors live: it gives them identities and threads to run on, and waits for their end.
///
/// Cloning gives another handle on the same node. A node whose handles are all dropped goes on living for
/// its actors; end it with [`stop`](Self::stop).
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    executor: Box<dyn Executor>,
    /// The next identity.
    next_id: AtomicU64,
    /// All processes that have not ended. Several locks, so that spawning threads seldom meet.
    families: [Family; limits::SHARDS],
    /// Notified when a family becomes empty.
    empty: Condvar,
    dead_letters: Mutex<Vec<Address<DeadLetter>>>,
    /// Each name with the address of its actor, whose message type only the one who asks knows.
    names: Mutex<BTreeMap<Box<str>, Box<dyn Any + Send + Sync>>>,
    /// Which actor waits for which other's reply.
    waits: Waits,
    late_replies: AtomicU64,
    timers: Timers,
    /// The thread of the Reader that ended last: it has joined the one before it, `stop` joins it.
    last_reader: Mutex<Option<JoinHandle>>,
    companion: Mutex<Option<Box<dyn Companion>>>,
}

/// What the node's meta-processes have in common and make when first they need it. It ends with the node.
pub(crate) trait Companion: Any + Send {
    /// No meta-process needs it any more: ends its threads.
    fn end(&self);
    /// Waits until they have ended.
    fn join(&self);
}

impl Drop for Inner {
    /// For a node that was not stopped. Whoever drops it may be one of those threads.
    fn drop(&mut self) {
        let companion = self.companion.lock().take();
        if let Some(companion) = companion {
            companion.end();
        }
    }
}

/// A message that was accepted and will not be handled, because its actor ended.
#[derive(Debug)]
pub struct DeadLetter {
    /// The actor that it was for.
    pub to: ActorId,
    /// The name of that actor's type.
    pub label: &'static str,
    /// The message itself, of the actor's message type.
    pub message: Box<dyn Any + Send>,
}

/// An actor that had not ended at the deadline of [`Node::stop`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Unended {
    /// Which actor.
    pub id: ActorId,
    /// A process or a meta-process.
    pub kind: Kind,
    /// The name of its type.
    pub label: &'static str,
    /// True if a callback is still in progress or still to come.
    pub handler: bool,
    /// True if its Reader has not returned.
    pub reader: bool,
}

impl fmt::Display for Unended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.handler, self.reader) {
            (true, true) => "its Handler and its Reader have not ended",
            (true, false) => "its Handler has not ended",
            (false, true) => "its Reader has not ended",
            (false, false) => "waits for its children",
        };
        write!(f, "{} {}: {what}", self.label, self.id)
    }
}

/// [`Node::stop`] reached its deadline: these actors go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StopError(pub Vec<Unended>);

impl fmt::Display for StopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} actors have not ended", self.0.len())?;
        self.0.iter().try_for_each(|actor| write!(f, "; {actor}"))
    }
}

impl std::error::Error for StopError {}

impl Default for Node {
    fn default() -> Self {
        Self::new()
    }
}

impl Node {
    /// A node that runs its actors on a pool with one worker thread for each core.
    pub fn new() -> Self {
        Self::with_executor(Pool::new())
    }

    /// A node that runs its actors on `executor`.
    pub fn with_executor(executor: impl Executor + 'static) -> Self {
        panic::note_locations();
        Self(Arc::new(Inner {
            executor: Box::new(executor),
            next_id: AtomicU64::new(1),
            families: std::array::from_fn(|_| Family::new(&[])),
            empty: Condvar::new(),
            dead_letters: Mutex::new(Vec::new()),
            names: Mutex::new(BTreeMap::new()),
            waits: Waits::default(),
            late_replies: AtomicU64::new(0),
            timers: Timers::default(),
            last_reader: Mutex::new(None),
            companion: Mutex::new(None),
        }))
    }

    /// Starts a process.
    ///
    /// Its `init` runs here, on the calling thread; when this returns, the process accepts messages.
    ///
    /// # Errors
    /// [`SpawnError::Refused`] when the node is stopping, [`SpawnError::Init`] as `init` says.
    pub fn spawn<A: Actor>(&self, actor: A) -> Result<Address<A::Message>, SpawnError> {
        process::spawn(self, actor, None)
    }

    /// Starts a process that can be found by a name, from when its `init` has succeeded until it ends
    /// (`name-validity`).
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn); [`SpawnError::NameTaken`] if a live actor has the name when `init` has
    /// succeeded: the new one is terminated.
    pub fn spawn_named<A: Actor>(&self, name: &str, actor: A) -> Result<Address<A::Message>, SpawnError> {
        process::spawn(self, actor, Some(name))
    }

    /// Finds a process by its name; `None` if nobody has it, or if it understands other messages than `M`.
    pub fn lookup<M: Send + 'static>(&self, name: &str) -> Option<Address<M>> {
        self.0.names.lock().get(name)?.downcast_ref::<Address<M>>().cloned()
    }

    /// Calls an actor from a plain thread and waits for its reply, at most for `timeout` (`call-outcome`).
    ///
    /// `request` makes the message around the [`Reply`]. An actor uses [`Context::call`](crate::Context::call)
    /// instead, so that it is known who waits.
    ///
    /// # Errors
    /// [`CallError`], for each way to get no reply.
    pub fn call<M: Send + 'static, R: Send + 'static>(
        &self,
        address: &Address<M>,
        request: impl FnOnce(Reply<R>) -> M,
        timeout: Duration,
    ) -> Result<R, CallError> {
        call(self, None, address, request, timeout)
    }

    /// How many replies came after their callers had given up.
    pub fn late_replies(&self) -> u64 {
        // Relaxed: a count orders nothing.
        self.0.late_replies.load(Ordering::Relaxed)
    }

    /// Sends `message` after `delay`, from a plain thread; see [`timer`](crate::timer). The timer belongs to the
    /// actor that it is for, and ends with it.
    ///
    /// # Errors
    /// [`TimerError`] with the message, if that actor is ending.
    pub fn send_after<M: Send + 'static>(
        &self,
        address: &Address<M>,
        message: M,
        delay: Duration,
    ) -> Result<Timer, TimerError<M>> {
        timer::send_after(address.0.shared(), address, message, delay)
    }

    /// Sends a copy of `message` each `period`, from a plain thread; else as [`send_after`](Self::send_after)
    /// and [`Context::send_every`](crate::Context::send_every).
    ///
    /// # Errors
    /// [`TimerError`] with the message, if that actor is ending or the period is zero.
    pub fn send_every<M: Clone + Send + 'static>(
        &self,
        address: &Address<M>,
        message: M,
        period: Duration,
    ) -> Result<Timer, TimerError<M>> {
        timer::send_every(address.0.shared(), address, message, period)
    }

    /// Cancels a timer of this node, whoever set it; says whether it came in time. After true, no message of it
    /// comes. If not, its message, or the last of them, has been sent or is being sent.
    pub fn cancel(&self, timer: Timer) -> bool {
        self.0.timers.cancel(timer)
    }

    /// How many messages of timers were refused when they were due.
    pub fn refused_timers(&self) -> u64 {
        self.0.timers.refused()
    }

    /// A look into the node: its actors, what they do, what waits for them; see [`snapshot`](crate::snapshot).
    ///
    /// Waits for the answers of actors that are busy, at most for `patience`. In an actor, its own answer is among
    /// those that do not come: give it little.
    pub fn snapshot(&self, patience: Duration) -> Snapshot {
        snapshot::take(self, patience)
    }

    /// Asks an actor to end before its next message; what it has not handled becomes dead letters.
    pub fn exit<M: Send + 'static>(&self, address: &Address<M>, reason: Exit) {
        address.0.signal(Signal::exit(reason));
    }

    /// Asks an actor to end after the messages that it has accepted by now.
    pub fn finish<M: Send + 'static>(&self, address: &Address<M>) {
        address.0.signal(Signal::finish(Exit::Normal));
    }

    /// Asks an actor to end before anything else that waits for it.
    pub fn kill<M: Send + 'static>(&self, address: &Address<M>) {
        address.0.signal(Signal::kill());
    }

    /// Sends the dead letters of this node to `subscriber` from now on.
    ///
    /// A message cannot be copied: with several subscribers, each dead letter goes to the first that is still
    /// alive. Without any, it is dropped.
    pub fn subscribe_dead_letters(&self, subscriber: &Address<DeadLetter>) {
        self.0.dead_letters.lock().push(subscriber.clone());
    }

    /// Ends every actor and waits until all have ended, at most for `deadline` (`clean-stop`).
    ///
    /// No actor can be spawned from now on. Must not be called from an actor, which would wait for itself.
    /// If it fails it may be called again.
    ///
    /// # Errors
    /// [`StopError`] with those that have not ended, by name (`interruption`).
    pub fn stop(&self, deadline: Duration) -> Result<(), StopError> {
        let until = time::now().saturating_add(deadline);
        for family in &self.0.families {
            family.close();
        }
        for family in &self.0.families {
            family.each(|actor| actor.signal(Signal::exit(Exit::Shutdown)));
        }
        let mut all_ended = true;
        for family in &self.0.families {
            all_ended &= family.wait(&self.0.empty, until.saturating_sub(time::now()));
        }
        if !all_ended {
            let unended = self.unended();
            unended.iter().for_each(log::unended);
            return Err(StopError(unended));
        }
        self.0.timers.stop();
        let last_reader = self.0.last_reader.lock().take();
        if let Some(thread) = last_reader {
            thread.join();
        }
        let companion = self.0.companion.lock().take();
        if let Some(companion) = companion {
            companion.end();
            companion.join();
        }
        // A subscriber's address leads back to this node: nothing of either would ever be freed (`no-leak`).
        let subscribers = std::mem::take(&mut *self.0.dead_letters.lock());
        drop(subscribers);
        self.0.executor.stop();
        Ok(())
    }

    fn unended(&self) -> Vec<Unended> {
        let mut all = Vec::new();
        for family in &self.0.families {
            family.each(|process| Unended::below(process.lifecycle(), &mut all));
        }
        all
    }

    pub(crate) fn waits(&self) -> &Waits {
        &self.0.waits
    }

    pub(crate) fn each_process(&self, mut visit: impl FnMut(&dyn Control)) {
        for family in &self.0.families {
            family.each(&mut visit);
        }
    }

    pub(crate) fn timers(&self) -> &Timers {
        &self.0.timers
    }

    pub(crate) fn count_late_reply(&self) {
        // Relaxed: a count orders nothing.
        self.0.late_replies.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn executor(&self) -> &dyn Executor {
        &*self.0.executor
    }

    /// An identity that no actor of this node has had or will have (`unique-identity`): at one spawn a
    /// nanosecond, 64 bits last for 584 years.
    pub(crate) fn new_id(&self) -> ActorId {
        // Relaxed: it orders nothing; a read-modify-write gives each caller another number.
        ActorId(self.0.next_id.fetch_add(1, Ordering::Relaxed))
    }

    /// Gives a process its identity and its place, unless the node is stopping.
    pub(crate) fn adopt<M: Send + 'static>(
        &self,
        make: impl FnOnce(ActorId, usize) -> (Activation<Core<M>>, Box<dyn Control>),
    ) -> Result<Activation<Core<M>>, Late> {
        let id = self.new_id();
        self.family_of(id).adopt(|slot| make(id, slot))
    }

    /// A process has ended: its place is free.
    pub(crate) fn process_ended(&self, id: ActorId, slot: usize) {
        if self.family_of(id).child_ended(slot) {
            self.0.empty.notify_all();
        }
    }

    fn family_of(&self, process: ActorId) -> &Family {
        &self.0.families[(process.0 % limits::SHARDS as u64) as usize]
    }

    /// A Reader is over, and its thread about to end. Each joins the one before it, so at most one thread is
    /// left to join at any time, and whoever waits for the node waits for all of them (`no-leak`).
    pub(crate) fn reader_ended(&self, thread: JoinHandle) {
        let before = self.0.last_reader.lock().replace(thread);
        if let Some(before) = before {
            before.join();
        }
    }

    /// The node's companion, made if there is none yet.
    #[cfg(feature = "io")]
    pub(crate) fn companion<T: Companion + Clone, E>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let mut companion = self.0.companion.lock();
        if let Some(companion) = &*companion {
            let any: &dyn Any = &**companion;
            return Ok(any.downcast_ref::<T>().expect("there is one kind of companion").clone());
        }
        let made = make()?;
        *companion = Some(Box::new(made.clone()));
        Ok(made)
    }

    /// Makes an actor known by a name, unless another one is.
    pub(crate) fn publish<M: Send + 'static>(
        &self,
        name: &str,
        address: &Address<M>,
    ) -> Result<(), SpawnError> {
        let mut names = self.0.names.lock();
        if names.contains_key(name) {
            return Err(SpawnError::NameTaken(name.to_owned()));
        }
        let actor = address.0.shared();
        // Before anybody can find it, so that its end releases it whatever happens.
        actor.named(name);
        emit(|_| Event::Name { name: name.to_owned(), actor: actor.id });
        names.insert(name.into(), Box::new(address.clone()));
        Ok(())
    }

    /// The actor that was known by a name is not any more.
    pub(crate) fn release_name(&self, name: &str) {
        // What it frees is not freed under the lock.
        let released = self.0.names.lock().remove(name);
        drop(released);
    }

    pub(crate) fn dead_letter(&self, mut letter: DeadLetter) {
        // A dead letter about a dead letter would have no end.
        if letter.message.is::<DeadLetter>() {
            return;
        }
        let subscribers = self.0.dead_letters.lock().clone();
        for subscriber in subscribers {
            match subscriber.send(letter) {
                Ok(()) => return,
                Err(SendError::Closed(back)) => {
                    letter = back;
                    self.0.dead_letters.lock().retain(|other| *other != subscriber);
                }
                Err(SendError::Full(back)) => letter = back,
            }
        }
    }
}

impl Unended {
    /// Adds all that have not ended of an actor's children, theirs and so on, and itself.
    fn below(actor: &Lifecycle, all: &mut Vec<Self>) {
        actor.each_child(|child| Self::below(child.lifecycle(), all));
        all.push(Self::new(actor));
    }

    fn new(actor: &Lifecycle) -> Self {
        let handler = actor.is_open(End::Handler);
        let reader = actor.is_open(End::Reader);
        Self { id: actor.id, kind: actor.kind(), label: actor.label, handler, reader }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").finish_non_exhaustive()
    }
}
