//! Processes: sequential actors.

use std::any::type_name;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use event::{ActorId, Event, Kind};
use platform::record::emit;
use platform::sync::Arc;

use crate::address::Address;
use crate::call::{CallError, Reply, call};
use crate::exit::Exit;
use crate::family::{End, Late};
use crate::inbox::{Activation, Inbox};
use crate::lifecycle::{Control, Lifecycle, Manner};
use crate::log;
use crate::mailbox::{self, Behaviour, Core, Mailbox};
use crate::meta::{Handler, Reader, spawn_meta};
use crate::node::Node;
use crate::relations::RelationId;
use crate::timer::{self, Timer, TimerError};

/// A sequential actor: one message arrives, is handled, completes; then the next.
///
/// At most one callback of an actor runs at any time (`handler-exclusion`), and what one callback wrote the
/// next one sees (`handover`), so an actor needs no lock for what it owns. A callback that panics ends its
/// actor and nothing else (`panic-containment`).
///
/// A callback that blocks holds up its own actor only; for input that blocks *between* messages there is
/// the [meta-process](crate::meta).
pub trait Actor: Send + Sized + 'static {
    /// What it can be sent.
    type Message: Send + 'static;

    /// How many messages may wait for this actor; `None` is any number. Asked once, before `init`.
    ///
    /// A bounded mailbox never holds more (`capacity`). Signals, such as an exit or a Down, take no room.
    fn capacity(&self) -> Option<NonZeroU32> {
        None
    }

    /// Called once, before any message, by the thread that spawns.
    ///
    /// # Errors
    /// The reason for which the actor does not come to life; the spawn returns it.
    fn init(&mut self, _: &mut Context<'_, Self::Message>) -> Result<(), Exit> {
        Ok(())
    }

    /// Handles one message.
    ///
    /// # Errors
    /// The reason for which the actor ends. [`Exit::Normal`] means that it is done.
    fn handle(
        &mut self,
        message: Self::Message,
        context: &mut Context<'_, Self::Message>,
    ) -> Result<(), Exit>;

    /// Handles the end of an actor that this one monitors (`monitor-once`).
    ///
    /// # Errors
    /// As [`handle`](Self::handle).
    fn down(&mut self, _: Down, _: &mut Context<'_, Self::Message>) -> Result<(), Exit> {
        Ok(())
    }

    /// Handles the abnormal end of an actor that this one is linked to (`link-propagation`).
    ///
    /// Unless it says otherwise, an actor ends with those that it is linked to, for the same reason. One that
    /// does say otherwise *traps* exits.
    ///
    /// # Errors
    /// As [`handle`](Self::handle).
    fn exited(&mut self, exited: Exited, _: &mut Context<'_, Self::Message>) -> Result<(), Exit> {
        Err(exited.reason)
    }

    /// Handles a request to end: [`Node::exit`], [`Node::finish`], [`Node::stop`], the end of its supervisor.
    ///
    /// Unless it says otherwise, an actor ends at once, for that reason. One that returns `Ok` puts its end off,
    /// to come to it later by returning the reason from a callback: it has something to finish first, as a
    /// [`Supervisor`](crate::Supervisor) has. A kill is no request and can't be put off.
    ///
    /// # Errors
    /// As [`handle`](Self::handle).
    fn exit(&mut self, reason: Exit, _: &mut Context<'_, Self::Message>) -> Result<(), Exit> {
        Err(reason)
    }

    /// Called once, last, if `init` succeeded (`terminate-once`). Nothing is accepted any more.
    fn terminate(&mut self, _reason: &Exit, _context: &mut Context<'_, Self::Message>) {}
}

/// What a process may do from inside its callbacks.
///
/// It cannot be kept beyond the callback that it was lent to.
pub struct Context<'a, M: Send + 'static> {
    me: &'a Arc<Mailbox<M>>,
}

impl<M: Send + 'static> Context<'_, M> {
    /// Which actor this is.
    pub fn id(&self) -> ActorId {
        self.me.shared().id
    }

    /// Where to send to this actor.
    pub fn address(&self) -> Address<M> {
        Address(Arc::clone(self.me))
    }

    /// The node that this actor lives on.
    pub fn node(&self) -> &Node {
        &self.me.shared().node
    }

    /// This actor, as one that is sent signals.
    pub(crate) fn control(&self) -> &dyn Control {
        self.me
    }

    /// Starts another process. See [`Node::spawn`].
    ///
    /// # Errors
    /// As [`Node::spawn`].
    pub fn spawn<A: Actor>(&self, actor: A) -> Result<Address<A::Message>, SpawnError> {
        self.node().spawn(actor)
    }

    /// Starts a meta-process that belongs to this process and ends with it (`ownership`).
    ///
    /// The handler's `init` runs here; then the Reader starts on a thread of its own.
    ///
    /// # Errors
    /// [`SpawnError::Refused`] if this process is ending; else as the handler's `init` or the operating
    /// system say.
    pub fn spawn_meta<R, H>(&self, reader: R, handler: H) -> Result<Address<H::Message>, SpawnError>
    where
        R: Reader<H::Message>,
        H: Handler,
    {
        spawn_meta(self.me.shared(), reader, handler)
    }

