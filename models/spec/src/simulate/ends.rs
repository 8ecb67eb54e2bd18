//! How simulated actors end.

use super::actor::{Callback, Ending, Letter, Reader};
use super::{Simulation, id};
use crate::event::{CallOutcome, Event};

impl Simulation<'_, '_> {
    pub(super) fn ending(&mut self, place: usize) {
        let Some(step) = self.actors[place].ending else { return };
        let next = match step {
            Ending::CloseFamily => {
                self.actors[place].family_closed = true;
                Ending::Close
            }
            Ending::Close => {
                self.actors[place].closed = true;
                Ending::Interrupt
            }
            Ending::Interrupt => {
                if matches!(self.actors[place].reader, Reader::Starting | Reader::Running) {
                    self.actors[place].interrupted = true;
                    self.emit(Event::Interrupt { actor: id(place) });
                }
                Ending::DeadLetters
            }
            Ending::DeadLetters => {
                self.leftovers(place);
                if self.actors[place].init_failed { Ending::ReleaseName } else { Ending::Terminate }
            }
            Ending::Terminate => {
                self.actors[place].callback = Some(Callback::Terminate);
                self.emit(Event::TerminateBegin { actor: id(place), reason: Some("end".to_owned()) });
                Ending::ReleaseName
            }
            Ending::ReleaseName => {
                if let Some(name) = self.actors[place].name.take() {
                    self.emit(Event::Unname { name, actor: id(place) });
                }
                Ending::TellChildren
            }
            Ending::TellChildren => {
                for child in self.actors[place].children.clone() {
                    self.push(child, Letter::Exit);
                }
                Ending::Report
            }
            Ending::Report => return self.handler_ended(place),
        };
        self.actors[place].ending = Some(next);
    }

    /// Everything that was accepted and not handled is accounted for.
    fn leftovers(&mut self, place: usize) {
        for letter in std::mem::take(&mut self.actors[place].mail) {
            match letter {
                Letter::Message { message, .. } => {
                    self.emit(Event::DeadLetter { actor: id(place), message });
                }
                Letter::Request(call) => self.settle(call, CallOutcome::CalleeTerminated),
                Letter::Down { .. } | Letter::Exit | Letter::ReaderEnded => {}
            }
        }
    }

    fn handler_ended(&mut self, place: usize) {
        self.actors[place].ending = None;
        self.actors[place].started = false;
        self.report(place);
    }

    pub(super) fn reader_ends(&mut self, place: usize) {
        let ok = self.actors[place].interrupted || self.choices.pick(2) == 0;
        self.initiatives = self.initiatives.saturating_sub(1);
        self.actors[place].reader = Reader::Over;
        self.emit(Event::ReaderEnd { actor: id(place), ok });
        self.push(place, Letter::ReaderEnded);
        self.report(place);
    }

    /// Reports the end of an actor if all of it has ended, and then of its parent if that waited for it.
    fn report(&mut self, place: usize) {
        let actor = &self.actors[place];
        let reads = matches!(actor.reader, Reader::Starting | Reader::Running);
        let handles = !actor.closed || actor.ending.is_some() || actor.callback.is_some();
        let waits = actor.children.iter().any(|child| !self.actors[*child].ended);
        if actor.ended || reads || handles || waits {
            return;
        }
        self.actors[place].ended = true;
        if self.tells_ends {
            self.emit(Event::Ended { actor: id(place) });
        }
        for (monitor, watcher) in std::mem::take(&mut self.actors[place].watchers) {
            self.push(watcher, Letter::Down { monitor, actor: id(place) });
        }
        if let Some(parent) = self.actors[place].parent {
            self.report(parent);
        }
    }
}
