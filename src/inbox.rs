//! The inbox: queue, wake-up, exclusion and closing in one atomic word.
//!
//! This is the seed of the runtime and the only file of it with `unsafe`. An [`Inbox`] has three parts: the
//! word, a *body* that only one thread at a time may touch, and what is *shared* by all. The right to touch
//! the body is a value, the [`Activation`]; there is never more than one of it.
//!
//! # The word
//!
//! ```text
//!                        push (creates the activation)
//!             ┌──────────────────────────────────────────────────┐
//!             │                                                  ▼
//!          ┌──────┐  park   ┌────────────┐   push     ┌──────────────────────┐
//!          │ Idle │◀────────│   Active   │───────────▶│ Stack, newest first  │◀─┐ push
//!          └──────┘         │ (null)     │◀───────────│ of accepted items    │──┘
//!                           └────────────┘   take     └──────────────────────┘
//!           new ─────────────▶    │                            │
//!                                 └──────────┐      ┌──────────┘
//!                                       close▼      ▼close (the stack comes back)
//!                                          ┌──────────┐
//!                                          │  Closed  │  push gives the item back
//!                                          └──────────┘
//! ```
//!
//! Every arrow is one successful read-modify-write of the one word, and that instant is its linearization
//! point: accepting an item and creating the activation that will handle it are the same instant, so there is
//! no window between "queued" and "scheduled"; parking fails if anything arrived, so there is no second flag
//! to check again; refusing is what `push` does when it meets `Closed`, so nothing is stranded behind a
//! drain.
//!
//! # Who may access what, when
//!
//! | | `word` | `body` | `shared` |
//! |---|---|---|---|
//! | anybody with the `Arc` | `push` | never | read |
//! | the holder of the [`Activation`] | `take`, `park`, `close` | read and write | read |
//! | the holder of [`Closed`] | never again | read and write | read |
//!
//! # Invariants
//!
//! 1. In `Active` and `Stack` exactly one activation exists, in `Idle` and `Closed` none: `handler-exclusion`.
//! 2. The items accepted are, in order, those taken, those in the stack, and those that `close` gave back:
//!    `no-loss`, `no-duplication`, `sender-order`.
//! 3. `Closed` is final and holds nothing: `closed-is-closed`.
//! 4. `Idle` means that nothing is queued: `wake-up`.
//!
//! # Memory orderings
//!
//! All communication goes through one location, which has one modification order, and every access to it is
//! a read-modify-write but for the hint [`Activation::has_mail`]. So there is no pattern that needs
//! sequential consistency, and each ordering below has one partner:
//!
//! * *push releases, take and close acquire*: what the sender wrote, the item included, is visible to the
//!   handler (`handover`). A later push continues the release sequence of an earlier one, so acquiring the
//!   newest acquires them all.
//! * *park releases, the push from `Idle` acquires*: what one activation wrote to the body is visible to the
//!   next one (`handover`), whichever thread created it.
#![allow(unsafe_code, reason = "the one place in the runtime where ownership is decided by an atomic word")]

use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};

use platform::cell::{UnsafeCell, Witness};
use platform::limits;
use platform::sync::Arc;
use platform::sync::atomic::{self, AtomicPtr, Ordering};

use crate::parcel;

/// The memory of a node.
type Parcel<T> = parcel::Parcel<T, { limits::BLOCKS }>;

/// What is in an inbox, whether or not it may cross threads.
///
/// Apart from [`Body`], so that an item may contain an address of its own inbox: whether that is `Send` must not
/// hang on a trait that asks for it, or the compiler goes round in a circle (E0275).
pub trait Content: Sized + 'static {
    /// What can be pushed.
    type Item: 'static;
    /// What everybody may read.
    type Shared: 'static;
}

/// What an inbox guards, and how it is run.
pub trait Body: Content<Item: Send, Shared: Send + Sync> + Send {
    /// Uses up an activation: handles what is queued, then parks, closes, or passes it on.
    fn run(activation: Activation<Self>);

