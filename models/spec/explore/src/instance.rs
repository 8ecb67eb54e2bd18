//! The explorations of the suite.

use antiphon_spec::Guarantee::{self, *};
use antiphon_spec::event::{Restart, Strategy};

use crate::bug::Bug;
use crate::scope::{Act, Family, Faults, Scope, Trouble, call, exit, monitor, send, spawn, system, urgent};

/// One exploration of the protocol as it should be.
#[derive(Clone, Copy, Debug)]
pub struct Instance {
    /// Its name, `spec/what-happens`; unique.
    pub name: &'static str,
    /// The guarantees whose premises occur in it.
    pub guarantees: &'static [Guarantee],
    /// Its bounds.
    pub scope: Scope,
    /// The number of its states: an exploration that sees another number is not this one.
    pub unique_states: usize,
}

/// One exploration of the protocol with a bug.
#[derive(Clone, Copy, Debug)]
pub struct Seeded {
    /// The bug.
    pub bug: Bug,
    /// The smallest bounds in which it shows.
    pub scope: Scope,
}

const NO_FAULTS: Faults =
    Faults { reader_returns: false, reader_fails: false, handler_fails: false, init_fails: false };
const READER_RETURNS: Faults = Faults { reader_returns: true, ..NO_FAULTS };
const READER_FAILS: Faults = Faults { reader_fails: true, ..NO_FAULTS };
const HANDLER_FAILS: Faults = Faults { handler_fails: true, ..NO_FAULTS };
const INIT_FAILS: Faults = Faults { init_fails: true, ..NO_FAULTS };
const ALL_FAULTS: Faults =
    Faults { reader_returns: true, reader_fails: true, handler_fails: true, init_fails: true };

const fn scope(
    metas: usize,
    threads: &'static [&'static [Act]],
    readers: &'static [&'static [Act]],
    faults: Faults,
) -> Scope {
    Scope { metas, threads, readers, faults, bug: None, family: None }
}

const SENDERS: Scope = scope(0, &[&[send(0), send(0)], &[send(0), send(0)], &[send(0)]], &[], NO_FAULTS);
const SEND_AGAINST_CLOSE: Scope =
    scope(0, &[&[send(0), send(0)], &[send(0), send(0)], &[exit(0)]], &[], HANDLER_FAILS);
const CLASSES: Scope =
    scope(0, &[&[send(0), send(0)], &[urgent(0), urgent(0)], &[system(0)]], &[], NO_FAULTS);
const TWO_EXITS: Scope = scope(0, &[&[send(0), send(0)], &[exit(0)], &[exit(0)]], &[], NO_FAULTS);
const READER: Scope = scope(1, &[&[spawn(1), send(1), send(1)], &[exit(0)]], &[&[send(0)]], READER_RETURNS);
const FAILURES: Scope = scope(1, &[&[spawn(1), send(1)], &[send(0), exit(0)]], &[&[]], ALL_FAULTS);
const LATE_SPAWN: Scope = scope(2, &[&[spawn(1)], &[exit(0)]], &[&[spawn(2)], &[]], READER_RETURNS);
const SEND_TO_LATE: Scope = scope(2, &[&[spawn(1)], &[exit(0)], &[send(2)]], &[&[spawn(2)], &[]], NO_FAULTS);
const SIBLINGS: Scope = scope(2, &[&[spawn(1), spawn(2)], &[exit(0)]], &[&[], &[]], READER_FAILS);
const MONITORS: Scope =
    scope(1, &[&[spawn(1), send(1)], &[monitor(1)], &[monitor(1)]], &[&[]], READER_RETURNS);
const CALLS: Scope = scope(0, &[&[call(0), call(0)], &[call(0), send(0)], &[exit(0)]], &[], HANDLER_FAILS);
const ONE_META: Scope = scope(1, &[&[spawn(1)], &[exit(0)]], &[&[]], NO_FAULTS);

const NO_TROUBLE: Trouble = Trouble {
    start_fails: false,
    overdue: false,
    added: false,
    removed: false,
    told: false,
    killed: false,
    time: false,
};
const PERMANENT: Restart = Restart::Permanent;

