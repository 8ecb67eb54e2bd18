//! The abstract runtime: the protocol of the one-word inbox and of the lifecycles, without a runtime.
//!
//! A [`World`] is a state of all actors and of the lines of execution that move them. Each [`Move`] is one
//! atomic step of one line; the two ends of an interval are always two steps, so that every overlap that
//! could be recorded is explored.
//!
//! ```text
//! handler   Held -> (take, handle)* -> park -> Idle -> (a push) -> Held
//!           Held -> end: close family, close inbox, interrupt, dead letters, terminate, tell children
//! reader    Starting -> Running -> Over (returned, failed or interrupted; tells the handler by a letter)
//! ended     handler's end and Reader's end and every child's end: whichever comes last reports it
//! ```

use antiphon_spec::event::{ActorId, CallId, CallOutcome, Class, Event, Kind, MessageId, MonitorId, Sender};

use crate::bug::Bug;
use crate::model::{Explored, Judged};
use crate::scope::{Act, PARENT, Place, Scope};

/// What lies in a mailbox.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Letter {
    Message {
        id: u8,
        class: Class,
    },
    /// A call, by the line that waits for it.
    Request {
        line: u8,
    },
    /// A watched actor has ended: the monitor, and whom it watched.
    Down {
        monitor: u8,
        of: u8,
    },
    Exit,
    ReaderEnded,
}

impl Letter {
    /// Signals go before every message.
    fn urgency(self) -> u8 {
        match self {
            Self::Exit | Self::ReaderEnded | Self::Down { .. } => 0,
            Self::Message { class, .. } => 1 + class as u8,
            Self::Request { .. } => 1 + Class::Main as u8,
        }
    }
}