    /// As [`run`](Self::run), for no more than one item where that can be told apart.
    fn run_one(activation: Activation<Self>) {
        Self::run(activation);
    }
}

/// A queue with a body that is run, by one thread at a time, when something is in it.
pub struct Inbox<B: Content> {
    word: AtomicPtr<Node<B::Item>>,
    body: UnsafeCell<B>,
    shared: B::Shared,
}

// SAFETY: `word` is an atomic; `shared` is Sync by its bound; `body` and the items are reached by one thread
// at a time, through the activation or through `&mut self` (invariant 1), and are Send by their bounds.
unsafe impl<B: Content<Item: Send, Shared: Send + Sync> + Send> Sync for Inbox<B> {}
// SAFETY: it owns its parts, and each of them is Send by its bound.
unsafe impl<B: Content<Item: Send, Shared: Send + Sync> + Send> Send for Inbox<B> {}

/// The word, decoded.
#[derive(Debug)]
enum Snapshot<T> {
    Idle,
    Active,
    Stack(NonNull<Node<T>>),
    Closed,
}

/// Marks `Idle`: an address that no allocation has.
const IDLE: usize = 1;
/// Marks `Closed`: likewise.
const CLOSED: usize = 2;

fn idle<T>() -> *mut Node<T> {
    ptr::without_provenance_mut(IDLE)
}

fn active<T>() -> *mut Node<T> {
    ptr::null_mut()
}

fn closed<T>() -> *mut Node<T> {
    ptr::without_provenance_mut(CLOSED)
}

impl<T> Snapshot<T> {
    fn decode(word: *mut Node<T>) -> Self {
        match word.addr() {
            IDLE => Self::Idle,
            CLOSED => Self::Closed,
            _ => NonNull::new(word).map_or(Self::Active, Self::Stack),
        }
    }
}

/// What became of an accepted item.
#[must_use = "an activation that nobody runs is an actor that never wakes"]
pub enum Pushed<B: Body> {
    /// Somebody holds the activation and will come across the item.
    Queued,
    /// Nobody did, so the pusher does now.
    Activated(Activation<B>),
}

/// The item that a closed inbox did not accept.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused<T>(pub T);

impl<B: Body> Inbox<B> {
    /// Makes an inbox whose activation is held by the caller: it is born `Active`.
    #[allow(clippy::new_ret_no_self, reason = "an inbox is reached through its activation, or not at all")]
    pub fn new(body: B, shared: B::Shared) -> Activation<B> {
        const { assert!(align_of::<Node<B::Item>>() > CLOSED, "IDLE and CLOSED must not be addresses") };
        let inbox = Arc::new(Self { word: AtomicPtr::new(active()), body: UnsafeCell::new(body), shared });
        Activation { inbox: ManuallyDrop::new(inbox) }
    }

    /// Reads what is shared by all.
    #[inline]
    pub fn shared(&self) -> &B::Shared {
        &self.shared
    }

    /// Adds an item, or gives it back if the inbox is closed. Never waits for anybody.
    ///
    /// The successful compare-exchange is the instant of acceptance. Items of one thread are taken in the
    /// order in which it pushed them.
    ///
    /// # Errors
    /// [`Refused`] with the item, once the inbox is closed.
    #[inline]
    pub fn push(this: &Arc<Self>, item: B::Item) -> Result<Pushed<B>, Refused<B::Item>> {
        let mut node = Parcel::new(Node { next: ptr::null_mut(), item, contents: Witness::new() });
        // A guess instead of a load: one access less when it is right, and no stale value when it is not.
        let mut seen = idle();
        loop {
            let stacked = match Snapshot::decode(seen) {
                Snapshot::Closed => return Err(Refused(node.into_inner().item)),
                Snapshot::Idle | Snapshot::Active => ptr::null_mut(),
                Snapshot::Stack(newest) => newest.as_ptr(),
            };
            node.next = stacked;
            node.contents.write();
            let new = node.into_raw();
            // Release: pairs with the Acquire of `take` and of `close`, which hand the item to its handler.
            // Acquire: pairs with the Release of `park`, whose body the new activation goes on with.
            // Relaxed on failure: the value is only compared, never followed.
            match this.word.compare_exchange(seen, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if seen == idle() => {
                    return Ok(Pushed::Activated(Activation { inbox: ManuallyDrop::new(Arc::clone(this)) }));
                }
                Ok(_) => return Ok(Pushed::Queued),
                Err(word) => seen = word,
            }
            // SAFETY: made by `into_raw` above; the exchange failed, so nobody else has seen it.
            node = unsafe { Parcel::from_raw(new) };
        }
    }