    /// Calls another actor and waits for its reply, at most for `timeout` (`call-outcome`).
    ///
    /// `request` makes the message around the [`Reply`]. While it waits, this actor handles nothing and blocks
    /// no other; if the call wakes the callee, it runs here, and `timeout` counts from when it has.
    ///
    /// # Errors
    /// [`CallError`], for each way to get no reply. [`CallError::Deadlock`] if the callee waits, directly or
    /// through others, for this actor (`deadlock-refusal`).
    pub fn call<N: Send + 'static, R: Send + 'static>(
        &self,
        address: &Address<N>,
        request: impl FnOnce(Reply<R>) -> N,
        timeout: Duration,
    ) -> Result<R, CallError> {
        let me = self.me.shared();
        call(&me.node, Some(me), address, request, timeout)
    }

    /// Watches an actor: [`Actor::down`] is called once when it has ended, or soon if it has already
    /// (`monitor-once`).
    pub fn monitor<N: Send + 'static>(&self, address: &Address<N>) -> Monitor {
        Monitor(Lifecycle::monitored_by(address.0.shared(), self.me))
    }

    /// Stops watching; says whether it came in time. After it has returned, no Down comes of this monitor.
    pub fn demonitor(&self, monitor: Monitor) -> bool {
        self.me.shared().demonitor(monitor.0)
    }

    /// Links this actor and another: when one ends abnormally, [`Actor::exited`] is called on the other, once
    /// (`link-propagation`). If the other has ended so already, it is called on this one soon.
    pub fn link<N: Send + 'static>(&self, address: &Address<N>) -> Link {
        Link(Lifecycle::link(self.me, &address.0))
    }

    /// Ends a link; says whether it came in time. After it has returned, no exit comes of it to this actor.
    pub fn unlink(&self, link: Link) -> bool {
        self.me.shared().unlink(link.0)
    }

    /// Sends `message` to an actor after `delay`; see [`timer`](crate::timer). The timer ends with this actor.
    ///
    /// # Errors
    /// [`TimerError`] with the message, if this actor is ending.
    pub fn send_after<N: Send + 'static>(
        &self,
        address: &Address<N>,
        message: N,
        delay: Duration,
    ) -> Result<Timer, TimerError<N>> {
        timer::send_after(self.me.shared(), address, message, delay)
    }

    /// Sends a copy of `message` to an actor each `period`, for the first time when one has passed, until either
    /// of the two actors ends or the timer is [cancelled](Self::cancel).
    ///
    /// The rate is fixed: a tick that comes late does not put off the ones that follow, and ticks that were
    /// missed are left out.
    ///
    /// # Errors
    /// [`TimerError`] with the message, if this actor is ending or the period is zero.
    pub fn send_every<N: Clone + Send + 'static>(
        &self,
        address: &Address<N>,
        message: N,
        period: Duration,
    ) -> Result<Timer, TimerError<N>> {
        timer::send_every(self.me.shared(), address, message, period)
    }

    /// Cancels a timer of this node, whoever set it; says whether it came in time. After true, no message of it
    /// comes. If not, its message, or the last of them, has been sent or is being sent.
    pub fn cancel(&self, timer: Timer) -> bool {
        self.me.shared().node.cancel(timer)
    }
}

/// The right to stop watching.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Monitor(pub(crate) RelationId);

/// The right to end a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link(pub(crate) RelationId);

/// An actor that was monitored has ended: it is closed, its callbacks and its Reader are over, its dead
/// letters handed over, its names released and its meta-processes ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Down {
    /// The monitor that tells of it.
    pub monitor: Monitor,
    /// The actor.
    pub actor: ActorId,
    /// Why it ended.
    pub reason: Exit,
}

/// An actor that was linked has ended abnormally.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exited {
    /// The actor.
    pub actor: ActorId,
    /// Why it ended.
    pub reason: Exit,
}

impl<M: Send + 'static> fmt::Debug for Context<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({} {})", self.me.shared().label, self.id())
    }
}

/// Why an actor did not come to life.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SpawnError {
    /// Its owner, the process or the node, is ending.
    Refused,
    /// Its `init` returned an error or panicked.
    Init(Exit),
    /// The operating system would not start a thread for its Reader.
    Thread(String),
    /// Another actor has the name that it was to get.
    NameTaken(String),
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("refused: the owner is ending"),
            Self::Init(reason) => write!(f, "init did not succeed: {reason}"),
            Self::Thread(error) => write!(f, "no thread for the Reader: {error}"),
            Self::NameTaken(name) => write!(f, "the name `{name}` is taken"),
        }
    }
}

impl std::error::Error for SpawnError {}

impl From<Late> for SpawnError {
    fn from(_: Late) -> Self {
        Self::Refused
    }
}

struct Process<A>(A);

impl<A: Actor> Behaviour<A::Message> for Process<A> {
    fn init(&mut self, me: &Arc<Mailbox<A::Message>>) -> Result<(), Exit> {
        self.0.init(&mut Context { me })
    }