/// The one word of the inbox; what is queued stands beside it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Word {
    Idle,
    Held,
    Closed,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Handler {
    /// Nobody runs it: it is parked, not born, or over.
    Resting,
    Running,
    /// Only with `BlindPark`: it has seen nothing, and will store "idle".
    Parking,
    Handling {
        id: u8,
        class: Class,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Ending {
    CloseFamily,
    Close,
    Interrupt,
    DeadLetters,
    Terminate,
    TerminateEnd,
    TellChildren,
    End,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum Reader {
    #[default]
    Absent,
    Starting,
    Running,
    Over,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Birth {
    Unborn,
    Refused,
    Born,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Actor {
    birth: Birth,
    init_failed: bool,
    word: Word,
    /// Oldest first; the stack of the real inbox is this, reversed.
    mail: Vec<Letter>,
    /// What the handler has taken and not handled yet.
    taken: Vec<Letter>,
    handler: Handler,
    ending: Option<Ending>,
    reader: Reader,
    interrupted: bool,
    family_closed: bool,
    handler_open: bool,
    reader_open: bool,
    children_open: u8,
    /// The monitors of it, not told yet.
    watchers: Vec<u8>,
    /// Every end is done, and the report of it is still to come.
    reporting: bool,
    reported: bool,
}

impl Actor {
    fn unborn() -> Self {
        Self {
            birth: Birth::Unborn,
            init_failed: false,
            word: Word::Held,
            mail: Vec::new(),
            taken: Vec::new(),
            handler: Handler::Resting,
            ending: None,
            reader: Reader::Absent,
            interrupted: false,
            family_closed: false,
            handler_open: true,
            reader_open: false,
            children_open: 0,
            watchers: Vec::new(),
            reporting: false,
            reported: false,
        }
    }

    fn all_ended(&self) -> bool {
        !self.handler_open && !self.reader_open && self.children_open == 0
    }
}

/// A line of execution: a thread outside, or a Reader.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Line {
    act: u8,
    step: u8,
    accepted: bool,
    /// How the call that it waits for came out.
    outcome: Option<CallOutcome>,
}

/// One atomic step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Move {
    /// A line goes on with its script; threads come first, then the Readers by place.
    Line(usize),
    /// The init that a line is in fails.
    InitFails(usize),
    /// The handler goes on: it looks into its mailbox, or its callback ends.
    Handler(Place),
    /// The handler's callback fails.
    HandlerFails(Place),
    /// The ending goes on.
    Ending(Place),
    /// The Reader begins.
    ReaderBegins(Place),
    /// The Reader returns.
    ReaderReturns(Place),
    /// The Reader fails.
    ReaderFails(Place),
    /// The end is reported.
    Report(Place),
}

/// A state of the abstract runtime, with what the specification knows of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct World {
    actors: Vec<Actor>,
    lines: Vec<Line>,
    /// A bug that strikes once has struck.
    struck: bool,
    judged: Judged,
}

impl Explored for World {
    type Step = Move;

    /// The parent is alive and idle; nothing else has happened.
    fn new(scope: &Scope) -> Self {
        let mut world = Self {
            actors: vec![Actor::unborn(); 1 + scope.metas],
            lines: vec![Line::default(); scope.threads.len() + scope.readers.len()],
            struck: false,
            judged: Judged::new(),
        };
        let parent = &mut world.actors[PARENT];
        parent.birth = Birth::Born;
        parent.word = Word::Idle;
        let actor = ActorId(1);
        world.emit(&Event::InitBegin { actor, kind: Kind::Process, parent: None });
        world.emit(&Event::InitEnd { actor, ok: true });
        world.emit(&Event::Spawn { actor, kind: Kind::Process, parent: None, ok: true });
        world
    }

    fn all_ends_are_over(&self) -> bool {
        self.actors.iter().all(|actor| actor.word != Word::Closed || actor.all_ended() && !actor.reporting)
    }

    fn steps(&self, scope: &Scope, moves: &mut Vec<Move>) {
        for line in 0..self.lines.len() {
            self.line_moves(scope, line, moves);
        }
        for (place, actor) in self.actors.iter().enumerate() {
            match actor.handler {
                Handler::Running if actor.ending.is_none() || scope.bug == Some(Bug::ReaderTerminates) => {
                    moves.push(Move::Handler(place));
                }
                Handler::Parking => moves.push(Move::Handler(place)),
                Handler::Handling { .. } => {
                    moves.push(Move::Handler(place));
                    if scope.faults.handler_fails {
                        moves.push(Move::HandlerFails(place));
                    }
                }
                Handler::Running | Handler::Resting => {}
            }
            if actor.ending.is_some() {
                moves.push(Move::Ending(place));
            }
            match actor.reader {
                Reader::Starting => moves.push(Move::ReaderBegins(place)),
                Reader::Running if !self.reader_is_busy(scope, place) => {
                    if scope.faults.reader_returns || actor.interrupted {
                        moves.push(Move::ReaderReturns(place));
                    }
                    if scope.faults.reader_fails {
                        moves.push(Move::ReaderFails(place));
                    }
                }
                Reader::Running | Reader::Absent | Reader::Over => {}
            }
            if actor.reporting {
                moves.push(Move::Report(place));
            }
        }
    }

    fn after(&self, scope: &Scope, step: Move) -> Self {
        let mut next = self.clone();
        match step {
            Move::Line(line) => next.line(scope, line, true),
            Move::InitFails(line) => next.line(scope, line, false),
            Move::Handler(place) => next.handler(scope, place, true),
            Move::HandlerFails(place) => next.handler(scope, place, false),
            Move::Ending(place) => next.ending(scope, place),
            Move::ReaderBegins(place) => {
                next.actors[place].reader = Reader::Running;
                next.emit(&Event::ReaderBegin { actor: id(scope, place) });
            }
            Move::ReaderReturns(place) => next.reader_ends(scope, place, true),
            Move::ReaderFails(place) => next.reader_ends(scope, place, false),
            Move::Report(place) => next.report(scope, place),
        }
        next
    }

    fn rest(&mut self) {
        self.judged.rest();
    }

    fn judged(&self) -> &Judged {
        &self.judged
    }
}

impl World {
    fn emit(&mut self, event: &Event) {
        self.judged.emit(event);
    }

    /// Whether a letter was put into the mailbox.
    fn push(&mut self, place: Place, letter: Letter) -> bool {
        let actor = &mut self.actors[place];
        if actor.word == Word::Closed {
            return false;
        }
        actor.mail.push(letter);
        if actor.word == Word::Idle {
            actor.word = Word::Held;
            actor.handler = Handler::Running;
        }
        true
    }
}

/// The id of the actor at this place.
fn id(scope: &Scope, place: Place) -> ActorId {
    let place = if scope.bug == Some(Bug::IdReused) && place > 1 { 1 } else { place };
    ActorId(place as u64 + 1)
}

/// The script of a line, and the place whose Reader it is.
fn script(scope: &Scope, line: usize) -> (&'static [Act], Option<Place>) {
    match line.checked_sub(scope.threads.len()) {
        None => (scope.threads[line], None),
        Some(reader) => (scope.readers[reader], Some(reader + 1)),
    }
}

mod ends;
mod handler;
mod lines;