    /// The items of a word that was just swapped out, newest first.
    fn stack(word: *mut Node<B::Item>) -> Stack<B::Item> {
        match Snapshot::decode(word) {
            Snapshot::Active => Stack { newest: None },
            Snapshot::Stack(newest) => Stack { newest: Some(newest) },
            Snapshot::Idle | Snapshot::Closed => {
                unreachable!(
                    "handler-exclusion: there is another activation, which has parked or closed the inbox"
                )
            }
        }
    }
}

impl<B: Content> Drop for Inbox<B> {
    fn drop(&mut self) {
        // Only an inbox that was abandoned without being closed still has items; they are dropped, once.
        if let Snapshot::Stack(newest) = Snapshot::decode(atomic::exclusive(&mut self.word)) {
            drop(Stack { newest: Some(newest) });
        }
    }
}

impl<B: Content> fmt::Debug for Inbox<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

/// The right to run the body of one inbox: a linear token.
///
/// It is made by [`Inbox::new`] and by the push that finds the inbox idle, nowhere else, and can be neither
/// copied nor cloned: exclusion (`handler-exclusion`) is a matter of ownership, not of care. It must end in
/// [`park`](Self::park), [`close`](Self::close) or [`into_task`](Self::into_task). One that is dropped
/// all the same closes its inbox and drops what was queued, so that no sender waits for an actor that nobody
/// will ever run again.
#[must_use = "an activation must be parked, closed or passed on"]
pub struct Activation<B: Body> {
    /// Taken out exactly once, by whatever ends the activation.
    inbox: ManuallyDrop<Arc<Inbox<B>>>,
}

impl<B: Body> Activation<B> {
    /// The inbox that this is the activation of.
    #[inline]
    pub fn inbox(&self) -> &Arc<Inbox<B>> {
        &self.inbox
    }

    /// Lends the body.
    #[inline]
    pub fn with<R>(&mut self, access: impl FnOnce(&Arc<Inbox<B>>, &mut B) -> R) -> R {
        // SAFETY: this is the only activation (invariant 1), and it is borrowed mutably.
        self.inbox.body.with_mut(|body| access(&self.inbox, unsafe { &mut *body }))
    }

    /// Says whether something arrived that was not taken yet.
    ///
    /// It sees every push that happened before this call, by coherence of the one location; a push that is
    /// concurrent with it may be missed, and is then found by the next `take` or by `park`.
    #[inline]
    pub fn has_mail(&self) -> bool {
        // Relaxed: nothing is read through this value; `take` acquires what it announces.
        self.inbox.word.load(Ordering::Relaxed) != active()
    }

    /// Takes all that arrived.
    #[inline]
    pub fn take(&mut self) -> Stack<B::Item> {
        // Acquire: pairs with the Release of every `push` whose item comes out.
        Inbox::<B>::stack(self.inbox.word.swap(active(), Ordering::Acquire))
    }

    /// Gives up the activation if nothing arrived; otherwise it comes back.
    ///
    /// # Errors
    /// The activation itself: there is something to [`take`](Self::take).
    #[inline]
    pub fn park(self) -> Result<(), Self> {
        // Release: pairs with the Acquire of the `push` that creates the next activation.
        // Relaxed on failure: the value is not followed; `take` will acquire it.
        match self.inbox.word.compare_exchange(active(), idle(), Ordering::Release, Ordering::Relaxed) {
            Ok(_) => {
                drop(self.end());
                Ok(())
            }
            Err(_) => Err(self),
        }
    }

