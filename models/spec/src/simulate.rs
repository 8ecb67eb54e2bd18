//! A correct runtime, simulated: traces as it could have recorded them.
//!
//! The generator of the property tests and of the fuzz targets. A source of [choices](Choices) decides who
//! moves next and what it does, so every sequence of bytes is an execution, with as much overlap as the
//! bytes ask for. What comes out must be accepted by the specification; [`mutate`] breaks it on purpose.
//!
//! It shares nothing with the runtime, nor with the machine but the alphabet: it is written from the
//! guarantees alone, as a third opinion.

mod actor;
mod any;
mod ends;
mod lines;
pub mod mutate;
pub mod oracle;

pub use any::any_events;

use crate::event::{ActorId, CallId, Class, Event, Kind, MessageId, MonitorId};

use actor::{Actor, Callback, Ending, Letter, Reader};
use lines::{Line, Operation};

/// Where decisions come from.
#[derive(Clone, Debug)]
pub struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    /// Each byte decides one thing; when they are used up, the first alternative is taken.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// A number below `alternatives`, which must not be zero.
    pub fn pick(&mut self, alternatives: usize) -> usize {
        if alternatives < 2 {
            return 0;
        }
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                usize::from(*first) % alternatives
            }
            None => 0,
        }
    }

    fn is_over(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// What a simulation may do; the rest is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Bounds {
    /// How many processes.
    pub processes: usize,
    /// How many meta-processes at most.
    pub metas: usize,
    /// How many threads outside.
    pub threads: usize,
    /// How many things the lines begin altogether: sends, calls, spawns, monitors, exits, failures.
    pub initiatives: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { processes: 2, metas: 3, threads: 2, initiatives: 40 }
    }
}

/// Simulates one complete execution and returns what it recorded.
///
/// It ends: everything that is begun is bounded by `bounds`.
pub fn simulate(bounds: Bounds, choices: &mut Choices<'_>) -> Vec<Event> {
    let mut simulation = Simulation::new(bounds, choices);
    let mut steps = Vec::new();
    loop {
        steps.clear();
        simulation.steps(&mut steps);
        if steps.is_empty() {
            return simulation.events;
        }
        let step = steps[simulation.choices.pick(steps.len())];
        simulation.take(step);
    }
}

/// Who moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// A line begins something, or goes on with what it began.
    Line(Line),
    /// A parked or running handler looks into its mailbox.
    Look(usize),
    /// The callback in progress ends.
    CallbackEnds(usize),
    /// The ending of an actor goes on.
    Ending(usize),
    /// The Reader begins.
    ReaderBegins(usize),
    /// The Reader ends.
    ReaderEnds(usize),
}

struct Simulation<'c, 'b> {
    choices: &'c mut Choices<'b>,
    bounds: Bounds,
    events: Vec<Event>,
    actors: Vec<Actor>,
    threads: Vec<Option<Operation>>,
    initiatives: usize,
    messages: u64,
    calls: u64,
    monitors: u64,
    /// Whether ends are recorded as the runtime sees them.
    tells_ends: bool,
}

impl<'c, 'b> Simulation<'c, 'b> {
    fn new(bounds: Bounds, choices: &'c mut Choices<'b>) -> Self {
        let tells_ends = choices.pick(4) != 3;
        let mut simulation = Self {
            choices,
            bounds,
            events: Vec::new(),
            actors: Vec::new(),
            threads: vec![None; bounds.threads],
            initiatives: bounds.initiatives,
            messages: 0,
            calls: 0,
            monitors: 0,
            tells_ends,
        };
        for place in 0..bounds.processes {
            simulation.actors.push(Actor::new(Kind::Process, None));
            let actor = id(place);
            simulation.emit(Event::InitBegin { actor, kind: Kind::Process, parent: None });
            simulation.emit(Event::InitEnd { actor, ok: true });
            simulation.emit(Event::Spawn { actor, kind: Kind::Process, parent: None, ok: true });
            simulation.actors[place].started = true;
        }
        simulation
    }

    fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Begins something new, if there is still something to begin.
    fn initiative(&mut self) -> bool {
        let left = self.initiatives > 0 && !self.choices.is_over();
        self.initiatives -= usize::from(left);
        left
    }

    fn steps(&self, steps: &mut Vec<Step>) {
        self.line_steps(steps);
        for (place, actor) in self.actors.iter().enumerate() {
            let busy = actor.operation.is_some();
            match actor.callback {
                Some(_) if !busy => steps.push(Step::CallbackEnds(place)),
                None if actor.started && actor.ending.is_none() && !actor.mail.is_empty() => {
                    steps.push(Step::Look(place));
                }
                _ => {}
            }
            if actor.ending.is_some() && actor.callback.is_none() {
                steps.push(Step::Ending(place));
            }
            match actor.reader {
                Reader::Starting => steps.push(Step::ReaderBegins(place)),
                Reader::Running if actor.reader_operation.is_none() && self.reader_may_end(actor) => {
                    steps.push(Step::ReaderEnds(place));
                }
                _ => {}
            }
        }
    }

    /// A Reader returns when it is interrupted, or of its own while there are initiatives left.
    fn reader_may_end(&self, actor: &Actor) -> bool {
        actor.interrupted || (self.initiatives > 0 && !self.choices.is_over())
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Line(line) => self.line(line),
            Step::Look(place) => self.look(place),
            Step::CallbackEnds(place) => self.callback_ends(place),
            Step::Ending(place) => self.ending(place),
            Step::ReaderBegins(place) => {
                self.actors[place].reader = Reader::Running;
                self.emit(Event::ReaderBegin { actor: id(place) });
            }
            Step::ReaderEnds(place) => self.reader_ends(place),
        }
    }

    /// Puts a letter into a mailbox, unless it is closed.
    fn push(&mut self, place: usize, letter: Letter) -> bool {
        let actor = &mut self.actors[place];
        if !actor.closed {
            actor.mail.push(letter);
        }
        !actor.closed
    }

    /// The handler takes the most urgent letter, the oldest of its class.
    fn look(&mut self, place: usize) {
        let mail = &mut self.actors[place].mail;
        let Some(first) = (0..mail.len()).min_by_key(|index| mail[*index].urgency()) else { return };
        let actor = id(place);
        match mail.remove(first) {
            Letter::Message { message, .. } => {
                self.actors[place].callback = Some(Callback::Handle(message));
                self.emit(Event::HandleBegin { actor, message });
            }
            Letter::Request(call) => self.answer(call),
            Letter::Down { monitor, actor: ended } => {
                self.emit(Event::Down { monitor, watcher: actor, actor: ended, reason: None });
            }
            Letter::Exit | Letter::ReaderEnded => self.actors[place].ending = Some(Ending::CloseFamily),
        }
    }

    fn callback_ends(&mut self, place: usize) {
        let actor = id(place);
        match self.actors[place].callback.take() {
            Some(Callback::Handle(message)) => {
                let ok = self.choices.pick(8) != 7 || !self.initiative();
                self.emit(Event::HandleEnd { actor, message, ok });
                if !ok {
                    self.actors[place].ending = Some(Ending::CloseFamily);
                }
            }
            Some(Callback::Terminate) => self.emit(Event::TerminateEnd { actor }),
            None => {}
        }
    }

    /// Something to tell a new message, call or monitor by.
    fn fresh_message(&mut self) -> MessageId {
        self.messages += 1;
        MessageId(self.messages)
    }

    fn fresh_call(&mut self) -> CallId {
        self.calls += 1;
        CallId(self.calls)
    }

    fn fresh_monitor(&mut self) -> MonitorId {
        self.monitors += 1;
        MonitorId(self.monitors)
    }

    fn class(&mut self) -> Class {
        match self.choices.pick(8) {
            6 => Class::System,
            7 => Class::Urgent,
            _ => Class::Main,
        }
    }
}

/// The id of the actor at this place.
fn id(place: usize) -> ActorId {
    ActorId(place as u64 + 1)
}

/// The place of the actor with this id.
fn place(actor: ActorId) -> usize {
    actor.0 as usize - 1
}
