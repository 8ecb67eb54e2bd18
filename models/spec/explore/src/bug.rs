//! The seeded bugs of the abstract runtime: what it gets wrong, and which guarantee must say so.

use antiphon_spec::Guarantee;

macro_rules! bugs {
    ($($(#[doc = $doc:literal])+ $name:ident => $($guarantee:ident)+,)+) => {
        /// A protocol bug, most of them seen in real runtimes.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Bug {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Bug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The guarantees that it breaks, the one that owns the fault first.
            ///
            /// A second one is broken instead of the first in some executions: which name a fault gets
            /// depends on what of it is seen first.
            pub const fn breaks(self) -> &'static [Guarantee] {
                match self { $(Self::$name => &[$(Guarantee::$guarantee),+],)+ }
            }
        }
    };
}

bugs! {
    /// A Reader that returns closes and terminates its actor on its own line.
    ReaderTerminates => HandlerExclusion,
    /// Ending empties the mailbox first and closes it in a second step.
    TwoStepClose => NoLoss,
    /// Ending forgets what was still queued.
    LeftoversDropped => NoLoss,
    /// Parking stores "idle" without a look at what has arrived.
    BlindPark => WakeUp,
    /// A message goes back into the mailbox once after it was handled.
    HandledAgain => NoDuplication,
    /// A send that finds a closed meta-process falls through to its parent. If the meta-process is reported
    /// ended before the parent handles the message, it is missing there and then.
    FallsThroughToParent => RightRecipient NoLoss,
    /// What was pushed onto the stack is taken newest first.
    StackOrder => SenderOrder,
    /// The least urgent class is handled first.
    UrgentLast => ClassOrder,
    /// A closed mailbox accepts, and makes each message a dead letter. If the send began before, it may have been in
    /// time; then the message is missing from the dead letters once the end is reported.
    ClosedAccepts => ClosedIsClosed NoLoss,
    /// A second exit terminates an actor that has terminated.
    ExitTerminatesAgain => TerminateOnce,
    /// An actor whose init failed is terminated all the same.
    TerminateAfterFailedInit => TerminateOnce,
    /// The Reader starts with init, not after it.
    ReaderStartsEarly => ReaderLifetime,
    /// An end is reported without waiting for the Reader.
    ReaderNotAwaited => ReaderLifetime,
    /// The table of children is walked once and stays open behind the walk.
    TableWalkedOnce => Ownership,
    /// An end is reported without waiting for the children.
    ChildrenNotAwaited => Ownership,
    /// The Reader is not interrupted.
    NoInterrupt => Interruption,
    /// The failure of a handler is ignored.
    FailureIgnored => PanicContainment,
    /// The failure of a Reader is ignored.
    ReaderFailureIgnored => PanicContainment,
    /// A monitor is added after a look at whether its target has ended, in a second step.
    MonitorAddedLate => MonitorOnce,
    /// A monitor that is placed while its target ends is answered at once, and again with the others.
    MonitorAnsweredTwice => MonitorOnce,
    /// Ending forgets the requests that were still queued.
    RequestsDropped => CallOutcome,
    /// A supervisor hears of the end of a child when that begins to end.
    EndToldEarly => RestartDiscipline,
    /// A supervisor puts up with one failure more than it says.
    OneFailureMore => RestartDiscipline,
    /// Rest-for-one restarts all.
    AllForOne => RestartDiscipline,
    /// One-for-one ends its children all at once.
    AllAtOnce => RestartDiscipline,
    /// A restart is decided, and not done.
    RestartForgotten => RestartDiscipline,
    /// A supervisor that is killed is reported ended without its children.
    SupervisorAlone => RestartDiscipline,
    /// A new meta-process gets the id of an older one.
    IdReused => UniqueIdentity,
}
