//! Meta-processes: blocking input beside message handling.
//!
//! A meta-process has two lines of execution. Its **Reader** runs blocking I/O from beginning to end, on a
//! thread of its own. Its **Handler** is started when messages arrive and handles them one at a time, like
//! any actor. Neither interrupts the other, and no lock stands between them: they are two values that own
//! disjoint state, and what the Reader wants to tell the Handler it *sends*.
//!
//! ```text
//!             spawn ── init ──┬── Reader   ▓▓▓▓▓▓▓▓▓▓▓▓ blocks, reads, sends ▓▓▓▓▓▓▓▓▓│ returns
//!                             │                  │ message           interrupt ▲     │ (a signal)
//!                             └── Handler   ░░░░░██░░░░░░░░████░░░░░██░░░░░░░███┤     ▼
//!                                                                        terminate    ended
//! ```
//!
//! A meta-process belongs to a process and ends with it (`ownership`). Only the holder of the activation
//! ends it: a Reader that returns sends a signal to its own Handler, which ends in its turn. It is reported
//! as ended when `terminate` has returned *and* the Reader has ended (`reader-lifetime`), by whichever came
//! last.

use std::any::type_name;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use event::{ActorId, Class, Event};
use platform::panic::catch;
use platform::record::{self, emit};
use platform::sync::{Arc, Mutex};
use platform::thread::{self, JoinHandle};

use crate::address::{Address, SendError};
use crate::capacity::Capacity;
use crate::exit::Exit;
use crate::family::End;
use crate::inbox::Task;
use crate::lifecycle::{Control, Lifecycle, Manner};
use crate::log;
use crate::mailbox::{Behaviour, Core, Mailbox, Signal};
use crate::node::Node;
use crate::process::{Down, Exited, SpawnError, come_to_life, conceive};
use crate::timer::{self, Timer, TimerError};

/// The line of a meta-process that blocks on the outside world.
///
/// `M` is what its Handler understands.
pub trait Reader<M: Send + 'static>: Send + Sized + 'static {
    /// The size of the thread's stack, in bytes; zero leaves it to the platform.
    const STACK_BYTES: usize = 0;

    /// What makes [`run`](Self::run) return early. Called once, before it.
    ///
    /// If nothing can, use [`Interrupt::none`]: the Reader is then waited for when its meta-process ends,
    /// and named by [`Node::stop`](crate::Node::stop) if it does not return (`interruption`).
    fn interrupt(&mut self) -> Interrupt;

    /// Reads from beginning to end; called once, after `init` succeeded (`reader-lifetime`).
    ///
    /// When it returns, the messages accepted until then are still handled, then the meta-process ends.
    ///
    /// # Errors
    /// The reason for which the meta-process ends.
    fn run(self, context: &ReaderContext<M>) -> Result<(), Exit>;

    /// Starts it where it runs: on a thread of its own.
    #[doc(hidden)]
    fn start(self, line: ReaderLine<M>) -> std::io::Result<()> {
        line.on_a_thread(self)
    }
}

/// The line of a meta-process that handles messages, one at a time.
pub trait Handler: Send + Sized + 'static {
    /// What it can be sent.
    type Message: Send + 'static;

    /// How many messages may wait for this meta-process; `None` is any number. Asked once, before `init`.
    ///
    /// A bounded mailbox never holds more (`capacity`). Signals, such as an exit, take no room.
    fn capacity(&self) -> Option<NonZeroU32> {
        None
    }

    /// Called once, before any message and before the Reader begins, by the thread that spawns.
    ///
    /// # Errors
    /// The reason for which the meta-process does not come to life; the spawn returns it.
    fn init(&mut self, _: &mut HandlerContext<'_, Self::Message>) -> Result<(), Exit> {
        Ok(())
    }

    /// Handles one message, while the Reader may block.
    ///
    /// # Errors
    /// The reason for which the meta-process ends. [`Exit::Normal`] means that it is done.
    fn handle(
        &mut self,
        message: Self::Message,
        context: &mut HandlerContext<'_, Self::Message>,
    ) -> Result<(), Exit>;

    /// Called once, last, if `init` succeeded (`terminate-once`). Nothing is accepted any more; the Reader
    /// has been interrupted, and may not have returned yet.
    fn terminate(&mut self, _reason: &Exit, _context: &mut HandlerContext<'_, Self::Message>) {}
}

/// Makes a blocked Reader return. Used at most once.
pub struct Interrupt(Box<dyn FnOnce() + Send>);

