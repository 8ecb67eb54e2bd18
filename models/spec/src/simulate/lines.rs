//! What the lines of the simulated execution do: threads outside, callbacks, Readers.

use super::actor::{Actor, Callback, Ending, Letter, Reader};
use super::{Simulation, Step, id, place};
use crate::event::{ActorId, CallId, CallOutcome, Class, Event, Kind, MessageId, Sender};

/// A line of execution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Line {
    Thread(usize),
    Callback(usize),
    Reader(usize),
}

/// What a line is in the middle of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operation {
    Send { message: MessageId, to: usize, class: Class, accepted: Option<bool> },
    Call { call: CallId, to: usize, state: CallState },
    Spawn { child: usize, step: u8 },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CallState {
    Begun,
    Waiting,
    Over(CallOutcome),
}

impl Simulation<'_, '_> {
    pub(super) fn line_steps(&self, steps: &mut Vec<Step>) {
        let begins = self.initiatives > 0 && !self.choices.is_over();
        let mut add = |line: Line, operation: Option<Operation>| {
            if operation.is_some() || begins {
                steps.push(Step::Line(line));
            }
        };
        for (index, operation) in self.threads.iter().enumerate() {
            add(Line::Thread(index), *operation);
        }
        for (place, actor) in self.actors.iter().enumerate() {
            if matches!(actor.callback, Some(Callback::Handle(_))) {
                add(Line::Callback(place), actor.operation);
            }
            if actor.reader == Reader::Running {
                add(Line::Reader(place), actor.reader_operation);
            }
        }
    }

    fn operation(&mut self, line: Line) -> &mut Option<Operation> {
        match line {
            Line::Thread(index) => &mut self.threads[index],
            Line::Callback(place) => &mut self.actors[place].operation,
            Line::Reader(place) => &mut self.actors[place].reader_operation,
        }
    }

    fn sender(line: Line) -> Sender {
        match line {
            Line::Thread(index) => Sender::Thread(format!("t{index}")),
            Line::Callback(place) | Line::Reader(place) => Sender::Actor(id(place)),
        }
    }

    /// The process that is itself running on this line; only it may call, monitor or take a name.
    fn process(&self, line: Line) -> Option<usize> {
        match line {
            Line::Callback(place) if self.actors[place].kind == Kind::Process => Some(place),
            Line::Callback(_) | Line::Reader(_) | Line::Thread(_) => None,
        }
    }

    pub(super) fn line(&mut self, line: Line) {
        match *self.operation(line) {
            None => {
                if self.initiative() {
                    self.begin(line);
                }
            }
            Some(Operation::Send { message, to, class, accepted }) => {
                self.send(line, message, to, class, accepted);
            }
            Some(Operation::Call { call, to, state }) => self.call(line, call, to, state),
            Some(Operation::Spawn { child, step }) => self.spawn(line, child, step),
        }
    }

    fn begin(&mut self, line: Line) {
        let to = self.choices.pick(self.actors.len());
        match self.choices.pick(16) {
            0 | 1 => self.begin_spawn(line),
            2 | 3 => self.begin_call(line, to),
            4 => self.monitor(line, to),
            5 => self.name(line),
            6 => {
                // Only processes are told to end; what they own ends with them.
                if self.actors[to].kind == Kind::Process {
                    self.push(to, Letter::Exit);
                }
            }
            _ => {
                let (message, class) = (self.fresh_message(), self.class());
                let from = Some(Self::sender(line));
                self.emit(Event::SendBegin { message, from, to: id(to), class });
                *self.operation(line) = Some(Operation::Send { message, to, class, accepted: None });
            }
        }
    }

    fn send(&mut self, line: Line, message: MessageId, to: usize, class: Class, accepted: Option<bool>) {
        let next = match accepted {
            None => {
                let accepted = Some(self.push(to, Letter::Message { message, class }));
                Some(Operation::Send { message, to, class, accepted })
            }
            Some(accepted) => {
                self.emit(Event::SendEnd { message, accepted });
                None
            }
        };
        *self.operation(line) = next;
    }

    fn begin_call(&mut self, line: Line, to: usize) {
        let caller = self.process(line);
        if caller.is_none() && !matches!(line, Line::Thread(_)) {
            return;
        }
        let call = self.fresh_call();
        self.emit(Event::CallBegin { call, from: Some(Self::sender(line)), to: id(to) });
        let state = if self.closes_a_cycle(caller, to) {
            CallState::Over(CallOutcome::Deadlock)
        } else {
            CallState::Begun
        };
        *self.operation(line) = Some(Operation::Call { call, to, state });
    }

