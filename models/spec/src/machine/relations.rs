//! The rules about what actors know of each other: `monitor-once`, `call-isolation`, `name-validity`.
//!
//! `link-propagation` cannot be judged soundly from the events of version 1: which reason is abnormal is not
//! said.

use std::collections::BTreeMap;

use super::aside::At;
use super::judge::Judge;
use super::lives::{Life, Lives};
use crate::event::{ActorId, Event, MonitorId, Sender};
use crate::guarantee::Guarantee;

/// One monitor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Monitor {
    pub(super) watcher: ActorId,
    pub(super) actor: ActorId,
    pub(super) placed: Option<At>,
    /// Set once it was taken back: no Down may begin any more.
    cut: Option<At>,
    down: Option<At>,
}

/// All monitors and names.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Relations {
    pub(super) monitors: BTreeMap<MonitorId, Monitor>,
    /// The actors that hold each name, sorted, and since when: at most one for long.
    names: BTreeMap<String, Vec<(ActorId, At)>>,
}

pub(super) fn step(relations: &mut Relations, lives: &Lives, event: &Event, judge: &mut Judge<'_>) {
    match event {
        Event::Monitor { monitor, watcher, actor } => {
            isolated(lives, *watcher, "places a monitor", judge);
            relations.monitor(*monitor, *watcher, *actor).placed.get_or_insert(judge.here());
        }
        Event::Demonitor { monitor } => {
            if let Some(monitor) = relations.monitors.get_mut(monitor) {
                monitor.cut.get_or_insert(judge.here());
            }
        }
        Event::Down { monitor, watcher, actor, .. } => {
            let Monitor { down, cut, .. } = relations.monitor(*monitor, *watcher, *actor);
            judge.premise(Guarantee::MonitorOnce);
            if let Some(cut) = *cut {
                judge.violated(
                    Guarantee::MonitorOnce,
                    [cut],
                    format!("monitor {monitor} gets a Down after it was taken back"),
                    "no Down once a demonitor has returned",
                );
            } else if let Some(first) = *down {
                judge.violated(
                    Guarantee::MonitorOnce,
                    [first],
                    format!("monitor {monitor} gets a second Down"),
                    "one Down for each monitor",
                );
            }
            down.get_or_insert(judge.here());
            relations.released(*actor, lives, judge);
        }
        Event::Ended { actor } => relations.released(*actor, lives, judge),
        Event::CallBegin { from: Some(Sender::Actor(caller)), .. } => {
            isolated(lives, *caller, "calls", judge);
        }
        // A process may link to a meta-process; two meta-processes cannot have been linked by either.
        Event::Link { a, b } if lives.is_meta(*b) => isolated(lives, *a, "links", judge),
        Event::Name { name, actor } => {
            judge.premise(Guarantee::NameValidity);
            let holders = relations.names.entry(name.clone()).or_default();
            if let Err(place) = holders.binary_search_by_key(actor, |(holder, _)| *holder) {
                holders.insert(place, (*actor, judge.here()));
            }
        }
        Event::Unname { name, actor } => {
            if let Some(holders) = relations.names.get_mut(name) {
                holders.retain(|(holder, _)| holder != actor);
                if holders.is_empty() {
                    relations.names.remove(name);
                }
            }
        }
        _ => {}
    }
}

fn isolated(lives: &Lives, actor: ActorId, what: &str, judge: &mut Judge<'_>) {
    judge.premise(Guarantee::CallIsolation);
    if lives.is_meta(actor) {
        judge.violated(
            Guarantee::CallIsolation,
            lives.of(actor).and_then(|life| life.init.begun_at().or(life.spawned)),
            format!("meta-process {actor} {what}"),
            "a meta-process sends and spawns",
        );
    }
}

impl Relations {
    fn monitor(&mut self, id: MonitorId, watcher: ActorId, actor: ActorId) -> &mut Monitor {
        self.monitors.entry(id).or_insert(Monitor { watcher, actor, placed: None, cut: None, down: None })
    }

    /// A name is released before anybody is told of its actor's end.
    fn released(&mut self, actor: ActorId, lives: &Lives, judge: &mut Judge<'_>) {
        if lives.of(actor).is_none_or(|life| life.reported.is_some()) {
            return;
        }
        for (name, holders) in &mut self.names {
            let Ok(place) = holders.binary_search_by_key(&actor, |(holder, _)| *holder) else { continue };
            let (_, named) = holders.remove(place);
            judge.violated(
                Guarantee::NameValidity,
                [named],
                format!("actor {actor} is reported ended while `{name}` names it"),
                "the name is released before",
            );
        }
    }
}

pub(super) fn finish(relations: &Relations, lives: &Lives, judge: &mut Judge<'_>) {
    for (id, monitor) in relations.monitors.iter().filter(|(_, m)| m.down.is_none() && m.cut.is_none()) {
        let Some(over) = lives.of(monitor.actor).and_then(Life::over_at) else { continue };
        // A watcher that has ended, or is busy for ever, need not have been told.
        if lives.of(monitor.watcher).is_some_and(Life::is_idle) {
            judge.violated(
                Guarantee::MonitorOnce,
                monitor.placed.into_iter().chain([over]),
                format!("monitor {id} of {}, which has ended, got no Down", monitor.actor),
                "one Down for each monitor",
            );
        }
    }
    for (name, holders) in &relations.names {
        let live =
            |(holder, _): &&(ActorId, At)| lives.of(*holder).is_some_and(|life| life.over_at().is_none());
        let holders: Vec<_> = holders.iter().filter(live).collect();
        // A release may be recorded late, but not later than everything.
        if let [(first, _), .., (second, _)] = holders[..] {
            judge.violated(
                Guarantee::NameValidity,
                holders.iter().map(|(_, at)| *at),
                format!("`{name}` names both {first} and {second}"),
                "a name of at most one live actor",
            );
        }
    }
}