impl Interrupt {
    /// An interrupt that calls `wake`, from another thread than the Reader's, or from inside
    /// [`ReaderContext::deliver`].
    ///
    /// `wake` must make the blocking call return, now or, if it has not begun yet, at once when it does; if
    /// the Reader has returned already, it must do no harm.
    pub fn new(wake: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(wake))
    }

    /// For a Reader that nothing can interrupt, or that returns soon by itself.
    pub fn none() -> Self {
        Self::new(|| ())
    }

    pub(crate) fn interrupt(self) {
        (self.0)();
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupt").finish_non_exhaustive()
    }
}

macro_rules! meta_context {
    ($name:ident $(<$life:lifetime>)?) => {
        impl<M: Send + 'static> $name<$($life,)? M> {
            /// Which meta-process this is.
            pub fn id(&self) -> ActorId {
                self.me.shared().id
            }

            /// The process that it belongs to.
            pub fn parent(&self) -> ActorId {
                Lifecycle::owner_of_metas(self.me.shared()).id
            }

            /// Where to send to this meta-process: to its Handler.
            pub fn address(&self) -> Address<M> {
                Address(Arc::clone(&self.me))
            }

            /// Starts another meta-process, which belongs to the same process as this one.
            ///
            /// # Errors
            /// As [`Context::spawn_meta`](crate::Context::spawn_meta).
            pub fn spawn_meta<R, H>(&self, reader: R, handler: H) -> Result<Address<H::Message>, SpawnError>
            where
                R: Reader<H::Message>,
                H: Handler,
            {
                spawn_meta(Lifecycle::owner_of_metas(self.me.shared()), reader, handler)
            }

            /// Sends `message` to an actor after `delay`; see [`timer`](crate::timer). The timer ends with this actor.
            ///
            /// # Errors
            /// [`TimerError`] with the message, if this actor is ending.
            pub fn send_after<N: Send + 'static>(
                &self,
                address: &Address<N>,
                message: N,
                delay: Duration,
            ) -> Result<Timer, TimerError<N>> {
                timer::send_after(self.me.shared(), address, message, delay)
            }

            /// Sends a copy of `message` to an actor each `period`, for the first time when one has passed, until either
            /// of the two actors ends or the timer is [cancelled](Self::cancel).
            ///
            /// The rate is fixed: a tick that comes late does not put off the ones that follow, and ticks that were
            /// missed are left out.
            ///
            /// # Errors
            /// [`TimerError`] with the message, if this actor is ending or the period is zero.
            pub fn send_every<N: Clone + Send + 'static>(
                &self,
                address: &Address<N>,
                message: N,
                period: Duration,
            ) -> Result<Timer, TimerError<N>> {
                timer::send_every(self.me.shared(), address, message, period)
            }

            /// Cancels a timer of this node, whoever set it; says whether it came in time. After true, no message of it
            /// comes. If not, its message, or the last of them, has been sent or is being sent.
            pub fn cancel(&self, timer: Timer) -> bool {
                self.me.shared().node.cancel(timer)
            }
        }

        impl<M: Send + 'static> fmt::Debug for $name<$($life,)? M> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} {})"), self.me.shared().label, self.id())
            }
        }
    };
}

/// What a Handler may do from inside its callbacks: send, and spawn further meta-processes. It can neither
/// call, link nor monitor (`call-isolation`).
pub struct HandlerContext<'a, M: Send + 'static> {
    me: &'a Arc<Mailbox<M>>,
}

/// What a Reader may do: send, and spawn further meta-processes. It can neither call, link nor monitor
/// (`call-isolation`).
pub struct ReaderContext<M: Send + 'static> {
    me: Arc<Mailbox<M>>,
}

meta_context!(HandlerContext<'_>);
meta_context!(ReaderContext);

impl<M: Send + 'static> ReaderContext<M> {
    /// Sends to its own Handler; if that wakes the Handler, it runs here, on the Reader's thread.
    ///
    /// For a Reader that has nothing else to do until what it has read is handled: nobody needs to be woken,
    /// which is most of what a message costs when the other cores are idle. What the Handler runs then, its
    /// `terminate` and the Reader's own [`Interrupt`] included, needs room on the Reader's stack. While the
    /// Handler is running elsewhere, this is a plain send.
    ///
    /// With this, a Handler that blocks may hold up its own Reader, and still no other (`independence`).
    ///
    /// # Errors
    /// As [`Address::send`].
    #[inline]
    pub fn deliver(&self, message: M) -> Result<(), SendError<M>> {
        self.address().send_with(Class::Main, message, Capacity::reserve, Task::run)
    }
}

struct Meta<H>(H);

impl<H: Handler> Behaviour<H::Message> for Meta<H> {
    fn init(&mut self, me: &Arc<Mailbox<H::Message>>) -> Result<(), Exit> {
        self.0.init(&mut HandlerContext { me })
    }

