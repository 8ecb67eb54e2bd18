//! Supervisors: actors that start other actors, and start them again when they fail.
//!
//! ```
//! # use antiphon::{Actor, Context, Exit, Node};
//! use antiphon::supervisor::{Strategy, Supervisor};
//! use antiphon::Child;
//! use std::time::Duration;
//! # struct Store;
//! # impl Actor for Store {
//! #     type Message = ();
//! #     fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> { Ok(()) }
//! # }
//! # use Store as Front;
//!
//! let node = Node::new();
//! let supervisor = Supervisor::new(Strategy::RestForOne)
//!     .restarts(5, Duration::from_secs(10))
//!     .child(Child::new(|| Store).named("store"))
//!     .child(Child::new(|| Front).named("front"));
//! node.spawn(supervisor).unwrap();
//! # node.stop(Duration::from_secs(10)).unwrap();
//! ```
//!
//! # What it does
//! It starts its children in order, in its own `init`. When one has failed, it does what its [`Strategy`] says.
//! After more than so many failures in so much time it gives up: it ends its children, and then itself, with
//! [`Exit::Failed`]; that is a failure for the supervisor above it.
//!
//! A child has *failed* when it has ended and, by its [`Restart`], should not have; or when it could not be started
//! again. The next incarnation is started only when the last one has ended altogether: its callbacks are over,
//! its meta-processes have ended, its name is free (`restart-discipline`).
//!
//! # How it ends
//! Asked to end, by its node for example, it tells its children to end in reverse order, each once the one after it
//! has ended. A child that does not end within [its time](Child::shutdown) is killed, and waited for no longer
//! before the one before it is told. The supervisor itself ends when all have.
//!
//! If it is killed or panics, all its children are told at once. In any case it is reported ended only after them:
//! they belong to it, as meta-processes belong to a process. Therefore supervisors may be children of supervisors,
//! and a tree is never there twice.
//!
//! # How it is built
//! What to do is decided in `decision.rs`, which knows no actor. What is here does it.

mod child;
mod decision;
mod request;

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use event::{ActorId, Event};
use platform::record::emit;
use platform::time;

use crate::call::Reply;
use crate::exit::Exit;
use crate::log;
use crate::mailbox::Signal;
use crate::process::{Actor, Context, Down, SpawnError};
use crate::timer::Timer;

use child::Incarnation;
use decision::{Action, Decision, Happening};
use request::Wish;

pub use child::Child;
pub use event::{ChildId, Restart, Strategy};
pub use request::{Request, Status};

/// A supervisor; an actor like any other, to be spawned. See [the module](self).
pub struct Supervisor {
    decision: Decision,
    /// Those that it begins with.
    first: Vec<Child>,
    children: BTreeMap<ChildId, Supervised>,
    /// Which child each incarnation is of.
    incarnations: BTreeMap<ActorId, ChildId>,
    next: u64,
    /// How it came that a child ended last.
    last: Option<(ChildId, Exit)>,
    /// Why it ends itself, once that is known.
    reason: Option<Exit>,
}

/// A child, with the incarnation that has not ended.
struct Supervised {
    child: Child,
    incarnation: Option<Incarnation>,
    /// How many it has had.
    incarnations: u64,
    /// When the time is over that it was given to end.
    deadline: Option<Timer>,
    /// Who waits for its first start.
    starter: Option<Starter>,
    /// Who waits for its end.
    stoppers: Vec<Reply<bool>>,
}

type Starter = Reply<Result<ChildId, SpawnError>>;

impl Supervisor {
    /// A supervisor without children that gives up after more than three failures within five seconds.
    pub fn new(strategy: Strategy) -> Self {
        Self {
            decision: Decision::new(strategy, 3, Duration::from_secs(5)),
            first: Vec::new(),
            children: BTreeMap::new(),
            incarnations: BTreeMap::new(),
            next: 0,
            last: None,
            reason: None,
        }
    }

    /// Gives up after more than `restarts` failures within `within`.
    #[must_use]
    pub fn restarts(mut self, restarts: u32, within: Duration) -> Self {
        (self.decision.restarts, self.decision.within) = (restarts, within);
        self
    }

    /// Adds a child to begin with, as the last one. The first has the number zero.
    #[must_use]
    pub fn child(mut self, child: Child) -> Self {
        self.first.push(child);
        self
    }

