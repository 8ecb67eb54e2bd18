//! What several scenarios are made of.

use std::time::Duration;

use antiphon::executor::Executor;
use antiphon::inbox::Task;
use antiphon::{
    Actor, Address, Context, Exit, Handler, HandlerContext, Interrupt, Node, Reader, ReaderContext,
};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use platform::cell::Witness;
use platform::sync::{Arc, Condvar, Mutex};
use platform::thread::{self, JoinHandle};

/// For as long as it takes: in a model, time stands still.
pub(crate) const EVER: Duration = Duration::MAX;

/// How a panic that a scenario provokes begins; any other is a fault of the runtime.
const PLANNED: &str = "planned";

/// Panics, as planned.
pub(crate) fn planned_panic() {
    panic!("{PLANNED} panic");
}

/// Runs each activation at once, on the thread that created it.
struct AtOnce;

impl Executor for AtOnce {
    fn execute(&self, task: Task) {
        task.run();
    }

    fn yield_back(&self, task: Task) {
        reached("batch used up");
        task.run();
    }

    fn stop(&self) {}
}

/// A node whose actors run on the threads that send to them.
pub(crate) fn node() -> Node {
    Node::with_executor(AtOnce)
}

/// Stops a node on which nothing hangs.
pub(crate) fn stop(node: &Node) {
    let stopped = node.stop(EVER);
    check(stopped.is_ok(), Guarantee::CleanStop, || format!("{stopped:?}"));
}

/// Starts a thread of the scenario.
pub(crate) fn start(body: impl FnOnce() + Send + 'static) -> JoinHandle {
    thread::spawn("scenario".into(), 0, body).expect("the engine has room for one more thread")
}

/// Sends, and says what became of it.
pub(crate) fn send<M: Send + 'static>(to: &Address<M>, message: M) -> bool {
    let accepted = to.send(message).is_ok();
    reached(if accepted { "accepted" } else { "refused" });
    accepted
}

/// Sends `count` messages.
pub(crate) fn send_some(to: &Address<Mail>, count: u64) {
    for _ in 0..count {
        send(to, Mail::new());
    }
}

/// Starts a thread that sends `count` messages.
pub(crate) fn sender(to: &Address<Mail>, count: u64) -> JoinHandle {
    let to = to.clone();
    start(move || send_some(&to, count))
}

/// A door that is closed until somebody opens it, for ever.
#[derive(Clone)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Arc::new((Mutex::new(false), Condvar::new())))
    }

    pub(crate) fn open(&self) {
        *self.0.0.lock() = true;
        self.0.1.notify_all();
    }

    /// Blocks until it is open.
    pub(crate) fn pass(&self) {
        let mut open = self.0.0.lock();
        while !*open {
            open = self.0.1.wait(open);
        }
    }

    pub(crate) fn interrupt(&self) -> Interrupt {
        let gate = self.clone();
        Interrupt::new(move || gate.open())
    }
}

/// What an actor of a scenario is sent.
pub(crate) struct Mail {
    /// Plain memory that the sender writes and the handler reads (`handover`).
    letter: Witness,
    order: Order,
}

/// What the actor is to do about it.
pub(crate) enum Order {
    /// Nothing but to note it.
    Note,
    /// End, with success or without.
    End(Exit),
    /// Panic.
    Panic,
    /// Wait until the gate is open.
    Pass(Gate),
    /// Open the gate.
    Open(Gate),
    /// Do what the sender thought of.
    Do(Box<dyn FnOnce() + Send>),
}

impl Mail {
    pub(crate) fn new() -> Self {
        Self::order(Order::Note)
    }

    pub(crate) fn order(order: Order) -> Self {
        let letter = Witness::new();
        letter.write();
        Self { letter, order }
    }

    pub(crate) fn obey(self) -> Result<(), Exit> {
        self.letter.read();
        reached("handled");
        match self.order {
            Order::Note => Ok(()),
            Order::End(reason) => Err(reason),
            Order::Panic => {
                planned_panic();
                Ok(())
            }
            Order::Pass(gate) => {
                gate.pass();
                Ok(())
            }
            Order::Open(gate) => {
                gate.open();
                Ok(())
            }
            Order::Do(deed) => {
                deed();
                Ok(())
            }
        }
    }
}

