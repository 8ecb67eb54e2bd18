//! How actors and Readers end.

use super::*;

impl World {
    /// One step of the only way in which actors end.
    pub(super) fn ending(&mut self, scope: &Scope, place: Place) {
        let Some(step) = self.actors[place].ending else { return };
        let actor = id(scope, place);
        let next = match step {
            Ending::CloseFamily => {
                self.actors[place].family_closed = true;
                Some(Ending::Close)
            }
            Ending::Close => {
                self.close(scope, place);
                Some(Ending::Interrupt)
            }
            Ending::Interrupt => {
                // Also if it has returned: nobody asks.
                if self.actors[place].reader != Reader::Absent && scope.bug != Some(Bug::NoInterrupt) {
                    self.actors[place].interrupted = true;
                    self.emit(&Event::Interrupt { actor });
                }
                Some(Ending::DeadLetters)
            }
            Ending::DeadLetters => {
                self.dead_letters(scope, place);
                let no_terminate =
                    self.actors[place].init_failed && scope.bug != Some(Bug::TerminateAfterFailedInit);
                Some(if no_terminate { Ending::TellChildren } else { Ending::Terminate })
            }
            Ending::Terminate => {
                self.emit(&Event::TerminateBegin { actor, reason: None });
                Some(Ending::TerminateEnd)
            }
            Ending::TerminateEnd => {
                self.emit(&Event::TerminateEnd { actor });
                Some(Ending::TellChildren)
            }
            Ending::TellChildren => {
                if place == PARENT && scope.bug != Some(Bug::TableWalkedOnce) {
                    self.tell_children();
                }
                Some(Ending::End)
            }
            Ending::End => {
                self.actors[place].handler_open = false;
                self.ended(scope, place);
                None
            }
        };
        self.actors[place].ending = next;
    }

    /// The word says closed, and what was queued is the ending's: one step.
    fn close(&mut self, scope: &Scope, place: Place) {
        if scope.bug == Some(Bug::TwoStepClose) {
            // First the queue, here; then the word, with the dead letters.
            let mail = std::mem::take(&mut self.actors[place].mail);
            self.actors[place].taken.extend(mail);
            return;
        }
        let actor = &mut self.actors[place];
        actor.word = Word::Closed;
        let mail = std::mem::take(&mut actor.mail);
        actor.taken.extend(mail);
    }

    fn dead_letters(&mut self, scope: &Scope, place: Place) {
        let actor = &mut self.actors[place];
        actor.word = Word::Closed;
        let left = std::mem::take(&mut actor.taken);
        actor.mail.clear();
        if scope.bug == Some(Bug::LeftoversDropped) {
            return;
        }
        for letter in left {
            match letter {
                Letter::Message { id: number, .. } => {
                    let actor = id(scope, self.addressee(scope, number, place));
                    self.emit(&Event::DeadLetter { actor, message: MessageId(u64::from(number)) });
                }
                Letter::Request { line } if scope.bug != Some(Bug::RequestsDropped) => {
                    self.lines[usize::from(line)].outcome = Some(CallOutcome::CalleeTerminated);
                }
                Letter::Request { .. } | Letter::Down { .. } | Letter::Exit | Letter::ReaderEnded => {}
            }
        }
    }

    /// To whom the message was sent; another than who has it only with `FallsThroughToParent`.
    fn addressee(&self, scope: &Scope, number: u8, place: Place) -> Place {
        match script(scope, usize::from(number / 8)).0[usize::from(number % 8)] {
            Act::Send { to, .. } => to,
            Act::Exit { .. } | Act::Spawn { .. } | Act::Call { .. } | Act::Monitor { .. } => place,
        }
    }

    pub(super) fn reader_ends(&mut self, scope: &Scope, place: Place, ok: bool) {
        self.actors[place].reader = Reader::Over;
        self.emit(&Event::ReaderEnd { actor: id(scope, place), ok });
        let ignored = !ok && scope.bug == Some(Bug::ReaderFailureIgnored);
        let alive = self.actors[place].word != Word::Closed && self.actors[place].ending.is_none();
        if scope.bug == Some(Bug::ReaderTerminates) && alive {
            // The right steps on the wrong line; the handler is not asked.
            self.actors[place].ending = Some(Ending::CloseFamily);
        } else if !ignored {
            self.push(place, Letter::ReaderEnded);
        }
        self.actors[place].reader_open = false;
        self.ended(scope, place);
    }

    /// One of the ends of this actor is done; the last of them brings the report.
    fn ended(&mut self, scope: &Scope, place: Place) {
        let actor = &mut self.actors[place];
        let all = match scope.bug {
            Some(Bug::ReaderNotAwaited) => !actor.handler_open && actor.children_open == 0,
            Some(Bug::ChildrenNotAwaited) => !actor.handler_open && !actor.reader_open,
            _ => actor.all_ended(),
        };
        actor.reporting |= all && !actor.reported;
    }

    pub(super) fn report(&mut self, scope: &Scope, place: Place) {
        self.actors[place].reporting = false;
        self.actors[place].reported = true;
        self.emit(&Event::Ended { actor: id(scope, place) });
        for monitor in std::mem::take(&mut self.actors[place].watchers) {
            self.push(PARENT, Letter::Down { monitor, of: place as u8 });
        }
        if place != PARENT {
            self.actors[PARENT].children_open -= 1;
            self.ended(scope, PARENT);
        }
    }
}
