//! The mailbox: messages and signals behind the one word, sorted by class.
//!
//! The word keeps everything in order of acceptance. The holder of the activation sorts what it takes into
//! one queue for each class, and handles the most urgent first. Whoever sends something of a higher class than
//! [`Class::Main`] says so beside the word, and the holder looks there before each message, so that a higher
//! class waits for no more than the callback in progress (`class-order`). The word itself is looked at only when
//! all that was taken is handled: its cache line belongs to the senders.
//!
//! Whatever ends an actor is a *signal* in its own mailbox, so only the holder of the activation ever ends
//! it: `terminate` is one more turn, and can overlap no other (`handler-exclusion`, `terminate-once`).

use event::{ActorId, Class, Event, MonitorId};
use platform::limits;
use platform::panic::catch;
use platform::record::{self, Stamp, emit};
use platform::sync::Arc;

use crate::exit::Exit;
use crate::family::End;
use crate::inbox::{Activation, Body, Content, Inbox, Letter, Pushed, Queue, Refused, Stack, Task};
use crate::lifecycle::{Control, Lifecycle};
use crate::log;
use crate::meta::Interrupt;
use crate::node::DeadLetter;
use crate::process::{Down, Exited, Monitor};
use crate::relations::RelationId;
use crate::snapshot::{Figures, Question};

/// The inbox of an actor that understands `M`.
pub(crate) type Mailbox<M> = Inbox<Core<M>>;

/// What is in a mailbox.
pub(crate) enum Envelope<M> {
    /// From a user.
    Message { message: M, class: Class, stamp: Stamp },
    /// From the runtime. Boxed: signals are rare, and an envelope should be as small as its message.
    Signal(Box<Signal>),
}

/// What the runtime tells an actor.
#[derive(Debug)]
pub(crate) enum Signal {
    /// End for this reason, as soon as the class allows.
    Exit { class: Class, reason: Exit },
    /// The Reader is over.
    ReaderEnded(Result<(), Exit>),
    /// An actor that this one monitors has ended.
    Down { relation: RelationId, actor: ActorId, reason: Exit },
    /// An actor that this one is linked to has ended abnormally.
    Linked { relation: RelationId, actor: ActorId, reason: Exit },
    /// Somebody looks into the node.
    Asked(Question),
}

impl Signal {
    /// Asks for an end before the next message.
    pub(crate) fn exit(reason: Exit) -> Self {
        Self::Exit { class: Class::System, reason }
    }

    /// Asks for an end before anything else.
    pub(crate) fn kill() -> Self {
        Self::Exit { class: Class::Urgent, reason: Exit::Killed }
    }

    /// Asks for an end after the messages that are already there.
    pub(crate) fn finish(reason: Exit) -> Self {
        Self::Exit { class: Class::Main, reason }
    }
}

impl<M> Envelope<M> {
    fn class(&self) -> Class {
        match self {
            Self::Message { class, .. } => *class,
            Self::Signal(signal) => match **signal {
                Signal::Exit { class, .. } => class,
                // After what the Reader sent to its own Handler.
                Signal::ReaderEnded(_) => Class::Main,
                Signal::Down { .. } | Signal::Linked { .. } | Signal::Asked(_) => Class::System,
            },
        }
    }
}

/// One queue for each class, most urgent first.
struct Lanes<M>([Queue<Envelope<M>>; 3]);

impl<M> Default for Lanes<M> {
    fn default() -> Self {
        Self(Default::default())
    }
}

impl<M> Lanes<M> {
    fn is_empty(&self) -> bool {
        self.0.iter().all(Queue::is_empty)
    }

    /// Adds what was taken, keeping the order of acceptance within each class.
    fn accept(&mut self, newest_first: Stack<Envelope<M>>) {
        let mut fresh = Self::default();
        for letter in newest_first {
            fresh.0[letter.item().class() as usize].push_front(letter);
        }
        for (lane, fresh) in self.0.iter_mut().zip(fresh.0) {
            lane.append(fresh);
        }
    }

    /// Undoes a `pop`.
    fn put_back(&mut self, letter: Letter<Envelope<M>>) {
        self.0[letter.item().class() as usize].push_front(letter);
    }