    fn handle(&mut self, me: &Arc<Mailbox<A::Message>>, message: A::Message) -> Result<(), Exit> {
        self.0.handle(message, &mut Context { me })
    }

    fn down(&mut self, me: &Arc<Mailbox<A::Message>>, down: Down) -> Result<(), Exit> {
        self.0.down(down, &mut Context { me })
    }

    fn exited(&mut self, me: &Arc<Mailbox<A::Message>>, exited: Exited) -> Result<(), Exit> {
        self.0.exited(exited, &mut Context { me })
    }

    fn exit(&mut self, me: &Arc<Mailbox<A::Message>>, reason: Exit) -> Result<(), Exit> {
        self.0.exit(reason, &mut Context { me })
    }

    fn terminate(&mut self, me: &Arc<Mailbox<A::Message>>, reason: &Exit) {
        self.0.terminate(reason, &mut Context { me });
    }
}

/// Starts a process on `node`.
pub(crate) fn spawn<A: Actor>(
    node: &Node,
    actor: A,
    name: Option<&str>,
) -> Result<Address<A::Message>, SpawnError> {
    let (core, manner) = unborn(actor);
    let activation = node.adopt(|id, slot| conceive(core, Lifecycle::process(node, id, slot, manner)))?;
    let address = Address(Arc::clone(activation.inbox()));
    come_to_life(&address, activation, name, |_| Ok(()))?;
    Ok(address)
}

/// A process that was started on behalf of a supervisor, whether it came to life or not.
pub(crate) struct Supervised<M: Send + 'static> {
    pub(crate) address: Address<M>,
    pub(crate) result: Result<(), SpawnError>,
}

/// Starts a process that belongs to `supervisor` and ends with it. The supervisor gets a Down of it in any case: one
/// that does not come to life may still have to end, if its `init` started something, and so is watched from
/// before.
pub(crate) fn spawn_supervised<A: Actor>(
    supervisor: &dyn Control,
    actor: A,
    name: Option<&str>,
) -> Supervised<A::Message> {
    let owner = supervisor.lifecycle();
    let (core, manner) = unborn(actor);
    let activation = owner
        .adopt(|slot| conceive(core, Lifecycle::supervised(owner, slot, manner)))
        .expect("a supervisor that is in a callback has not ended");
    let address = Address(Arc::clone(activation.inbox()));
    Lifecycle::monitored_by(address.0.shared(), supervisor);
    let result = come_to_life(&address, activation, name, |_| Ok(()));
    Supervised { address, result }
}

fn unborn<A: Actor>(actor: A) -> (Core<A::Message>, Manner) {
    let manner = Manner { label: type_name::<A>(), capacity: actor.capacity() };
    (Core::new(Box::new(Process(actor))), manner)
}

/// A mailbox, held by whoever brings its actor to life, and what its owner keeps of it.
pub(crate) fn conceive<M: Send + 'static>(
    core: Core<M>,
    lifecycle: Arc<Lifecycle>,
) -> (Activation<Core<M>>, Box<dyn Control>) {
    let activation = Inbox::new(core, lifecycle);
    let control = activation.inbox().boxed();
    (activation, control)
}

/// Runs `init`, then `then`, publishes the name and lets the actor go; or ends it.
pub(crate) fn come_to_life<M: Send + 'static>(
    address: &Address<M>,
    mut activation: Activation<Core<M>>,
    name: Option<&str>,
    then: impl FnOnce(&mut Activation<Core<M>>) -> Result<(), SpawnError>,
) -> Result<(), SpawnError> {
    let actor = address.0.shared();
    let result = mailbox::init(&mut activation).map_err(SpawnError::Init);
    let result = result.and_then(|()| then(&mut activation));
    let result = result.and_then(|()| name.map_or(Ok(()), |name| actor.node.publish(name, address)));
    log::spawned(actor, name, &result);
    match &result {
        Ok(()) => start(activation),
        Err(error) => give_up(activation, error),
    }
    let (kind, parent) = (actor.kind(), actor.parent().map(|parent| parent.id));
    emit(|_| Event::Spawn { actor: actor.id, kind, parent, ok: result.is_ok() });
    result
}

/// Ends an actor whose spawn fails, with `terminate` if its `init` succeeded. If it has a Reader, that has not begun.
fn give_up<M: Send + 'static>(activation: Activation<Core<M>>, error: &SpawnError) {
    let actor = Arc::clone(activation.inbox().shared());
    match error {
        SpawnError::Init(reason) => mailbox::abandon(activation, reason),
        error => mailbox::terminate(activation, &Exit::from(error.clone())),
    }
    if actor.kind() == Kind::Meta {
        actor.end(End::Reader);
    }
}

/// Lets an actor whose init succeeded go: it sleeps, or runs if something arrived meanwhile.
fn start<M: Send + 'static>(activation: Activation<Core<M>>) {
    if let Err(activation) = activation.park() {
        let node = activation.inbox().shared().node.clone();
        node.executor().execute(activation.into_task());
    }
}
