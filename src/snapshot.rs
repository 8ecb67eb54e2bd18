//! A look into a node: its actors, what they do, and what waits for them.
//!
//! Nothing is counted on the way of a message for this. The node knows its actors; how many messages wait for an
//! actor, and how many it has handled, only the holder of its activation knows. So each actor is *asked*, by a signal
//! in its own mailbox, and answers between two messages. An actor that is busy for longer than the one who looks
//! has patience is seen without these figures; whom it waits for is known all the same.
//!
//! How exact is it? Each actor's own figures were true together, at one moment while the snapshot was taken; those of
//! two actors were true at different moments. An actor that began or ended meanwhile may be in it or not.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use event::{ActorId, Kind};
use platform::sync::{Arc, Condvar, Mutex};

use crate::executor::blocking;
use crate::family::End;
use crate::lifecycle::{Control, Lifecycle};
use crate::mailbox::Signal;
use crate::node::Node;

/// What [`Node::snapshot`] saw.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// Each actor, a parent before those that end with it.
    pub actors: Vec<ActorSnapshot>,
    /// How many timers are set.
    pub timers: usize,
    /// As [`Node::refused_timers`].
    pub refused_timers: u64,
    /// As [`Node::late_replies`].
    pub late_replies: u64,
}

/// One actor.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ActorSnapshot {
    /// Which actor.
    pub id: ActorId,
    /// A process or a meta-process.
    pub kind: Kind,
    /// The actor that it ends with: the process of a meta-process, the supervisor of a child.
    pub parent: Option<ActorId>,
    /// The name of its type.
    pub label: &'static str,
    /// The names that the node knows it by.
    pub names: Vec<String>,
    /// What it was doing.
    pub state: ActorState,
    /// The actor whose reply it waits for, in a call.
    pub waits_for: Option<ActorId>,
    /// What it said of itself; none if it did not get round to that.
    pub figures: Option<Figures>,
    /// True if its Reader has not returned.
    pub reader: bool,
}

/// What an actor was doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ActorState {
    /// Nothing waited for it.
    Idle,
    /// It was between two messages.
    Working,
    /// It was in a callback for as long as the snapshot was taken, or waited for a thread to run on.
    Busy,
    /// Its callbacks are over; it waits for its Reader, or for those that end with it.
    Ending,
}

/// What an actor says of itself between two messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Figures {
    /// How many messages and signals wait, by class: urgent, system, main.
    pub queued: [usize; 3],
    /// How many messages it has handled.
    pub handled: u64,
}

/// Where actors give their answers.
#[derive(Debug)]
pub(crate) struct Collector {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How many questions have neither been answered nor dropped.
    open: usize,
    answers: BTreeMap<ActorId, Figures>,
}

/// The question to one actor; dropped unanswered when the actor has ended.
#[derive(Debug)]
pub(crate) struct Question(Arc<Collector>);

impl Question {
    pub(crate) fn answer(self, actor: ActorId, figures: Figures) {
        self.0.state.lock().answers.insert(actor, figures);
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.open -= 1;
        let last = state.open == 0;
        drop(state);
        if last {
            self.0.changed.notify_one();
        }
    }
}

impl Collector {
    fn ask(this: &Arc<Self>, actor: &dyn Control) {
        this.state.lock().open += 1;
        actor.signal(Signal::Asked(Question(Arc::clone(this))));
    }

    fn wait(&self, patience: Duration) -> BTreeMap<ActorId, Figures> {
        let open = |state: &mut State| state.open > 0;
        let (mut state, _) = self.changed.wait_timeout_while(self.state.lock(), patience, open);
        std::mem::take(&mut state.answers)
    }
}

/// Looks into `node`.
pub(crate) fn take(node: &Node, patience: Duration) -> Snapshot {
    let collector = Arc::new(Collector { state: Mutex::default(), changed: Condvar::new() });
    let mut actors = Vec::new();
    node.each_process(|process| look(process, None, &collector, &mut actors));
    let mut answers = blocking(|| collector.wait(patience));
    let waits = node.waits().all();
    for actor in &mut actors {
        actor.waits_for = waits.iter().find(|(caller, _)| *caller == actor.id).map(|(_, callee)| *callee);
        actor.figures = answers.remove(&actor.id);
        actor.state = match actor.figures {
            _ if actor.state == ActorState::Ending => ActorState::Ending,
            Some(Figures { queued: [0, 0, 0], .. }) => ActorState::Idle,
            Some(_) => ActorState::Working,
            None => ActorState::Busy,
        };
    }
    let (timers, refused_timers) = (node.timers().len(), node.refused_timers());
    Snapshot { actors, timers, refused_timers, late_replies: node.late_replies() }
}

fn look(
    actor: &dyn Control,
    parent: Option<ActorId>,
    collector: &Arc<Collector>,
    actors: &mut Vec<ActorSnapshot>,
) {
    let lifecycle: &Lifecycle = actor.lifecycle();
    Collector::ask(collector, actor);
    let ending = !lifecycle.is_open(End::Handler);
    actors.push(ActorSnapshot {
        id: lifecycle.id,
        kind: lifecycle.kind(),
        parent,
        label: lifecycle.label,
        names: lifecycle.relations.names(),
        state: if ending { ActorState::Ending } else { ActorState::Busy },
        waits_for: None,
        figures: None,
        reader: lifecycle.is_open(End::Reader),
    });
    lifecycle.each_child(|child| look(child, Some(lifecycle.id), collector, actors));
}

impl Snapshot {
    /// How many parents and parents of parents an actor has.
    fn depth(&self, actor: &ActorSnapshot) -> usize {
        let mut depth = 0;
        let mut parent = actor.parent;
        while let Some(id) = parent {
            depth += 1;
            parent = self.actors.iter().find(|other| other.id == id).and_then(|other| other.parent);
        }
        depth
    }
}

/// A table, with those that end with an actor set in below it.
impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { actors, timers, refused_timers, late_replies } = self;
        writeln!(
            f,
            "{} actors, {timers} timers ({refused_timers} refused), {late_replies} late replies",
            actors.len()
        )?;
        writeln!(f, "{:>6}  {:<8}  {:>20}  {:>10}  actor", "id", "state", "urgent/system/main", "handled")?;
        for actor in actors {
            let (queued, handled) = match actor.figures {
                Some(Figures { queued: [urgent, system, main], handled }) => {
                    (format!("{urgent}/{system}/{main}"), handled.to_string())
                }
                None => ("?".to_owned(), "?".to_owned()),
            };
            let state = actor.state.to_string();
            write!(f, "{:>6}  {state:<8}  {queued:>20}  {handled:>10}  ", actor.id.0)?;
            writeln!(f, "{:width$}{actor}", "", width = 2 * self.depth(actor))?;
        }
        Ok(())
    }
}

/// Who it is, and what it waits for.
impl fmt::Display for ActorSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label)?;
        for name in &self.names {
            write!(f, " `{name}`")?;
        }
        if self.kind == Kind::Meta {
            f.write_str(if self.reader { ", its Reader runs" } else { ", its Reader is over" })?;
        }
        match self.waits_for {
            Some(callee) => write!(f, ", waits for a reply of {callee}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ActorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Idle => "idle",
            Self::Working => "working",
            Self::Busy => "busy",
            Self::Ending => "ending",
        })
    }
}
