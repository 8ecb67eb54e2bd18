//! What actors have agreed to tell each other: monitors, links, names and timers, behind one lock an actor.
//!
//! A relation has an identity and an *edge* on each side that knows of it. Whoever cuts a relation (a
//! demonitor, an unlink, an end) removes both edges, one lock at a time. A notice that is still on its way
//! when its edge is gone is not delivered: so a `demonitor` that has returned is final, however the notice
//! and the call race, and the registrations of an actor that has ended leave nothing behind (`no-leak`).

use std::collections::BTreeMap;

use event::{Event, MonitorId};
use platform::record::emit;
use platform::sync::{Arc, Mutex};

use crate::exit::Exit;
use crate::lifecycle::{Control, Lifecycle};
use crate::log;
use crate::mailbox::Signal;

/// Names one monitor or link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct RelationId(pub(crate) u64);

/// One actor's side of a relation.
enum Edge {
    /// That actor monitors this one.
    Watched(Box<dyn Control>),
    /// This actor monitors that one.
    Watching(Arc<Lifecycle>),
    /// The two are linked.
    Linked(Box<dyn Control>),
    /// The node knows this actor by that name.
    Named(Box<str>),
    /// The node has set a timer that this actor owns.
    Timer,
}

/// All relations of one actor. Boxed, since most actors have none while they live.
#[derive(Default)]
pub(crate) struct Relations(Mutex<Option<Box<State>>>);

#[derive(Default)]
struct State {
    edges: BTreeMap<RelationId, Edge>,
    /// Set when the actor begins to end: its reason.
    reason: Option<Exit>,
    /// Set when the actor has ended: nobody is told any more, whoever comes late is told at once.
    ended: bool,
}

impl Relations {
    /// Adds an edge; if the actor has ended, says for which reason instead.
    fn add(&self, id: RelationId, edge: Edge) -> Result<(), Exit> {
        let mut state = self.0.lock();
        let state = state.get_or_insert_default();
        if state.ended {
            return Err(state.reason.clone().unwrap_or(Exit::Normal));
        }
        state.edges.insert(id, edge);
        Ok(())
    }

    /// Removes an edge; `None` if it was cut before.
    fn remove(&self, id: RelationId) -> Option<Edge> {
        self.0.lock().as_mut()?.edges.remove(&id)
    }

    /// Adds a timer; false if the actor is ending.
    fn add_timer(&self, id: RelationId) -> bool {
        let mut state = self.0.lock();
        let state = state.get_or_insert_default();
        if state.reason.is_some() {
            return false;
        }
        state.edges.insert(id, Edge::Timer);
        true
    }

    /// Takes down why the actor ends, and gives back its timers: there will be no others. The first reason is
    /// the one that is told.
    fn begin_end(&self, reason: &Exit) -> Vec<RelationId> {
        let mut state = self.0.lock();
        let state = state.get_or_insert_default();
        state.reason.get_or_insert_with(|| reason.clone());
        state.edges.extract_if(.., |_, edge| matches!(edge, Edge::Timer)).map(|(id, _)| id).collect()
    }

    /// The names that the node knows the actor by.
    pub(crate) fn names(&self) -> Vec<String> {
        let state = self.0.lock();
        let edges = state.iter().flat_map(|state| state.edges.values());
        edges
            .filter_map(|edge| if let Edge::Named(name) = edge { Some(name.to_string()) } else { None })
            .collect()
    }

    fn take_names(&self) -> Vec<Box<str>> {
        let mut state = self.0.lock();
        let Some(state) = state.as_mut() else { return Vec::new() };
        let names = state.edges.extract_if(.., |_, edge| matches!(edge, Edge::Named(_)));
        names.filter_map(|(_, edge)| if let Edge::Named(name) = edge { Some(name) } else { None }).collect()
    }

    fn end(&self) -> (BTreeMap<RelationId, Edge>, Exit) {
        let mut state = self.0.lock();
        let state = state.get_or_insert_default();
        state.ended = true;
        (std::mem::take(&mut state.edges), state.reason.clone().unwrap_or(Exit::Normal))
    }
}