/// A supervisor whose children end so often of their own.
const fn family(strategy: Strategy, children: &'static [Restart], ends: u8, trouble: Trouble) -> Scope {
    Scope::of(Family { strategy, children, restarts: 1, ends, trouble })
}

const ONE_FOR_ONE: Scope = family(
    Strategy::OneForOne,
    &[PERMANENT, Restart::Transient, Restart::Temporary],
    2,
    Trouble { start_fails: true, removed: true, told: true, ..NO_TROUBLE },
);
const ONE_FOR_ALL: Scope = family(
    Strategy::OneForAll,
    &[PERMANENT, Restart::Temporary, PERMANENT],
    2,
    Trouble { overdue: true, removed: true, told: true, ..NO_TROUBLE },
);
const REST_FOR_ONE: Scope = family(
    Strategy::RestForOne,
    &[PERMANENT, PERMANENT, Restart::Transient],
    2,
    Trouble { start_fails: true, overdue: true, told: true, ..NO_TROUBLE },
);
const DYNAMIC: Scope = family(
    Strategy::Dynamic,
    &[PERMANENT, Restart::Transient],
    2,
    Trouble { added: true, removed: true, told: true, time: true, ..NO_TROUBLE },
);
const KILLED: Scope = family(
    Strategy::OneForAll,
    &[PERMANENT, PERMANENT],
    2,
    Trouble { killed: true, told: true, added: true, ..NO_TROUBLE },
);

/// The explorations of the protocol as it should be.
pub const INSTANCES: &[Instance] = &[
    Instance {
        name: "spec/senders",
        guarantees: &[HandlerExclusion, NoDuplication, RightRecipient, SenderOrder, WakeUp],
        scope: SENDERS,
        unique_states: 22_870,
    },
    Instance {
        name: "spec/send-against-close",
        guarantees: &[
            HandlerExclusion,
            NoLoss,
            NoDuplication,
            SenderOrder,
            ClosedIsClosed,
            TerminateOnce,
            PanicContainment,
        ],
        scope: SEND_AGAINST_CLOSE,
        unique_states: 36_985,
    },
    Instance {
        name: "spec/classes",
        guarantees: &[SenderOrder, ClassOrder, WakeUp],
        scope: CLASSES,
        unique_states: 25_325,
    },
    Instance {
        name: "spec/two-exits",
        guarantees: &[NoLoss, SenderOrder, ClosedIsClosed, TerminateOnce],
        scope: TWO_EXITS,
        unique_states: 1_377,
    },
    Instance {
        name: "spec/reader-beside-handler",
        guarantees: &[
            HandlerExclusion,
            NoLoss,
            SenderOrder,
            ClosedIsClosed,
            WakeUp,
            TerminateOnce,
            ReaderLifetime,
            Ownership,
            Interruption,
            UniqueIdentity,
        ],
        scope: READER,
        unique_states: 33_892,
    },
    Instance {
        name: "spec/failures",
        guarantees: &[
            NoLoss,
            ClosedIsClosed,
            TerminateOnce,
            ReaderLifetime,
            Ownership,
            Interruption,
            PanicContainment,
        ],
        scope: FAILURES,
        unique_states: 28_534,
    },
    Instance {
        name: "spec/late-spawn",
        guarantees: &[ReaderLifetime, Ownership, Interruption, UniqueIdentity],
        scope: LATE_SPAWN,
        unique_states: 12_030,
    },
    Instance {
        name: "spec/send-to-late",
        guarantees: &[NoLoss, ClosedIsClosed, Ownership, Interruption, UniqueIdentity],
        scope: SEND_TO_LATE,
        unique_states: 29_498,
    },
    Instance {
        name: "spec/siblings",
        guarantees: &[ReaderLifetime, Ownership, Interruption, PanicContainment, UniqueIdentity],
        scope: SIBLINGS,
        unique_states: 14_845,
    },
    Instance {
        name: "spec/monitors",
        guarantees: &[ReaderLifetime, MonitorOnce],
        scope: MONITORS,
        unique_states: 4_186,
    },
    Instance {
        name: "spec/calls",
        guarantees: &[TerminateOnce, CallOutcome],
        scope: CALLS,
        unique_states: 6_038,
    },
    Instance {
        name: "spec/supervisor/one-for-one",
        guarantees: &[RestartDiscipline],
        scope: ONE_FOR_ONE,
        unique_states: 128_203,
    },
    Instance {
        name: "spec/supervisor/one-for-all",
        guarantees: &[RestartDiscipline],
        scope: ONE_FOR_ALL,
        unique_states: 270_994,
    },
    Instance {
        name: "spec/supervisor/rest-for-one",
        guarantees: &[RestartDiscipline],
        scope: REST_FOR_ONE,
        unique_states: 101_212,
    },
    Instance {
        name: "spec/supervisor/dynamic",
        guarantees: &[RestartDiscipline],
        scope: DYNAMIC,
        unique_states: 400_925,
    },
    Instance {
        name: "spec/supervisor/killed",
        guarantees: &[RestartDiscipline],
        scope: KILLED,
        unique_states: 16_457,
    },
];

