//! Signals that the process receives.
//!
//! A signals meta-process has a Reader that waits for signals and a Handler that hands them on; what it waits
//! for can be changed while it runs, by [`Command`]s.
//!
//! ```no_run
//! use antiphon::io::{Signal, signals};
//! use antiphon::{Actor, Context, Exit};
//!
//! struct Service;
//!
//! impl Actor for Service {
//!     type Message = signals::Received;
//!
//!     fn init(&mut self, context: &mut Context<'_, Self::Message>) -> Result<(), Exit> {
//!         let to = signals::forward(context.address());
//!         let (reader, handler) = signals::signals([Signal::HangUp, Signal::Terminate], to)?;
//!         context.spawn_meta(reader, handler)?;
//!         Ok(())
//!     }
//!
//!     fn handle(&mut self, received: signals::Received, _: &mut Context<'_, Self::Message>) -> Result<(), Exit> {
//!         match received.signal() {
//!             Signal::HangUp => Ok(println!("reading the configuration again")),
//!             _ => Err(Exit::Normal),
//!         }
//!     }
//! }
//! ```
//!
//! # What is received, and what is lost
//! A signal says that something happened, not how often: signals of one kind that come faster than they are
//! taken are *one* signal, as they are for the operating system itself. So a storm of signals needs no memory,
//! and the last one is never lost: a signal that comes while an earlier one of its kind is still in
//! somebody's hands is received as soon as that one, a [`Received`], is dropped. Between kinds there is no
//! order.
//!
//! From when [`signals()`] has returned, no signal of its set is missed, whenever the Reader begins.
//!
//! # Who else is told
//! Everybody: several signals meta-processes in one program, on one node or on several, receive each signal
//! of their sets, and so does any other part of the program that listens through the same crate,
//! `signal-hook`.
//!
//! # What a signal does when nobody listens any more
//! Nothing. Once a signal was in the set of any meta-process it has no effect of its own for the rest of the
//! program's life, also after the last meta-process that listened has ended: a second Ctrl-C does not kill a
//! program that is about to end in good order after the first. Who wants that, listens for it. A child process
//! starts with the default effects again.
//!
//! # What ends it
//! [`Command::stop`], an error of the closure that receives, the end of its owner.

use std::io;
use std::os::unix::net::UnixStream;

use platform::readiness::{Readiness, Source};
use platform::sync::Arc;
use platform::sync::atomic::{AtomicBool, Ordering};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;

use super::connection::STACK_BYTES;
use super::signal::Signal;
use super::waker::{Requests, Waker};
use crate::address::Address;
use crate::exit::Exit;
use crate::meta::{Handler, HandlerContext, Interrupt, Reader, ReaderContext};

/// The two lines of a meta-process that receives the signals in `set`, for `spawn_meta`; `receive` is called
/// with each, in the Handler. An error of it ends the meta-process, and nothing else; [`Exit::Normal`] means
/// that it is done.
///
/// # Errors
/// The operating system's, for example when there is no descriptor left.
pub fn signals(
    set: impl IntoIterator<Item = Signal>,
    receive: impl FnMut(Received) -> Result<(), Exit> + Send + 'static,
) -> io::Result<(impl Reader<Command>, impl Handler<Message = Command>)> {
    let (read, write) = UnixStream::pair()?;
    let delivery = SignalDelivery::with_pipe(read, write, SignalOnly, [0_i32; 0])?;
    let handle = delivery.handle();
    delivered(delivery, move |signal| handle.add_signal(signal.number()), set, receive)
}

/// The same, for signals that come from elsewhere, such as a model's; `subscribe` has them delivered.
#[doc(hidden)]
pub fn delivered(
    delivery: impl Delivery,
    subscribe: impl FnMut(Signal) -> io::Result<()> + Send + 'static,
    set: impl IntoIterator<Item = Signal>,
    receive: impl FnMut(Received) -> Result<(), Exit> + Send + 'static,
) -> io::Result<(impl Reader<Command>, impl Handler<Message = Command>)> {
    let mut desk = Desk { subscribe, set: [false; _], receive };
    for signal in set {
        desk.add(signal)?;
    }
    let shared = Arc::new(Shared { waker: Waker::new()?, kept: Default::default() });
    Ok((Watch { shared, delivery, come: [false; _] }, desk))
}

/// How signals reach their Reader.
#[doc(hidden)]
pub trait Delivery: Send + 'static {
    /// Readable when some have come.
    fn source(&self) -> &dyn Source;

    /// Takes those that have come, by their numbers.
    fn take(&mut self) -> impl Iterator<Item = i32>;
}

impl Delivery for SignalDelivery<UnixStream, SignalOnly> {
    fn source(&self) -> &dyn Source {
        self.get_read()
    }

    fn take(&mut self) -> impl Iterator<Item = i32> {
        self.pending()
    }
}

