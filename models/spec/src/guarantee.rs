//! The guarantees, version 1: every id, its group, and its exact statement.
//!
//! An id never changes its meaning. The book's table and every verdict are made from this enum.

use std::fmt;
use std::str::FromStr;

/// The four groups of guarantees.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Group {
    /// What happens to a message.
    Messages,
    /// How an actor begins and ends.
    Lifecycles,
    /// What actors know of each other.
    Relations,
    /// What threads see of each other's writes.
    Memory,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Messages => "messages",
            Self::Lifecycles => "lifecycles",
            Self::Relations => "relations",
            Self::Memory => "memory",
        })
    }
}

macro_rules! guarantees {
    ($($group:ident: { $($name:ident $id:literal $statement:literal)+ })+) => {
        /// One promise of the runtime, by its id.
        ///
        /// Ordered as the book lists them.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Guarantee {
            $($(#[doc = concat!("`", $id, "`: ", $statement)] $name,)+)+
        }

        impl Guarantee {
            /// All of them, in the book's order.
            pub const ALL: &[Self] = &[$($(Self::$name,)+)+];

            /// The id, as reports and traces write it.
            pub const fn id(self) -> &'static str {
                match self { $($(Self::$name => $id,)+)+ }
            }

            /// What is promised, in full.
            pub const fn statement(self) -> &'static str {
                match self { $($(Self::$name => $statement,)+)+ }
            }

            /// The group it belongs to.
            pub const fn group(self) -> Group {
                match self { $($(Self::$name => Group::$group,)+)+ }
            }
        }
    };
}

guarantees! {
    Messages: {
        HandlerExclusion "handler-exclusion"
            "For one actor at most one callback is in progress at any time; `terminate` counts as a callback. The Reader may run beside them."
        NoLoss "no-loss"
            "When an actor has ended, each message it had accepted has been handled or handed over as a dead letter; none is left queued."
        NoDuplication "no-duplication"
            "No message is handled twice, none is both handled and dead-lettered."
        RightRecipient "right-recipient"
            "A message is handled only by the actor it was addressed to."
        SenderOrder "sender-order"
            "Two messages of one class from one sender to one recipient, the first send returned before the second began: handled in that order."
        ClassOrder "class-order"
            "When a handler takes a message, no message of a higher class whose send had returned before the previous callback ended is left waiting."
        Capacity "capacity"
            "A bounded mailbox never holds more than its capacity of user messages; a refused send hands its message back; control signals are never refused for room."
        ClosedIsClosed "closed-is-closed"
            "Once `terminate` has begun, no send to that actor is accepted; the sender is told and has its message back."
        WakeUp "wake-up"
            "At quiescence no accepted message waits in a live actor's mailbox. A stalled sender delays no other sender's accepted message."
    }
    Lifecycles: {
        TerminateOnce "terminate-once"
            "If init succeeded, terminate runs exactly once, after the last handle ended; if init failed, never."
        ReaderLifetime "reader-lifetime"
            "The Reader runs once, begins after init succeeded, and has ended before the meta-process is reported terminated."
        Independence "independence"
            "A Reader blocked for ever delays no handler, a handler blocked for ever delays no Reader, of the same or any other meta-process."
        Ownership "ownership"
            "However spawn and termination race, every meta-process of an ended parent ends: at quiescence none is left, and the parent is reported ended (Down) only after them. A spawn that comes too late is refused."
        Interruption "interruption"
            "A Reader whose meta-process ends is interrupted; a well-behaved Reader returns. One that does not is reported by name when the node stops, never silently leaked."
        PanicContainment "panic-containment"
            "A panic in any callback or Reader ends that actor only, with reason Panic; every other guarantee still holds for it and all others; a panic in `terminate` changes nothing else."
        UniqueIdentity "unique-identity"
            "An id names one actor for ever."
        NameValidity "name-validity"
            "A name names at most one live actor; it can be found only from when its actor can accept until before Down is sent."
        NoLeak "no-leak"
            "Every message is dropped exactly once; when a node has stopped, nothing of its actors is left: memory, threads, descriptors, registrations."
        CleanStop "clean-stop"
            "`Node::stop` returns when every actor has terminated and every Reader has ended, or at its deadline with the list of those that have not."
    }
    Relations: {
        CallOutcome "call-outcome"
            "Each call has exactly one outcome: reply, refused, callee terminated (known at once, not by timeout), timeout, deadlock. A late reply is dropped and counted."
        CallIsolation "call-isolation"
            "A meta-process cannot call, link or monitor (by type); what a meta-process does cannot change its parent's state or lifetime."
        MonitorOnce "monitor-once"
            "Each monitor gets exactly one Down, also when it is placed while its target terminates or after."
        LinkPropagation "link-propagation"
            "If a linked actor ends abnormally, the other gets one exit signal: it ends too, or, if it traps exits, handles it as a message."
        RestartDiscipline "restart-discipline"
            "A supervisor never runs two incarnations of one child at once, restarts as its strategy says (one-for-one, one-for-all, rest-for-one, dynamic), and gives up at its intensity."
        DeadlockRefusal "deadlock-refusal"
            "A call that would close a cycle of waiting callers is refused; two calls that close it together: at least one is."
        TimerOutcome "timer-outcome"
            "Each timer has exactly one outcome: its message is sent, once and not before it is due, or it was cancelled. Its owner's end cancels it; of what was cancelled, nothing is sent any more. For a timer that repeats, this holds of each tick."
    }
    Memory: {
        RaceFreedom "race-freedom"
            "No data race, on any memory the runtime touches, under the C11 model."
        Handover "handover"
            "What a sender wrote before its send is visible to the handler; what one callback wrote is visible to the next, on whichever thread it runs."
    }
}

impl Guarantee {
    /// The number of guarantees.
    pub const COUNT: usize = Self::ALL.len();

    /// The guarantee with this id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|guarantee| guarantee.id() == id)
    }

    /// Its place in [`ALL`](Self::ALL).
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// The text is not the id of a guarantee.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownGuarantee(String);

impl fmt::Display for UnknownGuarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not the id of a guarantee", self.0)
    }
}

impl std::error::Error for UnknownGuarantee {}

impl FromStr for Guarantee {
    type Err = UnknownGuarantee;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::from_id(id).ok_or_else(|| UnknownGuarantee(id.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_distinct_and_come_back() {
        for (index, guarantee) in Guarantee::ALL.iter().enumerate() {
            assert_eq!(guarantee.id().parse(), Ok(*guarantee));
            assert_eq!(guarantee.index(), index);
        }
        assert!("no-such".parse::<Guarantee>().is_err());
        assert_eq!(Guarantee::COUNT, 28);
    }

    #[test]
    fn groups_are_contiguous() {
        assert!(Guarantee::ALL.is_sorted_by_key(|guarantee| guarantee.group()));
    }
}