    /// Adds a child, and starts it in its turn.
    fn add(
        &mut self,
        child: Child,
        starter: Option<Starter>,
        context: &Context<'_, Request>,
    ) -> Result<(), Exit> {
        let id = ChildId(self.next);
        self.next += 1;
        let added = Happening::Added { child: id, restart: child.restart, patience: child.patience };
        let supervised = Supervised {
            child,
            incarnation: None,
            incarnations: 0,
            deadline: None,
            starter,
            stoppers: Vec::new(),
        };
        self.children.insert(id, supervised);
        self.happened(added, context)
    }

    /// Decides, and does what was decided, of which more happens. An error is that the supervisor ends.
    fn happened(&mut self, happening: Happening, context: &Context<'_, Request>) -> Result<(), Exit> {
        let mut happenings = VecDeque::from([happening]);
        while let Some(happening) = happenings.pop_front() {
            for action in self.decision.step(happening) {
                match action {
                    Action::Start(child) => self.start(child, &mut happenings, context)?,
                    Action::Stop(child, patience) => happenings.extend(self.stop(child, patience, context)),
                    Action::Kill(child) => self.kill(child, context),
                    Action::Forget(child) => self.forget(child),
                    Action::GiveUp => self.give_up(context),
                    Action::ShutDown => {
                        emit(|_| Event::SupervisorEnd { actor: context.id(), gave_up: false });
                    }
                    Action::End => return Err(self.reason.take().expect("it knows why it ends")),
                }
            }
        }
        Ok(())
    }

    fn supervised(&mut self, id: ChildId) -> &mut Supervised {
        self.children.get_mut(&id).expect("a child is kept until the decision forgets it")
    }

    /// Starts the next incarnation. If it is the first, whoever wanted it is told how that went: a request, or the
    /// `init` of this supervisor, which then fails as well.
    fn start(
        &mut self,
        id: ChildId,
        happenings: &mut VecDeque<Happening>,
        context: &Context<'_, Request>,
    ) -> Result<(), Exit> {
        let supervised = self.supervised(id);
        supervised.incarnations += 1;
        let started = supervised.child.start(context.control());
        let (restart, label) = (supervised.child.restart, supervised.child.label);
        let wanted_by_init = supervised.incarnations == 1 && supervised.starter.is_none();
        let (actor, result) = match started {
            Ok(incarnation) => {
                let (actor, result) = (incarnation.actor, incarnation.result.clone());
                supervised.incarnation = Some(incarnation);
                (Some(actor), result)
            }
            Err(panic) => (None, Err(SpawnError::Init(panic))),
        };
        if supervised.incarnations > 1 {
            log::restarted(context.control().lifecycle(), id.0, supervised.incarnations, &result);
        }
        let ok = result.is_ok();
        emit(|_| Event::ChildStart { actor: context.id(), child: id, restart, incarnation: actor, ok });
        if let Some(starter) = supervised.starter.take() {
            answer(starter, result.clone().map(|()| id));
        }
        happenings.push_back(Happening::Started { child: id, ok });
        match (actor, result) {
            (_, Err(error)) if wanted_by_init => {
                return Err(Exit::Failed(format!("child {id}, {label}, was not started: {error}")));
            }
            (Some(actor), _) => drop(self.incarnations.insert(actor, id)),
            // No Down will tell of it.
            (None, result) => {
                let reason = result.err().map_or(Exit::Normal, Exit::from);
                happenings.push_back(self.ended(id, reason, context));
            }
        }
        Ok(())
    }

    /// An incarnation has ended altogether.
    fn ended(&mut self, child: ChildId, reason: Exit, context: &Context<'_, Request>) -> Happening {
        let supervised = self.supervised(child);
        supervised.incarnation = None;
        if let Some(deadline) = supervised.deadline.take() {
            context.cancel(deadline);
        }
        let (normal, now) = (reason.is_normal(), time::now());
        emit(|_| Event::ChildEnd { actor: context.id(), child, normal, at: nanoseconds(now) });
        self.last = Some((child, reason));
        Happening::Ended { child, normal, now }
    }

    /// Tells a child to end, and has itself told when its time is over.
    fn stop(
        &mut self,
        child: ChildId,
        patience: Duration,
        context: &Context<'_, Request>,
    ) -> Option<Happening> {
        emit(|_| Event::ChildStop { actor: context.id(), child, kill: false });
        self.signal(child, Signal::exit(Exit::Shutdown));
        if patience == Duration::MAX {
            return None;
        }
        let supervised = self.supervised(child);
        let overdue = Request(Wish::Overdue(child, supervised.incarnations));
        match context.send_after(&context.address(), overdue, patience) {
            Ok(timer) => {
                supervised.deadline = Some(timer);
                None
            }
            // Nobody would ever say that its time is over: so it is over now.
            Err(_) => Some(Happening::Overdue { child }),
        }
    }