    /// Whether the callee waits, over any number of calls, for the caller.
    fn closes_a_cycle(&self, caller: Option<usize>, callee: usize) -> bool {
        let Some(caller) = caller else { return false };
        let mut current = callee;
        // Nobody waits for more than one, so the walk is no longer than there are actors.
        for _ in 0..=self.actors.len() {
            if current == caller {
                return true;
            }
            match self.actors[current].operation {
                Some(Operation::Call { to, state: CallState::Begun | CallState::Waiting, .. }) => {
                    current = to
                }
                _ => return false,
            }
        }
        false
    }

    fn call(&mut self, line: Line, call: CallId, to: usize, state: CallState) {
        let next = match state {
            CallState::Begun if self.push(to, Letter::Request(call)) => CallState::Waiting,
            CallState::Begun => CallState::Over(CallOutcome::Refused),
            CallState::Waiting => CallState::Over(CallOutcome::Timeout),
            CallState::Over(outcome) => {
                self.emit(Event::CallEnd { call, outcome });
                *self.operation(line) = None;
                return;
            }
        };
        *self.operation(line) = Some(Operation::Call { call, to, state: next });
    }

    /// The callee answers, in its turn; the caller may have given up.
    pub(super) fn answer(&mut self, call: CallId) {
        self.emit(Event::Reply { call });
        self.settle(call, CallOutcome::Reply);
    }

    /// Gives a waiting call its outcome.
    pub(super) fn settle(&mut self, settled: CallId, outcome: CallOutcome) {
        let of_actors = self.actors.iter_mut().map(|actor| &mut actor.operation);
        for operation in self.threads.iter_mut().chain(of_actors) {
            if let Some(Operation::Call { call, state: state @ CallState::Waiting, .. }) = operation
                && *call == settled
            {
                *state = CallState::Over(outcome);
            }
        }
    }

    fn begin_spawn(&mut self, line: Line) {
        let parent = match line {
            Line::Thread(_) => return,
            Line::Callback(place) | Line::Reader(place) => self.actors[place].parent.unwrap_or(place),
        };
        if self.actors.len() >= self.bounds.processes + self.bounds.metas {
            return;
        }
        let child = self.actors.len();
        self.actors.push(Actor::new(Kind::Meta, Some(parent)));
        let step = if self.actors[parent].family_closed {
            self.actors[child].closed = true;
            self.actors[child].ended = true;
            3
        } else {
            self.actors[parent].children.push(child);
            0
        };
        *self.operation(line) = Some(Operation::Spawn { child, step });
    }

    fn spawn(&mut self, line: Line, child: usize, step: u8) {
        let (actor, kind, parent) = (id(child), Kind::Meta, self.actors[child].parent.map(id));
        match step {
            0 => self.emit(Event::InitBegin { actor, kind, parent }),
            1 => {
                let ok = self.choices.pick(6) != 5;
                self.emit(Event::InitEnd { actor, ok });
                if ok {
                    self.actors[child].started = true;
                    self.actors[child].reader = Reader::Starting;
                } else {
                    self.actors[child].init_failed = true;
                    self.actors[child].ending = Some(Ending::CloseFamily);
                }
            }
            2 => {
                let ok = !self.actors[child].init_failed;
                self.emit(Event::Spawn { actor, kind, parent, ok });
            }
            _ => self.emit(Event::Spawn { actor, kind, parent, ok: false }),
        }
        *self.operation(line) = (step < 2).then_some(Operation::Spawn { child, step: step + 1 });
    }

    fn monitor(&mut self, line: Line, to: usize) {
        let Some(watcher) = self.process(line) else { return };
        let monitor = self.fresh_monitor();
        let actor: ActorId = id(to);
        if self.actors[to].ended {
            self.push(watcher, Letter::Down { monitor, actor });
        } else {
            self.actors[place(actor)].watchers.push((monitor, watcher));
        }
        self.emit(Event::Monitor { monitor, watcher: id(watcher), actor });
    }

    fn name(&mut self, line: Line) {
        let Some(place) = self.process(line) else { return };
        let name = format!("n{}", self.choices.pick(2));
        let taken = self.actors.iter().any(|actor| actor.name.as_ref() == Some(&name));
        if !taken && self.actors[place].name.is_none() {
            self.emit(Event::Name { name: name.clone(), actor: id(place) });
            self.actors[place].name = Some(name);
        }
    }
}
