//! What a supervisor can be asked while it runs.

use std::any::Any;
use std::fmt;

use event::{ActorId, ChildId, Restart};

use super::child::Child;
use crate::address::Address;
use crate::call::Reply;
use crate::process::SpawnError;

/// What a [`Supervisor`](super::Supervisor) can be asked, mostly as a call:
///
/// ```no_run
/// # use antiphon::{Address, Child, Node, supervisor::Request};
/// # use std::time::Duration;
/// # fn start(node: &Node, supervisor: &Address<Request>, child: Child) {
/// let timeout = Duration::from_secs(1);
/// let started = node.call(supervisor, |reply| Request::start(child, reply), timeout);
/// # }
/// ```
pub struct Request(pub(super) Wish);

/// Uses an address whose message type it knows.
pub(super) type Deliver = Box<dyn FnOnce(Option<&(dyn Any + Send)>) + Send>;

pub(super) enum Wish {
    Start(Child, Reply<Result<ChildId, SpawnError>>),
    Stop(ChildId, Reply<bool>),
    Children(Reply<Vec<Status>>),
    Address(ChildId, Deliver),
    /// An incarnation, by its number, has had its time to end.
    Overdue(ChildId, u64),
}

impl Request {
    /// Starts a further child, as the last one; answers when its first start has returned, or refuses it if the
    /// supervisor is ending. A child whose first start does not succeed is not kept.
    pub fn start(child: Child, reply: Reply<Result<ChildId, SpawnError>>) -> Self {
        Self(Wish::Start(child, reply))
    }

    /// Ends a child for good; answers when it has ended, or false at once if there is none of this number.
    pub fn stop(child: ChildId, reply: Reply<bool>) -> Self {
        Self(Wish::Stop(child, reply))
    }

    /// Asks for all children, in the order in which they were added.
    pub fn children(reply: Reply<Vec<Status>>) -> Self {
        Self(Wish::Children(reply))
    }

    /// Asks where to send to a child as it is now; `None` if it is not up, or understands other messages than `M`.
    ///
    /// The next incarnation has another address: whoever wants to reach whichever runs gives the child a
    /// [name](Child::named).
    pub fn address<M: Send + 'static>(child: ChildId, reply: Reply<Option<Address<M>>>) -> Self {
        let deliver = |address: Option<&(dyn Any + Send)>| {
            // Who has asked may be gone.
            let _ = reply.send(address.and_then(|address| address.downcast_ref().cloned()));
        };
        Self(Wish::Address(child, Box::new(deliver)))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Wish::Start(child, _) => f.debug_tuple("Start").field(child).finish(),
            Wish::Stop(child, _) => f.debug_tuple("Stop").field(child).finish(),
            Wish::Children(_) => f.write_str("Children"),
            Wish::Address(child, _) => f.debug_tuple("Address").field(child).finish(),
            Wish::Overdue(child, incarnation) => {
                f.debug_tuple("Overdue").field(child).field(incarnation).finish()
            }
        }
    }
}

/// One child, as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Status {
    /// Its number, for ever.
    pub child: ChildId,
    /// The name of its actor's type.
    pub label: &'static str,
    /// After which ends it is restarted.
    pub restart: Restart,
    /// The incarnation that has not ended, if there is one.
    pub actor: Option<ActorId>,
    /// How many incarnations it has had.
    pub incarnations: u64,
}