    fn kill(&mut self, child: ChildId, context: &Context<'_, Request>) {
        emit(|_| Event::ChildStop { actor: context.id(), child, kill: true });
        self.signal(child, Signal::kill());
    }

    fn signal(&mut self, child: ChildId, signal: Signal) {
        if let Some(incarnation) = &self.supervised(child).incarnation {
            incarnation.control.signal(signal);
        }
    }

    fn forget(&mut self, child: ChildId) {
        let supervised = self.children.remove(&child);
        let stoppers = supervised.into_iter().flat_map(|supervised| supervised.stoppers);
        stoppers.for_each(|stopper| answer(stopper, true));
    }

    fn give_up(&mut self, context: &Context<'_, Request>) {
        emit(|_| Event::SupervisorEnd { actor: context.id(), gave_up: true });
        let Decision { restarts, within, .. } = self.decision;
        let last = self.last.as_ref().map(|(child, reason)| format!("; the last: child {child}, {reason}"));
        let last = last.unwrap_or_default();
        let reason =
            Exit::Failed(format!("gave up after more than {restarts} failures within {within:?}{last}"));
        log::gave_up(context.control().lifecycle(), &reason);
        self.reason = Some(reason);
    }

    fn statuses(&self) -> Vec<Status> {
        let status = |(child, supervised): (&ChildId, &Supervised)| Status {
            child: *child,
            label: supervised.child.label,
            restart: supervised.child.restart,
            actor: supervised.incarnation.as_ref().map(|incarnation| incarnation.actor),
            incarnations: supervised.incarnations,
        };
        self.children.iter().map(status).collect()
    }

    /// Where to send to a child that is up.
    fn address(&self, child: ChildId) -> Option<&(dyn Any + Send)> {
        let incarnation = self.children.get(&child)?.incarnation.as_ref()?;
        incarnation.result.is_ok().then_some(&*incarnation.address)
    }

    fn is_the_latest(&self, child: ChildId, incarnation: u64) -> bool {
        self.children.get(&child).is_some_and(|supervised| supervised.incarnations == incarnation)
    }
}

/// Answers whoever has asked, who may be gone by now.
fn answer<R>(reply: Reply<R>, answer: R) {
    let _ = reply.send(answer);
}

/// Nanoseconds, for as long as 64 bits last.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Actor for Supervisor {
    type Message = Request;

    fn init(&mut self, context: &mut Context<'_, Request>) -> Result<(), Exit> {
        let Decision { strategy, restarts, within, .. } = self.decision;
        let within = nanoseconds(within);
        emit(|_| Event::Supervisor { actor: context.id(), strategy, restarts, within });
        let first = std::mem::take(&mut self.first);
        first.into_iter().try_for_each(|child| self.add(child, None, context))
    }

    fn handle(&mut self, request: Request, context: &mut Context<'_, Request>) -> Result<(), Exit> {
        match request.0 {
            Wish::Start(_, starter) if self.decision.is_ending() => {
                answer(starter, Err(SpawnError::Refused));
                Ok(())
            }
            Wish::Start(child, starter) => self.add(child, Some(starter), context),
            Wish::Stop(child, stopper) if self.decision.knows(child) => {
                self.supervised(child).stoppers.push(stopper);
                emit(|_| Event::ChildRemove { actor: context.id(), child });
                self.happened(Happening::Removed { child }, context)
            }
            Wish::Stop(_, stopper) => {
                answer(stopper, false);
                Ok(())
            }
            Wish::Children(reply) => {
                answer(reply, self.statuses());
                Ok(())
            }
            Wish::Address(child, deliver) => {
                deliver(self.address(child));
                Ok(())
            }
            Wish::Overdue(child, incarnation) if self.is_the_latest(child, incarnation) => {
                self.happened(Happening::Overdue { child }, context)
            }
            Wish::Overdue(..) => Ok(()),
        }
    }

    fn down(&mut self, down: Down, context: &mut Context<'_, Request>) -> Result<(), Exit> {
        let child = self.incarnations.remove(&down.actor).expect("it watches its children and nobody else");
        let ended = self.ended(child, down.reason, context);
        self.happened(ended, context)
    }

    fn exit(&mut self, reason: Exit, context: &mut Context<'_, Request>) -> Result<(), Exit> {
        self.reason.get_or_insert(reason);
        self.happened(Happening::Told, context)
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("decision", &self.decision).finish_non_exhaustive()
    }
}