    /// How many there are, by class. They are counted one by one: nothing is counted where it would cost.
    fn lengths(&mut self) -> [usize; 3] {
        self.0.each_mut().map(|lane| {
            let (mut counted, mut length) = (Queue::default(), 0);
            while let Some(letter) = lane.pop_front() {
                let mut one = Queue::default();
                one.push_front(letter);
                counted.append(one);
                length += 1;
            }
            *lane = counted;
            length
        })
    }

    fn pop(&mut self) -> Option<Letter<Envelope<M>>> {
        self.0.iter_mut().find_map(Queue::pop_front)
    }
}

/// The callbacks of an actor, whatever its type.
pub(crate) trait Behaviour<M: 'static>: Send {
    fn init(&mut self, me: &Arc<Mailbox<M>>) -> Result<(), Exit>;
    fn handle(&mut self, me: &Arc<Mailbox<M>>, message: M) -> Result<(), Exit>;
    fn down(&mut self, me: &Arc<Mailbox<M>>, down: Down) -> Result<(), Exit>;
    fn exited(&mut self, me: &Arc<Mailbox<M>>, exited: Exited) -> Result<(), Exit>;
    fn exit(&mut self, me: &Arc<Mailbox<M>>, reason: Exit) -> Result<(), Exit>;
    fn terminate(&mut self, me: &Arc<Mailbox<M>>, reason: &Exit);
}

/// What only the holder of the activation may touch.
pub(crate) struct Core<M: 'static> {
    /// What had been taken and was not handled yet when a batch ended. Boxed, since most actors never get so far.
    waiting: Option<Box<Lanes<M>>>,
    /// Dropped when the actor ends, while addresses may live on.
    behaviour: Option<Box<dyn Behaviour<M>>>,
    /// How many messages have been handled.
    handled: u64,
    /// How to make the Reader return, once there is one.
    pub(crate) interrupt: Option<Interrupt>,
}

impl<M: Send + 'static> Core<M> {
    pub(crate) fn new(behaviour: Box<dyn Behaviour<M>>) -> Self {
        Self { waiting: None, behaviour: Some(behaviour), handled: 0, interrupt: None }
    }
}

impl<M: 'static> Content for Core<M> {
    type Item = Envelope<M>;
    type Shared = Arc<Lifecycle>;
}

impl<M: Send + 'static> Body for Core<M> {
    fn run(activation: Activation<Self>) {
        run(activation, limits::BATCH);
    }

    fn run_one(activation: Activation<Self>) {
        run(activation, 1);
    }
}

/// What the holder of the activation needs while the actor runs: taken out of the body, which lies beside the
/// word, so that handling a message touches no memory that a sender writes.
struct Turn<M: Send + 'static> {
    lanes: Lanes<M>,
    behaviour: Box<dyn Behaviour<M>>,
    handled: u64,
}

impl<M: Send + 'static> Turn<M> {
    fn begin(activation: &mut Activation<Core<M>>) -> Self {
        activation.with(|_, core| Self {
            lanes: core.waiting.take().map_or_else(Lanes::default, |lanes| *lanes),
            behaviour: core.behaviour.take().expect("handler-exclusion: nobody else has the behaviour"),
            handled: core.handled,
        })
    }

    /// Puts everything back, for whoever holds the activation next.
    fn end(self, activation: &mut Activation<Core<M>>) {
        activation.with(|_, core| {
            core.waiting = (!self.lanes.is_empty()).then(|| Box::new(self.lanes));
            core.behaviour = Some(self.behaviour);
            core.handled = self.handled;
        });
    }

    /// The next thing to handle: the oldest of the most urgent class, of all that has arrived.
    fn next(&mut self, activation: &mut Activation<Core<M>>) -> Option<Letter<Envelope<M>>> {
        let look = match self.lanes.is_empty() {
            true => activation.has_mail(),
            false => activation.inbox().shared().is_overtaken(),
        };
        if look {
            self.lanes.accept(activation.take());
        }
        self.lanes.pop()
    }

    /// Handles one envelope; an error is the reason for which the actor ends.
    fn deliver(&mut self, me: &Arc<Mailbox<M>>, envelope: Envelope<M>) -> Result<(), Exit> {
        match envelope {
            Envelope::Message { message, stamp, .. } => {
                let actor = me.shared().id;
                if let Some(capacity) = &me.shared().capacity {
                    capacity.release();
                }
                emit(|r| Event::HandleBegin { actor, message: r.message(&stamp) });
                let result = callback(me, || self.behaviour.handle(me, message)).flatten();
                emit(|r| Event::HandleEnd { actor, message: r.message(&stamp), ok: result.is_ok() });
                self.handled += 1;
                result
            }
            Envelope::Signal(signal) => match *signal {
                // A kill asks for nothing.
                Signal::Exit { class: Class::Urgent, reason } => Err(reason),
                Signal::Exit { reason, .. } => callback(me, || self.behaviour.exit(me, reason)).flatten(),
                Signal::ReaderEnded(Ok(())) => Err(Exit::Normal),
                Signal::ReaderEnded(Err(reason)) => Err(reason),
                Signal::Down { relation, actor, reason } => told(me, relation, || {
                    let (watcher, monitor) = (me.shared().id, MonitorId(relation.0));
                    emit(|_| Event::Down { monitor, watcher, actor, reason: Some(reason.to_string()) });
                    self.behaviour.down(me, Down { monitor: Monitor(relation), actor, reason })
                }),
                Signal::Linked { relation, actor, reason } => told(me, relation, || {
                    let to = me.shared().id;
                    emit(|_| Event::ExitSignal { from: actor, to, reason: Some(reason.to_string()) });
                    self.behaviour.exited(me, Exited { actor, reason })
                }),
                Signal::Asked(question) => {
                    let figures = Figures { queued: self.lanes.lengths(), handled: self.handled };
                    question.answer(me.shared().id, figures);
                    Ok(())
                }
            },
        }
    }
}

