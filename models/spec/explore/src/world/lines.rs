//! What threads and Readers do: sends, exits, spawns.

use super::*;

impl World {
    /// Whether the Reader at this place is in the middle of an act.
    pub(super) fn reader_is_busy(&self, scope: &Scope, place: Place) -> bool {
        self.lines.get(scope.threads.len() + place - 1).is_some_and(|line| line.step > 0)
    }

    pub(super) fn line_moves(&self, scope: &Scope, line: usize, moves: &mut Vec<Move>) {
        let (script, reader) = script(scope, line);
        if reader.is_some_and(|place| self.actors[place].reader != Reader::Running) {
            return;
        }
        let Line { act, step, .. } = self.lines[line];
        match script.get(act as usize) {
            None => {}
            // An address is known from when the actor has its inbox.
            Some(Act::Send { to, .. } | Act::Exit { to } | Act::Call { to } | Act::Monitor { of: to })
                if self.actors[*to].birth == Birth::Unborn => {}
            // A caller waits for the outcome.
            Some(Act::Call { .. }) if step == 2 && self.lines[line].outcome.is_none() => {}
            Some(Act::Spawn { .. }) => {
                moves.push(Move::Line(line));
                if step == 2 && scope.faults.init_fails {
                    moves.push(Move::InitFails(line));
                }
            }
            Some(Act::Send { .. } | Act::Exit { .. } | Act::Call { .. } | Act::Monitor { .. }) => {
                moves.push(Move::Line(line));
            }
        }
    }

    pub(super) fn line(&mut self, scope: &Scope, line: usize, ok: bool) {
        let (script, reader) = script(scope, line);
        let act = self.lines[line].act;
        match script[act as usize] {
            Act::Send { to, .. } | Act::Exit { to } | Act::Call { to } | Act::Monitor { of: to }
                if self.actors[to].birth == Birth::Refused =>
            {
                self.next_act(line);
            }
            Act::Call { to } => self.call(scope, line, to),
            Act::Monitor { of } => self.monitor(scope, line, of),
            Act::Send { to, class } => {
                let from = match reader {
                    Some(place) => Sender::Actor(id(scope, place)),
                    None => Sender::Thread(format!("t{line}")),
                };
                self.send(scope, line, to, class, from);
            }
            Act::Exit { to } => {
                let accepted = self.push(to, Letter::Exit);
                let over = self.actors[to].ending.is_none() && !self.actors[to].init_failed;
                if !accepted && over && scope.bug == Some(Bug::ExitTerminatesAgain) {
                    let actor = id(scope, to);
                    self.emit(&Event::TerminateBegin { actor, reason: None });
                    self.emit(&Event::TerminateEnd { actor });
                }
                self.next_act(line);
            }
            Act::Spawn { child } => self.spawn(scope, line, child, ok),
        }
    }

    fn next_act(&mut self, line: usize) {
        self.lines[line] = Line { act: self.lines[line].act + 1, ..Line::default() };
    }

    fn send(&mut self, scope: &Scope, line: usize, to: Place, class: Class, from: Sender) {
        let Line { act, step, accepted, .. } = self.lines[line];
        let number = (line * 8 + act as usize) as u8;
        let message = MessageId(u64::from(number));
        match step {
            0 => {
                self.emit(&Event::SendBegin { message, from: Some(from), to: id(scope, to), class });
                self.lines[line].step = 1;
            }
            1 => {
                let letter = Letter::Message { id: number, class };
                let accepted = self.push(to, letter) || self.wrongly_accepted(scope, to, letter);
                self.lines[line] = Line { act, step: 2, accepted, outcome: None };
            }
            _ => {
                self.emit(&Event::SendEnd { message, accepted });
                self.next_act(line);
            }
        }
    }

    fn call(&mut self, scope: &Scope, line: usize, to: Place) {
        let call = CallId(call_number(line, self.lines[line].act));
        match self.lines[line] {
            Line { step: 0, .. } => {
                let from = Some(Sender::Thread(format!("t{line}")));
                self.emit(&Event::CallBegin { call, from, to: id(scope, to) });
                self.lines[line].step = 1;
            }
            Line { step: 1, .. } => {
                if !self.push(to, Letter::Request { line: line as u8 }) {
                    self.lines[line].outcome = Some(CallOutcome::Refused);
                }
                self.lines[line].step = 2;
            }
            Line { outcome, .. } => {
                let Some(outcome) = outcome else { return };
                self.emit(&Event::CallEnd { call, outcome });
                self.next_act(line);
            }
        }
    }