/// The callback in which an actor panics, as planned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PanicIn {
    Nothing,
    Init,
    Terminate,
}

/// An actor, process or Handler, that notes what it is sent.
pub(crate) struct Clerk {
    /// Plain memory that each callback reads and writes (`handover`).
    book: Witness,
    panic_in: PanicIn,
}

impl Clerk {
    pub(crate) fn new() -> Self {
        Self::panicking_in(PanicIn::Nothing)
    }

    pub(crate) fn panicking_in(panic_in: PanicIn) -> Self {
        Self { book: Witness::new(), panic_in }
    }

    fn begin(&self) -> Result<(), Exit> {
        self.book.write();
        if self.panic_in == PanicIn::Init {
            planned_panic();
        }
        Ok(())
    }

    fn work(&self, mail: Mail) -> Result<(), Exit> {
        self.book.read();
        self.book.write();
        mail.obey()
    }

    fn finish(&self, reason: &Exit) {
        self.book.read();
        self.book.write();
        if let Exit::Panicked(text) = reason {
            check(text.starts_with(PLANNED), Guarantee::PanicContainment, || text.clone());
            reached("ended by a panic");
        }
        if self.panic_in == PanicIn::Terminate {
            planned_panic();
        }
    }
}

impl Actor for Clerk {
    type Message = Mail;

    fn init(&mut self, _: &mut Context<'_, Mail>) -> Result<(), Exit> {
        self.begin()
    }

    fn handle(&mut self, mail: Mail, _: &mut Context<'_, Mail>) -> Result<(), Exit> {
        self.work(mail)
    }

    fn terminate(&mut self, reason: &Exit, _: &mut Context<'_, Mail>) {
        self.finish(reason);
    }
}

impl Handler for Clerk {
    type Message = Mail;

    fn init(&mut self, _: &mut HandlerContext<'_, Mail>) -> Result<(), Exit> {
        self.begin()
    }

    fn handle(&mut self, mail: Mail, _: &mut HandlerContext<'_, Mail>) -> Result<(), Exit> {
        self.work(mail)
    }

    fn terminate(&mut self, reason: &Exit, _: &mut HandlerContext<'_, Mail>) {
        self.finish(reason);
    }
}

/// A Reader that runs a closure, and is interrupted as it was told.
pub(crate) struct Read<F> {
    interrupt: Option<Interrupt>,
    run: F,
}

impl<F> Read<F> {
    /// Returns by itself.
    pub(crate) fn soon(run: F) -> Self {
        Self { interrupt: Some(Interrupt::none()), run }
    }

    /// Waits at `gate` at times; its interrupt opens it.
    pub(crate) fn behind(gate: &Gate, run: F) -> Self {
        Self { interrupt: Some(gate.interrupt()), run }
    }
}

impl<F: FnOnce(&ReaderContext<Mail>) -> Result<(), Exit> + Send + 'static> Reader<Mail> for Read<F> {
    fn interrupt(&mut self) -> Interrupt {
        self.interrupt.take().expect("asked for once")
    }

    fn run(self, context: &ReaderContext<Mail>) -> Result<(), Exit> {
        reached("reader began");
        (self.run)(context)
    }
}

/// A Reader that blocks until it is interrupted.
pub(crate) fn blocked() -> Read<impl FnOnce(&ReaderContext<Mail>) -> Result<(), Exit> + Send + 'static> {
    let gate = Gate::new();
    Read::behind(&gate.clone(), move |_: &ReaderContext<Mail>| {
        gate.pass();
        reached("interrupted");
        Ok(())
    })
}

/// A process whose `init` does what it is told, with its own context.
pub(crate) struct Parent<F>(Option<F>);

impl<F> Parent<F> {
    pub(crate) fn new(begin: F) -> Self {
        Self(Some(begin))
    }
}

impl<F: FnOnce(&Context<'_, Mail>) -> Result<(), Exit> + Send + 'static> Actor for Parent<F> {
    type Message = Mail;

    fn init(&mut self, context: &mut Context<'_, Mail>) -> Result<(), Exit> {
        self.0.take().map_or(Ok(()), |begin| begin(context))
    }

    fn handle(&mut self, mail: Mail, _: &mut Context<'_, Mail>) -> Result<(), Exit> {
        mail.obey()
    }
}
