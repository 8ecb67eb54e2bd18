//! What the simulated runtime knows of an actor.

use crate::event::{ActorId, CallId, Class, Kind, MessageId, MonitorId};

use super::lines::Operation;

/// What lies in a mailbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Letter {
    Message { message: MessageId, class: Class },
    Request(CallId),
    Down { monitor: MonitorId, actor: ActorId },
    Exit,
    ReaderEnded,
}

impl Letter {
    pub(super) fn urgency(&self) -> u8 {
        match self {
            Self::Exit | Self::ReaderEnded | Self::Down { .. } => 0,
            Self::Message { class, .. } => 1 + *class as u8,
            Self::Request(_) => 1 + Class::Main as u8,
        }
    }
}

/// The callback in progress; init is a part of the spawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Callback {
    Handle(MessageId),
    Terminate,
}

/// The next step of an ending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    CloseFamily,
    Close,
    Interrupt,
    DeadLetters,
    Terminate,
    ReleaseName,
    TellChildren,
    /// Waits for the Reader and the children.
    Report,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reader {
    Absent,
    Starting,
    Running,
    Over,
}

#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub(super) kind: Kind,
    /// The place of the process that owns it.
    pub(super) parent: Option<usize>,
    pub(super) init_failed: bool,
    /// Its handler may run.
    pub(super) started: bool,
    pub(super) closed: bool,
    pub(super) mail: Vec<Letter>,
    pub(super) callback: Option<Callback>,
    /// What its callback is in the middle of.
    pub(super) operation: Option<Operation>,
    pub(super) ending: Option<Ending>,
    pub(super) ended: bool,
    pub(super) reader: Reader,
    pub(super) reader_operation: Option<Operation>,
    pub(super) interrupted: bool,
    pub(super) family_closed: bool,
    pub(super) children: Vec<usize>,
    pub(super) watchers: Vec<(MonitorId, usize)>,
    pub(super) name: Option<String>,
}

impl Actor {
    pub(super) fn new(kind: Kind, parent: Option<usize>) -> Self {
        Self {
            kind,
            parent,
            init_failed: false,
            started: false,
            closed: false,
            mail: Vec::new(),
            callback: None,
            operation: None,
            ending: None,
            ended: false,
            reader: Reader::Absent,
            reader_operation: None,
            interrupted: false,
            family_closed: false,
            children: Vec::new(),
            watchers: Vec::new(),
            name: None,
        }
    }
}
