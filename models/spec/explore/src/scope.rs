//! How much is explored: who does what, and what may go wrong.

use antiphon_spec::event::{Class, Restart, Strategy};

use crate::bug::Bug;

/// The place of an actor: zero is the process, the others are its meta-processes.
pub type Place = usize;

/// The process that owns every meta-process.
pub(crate) const PARENT: Place = 0;

/// One thing that a line of execution does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Act {
    /// Sends a message.
    Send {
        /// To whom.
        to: Place,
        /// In which class.
        class: Class,
    },
    /// Tells an actor to end.
    Exit {
        /// Whom.
        to: Place,
    },
    /// Calls an actor and waits for the outcome.
    Call {
        /// Whom.
        to: Place,
    },
    /// Has the parent monitor an actor.
    Monitor {
        /// Whom.
        of: Place,
    },
    /// Spawns a meta-process of the parent.
    Spawn {
        /// Its place; it may be spawned only once.
        child: Place,
    },
}

/// A main message to the actor at this place.
pub(crate) const fn send(to: Place) -> Act {
    Act::Send { to, class: Class::Main }
}

/// An urgent message to the actor at this place.
pub(crate) const fn urgent(to: Place) -> Act {
    Act::Send { to, class: Class::Urgent }
}

/// A system message to the actor at this place.
pub(crate) const fn system(to: Place) -> Act {
    Act::Send { to, class: Class::System }
}

/// Tells the actor at this place to end.
pub(crate) const fn exit(to: Place) -> Act {
    Act::Exit { to }
}

/// Calls the actor at this place.
pub(crate) const fn call(to: Place) -> Act {
    Act::Call { to }
}

/// Has the parent monitor the actor at this place.
pub(crate) const fn monitor(of: Place) -> Act {
    Act::Monitor { of }
}

/// Spawns the meta-process at this place.
pub(crate) const fn spawn(child: Place) -> Act {
    Act::Spawn { child }
}

/// What may go wrong in user code; each may happen at any time that fits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Faults {
    /// A Reader returns of its own.
    pub reader_returns: bool,
    /// A Reader fails.
    pub reader_fails: bool,
    /// A handler fails.
    pub handler_fails: bool,
    /// The init of a meta-process fails.
    pub init_fails: bool,
}

/// The bounds of one exploration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Scope {
    /// How many meta-processes there may be.
    pub metas: usize,
    /// What each thread outside does, in order.
    pub threads: &'static [&'static [Act]],
    /// What the Reader of each meta-process does, in order, before it blocks.
    pub readers: &'static [&'static [Act]],
    /// What may go wrong in user code.
    pub faults: Faults,
    /// What the runtime gets wrong; `None` is the protocol as it should be.
    pub bug: Option<Bug>,
    /// If this is given, a supervisor with its children is explored instead.
    pub family: Option<Family>,
}

/// A supervisor and what may happen to its children.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Family {
    /// What the supervisor does about a failure.
    pub strategy: Strategy,
    /// After which ends each of the children that it begins with is restarted.
    pub children: &'static [Restart],
    /// How many failures it puts up with.
    pub restarts: u32,
    /// How many children end of their own, one way or the other.
    pub ends: u8,
    /// What else may happen.
    pub trouble: Trouble,
}

/// What may happen to a supervisor, once each, at any time that fits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Trouble {
    /// A start of a child fails.
    pub start_fails: bool,
    /// Each child that is told to end may take longer than its time.
    pub overdue: bool,
    /// A child is added.
    pub added: bool,
    /// A child is removed.
    pub removed: bool,
    /// The supervisor is told to end.
    pub told: bool,
    /// The supervisor is killed.
    pub killed: bool,
    /// So much time passes that no failure before counts.
    pub time: bool,
}

impl Scope {
    /// The scope of a supervisor.
    pub const fn of(family: Family) -> Self {
        let faults =
            Faults { reader_returns: false, reader_fails: false, handler_fails: false, init_fails: false };
        Self { metas: 0, threads: &[], readers: &[], faults, bug: None, family: Some(family) }
    }

    /// The same scope of a runtime with this bug.
    pub const fn with(self, bug: Bug) -> Self {
        Self { bug: Some(bug), ..self }
    }

    /// The same scope with these faults in user code.
    pub const fn failing(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }
}
