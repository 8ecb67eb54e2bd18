//! The one-word inbox, one operation at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use antiphon::inbox::{Activation, Body, Content, Inbox, Pushed, Refused};

/// Something that can be done to an inbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Push an item.
    Push(u8),
    /// Ask whether something arrived.
    HasMail,
    /// Take all that arrived.
    Take,
    /// Try to give up the activation.
    Park,
    /// Wrap the activation up as a task, and run it.
    RunAsTask,
    /// Close.
    Close,
    /// Drop the activation, which closes too.
    Drop,
}

impl Operation {
    /// Any two bytes are an operation; pushes and takes are the most frequent ones.
    pub fn decode(what: u8, with: u8) -> Self {
        match what % 16 {
            0..=5 => Self::Push(with),
            6 => Self::HasMail,
            7..=9 => Self::Take,
            10..=12 => Self::Park,
            13 => Self::RunAsTask,
            14 => Self::Close,
            _ => Self::Drop,
        }
    }
}

/// The body: what its `run` took, newest first.
struct Tray(Vec<u8>);

impl Content for Tray {
    type Item = u8;
    type Shared = ();
}

impl Body for Tray {
    fn run(mut activation: Activation<Self>) {
        let taken: Vec<u8> = activation.take().map(|letter| letter.into_item()).collect();
        activation.with(|_, tray| tray.0 = taken);
        activation.park().expect("nobody pushes while this thread runs");
    }
}

/// The inbox as anybody would write it down: a list, and whether somebody holds the activation.
#[derive(Debug)]
struct Model {
    queued: VecDeque<u8>,
    held: bool,
    closed: bool,
}

/// An inbox beside its model.
pub struct Pair {
    inbox: Arc<Inbox<Tray>>,
    activation: Option<Activation<Tray>>,
    model: Model,
}

impl Default for Pair {
    fn default() -> Self {
        let activation = Inbox::new(Tray(Vec::new()), ());
        let inbox = Arc::clone(activation.inbox());
        let model = Model { queued: VecDeque::new(), held: true, closed: false };
        Self { inbox, activation: Some(activation), model }
    }
}

impl Pair {
    /// Does one operation on the inbox and on the model.
    ///
    /// An operation that needs the activation does nothing while nobody holds it: there is no way to say it.
    ///
    /// # Panics
    /// Where the inbox does not do what the model says.
    pub fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Push(item) => self.push(item),
            Operation::HasMail => {
                if let Some(activation) = &self.activation {
                    assert_eq!(activation.has_mail(), !self.model.queued.is_empty());
                }
            }
            Operation::Take => {
                if let Some(activation) = &mut self.activation {
                    let taken: Vec<u8> = activation.take().map(|letter| letter.into_item()).collect();
                    assert_eq!(taken, newest_first(&mut self.model.queued));
                }
            }
            Operation::Park => {
                if let Some(activation) = self.activation.take() {
                    self.activation = activation.park().err();
                    self.model.held = !self.model.queued.is_empty();
                    assert_eq!(self.activation.is_some(), self.model.held);
                }
            }
            Operation::RunAsTask => self.run_as_task(),
            Operation::Close => {
                if let Some(activation) = self.activation.take() {
                    let (_closed, leftovers) = activation.close();
                    let left: Vec<u8> = leftovers.map(|letter| letter.into_item()).collect();
                    assert_eq!(left, newest_first(&mut self.model.queued));
                    self.close();
                }
            }
            Operation::Drop => {
                if self.activation.take().is_some() {
                    self.model.queued.clear();
                    self.close();
                }
            }
        }
    }

    fn push(&mut self, item: u8) {
        let pushed = Inbox::push(&self.inbox, item);
        if self.model.closed {
            assert!(matches!(pushed, Err(Refused(back)) if back == item));
            return;
        }
        self.model.queued.push_back(item);
        match pushed {
            Ok(Pushed::Queued) => assert!(self.model.held, "nobody will come across the item"),
            Ok(Pushed::Activated(activation)) => {
                assert!(!self.model.held, "a second activation");
                self.activation = Some(activation);
                self.model.held = true;
            }
            Err(Refused(_)) => panic!("an open inbox refused an item"),
        }
    }

    fn run_as_task(&mut self) {
        if let Some(activation) = self.activation.take() {
            activation.into_task().run();
            self.model.held = false;
            let expected = newest_first(&mut self.model.queued);
            // The next activation sees what the last one left in the body.
            self.push(0);
            let seen = self.activation.as_mut().map(|activation| activation.with(|_, tray| tray.0.clone()));
            assert_eq!(seen, Some(expected));
        }
    }

    fn close(&mut self) {
        self.model.held = false;
        self.model.closed = true;
    }
}

fn newest_first(queued: &mut VecDeque<u8>) -> Vec<u8> {
    queued.drain(..).rev().collect()
}