/// Handles up to `budget` messages and signals, then goes to the back of the queue if there are more.
fn run<M: Send + 'static>(mut activation: Activation<Core<M>>, budget: usize) {
    let mut left = budget;
    let mut turn = Turn::begin(&mut activation);
    loop {
        let Some(letter) = turn.next(&mut activation) else {
            if budget > 1 && linger(&activation) {
                continue;
            }
            turn.end(&mut activation);
            match activation.park() {
                Ok(()) => return,
                Err(back) => activation = back,
            }
            turn = Turn::begin(&mut activation);
            continue;
        };
        if left == 0 {
            turn.lanes.put_back(letter);
            break;
        }
        left -= 1;
        // The body is lent for as long as the callback lasts, though it is not touched: a model sees that nobody
        // else gets at it meanwhile.
        if let Err(reason) = activation.with(|me, _| turn.deliver(me, letter.into_item())) {
            return terminated(activation, turn, &reason);
        }
    }
    turn.end(&mut activation);
    // Fairness: others have waited for a whole batch.
    let node = activation.inbox().shared().node.clone();
    node.executor().yield_back(activation.into_task());
}

/// Waits a moment for more, if nobody else needs the thread; says whether something came. Waking a thread costs
/// its sender a hundred times more than a message, and one message at a time costs both a cache miss.
fn linger<M: Send + 'static>(activation: &Activation<Core<M>>) -> bool {
    activation.inbox().shared().node.executor().linger() && activation.has_mail()
}

/// Delivers a notice, unless the relation that it comes by has been cut since it was sent.
fn told<M: Send + 'static>(
    me: &Arc<Mailbox<M>>,
    relation: RelationId,
    tell: impl FnOnce() -> Result<(), Exit>,
) -> Result<(), Exit> {
    match me.shared().told(relation) {
        true => callback(me, tell).flatten(),
        false => Ok(()),
    }
}

/// Runs a callback as the actor, containing its panic (`panic-containment`).
fn callback<M: Send + 'static, R>(me: &Arc<Mailbox<M>>, code: impl FnOnce() -> R) -> Result<R, Exit> {
    let _line = record::enter(me.shared().id);
    catch(code).map_err(|payload| log::panicked(me.shared(), Exit::from_panic(&*payload)))
}

/// Runs `init` under the activation that the actor was born with.
pub(crate) fn init<M: Send + 'static>(activation: &mut Activation<Core<M>>) -> Result<(), Exit> {
    let mut turn = Turn::begin(activation);
    let me = activation.inbox();
    let actor = me.shared();
    let parent = actor.parent().map(|parent| parent.id);
    emit(|_| Event::InitBegin { actor: actor.id, kind: actor.kind(), parent });
    let result = callback(me, || turn.behaviour.init(me)).flatten();
    emit(|_| Event::InitEnd { actor: actor.id, ok: result.is_ok() });
    turn.end(activation);
    result
}