    /// The handler answers a request in its turn.
    pub(super) fn answer(&mut self, line: u8) {
        let line = usize::from(line);
        self.emit(&Event::Reply { call: CallId(call_number(line, self.lines[line].act)) });
        self.lines[line].outcome = Some(CallOutcome::Reply);
    }

    /// Whether the target has ended is seen in the step in which the monitor is added.
    fn monitor(&mut self, scope: &Scope, line: usize, of: Place) {
        let monitor = line as u8;
        let add = if scope.bug == Some(Bug::MonitorAddedLate) { 1 } else { 0 };
        let down = Letter::Down { monitor, of: of as u8 };
        let step = self.lines[line].step;
        if step == 0 {
            if self.actors[of].reported {
                self.push(PARENT, down);
                self.lines[line].step = 2;
                return;
            }
            if scope.bug == Some(Bug::MonitorAnsweredTwice) && self.actors[of].word == Word::Closed {
                self.push(PARENT, down);
            }
        }
        if step == add {
            self.actors[of].watchers.push(monitor);
        }
        if step < 2 {
            self.lines[line].step += 1;
            return;
        }
        let (monitor, watcher) = (MonitorId(u64::from(monitor)), id(scope, PARENT));
        self.emit(&Event::Monitor { monitor, watcher, actor: id(scope, of) });
        self.next_act(line);
    }

    fn wrongly_accepted(&mut self, scope: &Scope, to: Place, letter: Letter) -> bool {
        let Letter::Message { id: message, .. } = letter else { return false };
        match scope.bug {
            Some(Bug::ClosedAccepts) => {
                let message = MessageId(u64::from(message));
                self.emit(&Event::DeadLetter { actor: id(scope, to), message });
                true
            }
            // As seen: the actor is already gone from one table and not yet from the other.
            Some(Bug::FallsThroughToParent) if to != PARENT => {
                let between = matches!(
                    self.actors[to].ending,
                    Some(Ending::Interrupt | Ending::DeadLetters | Ending::Terminate)
                );
                between && self.push(PARENT, letter)
            }
            _ => false,
        }
    }

    fn spawn(&mut self, scope: &Scope, line: usize, child: Place, ok: bool) {
        let (actor, parent) = (id(scope, child), Some(ActorId(1)));
        match self.lines[line].step {
            // The parent's family is closed under the lock under which a child is added.
            0 if self.actors[PARENT].family_closed => {
                self.actors[child].birth = Birth::Refused;
                self.emit(&Event::Spawn { actor, kind: Kind::Meta, parent, ok: false });
                return self.next_act(line);
            }
            0 => {
                self.actors[PARENT].children_open += 1;
                self.actors[child].birth = Birth::Born;
            }
            1 => {
                self.emit(&Event::InitBegin { actor, kind: Kind::Meta, parent });
                if scope.bug == Some(Bug::ReaderStartsEarly) {
                    self.start_reader(child);
                }
            }
            2 => {
                self.emit(&Event::InitEnd { actor, ok });
                if ok {
                    self.actors[child].handler = Handler::Running;
                    if self.actors[child].reader == Reader::Absent {
                        self.start_reader(child);
                    }
                } else {
                    self.actors[child].init_failed = true;
                    self.actors[child].ending = Some(Ending::CloseFamily);
                }
            }
            _ => {
                let ok = !self.actors[child].init_failed;
                self.emit(&Event::Spawn { actor, kind: Kind::Meta, parent, ok });
                return self.next_act(line);
            }
        }
        self.lines[line].step += 1;
    }

    fn start_reader(&mut self, place: Place) {
        self.actors[place].reader = Reader::Starting;
        self.actors[place].reader_open = true;
    }
}

/// Each call of each line has its own number.
fn call_number(line: usize, act: u8) -> u64 {
    (line * 8 + usize::from(act)) as u64
}
