//! What a supervisor is told about a child: how to make it, and what to do about its end.

use std::any::{Any, type_name};
use std::fmt;
use std::time::Duration;

use event::{ActorId, Restart};
use platform::panic::catch;

use crate::exit::Exit;
use crate::lifecycle::Control;
use crate::log;
use crate::process::{Actor, SpawnError, spawn_supervised};

/// How long a child may take to end, unless it says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// A child of a [`Supervisor`](super::Supervisor): a closure that makes the actor, once for each incarnation.
///
/// The actor may be a process with meta-processes of its own, or a supervisor.
///
/// ```
/// # use antiphon::{Actor, Context, Exit};
/// use antiphon::Child;
/// # struct Clock;
/// # impl Actor for Clock {
/// #     type Message = ();
/// #     fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> { Ok(()) }
/// # }
///
/// let clock = Child::new(|| Clock).named("clock");
/// ```
pub struct Child {
    start: Start,
    pub(super) label: &'static str,
    name: Option<String>,
    pub(super) restart: Restart,
    pub(super) patience: Duration,
}

/// Starts one incarnation for the supervisor; an error is that the closure which makes the actor panicked.
type Start = Box<dyn FnMut(&dyn Control, Option<&str>) -> Result<Incarnation, Exit> + Send>;

/// One incarnation of a child, until its Down; it may not have come to life.
pub(super) struct Incarnation {
    pub(super) actor: ActorId,
    pub(super) control: Box<dyn Control>,
    /// Its address, whose message type only the one who asks knows.
    pub(super) address: Box<dyn Any + Send>,
    pub(super) result: Result<(), SpawnError>,
}

impl Child {
    /// A permanent child without a name, which has five seconds to end. `make` is called on the supervisor's
    /// thread; if it panics, the start has failed.
    pub fn new<A: Actor>(mut make: impl FnMut() -> A + Send + 'static) -> Self {
        let start = move |supervisor: &dyn Control, name: Option<&str>| {
            let actor = catch(&mut make)
                .map_err(|payload| log::panicked(supervisor.lifecycle(), Exit::from_panic(&*payload)))?;
            let started = spawn_supervised(supervisor, actor, name);
            Ok(Incarnation {
                actor: started.address.id(),
                control: started.address.0.boxed(),
                address: Box::new(started.address),
                result: started.result,
            })
        };
        let (label, restart) = (type_name::<A>(), Restart::default());
        Self { start: Box::new(start), label, name: None, restart, patience: PATIENCE }
    }

    /// Each incarnation can be found by this name ([`Node::lookup`](crate::Node::lookup)): never two at once, since
    /// the name is released before the next one is started (`name-validity`).
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    /// After which ends it is restarted.
    #[must_use]
    pub fn restart(self, restart: Restart) -> Self {
        Self { restart, ..self }
    }

    /// How long it may take to end when it is told to, before it is killed: [`Duration::ZERO`] kills it at once,
    /// [`Duration::MAX`] never. A supervisor needs as long as all of its children do.
    ///
    /// A callback in progress can't be cut short, neither by this: the kill comes when it has returned.
    #[must_use]
    pub fn shutdown(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(super) fn start(&mut self, supervisor: &dyn Control) -> Result<Incarnation, Exit> {
        (self.start)(supervisor, self.name.as_deref())
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, name, restart, patience, .. } = self;
        f.debug_struct("Child")
            .field("label", label)
            .field("name", name)
            .field("restart", restart)
            .field("shutdown", patience)
            .finish()
    }
}