/// The explorations of the protocol with a bug.
pub const SEEDED: &[Seeded] = &[
    Seeded {
        bug: Bug::ReaderTerminates,
        scope: scope(1, &[&[spawn(1), send(1), send(1)], &[exit(0)]], &[&[]], READER_RETURNS),
    },
    Seeded { bug: Bug::TwoStepClose, scope: SEND_AGAINST_CLOSE },
    Seeded { bug: Bug::LeftoversDropped, scope: SEND_AGAINST_CLOSE },
    Seeded { bug: Bug::BlindPark, scope: SENDERS },
    Seeded { bug: Bug::HandledAgain, scope: TWO_EXITS },
    Seeded {
        bug: Bug::FallsThroughToParent,
        scope: scope(1, &[&[spawn(1)], &[send(1), exit(0)]], &[&[]], READER_RETURNS),
    },
    Seeded { bug: Bug::StackOrder, scope: SENDERS },
    Seeded { bug: Bug::UrgentLast, scope: CLASSES },
    Seeded { bug: Bug::ClosedAccepts, scope: SEND_AGAINST_CLOSE },
    Seeded { bug: Bug::ExitTerminatesAgain, scope: TWO_EXITS },
    Seeded { bug: Bug::TerminateAfterFailedInit, scope: ONE_META.failing(INIT_FAILS) },
    Seeded { bug: Bug::ReaderStartsEarly, scope: ONE_META.failing(INIT_FAILS) },
    Seeded { bug: Bug::ReaderNotAwaited, scope: ONE_META.failing(READER_RETURNS) },
    Seeded { bug: Bug::TableWalkedOnce, scope: ONE_META },
    Seeded { bug: Bug::ChildrenNotAwaited, scope: ONE_META },
    Seeded { bug: Bug::NoInterrupt, scope: ONE_META },
    Seeded { bug: Bug::FailureIgnored, scope: SEND_AGAINST_CLOSE },
    Seeded { bug: Bug::ReaderFailureIgnored, scope: scope(1, &[&[spawn(1)]], &[&[]], READER_FAILS) },
    Seeded { bug: Bug::MonitorAddedLate, scope: MONITORS },
    Seeded { bug: Bug::MonitorAnsweredTwice, scope: MONITORS },
    Seeded { bug: Bug::RequestsDropped, scope: CALLS },
    Seeded { bug: Bug::IdReused, scope: LATE_SPAWN },
    Seeded { bug: Bug::EndToldEarly, scope: family(Strategy::OneForOne, &[PERMANENT], 1, NO_TROUBLE) },
    Seeded { bug: Bug::OneFailureMore, scope: family(Strategy::OneForOne, &[PERMANENT], 2, NO_TROUBLE) },
    Seeded {
        bug: Bug::AllForOne,
        scope: family(Strategy::RestForOne, &[PERMANENT, PERMANENT], 1, NO_TROUBLE),
    },
    Seeded {
        bug: Bug::AllAtOnce,
        scope: family(Strategy::OneForOne, &[PERMANENT, PERMANENT], 0, Trouble { told: true, ..NO_TROUBLE }),
    },
    Seeded { bug: Bug::RestartForgotten, scope: family(Strategy::OneForOne, &[PERMANENT], 1, NO_TROUBLE) },
    Seeded {
        bug: Bug::SupervisorAlone,
        scope: family(Strategy::OneForOne, &[PERMANENT], 0, Trouble { killed: true, ..NO_TROUBLE }),
    },
];