/// Ends an actor that came to life.
pub(crate) fn terminate<M: Send + 'static>(mut activation: Activation<Core<M>>, reason: &Exit) {
    let turn = Turn::begin(&mut activation);
    terminated(activation, turn, reason);
}

fn terminated<M: Send + 'static>(activation: Activation<Core<M>>, turn: Turn<M>, reason: &Exit) {
    end(activation, turn, reason, |me, behaviour| {
        let actor = me.shared().id;
        emit(|_| Event::TerminateBegin { actor, reason: Some(reason.to_string()) });
        // A panic in `terminate` changes nothing else.
        let _ = callback(me, || behaviour.terminate(me, reason));
        emit(|_| Event::TerminateEnd { actor });
    });
}

/// Ends an actor whose `init` did not succeed.
pub(crate) fn abandon<M: Send + 'static>(mut activation: Activation<Core<M>>, reason: &Exit) {
    let turn = Turn::begin(&mut activation);
    end(activation, turn, reason, |_, _| ());
}

/// The one way in which actors end, in this order: no child joins, no message is accepted, the Reader is
/// interrupted, dead letters are handed over, `last` runs, the actor is dropped, its names are released, its
/// children are told.
fn end<M: Send + 'static>(
    activation: Activation<Core<M>>,
    turn: Turn<M>,
    reason: &Exit,
    last: impl FnOnce(&Arc<Mailbox<M>>, &mut dyn Behaviour<M>),
) {
    let Turn { mut lanes, mut behaviour, .. } = turn;
    let actor = Arc::clone(activation.inbox().shared());
    actor.ending(reason);
    actor.close_family();
    let (mut closed, leftovers) = activation.close();
    if let Some(capacity) = &actor.capacity {
        capacity.close();
    }
    closed.with(|me, core| {
        if let Some(interrupt) = core.interrupt.take() {
            emit(|_| Event::Interrupt { actor: actor.id });
            // User code like any other: its panic must not stop the actor from ending.
            let _ = callback(me, || interrupt.interrupt());
        }
        lanes.accept(leftovers);
        while let Some(letter) = lanes.pop() {
            if let Envelope::Message { message, stamp, .. } = letter.into_item() {
                emit(|r| Event::DeadLetter { actor: actor.id, message: r.message(&stamp) });
                log::dead_letter::<M>(&actor);
                let (to, label) = (actor.id, actor.label);
                // Where nobody wants it, it is dropped here: user code that may panic like any other.
                let _ = callback(me, || {
                    actor.node.dead_letter(DeadLetter { to, label, message: Box::new(message) });
                });
            }
        }
        last(me, &mut *behaviour);
        // A panic in a destructor is contained like one in a callback; there is nothing left to end.
        let _ = callback(me, || drop(behaviour));
    });
    actor.release_names();
    actor.end_children();
    actor.end(End::Handler);
}

/// Puts an envelope into a mailbox; if that wakes the actor, `run` is given it after `returned`.
pub(crate) fn post<M: Send + 'static>(
    mailbox: &Arc<Mailbox<M>>,
    envelope: Envelope<M>,
    returned: impl FnOnce(bool),
    run: impl FnOnce(Task),
) -> Result<(), Refused<Envelope<M>>> {
    let class = envelope.class();
    let pushed = Inbox::push(mailbox, envelope);
    if class != Class::Main && matches!(pushed, Ok(Pushed::Queued)) {
        // Before the send returns. Whoever is activated looks anyway.
        mailbox.shared().overtake();
    }
    returned(pushed.is_ok());
    if let Pushed::Activated(activation) = pushed? {
        run(activation.into_task());
    }
    Ok(())
}

impl<M: Send + 'static> Control for Arc<Mailbox<M>> {
    fn signal(&self, signal: Signal) {
        // Refused: the actor has ended, which is all that a signal could ask of it.
        let execute = |task| self.shared().node.executor().execute(task);
        let _ = post(self, Envelope::Signal(Box::new(signal)), |_| (), execute);
    }

    fn lifecycle(&self) -> &Arc<Lifecycle> {
        self.shared()
    }

    fn boxed(&self) -> Box<dyn Control> {
        Box::new(Arc::clone(self))
    }
}