    fn handle(&mut self, me: &Arc<Mailbox<H::Message>>, message: H::Message) -> Result<(), Exit> {
        self.0.handle(message, &mut HandlerContext { me })
    }

    fn down(&mut self, _: &Arc<Mailbox<H::Message>>, _: Down) -> Result<(), Exit> {
        unreachable!("a meta-process cannot monitor: its contexts do not offer it")
    }

    fn exited(&mut self, _: &Arc<Mailbox<H::Message>>, exited: Exited) -> Result<(), Exit> {
        Err(exited.reason)
    }

    fn exit(&mut self, _: &Arc<Mailbox<H::Message>>, reason: Exit) -> Result<(), Exit> {
        Err(reason)
    }

    fn terminate(&mut self, me: &Arc<Mailbox<H::Message>>, reason: &Exit) {
        self.0.terminate(reason, &mut HandlerContext { me });
    }
}

/// Starts a meta-process of `parent`.
pub(crate) fn spawn_meta<R, H>(
    parent: &Arc<Lifecycle>,
    mut reader: R,
    handler: H,
) -> Result<Address<H::Message>, SpawnError>
where
    R: Reader<H::Message>,
    H: Handler,
{
    let interrupt = reader.interrupt();
    let manner = Manner { label: type_name::<H>(), capacity: handler.capacity() };
    let core = Core::new(Box::new(Meta(handler)));
    let activation = parent.adopt(|slot| conceive(core, Lifecycle::meta(parent, slot, manner)))?;
    let address = Address(Arc::clone(activation.inbox()));
    come_to_life(&address, activation, None, |activation| {
        let line = ReaderLine(ReaderContext { me: Arc::clone(&address.0) });
        reader.start(line).map_err(|error| SpawnError::Thread(error.to_string()))?;
        activation.with(|_, core| core.interrupt = Some(interrupt));
        Ok(())
    })?;
    Ok(address)
}

/// The Reader of one meta-process, as the runtime sees it: what is recorded of it, and how it ends.
#[doc(hidden)]
pub struct ReaderLine<M: Send + 'static>(ReaderContext<M>);

impl<M: Send + 'static> ReaderLine<M> {
    #[cfg(feature = "io")]
    pub(crate) fn context(&self) -> &ReaderContext<M> {
        &self.0
    }

    #[cfg(feature = "io")]
    pub(crate) fn node(&self) -> &Node {
        &self.0.me.shared().node
    }

    /// Says that the Reader begins.
    pub(crate) fn begin(&self) {
        let actor = self.0.id();
        self.as_reader(|| emit(|_| Event::ReaderBegin { actor }));
    }

    /// Runs code of the Reader's, containing its panic (`panic-containment`).
    pub(crate) fn contain<R>(&self, code: impl FnOnce(&ReaderContext<M>) -> R) -> Result<R, Exit> {
        self.as_reader(|| catch(|| code(&self.0)))
            .map_err(|payload| log::panicked(self.0.me.shared(), Exit::from_panic(&*payload)))
    }

    fn as_reader<R>(&self, code: impl FnOnce() -> R) -> R {
        let _line = record::enter(self.0.id());
        code()
    }

    /// The Reader is over, and dropped; `settle` is the last thing to do before that is reported.
    pub(crate) fn end(self, result: Result<(), Exit>, settle: impl FnOnce(&Node)) {
        let actor = Arc::clone(self.0.me.shared());
        self.as_reader(|| emit(|_| Event::ReaderEnd { actor: actor.id, ok: result.is_ok() }));
        self.0.me.signal(Signal::ReaderEnded(result));
        settle(&actor.node);
        // Before the end is reported: who waits for the end may then count what is left in memory.
        drop(self);
        actor.end(End::Reader);
    }

    /// Starts a thread for the Reader.
    pub(crate) fn on_a_thread<R: Reader<M>>(self, reader: R) -> std::io::Result<()> {
        // Held while the thread starts, so that a Reader that ends at once finds its own handle in it.
        let thread = Arc::new(Mutex::new(None));
        let mut own = thread.lock();
        let name = format!("reader-{}", self.0.id());
        let theirs = Arc::clone(&thread);
        *own = Some(thread::spawn(name, R::STACK_BYTES, move || self.read(reader, &theirs))?);
        Ok(())
    }

    /// The Reader's thread, from beginning to end.
    fn read<R: Reader<M>>(self, reader: R, own: &Mutex<Option<JoinHandle>>) {
        self.begin();
        let result = self.contain(|context| reader.run(context)).flatten();
        self.end(result, |node| {
            node.reader_ended(own.lock().take().expect("stored before the lock was first free"));
        });
    }
}