/// What receives signals by sending them to an actor; ends the meta-process when that actor has ended.
pub fn forward<M: From<Received> + Send + 'static>(
    to: Address<M>,
) -> impl FnMut(Received) -> Result<(), Exit> + Send + 'static {
    move |received| to.send(received.into()).map_err(|_| Exit::Normal)
}

/// A signal that was received.
///
/// As long as it is kept, others of its kind wait, and are then received as one.
#[derive(Debug)]
pub struct Received {
    signal: Signal,
    shared: Arc<Shared>,
}

impl Received {
    /// Which signal it is.
    pub fn signal(&self) -> Signal {
        self.signal
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        // Relaxed: the request that follows carries the order.
        self.shared.kept[self.signal as usize].store(false, Ordering::Relaxed);
        // Whether another has come meanwhile is the Reader's to know.
        self.shared.waker.wake(Requests::READ_ON);
    }
}

/// What can be sent to a signals meta-process. Commands are obeyed in the order in which they were accepted
/// (`sender-order`).
#[derive(Debug)]
pub struct Command(Request);

#[derive(Debug)]
enum Request {
    /// The Reader was told of this one.
    Come(Received),
    Add(Signal),
    Remove(Signal),
    Stop,
}

impl Command {
    /// Receive this signal too.
    ///
    /// If the operating system refuses, the meta-process ends with its error.
    pub fn add(signal: Signal) -> Self {
        Self(Request::Add(signal))
    }

    /// Receive this signal no more, nor one that came and was not received yet. It then has no effect.
    pub fn remove(signal: Signal) -> Self {
        Self(Request::Remove(signal))
    }

    /// Receive nothing more, and end.
    pub fn stop() -> Self {
        Self(Request::Stop)
    }
}

/// What the Reader shares with whoever has a [`Received`].
#[derive(Debug)]
struct Shared {
    waker: Waker,
    /// Of which kinds one is in somebody's hands.
    kept: [AtomicBool; Signal::ALL.len()],
}

/// The Reader.
#[derive(Debug)]
struct Watch<D> {
    shared: Arc<Shared>,
    delivery: D,
    /// Of which kinds one has come that nobody was told of.
    come: [bool; Signal::ALL.len()],
}

impl<D: Delivery> Watch<D> {
    /// Hands on what has come, unless one of its kind is still in somebody's hands; says whether to go on.
    fn hand_on(&mut self, context: &ReaderContext<Command>) -> bool {
        for number in self.delivery.take() {
            for signal in Signal::ALL {
                self.come[signal as usize] |= signal.number() == number;
            }
        }
        for signal in Signal::ALL {
            let (come, kept) = (&mut self.come[signal as usize], &self.shared.kept[signal as usize]);
            // Relaxed: only this thread sets it, and whoever clears it asks for another look.
            if *come && !kept.load(Ordering::Relaxed) {
                *come = false;
                kept.store(true, Ordering::Relaxed);
                let received = Received { signal, shared: Arc::clone(&self.shared) };
                if context.deliver(Command(Request::Come(received))).is_err() {
                    return false;
                }
            }
        }
        true
    }
}

impl<D: Delivery> Reader<Command> for Watch<D> {
    const STACK_BYTES: usize = STACK_BYTES;

    fn interrupt(&mut self) -> Interrupt {
        let shared = Arc::clone(&self.shared);
        Interrupt::new(move || shared.waker.wake(Requests::END))
    }

    fn run(mut self, context: &ReaderContext<Command>) -> Result<(), Exit> {
        let _until_over = self.shared.waker.until_over();
        loop {
            let ready = self.shared.waker.wait(Some((self.delivery.source(), Readiness::READ)), None)?;
            if ready.requests.contains(Requests::END) || !self.hand_on(context) {
                return Ok(());
            }
        }
    }
}

/// The Handler.
struct Desk<A, F> {
    /// Has a signal delivered.
    subscribe: A,
    /// What is received. A signal that was removed still comes to the Reader, which has no means to make its
    /// own effect return, and is dropped here.
    set: [bool; Signal::ALL.len()],
    receive: F,
}

impl<A: FnMut(Signal) -> io::Result<()>, F> Desk<A, F> {
    fn add(&mut self, signal: Signal) -> io::Result<()> {
        (self.subscribe)(signal)?;
        self.set[signal as usize] = true;
        Ok(())
    }
}

impl<A, F> Handler for Desk<A, F>
where
    A: FnMut(Signal) -> io::Result<()> + Send + 'static,
    F: FnMut(Received) -> Result<(), Exit> + Send + 'static,
{
    type Message = Command;

    fn handle(&mut self, command: Command, _: &mut HandlerContext<'_, Command>) -> Result<(), Exit> {
        match command.0 {
            Request::Come(received) if self.set[received.signal as usize] => (self.receive)(received),
            Request::Come(_) => Ok(()),
            Request::Add(signal) => Ok(self.add(signal)?),
            Request::Remove(signal) => {
                self.set[signal as usize] = false;
                Ok(())
            }
            Request::Stop => Err(Exit::Normal),
        }
    }
}
