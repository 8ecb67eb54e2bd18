//! The specification as a state machine: which event is allowed next.
//!
//! A [`State`] is what the specification knows after a sequence of events; [`State::step`] takes one more
//! and says which guarantee it breaks, if any. Nothing else is in here: no thread, no time, no runtime.
//!
//! # Soundness
//!
//! Events are the two ends of intervals (see [`event`](crate::event)): a callback's recorded interval lies
//! inside the real one, an operation's real moment lies inside its recorded interval. The machine reports a
//! violation only if *every* reading of the intervals violates the specification. Each rule says in its
//! comment why that is so.
//!
//! # One fault, one name
//!
//! After a violation the machine goes on, so that all violated guarantees of a trace are found; it
//! remembers a fault that was reported, so that its consequences are not reported under other names.
//!
//! # Order of the rules
//!
//! The groups look at the lives of the actors as they were *before* the event; the lives take it last.

mod aside;
mod calls;
mod judge;
mod lifecycles;
mod lives;
mod messages;
mod outline;
mod relations;
mod sense;
mod supervision;
mod timers;

use crate::event::Event;
use crate::guarantee::Guarantee;
use crate::violation::{Premises, Violation};

use aside::Aside;
use judge::Judge;

pub use outline::{Outline, Phase, ReaderPhase};
pub use sense::Malformed;

/// What the specification knows after the events so far.
///
/// Two states are equal if no continuation can tell them apart: the positions of events, kept as evidence,
/// and the counts of premises are no part of a state's identity.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct State {
    lives: lives::Lives,
    messages: messages::Messages,
    calls: calls::Calls,
    relations: relations::Relations,
    supervision: supervision::Supervision,
    timers: timers::Timers,
    seen: Aside<Seen>,
}

/// What is counted on the way.
#[derive(Clone, Debug, Default)]
struct Seen {
    events: usize,
    premises: Premises,
}

impl State {
    /// The start of a recording that leaves nothing out, extensions included.
    ///
    /// A foreign trace may lack whole kinds of events, so with [`State::default`] the machine concludes
    /// from the absence of one only after it has seen another of its kind. Here it always does. And a
    /// Reader that failed, as a foreign trace need not mean by `ok: false`, ends its meta-process here.
    pub fn instrumented() -> Self {
        let mut state = Self::default();
        state.lives.instrumented = true;
        state.lives.tells_readers = true;
        state.lives.tells_ends = true;
        state.calls.tells_replies = true;
        state
    }

    /// Takes one event; the first violation, if it breaks a guarantee.
    ///
    /// An event that makes no sense here, such as the end of what never began, is neither allowed nor a
    /// violation; it changes nothing that matters. Whoever cannot rule that out asks
    /// [`admits`](Self::admits) first.
    ///
    /// The state has taken the event in either case and can go on.
    ///
    /// # Errors
    ///
    /// The violation. If the event breaks several guarantees, [`observe`](Self::observe) tells all of them.
    pub fn step(&mut self, event: &Event) -> Result<(), Violation> {
        let mut violations = Vec::new();
        self.observe(event, &mut violations);
        violations.into_iter().next().map_or(Ok(()), Err)
    }

    /// Takes one event and adds every violation that it is to `violations`.
    pub fn observe(&mut self, event: &Event, violations: &mut Vec<Violation>) {
        let Self { lives, messages, calls, relations, supervision, timers, seen: Aside(seen) } = self;
        let judge = &mut Judge::new(Some(seen.events), &mut seen.premises, violations);
        messages::step(messages, lives, event, judge);
        calls::step(calls, lives, event, judge);
        relations::step(relations, lives, event, judge);
        supervision::step(supervision, lives, event, judge);
        timers::step(timers, lives, event, judge);
        lifecycles::step(lives, event, judge);
        seen.events += 1;
    }

    /// Judges quiescence: what is wrong if nothing more will ever happen.
    ///
    /// Only meaningful when everything has come to rest: at the end of a complete trace, or of an execution
    /// of which no thread can move. It finds what *did not* happen: lost messages and wake-ups, orphans.
    pub fn finish(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        let mut premises = Premises::default();
        let judge = &mut Judge::new(None, &mut premises, &mut violations);
        messages::finish(&self.messages, &self.lives, judge);
        calls::finish(&self.calls, &self.lives, judge);
        relations::finish(&self.relations, &self.lives, judge);
        supervision::finish(&self.supervision, &self.lives, judge);
        lifecycles::finish(&self.lives, judge);
        violations
    }

    /// Whether the events so far allow a verdict on `guarantee`, if nothing of it was found violated.
    ///
    /// `complete`: everything has come to rest. Without that, what did not happen may yet happen.
    pub fn judges(&self, guarantee: Guarantee, complete: bool) -> bool {
        use Guarantee as G;
        match guarantee {
            G::HandlerExclusion
            | G::NoDuplication
            | G::RightRecipient
            | G::SenderOrder
            | G::ClassOrder
            | G::ClosedIsClosed
            | G::TerminateOnce
            | G::ReaderLifetime
            | G::UniqueIdentity
            | G::CallIsolation
            | G::TimerOutcome => true,
            G::NoLoss
            | G::WakeUp
            | G::Ownership
            | G::PanicContainment
            | G::NameValidity
            | G::CallOutcome
            | G::MonitorOnce
            | G::DeadlockRefusal => complete,
            // Where a trace tells neither of interrupts nor of ends, the Reader may have been asked to end.
            G::Interruption => complete && self.lives.tells_ends,
            // Which actors are whose children is told by extensions only.
            G::RestartDiscipline => complete && self.supervision.tells(),
            // The events of version 1 do not say enough; other engines judge these.
            G::Capacity
            | G::Independence
            | G::NoLeak
            | G::CleanStop
            | G::LinkPropagation
            | G::RaceFreedom
            | G::Handover => false,
        }
    }

    /// How many times the premise of each guarantee has occurred so far.
    pub fn premises(&self) -> &Premises {
        &self.seen.0.premises
    }

    /// How many events have been taken.
    pub fn events(&self) -> usize {
        self.seen.0.events
    }
}

/// The functional form of [`State::step`]: from a state and an event to the next state.
///
/// # Errors
///
/// The violation, if the event breaks a guarantee.
pub fn step(mut state: State, event: &Event) -> Result<State, Violation> {
    state.step(event)?;
    Ok(state)
}