impl Lifecycle {
    /// Has `watcher` told when this actor ends, or at once if it has (`monitor-once`).
    pub(crate) fn monitored_by(this: &Arc<Self>, watcher: &dyn Control) -> RelationId {
        let id = RelationId(this.node.new_id().0);
        let own = watcher.lifecycle();
        own.relations.add(id, Edge::Watching(Arc::clone(this))).expect("whoever monitors is running");
        if let Err(reason) = this.relations.add(id, Edge::Watched(watcher.boxed())) {
            watcher.signal(Signal::Down { relation: id, actor: this.id, reason });
        }
        emit(|_| Event::Monitor { monitor: MonitorId(id.0), watcher: own.id, actor: this.id });
        id
    }

    /// Cuts a monitor of this actor; false if it had been told, or it was cut before.
    pub(crate) fn demonitor(&self, id: RelationId) -> bool {
        let Some(Edge::Watching(target)) = self.relations.remove(id) else { return false };
        target.relations.remove(id);
        emit(|_| Event::Demonitor { monitor: MonitorId(id.0) });
        true
    }

    /// Links two actors: if one ends abnormally, the other is told, or at once if it has.
    pub(crate) fn link(this: &dyn Control, other: &dyn Control) -> RelationId {
        let (a, b) = (this.lifecycle(), other.lifecycle());
        let id = RelationId(a.node.new_id().0);
        a.relations.add(id, Edge::Linked(other.boxed())).expect("whoever links is running");
        if let Err(reason) = b.relations.add(id, Edge::Linked(this.boxed())) {
            this.signal(Signal::Linked { relation: id, actor: b.id, reason });
        }
        emit(|_| Event::Link { a: a.id, b: b.id });
        id
    }

    /// Cuts a link of this actor; false if it was cut before.
    pub(crate) fn unlink(&self, id: RelationId) -> bool {
        let Some(Edge::Linked(other)) = self.relations.remove(id) else { return false };
        other.lifecycle().relations.remove(id);
        true
    }

    /// Uses up the relation that a notice came by; false if it has been cut meanwhile.
    pub(crate) fn told(&self, id: RelationId) -> bool {
        self.relations.remove(id).is_some()
    }

    /// Notes that the node knows this actor by `name`.
    pub(crate) fn named(&self, name: &str) {
        let id = RelationId(self.node.new_id().0);
        // It cannot have ended: whoever names it holds its activation.
        let added = self.relations.add(id, Edge::Named(name.into()));
        debug_assert!(added.is_ok());
    }

    /// Notes that this actor owns a timer; false if it is ending.
    pub(crate) fn owns_timer(&self, id: RelationId) -> bool {
        self.relations.add_timer(id)
    }

    /// A timer of this actor is over.
    pub(crate) fn disowns_timer(&self, id: RelationId) {
        self.relations.remove(id);
    }

    /// The actor begins to end, for this reason: its timers stop.
    pub(crate) fn ending(&self, reason: &Exit) {
        for timer in self.relations.begin_end(reason) {
            self.node.timers().cancel(timer.into());
        }
    }

    /// Gives back the names that the node knows this actor by (`name-validity`).
    pub(crate) fn release_names(&self) {
        for name in self.relations.take_names() {
            self.node.release_name(&name);
            emit(|_| Event::Unname { name: name.into(), actor: self.id });
        }
    }

    /// The actor has ended: whoever has asked for it is told, once.
    pub(crate) fn tell_all(&self) {
        let (edges, reason) = self.relations.end();
        log::ended(self, &reason);
        for (relation, edge) in edges {
            let (actor, reason) = (self.id, reason.clone());
            match edge {
                Edge::Watched(watcher) => watcher.signal(Signal::Down { relation, actor, reason }),
                Edge::Watching(target) => drop(target.relations.remove(relation)),
                Edge::Linked(other) if reason.is_normal() => {
                    drop(other.lifecycle().relations.remove(relation))
                }
                Edge::Linked(other) => other.signal(Signal::Linked { relation, actor, reason }),
                Edge::Named(_) | Edge::Timer => unreachable!("names and timers are released before"),
            }
        }
    }
}
