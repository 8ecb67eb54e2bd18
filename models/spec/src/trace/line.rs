//! One line of a trace, and the event that it stands for.
//!
//! The line is one flat struct with all fields of all events: an enum tagged by `ev` would be buffered
//! before it is understood, and the positions of its faults lost.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::event::{
    ActorId, CallId, CallOutcome, ChildId, Class, Event, Kind, MessageId, MonitorId, Restart, Sender,
    Strategy, TimerId,
};

/// The first line.
#[derive(Serialize, Deserialize)]
pub(super) struct HeaderLine<'a> {
    #[serde(borrow)]
    pub(super) format: Cow<'a, str>,
    pub(super) version: u64,
    #[serde(borrow)]
    pub(super) runtime: Cow<'a, str>,
    pub(super) complete: bool,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindName {
    Process,
    Meta,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ClassName {
    Urgent,
    System,
    Main,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeName {
    Reply,
    Refused,
    Timeout,
    CalleeTerminated,
    Deadlock,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StrategyName {
    OneForOne,
    OneForAll,
    RestForOne,
    Dynamic,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RestartName {
    Permanent,
    Transient,
    Temporary,
}

macro_rules! names {
    ($($name:ident => $value:ident { $($variant:ident)+ })+) => {
        $(impl From<$name> for $value {
            fn from(name: $name) -> Self {
                match name { $($name::$variant => Self::$variant,)+ }
            }
        }

        impl From<$value> for $name {
            fn from(value: $value) -> Self {
                match value { $($value::$variant => Self::$variant,)+ }
            }
        })+
    };
}

names! {
    KindName => Kind { Process Meta }
    ClassName => Class { Urgent System Main }
    OutcomeName => CallOutcome { Reply Refused Timeout CalleeTerminated Deadlock }
    StrategyName => Strategy { OneForOne OneForAll RestForOne Dynamic }
    RestartName => Restart { Permanent Transient Temporary }
}

/// Any other line; which fields it needs is decided by `ev`.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Line<'a> {
    pub(super) seq: u64,
    #[serde(borrow)]
    pub(super) ev: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<KindName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<u64>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    monitor: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeats: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    watcher: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<ClassName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<OutcomeName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    child: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incarnation: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy: Option<StrategyName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restart: Option<RestartName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restarts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    normal: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kill: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gave_up: Option<bool>,
}

/// Why a line that is a JSON object of the right types is no event.
pub(super) enum Fault {
    /// `ev` is none of the format's, and no extension.
    UnknownEvent,
    /// The event needs this field.
    Missing(&'static str),
    /// This field contradicts another.
    Contradictory(&'static str, &'static str),
}

/// The value of a field that the event needs.
fn need<T>(value: Option<T>, field: &'static str) -> Result<T, Fault> {
    value.ok_or(Fault::Missing(field))
}

impl Line<'_> {
    fn actor(&self) -> Result<ActorId, Fault> {
        need(self.actor, "actor").map(ActorId)
    }

    fn message(&self) -> Result<MessageId, Fault> {
        need(self.msg, "msg").map(MessageId)
    }

    fn monitor(&self) -> Result<(MonitorId, ActorId, ActorId), Fault> {
        let monitor = MonitorId(need(self.monitor, "ref")?);
        Ok((monitor, ActorId(need(self.watcher, "watcher")?), self.actor()?))
    }

    fn call(&self) -> Result<CallId, Fault> {
        need(self.call, "call").map(CallId)
    }

    fn kind(&self) -> Result<Kind, Fault> {
        need(self.kind, "kind").map(Kind::from)
    }

    fn ok(&self) -> Result<bool, Fault> {
        need(self.ok, "ok")
    }

    fn to(&self) -> Result<ActorId, Fault> {
        need(self.to, "to").map(ActorId)
    }

    fn parent(&self) -> Option<ActorId> {
        self.parent.map(ActorId)
    }

    fn reason(&self) -> Option<String> {
        self.reason.as_deref().map(str::to_owned)
    }

    fn sender(&self) -> Result<Option<Sender>, Fault> {
        match (self.from, &self.thread) {
            (Some(_), Some(_)) => Err(Fault::Contradictory("thread", "from")),
            (Some(actor), None) => Ok(Some(Sender::Actor(ActorId(actor)))),
            (None, Some(thread)) => Ok(Some(Sender::Thread(thread.as_ref().to_owned()))),
            (None, None) => Ok(None),
        }
    }

    /// The event on this line; `None` for an extension that is not known here.
    pub(super) fn event(&self) -> Result<Option<Event>, Fault> {
        Ok(Some(match self.ev.as_ref() {
            "spawn" => Event::Spawn {
                actor: self.actor()?,
                kind: self.kind()?,
                parent: self.parent(),
                ok: self.ok()?,
            },
            "init_begin" => {
                Event::InitBegin { actor: self.actor()?, kind: self.kind()?, parent: self.parent() }
            }
            "init_end" => Event::InitEnd { actor: self.actor()?, ok: self.ok()? },
            "send_begin" => Event::SendBegin {
                message: self.message()?,
                from: self.sender()?,
                to: self.to()?,
                class: self.class.map_or(Class::Main, Class::from),
            },
            "send_end" => {
                Event::SendEnd { message: self.message()?, accepted: need(self.accepted, "accepted")? }
            }
            "handle_begin" => Event::HandleBegin { actor: self.actor()?, message: self.message()? },
            "handle_end" => {
                Event::HandleEnd { actor: self.actor()?, message: self.message()?, ok: self.ok()? }
            }
            "reader_begin" => Event::ReaderBegin { actor: self.actor()? },
            "reader_end" => Event::ReaderEnd { actor: self.actor()?, ok: self.ok()? },
            "interrupt" => Event::Interrupt { actor: self.actor()? },
            "terminate_begin" => Event::TerminateBegin { actor: self.actor()?, reason: self.reason() },
            "terminate_end" => Event::TerminateEnd { actor: self.actor()? },
            "dead_letter" => Event::DeadLetter { actor: self.actor()?, message: self.message()? },
            _ => return self.relation(),
        }))
    }

    /// The events about what actors know of each other, and the extensions.
    fn relation(&self) -> Result<Option<Event>, Fault> {
        Ok(Some(match self.ev.as_ref() {
            "monitor" => {
                let (monitor, watcher, actor) = self.monitor()?;
                Event::Monitor { monitor, watcher, actor }
            }
            "down" => {
                let (monitor, watcher, actor) = self.monitor()?;
                Event::Down { monitor, watcher, actor, reason: self.reason() }
            }
            "call_begin" => Event::CallBegin { call: self.call()?, from: self.sender()?, to: self.to()? },
            "call_end" => Event::CallEnd {
                call: self.call()?,
                outcome: need(self.outcome, "outcome").map(CallOutcome::from)?,
            },
            "reply" => Event::Reply { call: self.call()? },
            "link" => Event::Link { a: ActorId(need(self.a, "a")?), b: ActorId(need(self.b, "b")?) },
            "exit_signal" => Event::ExitSignal {
                from: need(self.from, "from").map(ActorId)?,
                to: self.to()?,
                reason: self.reason(),
            },
            "name" => Event::Name { name: self.name()?, actor: self.actor()? },
            "unname" => Event::Unname { name: self.name()?, actor: self.actor()? },
            "x_demonitor" => Event::Demonitor { monitor: need(self.monitor, "ref").map(MonitorId)? },
            "x_timer" => Event::Timer {
                timer: self.timer()?,
                actor: self.actor()?,
                repeats: self.repeats.unwrap_or(false),
            },
            "x_timer_fired" => Event::TimerFired { timer: self.timer()? },
            "x_timer_cancelled" => Event::TimerCancelled { timer: self.timer()? },
            "x_ended" => Event::Ended { actor: self.actor()? },
            extension if extension.starts_with("x_") => return self.supervision(),
            _ => return Err(Fault::UnknownEvent),
        }))
    }

    /// The events of supervisors, all of them extensions.
    fn supervision(&self) -> Result<Option<Event>, Fault> {
        let actor = || self.actor();
        let child = || need(self.child, "child").map(ChildId);
        Ok(Some(match self.ev.as_ref() {
            "x_supervisor" => Event::Supervisor {
                actor: actor()?,
                strategy: need(self.strategy, "strategy")?.into(),
                restarts: need(self.restarts, "restarts")?,
                within: need(self.within, "within")?,
            },
            "x_child_start" => Event::ChildStart {
                actor: actor()?,
                child: child()?,
                restart: need(self.restart, "restart")?.into(),
                incarnation: self.incarnation.map(ActorId),
                ok: self.ok()?,
            },
            "x_child_remove" => Event::ChildRemove { actor: actor()?, child: child()? },
            "x_child_stop" => {
                Event::ChildStop { actor: actor()?, child: child()?, kill: need(self.kill, "kill")? }
            }
            "x_child_end" => Event::ChildEnd {
                actor: actor()?,
                child: child()?,
                normal: need(self.normal, "normal")?,
                at: need(self.at, "at")?,
            },
            "x_supervisor_end" => {
                Event::SupervisorEnd { actor: actor()?, gave_up: need(self.gave_up, "gave_up")? }
            }
            _ => return Ok(None),
        }))
    }

    fn timer(&self) -> Result<TimerId, Fault> {
        need(self.monitor, "ref").map(TimerId)
    }

    fn name(&self) -> Result<String, Fault> {
        need(self.name.as_deref(), "name").map(str::to_owned)
    }
}

impl<'a> Line<'a> {
    /// The line of an event.
    pub(super) fn new(seq: u64, event: &'a Event) -> Self {
        let of = |ev: &'static str, actor: &ActorId| Self {
            seq,
            ev: Cow::Borrowed(ev),
            actor: Some(actor.0),
            ..Self::default()
        };
        let of_child =
            |ev: &'static str, actor, child: &ChildId| Self { child: Some(child.0), ..of(ev, actor) };
        let no_actor = |ev: &'static str| Self { seq, ev: Cow::Borrowed(ev), ..Self::default() };
        let text = |text: &'a Option<String>| text.as_deref().map(Cow::Borrowed);
        match event {
            Event::Spawn { actor, kind, parent, ok } => Self {
                kind: Some((*kind).into()),
                parent: parent.map(|parent| parent.0),
                ok: Some(*ok),
                ..of("spawn", actor)
            },
            Event::InitBegin { actor, kind, parent } => Self {
                kind: Some((*kind).into()),
                parent: parent.map(|parent| parent.0),
                ..of("init_begin", actor)
            },
            Event::InitEnd { actor, ok } => Self { ok: Some(*ok), ..of("init_end", actor) },
            Event::SendBegin { message, from, to, class } => Self {
                msg: Some(message.0),
                to: Some(to.0),
                class: (*class != Class::Main).then_some((*class).into()),
                ..no_actor("send_begin").sent_by(from)
            },
            Event::SendEnd { message, accepted } => {
                Self { msg: Some(message.0), accepted: Some(*accepted), ..no_actor("send_end") }
            }
            Event::HandleBegin { actor, message } => {
                Self { msg: Some(message.0), ..of("handle_begin", actor) }
            }
            Event::HandleEnd { actor, message, ok } => {
                Self { msg: Some(message.0), ok: Some(*ok), ..of("handle_end", actor) }
            }
            Event::ReaderBegin { actor } => of("reader_begin", actor),
            Event::ReaderEnd { actor, ok } => Self { ok: Some(*ok), ..of("reader_end", actor) },
            Event::Interrupt { actor } => of("interrupt", actor),
            Event::TerminateBegin { actor, reason } => {
                Self { reason: text(reason), ..of("terminate_begin", actor) }
            }
            Event::TerminateEnd { actor } => of("terminate_end", actor),
            Event::DeadLetter { actor, message } => Self { msg: Some(message.0), ..of("dead_letter", actor) },
            Event::Monitor { monitor, watcher, actor } => {
                Self { monitor: Some(monitor.0), watcher: Some(watcher.0), ..of("monitor", actor) }
            }
            Event::Down { monitor, watcher, actor, reason } => Self {
                monitor: Some(monitor.0),
                watcher: Some(watcher.0),
                reason: text(reason),
                ..of("down", actor)
            },
            Event::Demonitor { monitor } => Self { monitor: Some(monitor.0), ..no_actor("x_demonitor") },
            Event::Timer { timer, actor, repeats } => {
                Self { monitor: Some(timer.0), repeats: Some(*repeats), ..of("x_timer", actor) }
            }
            Event::TimerFired { timer } => Self { monitor: Some(timer.0), ..no_actor("x_timer_fired") },
            Event::TimerCancelled { timer } => {
                Self { monitor: Some(timer.0), ..no_actor("x_timer_cancelled") }
            }
            Event::CallBegin { call, from, to } => {
                Self { call: Some(call.0), to: Some(to.0), ..no_actor("call_begin").sent_by(from) }
            }
            Event::CallEnd { call, outcome } => {
                Self { call: Some(call.0), outcome: Some((*outcome).into()), ..no_actor("call_end") }
            }
            Event::Reply { call } => Self { call: Some(call.0), ..no_actor("reply") },
            Event::Link { a, b } => Self { a: Some(a.0), b: Some(b.0), ..no_actor("link") },
            Event::ExitSignal { from, to, reason } => {
                Self { from: Some(from.0), to: Some(to.0), reason: text(reason), ..no_actor("exit_signal") }
            }
            Event::Name { name, actor } => Self { name: Some(Cow::Borrowed(name)), ..of("name", actor) },
            Event::Unname { name, actor } => Self { name: Some(Cow::Borrowed(name)), ..of("unname", actor) },
            Event::Ended { actor } => of("x_ended", actor),
            Event::Supervisor { actor, strategy, restarts, within } => Self {
                strategy: Some((*strategy).into()),
                restarts: Some(*restarts),
                within: Some(*within),
                ..of("x_supervisor", actor)
            },
            Event::ChildStart { actor, child, restart, incarnation, ok } => Self {
                restart: Some((*restart).into()),
                incarnation: incarnation.map(|actor| actor.0),
                ok: Some(*ok),
                ..of_child("x_child_start", actor, child)
            },
            Event::ChildRemove { actor, child } => of_child("x_child_remove", actor, child),
            Event::ChildStop { actor, child, kill } => {
                Self { kill: Some(*kill), ..of_child("x_child_stop", actor, child) }
            }
            Event::ChildEnd { actor, child, normal, at } => {
                Self { normal: Some(*normal), at: Some(*at), ..of_child("x_child_end", actor, child) }
            }
            Event::SupervisorEnd { actor, gave_up } => {
                Self { gave_up: Some(*gave_up), ..of("x_supervisor_end", actor) }
            }
        }
    }

    fn sent_by(mut self, from: &'a Option<Sender>) -> Self {
        match from {
            Some(Sender::Actor(actor)) => self.from = Some(actor.0),
            Some(Sender::Thread(name)) => self.thread = Some(Cow::Borrowed(name)),
            None => {}
        }
        self
    }
}
