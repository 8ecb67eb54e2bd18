//! What is known of an actor whatever the type of its messages, and how it is reported as ended.

use std::num::NonZeroU32;

use event::{ActorId, Event, Kind};
use platform::record::emit;
use platform::sync::Arc;
use platform::sync::atomic::{AtomicBool, Ordering};

use crate::capacity::Capacity;
use crate::exit::Exit;
use crate::family::{End, Family, Late};
use crate::mailbox::Signal;
use crate::node::Node;
use crate::relations::Relations;

/// An actor as its owner sees it: something that can be told to end.
pub(crate) trait Control: Send + Sync {
    /// Delivers a signal. A closed actor needs none.
    fn signal(&self, signal: Signal);
    /// What is known of the actor.
    fn lifecycle(&self) -> &Arc<Lifecycle>;
    /// Another handle on the same actor.
    fn boxed(&self) -> Box<dyn Control>;
}

/// Who waits for this actor to end.
enum Owner {
    /// The node, with the slot that the process has there.
    Node { slot: usize },
    /// A process, with the slot that the meta-process has in its family.
    Process { parent: Arc<Lifecycle>, slot: usize },
    /// A supervisor, with the slot that the process has in its family.
    Supervisor { supervisor: Arc<Lifecycle>, slot: usize },
}

/// One actor, without its messages: identity, owner, and the ends that are still open.
pub(crate) struct Lifecycle {
    pub(crate) id: ActorId,
    /// The name of the actor's type.
    pub(crate) label: &'static str,
    pub(crate) node: Node,
    owner: Owner,
    family: Family,
    pub(crate) relations: Relations,
    /// The room for messages, if it is bounded.
    pub(crate) capacity: Option<Box<Capacity>>,
    /// Something of a higher class than the lowest has been queued since the handler last looked for it.
    overtaken: AtomicBool,
}

/// What an actor says of itself before it lives.
pub(crate) struct Manner {
    /// The name of its type.
    pub(crate) label: &'static str,
    /// How many messages may wait for it, if not any number.
    pub(crate) capacity: Option<NonZeroU32>,
}

impl Lifecycle {
    /// A process in the given slot of its node.
    pub(crate) fn process(node: &Node, id: ActorId, slot: usize, manner: Manner) -> Arc<Self> {
        Self::new(node.clone(), id, Owner::Node { slot }, &[End::Handler], manner)
    }

    /// A process that `supervisor` has started.
    pub(crate) fn supervised(supervisor: &Arc<Self>, slot: usize, manner: Manner) -> Arc<Self> {
        let node = supervisor.node.clone();
        let id = node.new_id();
        let owner = Owner::Supervisor { supervisor: Arc::clone(supervisor), slot };
        Self::new(node, id, owner, &[End::Handler], manner)
    }

    /// A meta-process of `parent`; its two own ends are `terminate` and the Reader.
    pub(crate) fn meta(parent: &Arc<Self>, slot: usize, manner: Manner) -> Arc<Self> {
        let node = parent.node.clone();
        let id = node.new_id();
        let owner = Owner::Process { parent: Arc::clone(parent), slot };
        Self::new(node, id, owner, &[End::Handler, End::Reader], manner)
    }

    fn new(node: Node, id: ActorId, owner: Owner, ends: &[End], manner: Manner) -> Arc<Self> {
        let Manner { label, capacity } = manner;
        let capacity = capacity.map(|limit| Box::new(Capacity::new(limit)));
        let (family, relations) = (Family::new(ends), Relations::default());
        let overtaken = AtomicBool::new(false);
        Arc::new(Self { id, label, node, owner, family, relations, capacity, overtaken })
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.owner {
            Owner::Node { .. } | Owner::Supervisor { .. } => Kind::Process,
            Owner::Process { .. } => Kind::Meta,
        }
    }

    /// The process that this meta-process belongs to.
    pub(crate) fn parent(&self) -> Option<&Arc<Self>> {
        match &self.owner {
            Owner::Node { .. } | Owner::Supervisor { .. } => None,
            Owner::Process { parent, .. } => Some(parent),
        }
    }

    /// Something of a higher class has been queued.
    pub(crate) fn overtake(&self) {
        // Release: pairs with the Acquire of `is_overtaken`, so that the `take` that follows finds it.
        self.overtaken.fetch_or(true, Ordering::Release);
    }

    /// Says whether something of a higher class has been queued since the last time; asked by the handler only.
    #[inline]
    pub(crate) fn is_overtaken(&self) -> bool {
        // Relaxed: a hint, seldom true and cheap to read; the swap acquires what it announces.
        // Acquire: pairs with the Release of every `overtake` before it.
        self.overtaken.load(Ordering::Relaxed) && self.overtaken.swap(false, Ordering::Acquire)
    }

    /// The process that owns what this actor spawns: itself, or the parent of a meta-process.
    pub(crate) fn owner_of_metas(this: &Arc<Self>) -> &Arc<Self> {
        this.parent().unwrap_or(this)
    }

    /// Adds a child, a meta-process or a supervised process, to this process, unless it is ending.
    pub(crate) fn adopt<T>(&self, make: impl FnOnce(usize) -> (T, Box<dyn Control>)) -> Result<T, Late> {
        self.family.adopt(make)
    }

    /// Refuses every spawn from now on.
    pub(crate) fn close_family(&self) {
        self.family.close();
    }

    /// Tells the children of this actor to end.
    pub(crate) fn end_children(&self) {
        self.family.each(|child| child.signal(Signal::exit(Exit::ParentEnded)));
    }

    /// Calls `visit` with each child that has not ended.
    pub(crate) fn each_child(&self, visit: impl FnMut(&dyn Control)) {
        self.family.each(visit);
    }

    /// One of the actor's own ends, `terminate` or the Reader, is done. The last of all ends reports it.
    pub(crate) fn end(&self, end: End) {
        if self.family.end(end) {
            self.ended();
        }
    }

    /// Says whether one of the actor's own ends is still to come.
    pub(crate) fn is_open(&self, end: End) -> bool {
        self.family.is_open(end)
    }

    fn ended(&self) {
        emit(|_| Event::Ended { actor: self.id });
        self.tell_all();
        match &self.owner {
            Owner::Node { slot } => self.node.process_ended(self.id, *slot),
            Owner::Process { parent, slot } | Owner::Supervisor { supervisor: parent, slot } => {
                if parent.family.child_ended(*slot) {
                    parent.ended();
                }
            }
        }
    }
}
