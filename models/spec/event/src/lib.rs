//! The alphabet of events in which a runtime says what it did.
//!
//! This is all that a runtime and the specification share: plain data, with no behaviour, no time and no
//! thread. The meaning of each event is the trace format, version 1 (the chapter "The trace format" of
//! the book); the names here are its names.
//!
//! What takes time is two events, `…Begin` and `…End`. A begin is recorded as the *first* thing inside a
//! callback (or just before an operation starts), an end as the *last* thing inside it (or just after the
//! operation returned).
#![forbid(unsafe_code)]

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// Names one actor, a process or a meta-process, for ever (`unique-identity`).
    ActorId
}
id! {
    /// Names one message of a trace; no two sends share one.
    MessageId
}
id! {
    /// Names one monitor.
    MonitorId
}
id! {
    /// Names one synchronous call.
    CallId
}
id! {
    /// Names one child of a supervisor, whichever incarnation of it runs. Of two children of one supervisor, the one
    /// with the smaller number was added first.
    ChildId
}
id! {
    /// Names one timer.
    TimerId
}

/// What kind of actor it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A sequential actor.
    Process,
    /// An actor with a Reader beside its Handler, owned by a process.
    Meta,
}

/// The class of a message; a higher class is handled before a lower one (`class-order`).
///
/// Ordered from the most to the least urgent: `Class::Urgent < Class::System < Class::Main`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Class {
    /// Handled before everything else.
    Urgent,
    /// Handled before main messages.
    System,
    /// What user code sends unless it says otherwise.
    #[default]
    Main,
}

/// Who sent a message.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Sender {
    /// An actor, from one of its callbacks or from its Reader.
    Actor(ActorId),
    /// A plain thread, by a name that is its own in this trace.
    Thread(String),
}

/// How a synchronous call ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CallOutcome {
    /// The callee answered in time.
    Reply,
    /// The callee did not accept the request.
    Refused,
    /// Nothing came in time.
    Timeout,
    /// The callee ended, or dropped the request unanswered.
    CalleeTerminated,
    /// The call would have closed a cycle of waiting callers.
    Deadlock,
}

/// Whom a supervisor restarts when a child has failed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Strategy {
    /// That child.
    OneForOne,
    /// All children: all others are ended, in reverse order, then all are started, in order.
    OneForAll,
    /// That child and those that were added after it.
    RestForOne,
    /// That child; and no child depends on another, so all are ended at once when the supervisor ends.
    Dynamic,
}

/// After which ends a child is restarted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Restart {
    /// After each.
    #[default]
    Permanent,
    /// After an abnormal one.
    Transient,
    /// After none.
    Temporary,
}

/// One thing that a runtime did.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(
    missing_docs,
    reason = "the fields are the trace format's; a line on each variant says what they mean together"
)]
pub enum Event {
    /// A spawn returned to its caller; this may come after the actor's first events.
    Spawn { actor: ActorId, kind: Kind, parent: Option<ActorId>, ok: bool },
    /// The init callback began.
    InitBegin { actor: ActorId, kind: Kind, parent: Option<ActorId> },
    /// The init callback ended; `ok: false` = the actor does not come to life.
    InitEnd { actor: ActorId, ok: bool },
    /// A send is about to start. `from: None` = the trace does not say who sends.
    SendBegin { message: MessageId, from: Option<Sender>, to: ActorId, class: Class },
    /// The send returned; `accepted: false` = the sender was told and has its message back.
    SendEnd { message: MessageId, accepted: bool },
    /// The handler callback began.
    HandleBegin { actor: ActorId, message: MessageId },
    /// The handler callback ended; `ok: false` = it failed, panicked or asked to end.
    HandleEnd { actor: ActorId, message: MessageId, ok: bool },
    /// The Reader of a meta-process began.
    ReaderBegin { actor: ActorId },
    /// The Reader of a meta-process ended.
    ReaderEnd { actor: ActorId, ok: bool },
    /// The runtime asked the Reader to end.
    Interrupt { actor: ActorId },
    /// The terminate callback began.
    TerminateBegin { actor: ActorId, reason: Option<String> },
    /// The terminate callback ended.
    TerminateEnd { actor: ActorId },
    /// An accepted message was handed back undelivered.
    DeadLetter { actor: ActorId, message: MessageId },
    /// A monitor was placed: the call that placed it returned.
    Monitor { monitor: MonitorId, watcher: ActorId, actor: ActorId },
    /// The watcher was told that the actor ended.
    Down { monitor: MonitorId, watcher: ActorId, actor: ActorId, reason: Option<String> },
    /// A monitor was taken back: the call that did it returned. Written `x_demonitor`: an extension.
    Demonitor { monitor: MonitorId },
    /// A synchronous call is about to start.
    CallBegin { call: CallId, from: Option<Sender>, to: ActorId },
    /// The call returned to its caller.
    CallEnd { call: CallId, outcome: CallOutcome },
    /// The callee answered.
    Reply { call: CallId },
    /// Two actors were linked.
    Link { a: ActorId, b: ActorId },
    /// An exit signal was delivered.
    ExitSignal { from: ActorId, to: ActorId, reason: Option<String> },
    /// A name became usable.
    Name { name: String, actor: ActorId },
    /// A name stopped being usable.
    Unname { name: String, actor: ActorId },
    /// A timer was set that belongs to the actor; with `repeats`, it is fired again and again. Written
    /// `x_timer`: an extension.
    Timer { timer: TimerId, actor: ActorId, repeats: bool },
    /// A timer was due: its message is about to be sent. Written `x_timer_fired`: an extension.
    TimerFired { timer: TimerId },
    /// A timer was cancelled in time: nothing of it is sent any more. Written `x_timer_cancelled`: an extension.
    TimerCancelled { timer: TimerId },
    /// The runtime considers the actor ended: its last callback and its Reader are over, its dead letters
    /// handed over, its meta-processes ended. Written `x_ended`: an extension, which a checker of plain
    /// version 1 may ignore.
    Ended { actor: ActorId },
    /// A supervisor begins, and says what it will do: after more than `restarts` failures within `within`
    /// nanoseconds it gives up. Written `x_supervisor`: an extension, as all that follow.
    Supervisor { actor: ActorId, strategy: Strategy, restarts: u32, within: u64 },
    /// A supervisor started a child: the start returned. `incarnation: None` = not even an actor came of it;
    /// `ok: false` = its init did not succeed, and its end is still to come. Written `x_child_start`.
    ChildStart { actor: ActorId, child: ChildId, restart: Restart, incarnation: Option<ActorId>, ok: bool },
    /// A supervisor was asked to end a child for good, whatever becomes of it meanwhile. Written `x_child_remove`.
    ChildRemove { actor: ActorId, child: ChildId },
    /// A supervisor told a child to end. `kill: true` = it waits for it no longer. Written `x_child_stop`.
    ChildStop { actor: ActorId, child: ChildId, kill: bool },
    /// A supervisor took note of the end of a child, `at` nanoseconds by its clock. Written `x_child_end`.
    ChildEnd { actor: ActorId, child: ChildId, normal: bool, at: u64 },
    /// A supervisor begins to end its children, and then itself: because it gave up, or because it was told to.
    /// Written `x_supervisor_end`.
    SupervisorEnd { actor: ActorId, gave_up: bool },
}