    /// Closes the inbox for ever, and gives back what was still queued.
    #[inline]
    pub fn close(self) -> (Closed<B>, Stack<B::Item>) {
        let inbox = self.end();
        // Acquire: pairs with the Release of every `push` whose item comes back.
        let leftovers = Inbox::<B>::stack(inbox.word.swap(closed(), Ordering::Acquire));
        (Closed { inbox }, leftovers)
    }

    /// Wraps the activation up for an executor that does not know its type. Allocates nothing.
    #[inline]
    pub fn into_task(self) -> Task {
        let inbox = Arc::into_raw(self.end());
        Task { inbox: inbox.cast(), activation: &ActivationOf::<B>::TABLE }
    }

    /// Takes the inbox out without running `drop`.
    fn end(self) -> Arc<Inbox<B>> {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is never used again, and its destructor does not run.
        unsafe { ManuallyDrop::take(&mut this.inbox) }
    }
}

impl<B: Body> Drop for Activation<B> {
    fn drop(&mut self) {
        // Acquire: as in `close`.
        drop(Inbox::<B>::stack(self.inbox.word.swap(closed(), Ordering::Acquire)));
        // SAFETY: the destructor runs once, and nothing uses the field after it.
        unsafe { ManuallyDrop::drop(&mut self.inbox) };
    }
}

impl<B: Body> fmt::Debug for Activation<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Activation").finish_non_exhaustive()
    }
}

/// The activation of an inbox that is closed: nobody else will ever run its body.
#[derive(Debug)]
pub struct Closed<B: Body> {
    inbox: Arc<Inbox<B>>,
}

impl<B: Body> Closed<B> {
    /// Lends the body.
    #[inline]
    pub fn with<R>(&mut self, access: impl FnOnce(&Arc<Inbox<B>>, &mut B) -> R) -> R {
        // SAFETY: made from the only activation; from `Closed` no other can be created (invariants 1 and 3).
        self.inbox.body.with_mut(|body| access(&self.inbox, unsafe { &mut *body }))
    }
}

/// An activation whose type is forgotten: two words that an executor can queue and run.
#[must_use = "a task that is dropped closes its inbox"]
pub struct Task {
    /// From `Arc::into_raw`, of the inbox type that `activation` is the table of.
    inbox: *const (),
    activation: &'static ActivationTable,
}

// SAFETY: it is an `Activation<B>` in another form, which is Send because `Inbox<B>` is Send and Sync.
unsafe impl Send for Task {}

/// What can be done with a [`Task`], for one type of inbox.
struct ActivationTable {
    run: unsafe fn(*const ()),
    run_one: unsafe fn(*const ()),
    abandon: unsafe fn(*const ()),
}

struct ActivationOf<B>(std::marker::PhantomData<B>);

impl<B: Body> ActivationOf<B> {
    const TABLE: ActivationTable = ActivationTable {
        // SAFETY: as for `restore`.
        run: |inbox| B::run(unsafe { Self::restore(inbox) }),
        // SAFETY: as for `restore`.
        run_one: |inbox| B::run_one(unsafe { Self::restore(inbox) }),
        // SAFETY: as for `restore`.
        abandon: |inbox| drop(unsafe { Self::restore(inbox) }),
    };

    /// # Safety
    /// `inbox` comes from the `Arc::into_raw` of an `Activation<B>` and is passed here once.
    unsafe fn restore(inbox: *const ()) -> Activation<B> {
        // SAFETY: the caller's promise.
        let inbox = unsafe { Arc::from_raw(inbox.cast::<Inbox<B>>()) };
        Activation { inbox: ManuallyDrop::new(inbox) }
    }
}

