//! What the holder of the activation does: take, handle, park, and begin to end.

use super::*;

impl World {
    pub(super) fn handler(&mut self, scope: &Scope, place: Place, ok: bool) {
        match self.actors[place].handler {
            Handler::Handling { id: message, class } => self.handled(scope, place, message, class, ok),
            Handler::Parking => {
                self.actors[place].word = Word::Idle;
                self.actors[place].handler = Handler::Resting;
            }
            Handler::Running | Handler::Resting => self.look(scope, place),
        }
    }

    /// Takes what has arrived, and the most urgent of all that was taken; parks if there is nothing.
    fn look(&mut self, scope: &Scope, place: Place) {
        let actor = &mut self.actors[place];
        if actor.word == Word::Closed {
            // Only with `ReaderTerminates`: somebody else has ended the actor.
            actor.handler = Handler::Resting;
            return;
        }
        let mut stack = std::mem::take(&mut actor.mail);
        if scope.bug == Some(Bug::StackOrder) {
            stack.reverse();
        }
        actor.taken.append(&mut stack);
        let first = if scope.bug == Some(Bug::UrgentLast) {
            (0..actor.taken.len()).min_by_key(|place| u8::MAX - actor.taken[*place].urgency())
        } else {
            (0..actor.taken.len()).min_by_key(|place| actor.taken[*place].urgency())
        };
        let Some(first) = first else {
            if scope.bug == Some(Bug::BlindPark) {
                actor.handler = Handler::Parking;
            } else {
                actor.word = Word::Idle;
                actor.handler = Handler::Resting;
            }
            return;
        };
        match actor.taken.remove(first) {
            Letter::Message { id: message, class } => {
                actor.handler = Handler::Handling { id: message, class };
                let message = MessageId(u64::from(message));
                self.emit(&Event::HandleBegin { actor: id(scope, place), message });
            }
            Letter::Request { line } => self.answer(line),
            Letter::Down { monitor, of } => {
                let (watcher, actor) = (id(scope, place), id(scope, usize::from(of)));
                let monitor = MonitorId(u64::from(monitor));
                self.emit(&Event::Down { monitor, watcher, actor, reason: None });
            }
            Letter::Exit | Letter::ReaderEnded => self.begin_to_end(scope, place),
        }
    }

    fn handled(&mut self, scope: &Scope, place: Place, message: u8, class: Class, ok: bool) {
        let letter = Letter::Message { id: message, class };
        let message = MessageId(u64::from(message));
        self.emit(&Event::HandleEnd { actor: id(scope, place), message, ok });
        self.actors[place].handler = Handler::Running;
        if !ok && scope.bug != Some(Bug::FailureIgnored) {
            self.begin_to_end(scope, place);
        } else if scope.bug == Some(Bug::HandledAgain) && !self.struck {
            self.struck = true;
            self.actors[place].taken.push(letter);
        }
    }

    pub(super) fn begin_to_end(&mut self, scope: &Scope, place: Place) {
        self.actors[place].handler = Handler::Resting;
        if self.actors[place].ending.is_some() || self.actors[place].word == Word::Closed {
            return; // Only with `ReaderTerminates`.
        }
        let walk_first = scope.bug == Some(Bug::TableWalkedOnce) && place == PARENT;
        self.actors[place].ending = Some(if walk_first { Ending::Close } else { Ending::CloseFamily });
        if walk_first {
            self.tell_children();
        }
    }

    pub(super) fn tell_children(&mut self) {
        for child in 1..self.actors.len() {
            if self.actors[child].birth == Birth::Born {
                self.push(child, Letter::Exit);
            }
        }
    }
}