impl Task {
    /// Runs the activation on this thread until it parks, closes or is passed on.
    #[inline]
    pub fn run(self) {
        let this = ManuallyDrop::new(self);
        // SAFETY: `into_task` made the pair; `this` is used up, so the pointer is passed once.
        unsafe { (this.activation.run)(this.inbox) }
    }

    /// As [`run`](Self::run), for one item.
    #[inline]
    pub(crate) fn run_one(self) {
        let this = ManuallyDrop::new(self);
        // SAFETY: as in `run`.
        unsafe { (this.activation.run_one)(this.inbox) }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        // SAFETY: `into_task` made the pair; `run` does not come here, so the pointer is passed once.
        unsafe { (self.activation.abandon)(self.inbox) }
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}

struct Node<T> {
    next: *mut Node<T>,
    item: T,
    /// Lets a model check that the item and `next` were handed over, in every scenario.
    contents: Witness,
}

/// One accepted item in the allocation that it was pushed in.
pub struct Letter<T>(Parcel<Node<T>>);

// SAFETY: `next` of a detached node is not followed; what is left is the item.
unsafe impl<T: Send> Send for Letter<T> {}

impl<T> Letter<T> {
    /// Opens the letter.
    #[inline]
    pub fn into_item(self) -> T {
        self.0.into_inner().item
    }

    /// Looks at the item.
    #[inline]
    pub fn item(&self) -> &T {
        &self.0.item
    }
}

impl<T: fmt::Debug> fmt::Debug for Letter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Letter").field(&self.0.item).finish()
    }
}

/// Accepted items, newest first: what `take` and `close` give.
pub struct Stack<T> {
    newest: Option<NonNull<Node<T>>>,
}

// SAFETY: it owns its nodes alone: they came out of the word in one swap.
unsafe impl<T: Send> Send for Stack<T> {}

impl<T> Iterator for Stack<T> {
    type Item = Letter<T>;

    #[inline]
    fn next(&mut self) -> Option<Letter<T>> {
        // SAFETY: nodes in a stack come from `into_raw` in `push`, and this stack owns them.
        let node = unsafe { Parcel::from_raw(self.newest?.as_ptr()) };
        node.contents.read();
        self.newest = NonNull::new(node.next);
        Some(Letter(node))
    }
}

impl<T> Drop for Stack<T> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

impl<T> fmt::Debug for Stack<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").finish_non_exhaustive()
    }
}

/// A queue of letters that allocates nothing of its own.
pub struct Queue<T> {
    first: *mut Node<T>,
    /// Valid only while `first` is not null.
    last: *mut Node<T>,
}

// SAFETY: it owns its nodes alone.
unsafe impl<T: Send> Send for Queue<T> {}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { first: ptr::null_mut(), last: ptr::null_mut() }
    }
}

impl<T> Queue<T> {
    /// Says whether nothing is in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// Puts a letter at the front.
    #[inline]
    pub fn push_front(&mut self, letter: Letter<T>) {
        let mut node = letter.0;
        node.next = self.first;
        self.first = node.into_raw();
        // SAFETY: `first` was just set to a node that this queue owns.
        if unsafe { (*self.first).next.is_null() } {
            self.last = self.first;
        }
    }

    /// Takes the letter at the front.
    #[inline]
    pub fn pop_front(&mut self) -> Option<Letter<T>> {
        if self.first.is_null() {
            return None;
        }
        // SAFETY: not null, made by `into_raw`, owned by this queue.
        let node = unsafe { Parcel::from_raw(self.first) };
        self.first = node.next;
        Some(Letter(node))
    }

    /// Adds all of `other` at the end.
    #[inline]
    pub fn append(&mut self, mut other: Self) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            std::mem::swap(self, &mut other);
            return;
        }
        // SAFETY: this queue is not empty, so `last` is valid and owned by it.
        unsafe { (*self.last).next = other.first };
        self.last = other.last;
        other.first = ptr::null_mut();
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        while self.pop_front().is_some() {}
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("is_empty", &self.is_empty()).finish()
    }
}
