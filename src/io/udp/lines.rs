//! The two lines of a UDP socket.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use bytes::Bytes;
use platform::readiness::{Readiness, Source};
use platform::sync::Arc;
use rustix::io::Errno;

use super::port::{Arrived, Port};
use super::session::{Command, Datagram, Reason, Request, Session, Socket, Unsent};
use crate::call::Reply;
use crate::exit::Exit;
use crate::io::data::{Data, Window};
use crate::io::stepwise::{Step, Stepwise, Wait, failed};
use crate::io::waker::{Ready, Requests, Waker};
use crate::meta::{Handler, HandlerContext, ReaderContext};

/// Room for any datagram; so none is ever cut.
const LARGEST: usize = 64 << 10;
/// What a datagram counts beside its bytes: also an empty one takes memory.
const OVERHEAD: usize = 64;
/// With how much waiting to be sent a further datagram is handed back.
const LIMIT: usize = 1 << 20;

/// What the network may have said of a datagram that had been sent. Each is told once.
const TOLD: &[Errno] = &[
    Errno::CONNREFUSED,
    Errno::HOSTUNREACH,
    Errno::NETUNREACH,
    Errno::HOSTDOWN,
    Errno::NETDOWN,
    Errno::MSGSIZE,
    Errno::NOPROTOOPT,
    Errno::PROTO,
    Errno::ACCESS,
    Errno::PERM,
    Errno::NONET,
    Errno::OPNOTSUPP,
];

fn is_told(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|error| TOLD.contains(&error))
}

/// What both lines hold: the socket, and how they slow each other down.
#[derive(Debug)]
pub(super) struct Shared {
    port: Box<dyn Port>,
    window: Arc<Window>,
}

impl Shared {
    pub(super) fn new(port: impl Port) -> Arc<Self> {
        Arc::new(Self { port: Box::new(port), window: Window::new(Waker::unbound()) })
    }

    /// Receives a datagram; says how many had been dropped before it, too.
    fn receive(&self, buffer: &mut [u8]) -> io::Result<(Datagram, Option<u32>)> {
        let Arrived { length, peer, dropped } = self.port.receive(buffer)?;
        let data = Data::weighing(length + OVERHEAD, &buffer[..length], &self.window);
        Ok((Datagram { peer, data }, dropped))
    }
}

platform::thread_local! {
    /// What a datagram is received into, by whichever socket.
    #[allow(clippy::missing_const_for_thread_local, reason = "not every platform has the const form")]
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(Vec::new());
}

/// The Reader.
pub(super) struct Inlet {
    shared: Arc<Shared>,
    /// The Handler waits for room in the socket.
    write_wanted: bool,
}

impl Inlet {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, write_wanted: false }
    }
}

impl Stepwise<Command> for Inlet {
    fn source(&self) -> &dyn Source {
        self.shared.port.source()
    }

    fn waker(&self) -> &Waker {
        &self.shared.window.waker
    }

    fn wait(&self) -> Wait {
        let receive = !self.shared.window.is_held_up();
        let interest = match (receive, self.write_wanted) {
            (true, false) => Readiness::READ,
            (true, true) => Readiness::READ.union(Readiness::WRITE),
            (false, true) => Readiness::WRITE,
            // Not even for an error: it waits, and would end the wait at once.
            (false, false) => return Wait { interest: None, timeout: None },
        };
        Wait { interest: Some(interest), timeout: None }
    }

    fn step(&mut self, Ready { source, requests }: Ready, context: &ReaderContext<Command>) -> Step {
        self.write_wanted |= requests.contains(Requests::WRITABLE);
        if self.write_wanted && source.intersects(Readiness::WRITE.union(Readiness::BROKEN)) {
            self.write_wanted = false;
            deliver(Request::Writable, context)?;
        }
        if !source.intersects(Readiness::READ.union(Readiness::BROKEN)) {
            return Step::Continue(());
        }
        let received = BUFFER.with(|buffer| {
            let mut buffer = buffer.borrow_mut();
            buffer.resize(LARGEST, 0);
            self.shared.receive(&mut buffer)
        });
        match received {
            Ok((datagram, dropped)) => deliver(Request::Received(datagram, dropped), context),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                Step::Continue(())
            }
            Err(error) if is_told(&error) => deliver(Request::Failed(error), context),
            Err(error) => failed(error),
        }
    }
}

/// Tells the Handler; when it has ended, the Reader is over too.
fn deliver(request: Request, context: &ReaderContext<Command>) -> Step {
    context.deliver(Command(request)).map_or(Step::Break(Ok(())), Step::Continue)
}

/// A datagram that waits for room.
struct Waiting {
    peer: SocketAddr,
    bytes: Bytes,
    answer: Option<Reply<Result<(), Unsent>>>,
}

/// What the session is to be told after its callback.
enum Tell {
    Unsent(Unsent),
    Failed(io::Error),
}

/// The sending half.
pub(crate) struct Outlet {
    shared: Arc<Shared>,
    /// Not empty exactly while the Reader is asked to say when there is room.
    queue: VecDeque<Waiting>,
    /// What the queue counts.
    queued: usize,
    tell: VecDeque<Tell>,
    /// What the operating system said last of how many it dropped, and how many that makes.
    dropped: (u32, u64),
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet").field("queued", &self.queued).field("dropped", &self.dropped.1).finish()
    }
}

impl Outlet {
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.1
    }

    /// Takes in what the operating system says now; its count has 32 bits, and begins again.
    fn note_dropped(&mut self, now: u32) {
        let (before, total) = self.dropped;
        self.dropped = (now, total + u64::from(now.wrapping_sub(before)));
    }

    pub(super) fn send(&mut self, peer: SocketAddr, bytes: Bytes) -> Result<(), Unsent> {
        match self.send_or_queue(Waiting { peer, bytes, answer: None }) {
            Ok(_) => Ok(()),
            Err((Waiting { peer, bytes, .. }, reason)) => Err(Unsent { peer, bytes, reason }),
        }
    }

    /// Sends a datagram that somebody else wanted sent, and tells whoever is to be told.
    fn send_for(&mut self, waiting: Waiting) {
        match self.send_or_queue(waiting) {
            Ok(Some(sent)) => answer(sent.answer),
            Ok(None) => {}
            Err((waiting, reason)) => self.return_to_sender(waiting, reason),
        }
    }

    /// Gives it back once it is sent; nothing, if it waits.
    fn send_or_queue(&mut self, waiting: Waiting) -> Result<Option<Waiting>, (Waiting, Reason)> {
        if self.queue.is_empty() {
            match self.try_send(&waiting) {
                Ok(true) => return Ok(Some(waiting)),
                Ok(false) => self.shared.window.waker.wake(Requests::WRITABLE),
                Err(reason) => return Err((waiting, reason)),
            }
        }
        if self.queued >= LIMIT {
            return Err((waiting, Reason::Full));
        }
        self.queued += waiting.bytes.len() + OVERHEAD;
        self.queue.push_back(waiting);
        Ok(None)
    }

    /// Says whether there was room.
    fn try_send(&mut self, waiting: &Waiting) -> Result<bool, Reason> {
        let mut again = true;
        loop {
            match self.shared.port.send(&waiting.bytes, waiting.peer) {
                Ok(()) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if Errno::from_io_error(&error) == Some(Errno::MSGSIZE) => {
                    return Err(Reason::TooLarge);
                }
                // It may be about a datagram before this one, which was not tried then.
                Err(error) if again && is_told(&error) => {
                    again = false;
                    if Errno::from_io_error(&error) == Some(Errno::CONNREFUSED) {
                        self.tell.push_back(Tell::Failed(error));
                    }
                }
                Err(error) => return Err(Reason::System(error)),
            }
        }
    }

    /// There is room again: sends what waits.
    fn flush(&mut self) {
        while let Some(waiting) = self.queue.pop_front() {
            match self.try_send(&waiting) {
                Ok(false) => {
                    self.queue.push_front(waiting);
                    return self.shared.window.waker.wake(Requests::WRITABLE);
                }
                sent => {
                    self.queued -= waiting.bytes.len() + OVERHEAD;
                    match sent {
                        Ok(_) => answer(waiting.answer),
                        Err(reason) => self.return_to_sender(waiting, reason),
                    }
                }
            }
        }
    }

    fn return_to_sender(&mut self, Waiting { peer, bytes, answer }: Waiting, reason: Reason) {
        let unsent = Unsent { peer, bytes, reason };
        match answer {
            // Whoever has given up waiting does not need it.
            Some(answer) => drop(answer.send(Err(unsent))),
            None => self.tell.push_back(Tell::Unsent(unsent)),
        }
    }
}

fn answer(answer: Option<Reply<Result<(), Unsent>>>) {
    if let Some(answer) = answer {
        // Whoever has given up waiting does not need it.
        drop(answer.send(Ok(())));
    }
}

/// The Handler.
pub(super) struct Talk<S> {
    outlet: Outlet,
    session: S,
}

impl<S: Session> Talk<S> {
    pub(super) fn new(shared: Arc<Shared>, session: S) -> Self {
        let (queue, tell) = (VecDeque::new(), VecDeque::new());
        Self { outlet: Outlet { shared, queue, queued: 0, tell, dropped: (0, 0) }, session }
    }

    /// Tells the session what came up meanwhile.
    fn settle(&mut self, context: &HandlerContext<'_, Command>) -> Result<(), Exit> {
        // As much as there is now: what the session sends then may fail, too, and is told in a callback later.
        for _ in 0..self.outlet.tell.len() {
            let Some(tell) = self.outlet.tell.pop_front() else { break };
            let mut socket = Socket { outlet: &mut self.outlet, context };
            match tell {
                Tell::Unsent(unsent) => self.session.unsent(unsent, &mut socket)?,
                Tell::Failed(error) => self.session.failed(error, &mut socket)?,
            }
        }
        if !self.outlet.tell.is_empty() {
            self.outlet.shared.window.waker.wake(Requests::WRITABLE);
        }
        Ok(())
    }
}

impl<S: Session> Handler for Talk<S> {
    type Message = Command;

    fn init(&mut self, context: &mut HandlerContext<'_, Command>) -> Result<(), Exit> {
        self.session.opened(&mut Socket { outlet: &mut self.outlet, context })
    }

    fn handle(&mut self, command: Command, context: &mut HandlerContext<'_, Command>) -> Result<(), Exit> {
        let Self { outlet, session } = self;
        match command.0 {
            Request::Received(datagram, dropped) => {
                if let Some(dropped) = dropped {
                    outlet.note_dropped(dropped);
                }
                session.received(datagram, &mut Socket { outlet, context })?;
            }
            Request::Failed(error) => session.failed(error, &mut Socket { outlet, context })?,
            Request::Writable => outlet.flush(),
            Request::Send(peer, bytes, answer) => outlet.send_for(Waiting { peer, bytes, answer }),
            Request::Dropped(answer) => drop(answer.send(outlet.dropped())),
            Request::Close => return Err(Exit::Normal),
        }
        self.settle(context)
    }

    fn terminate(&mut self, reason: &Exit, context: &mut HandlerContext<'_, Command>) {
        self.session.closed(reason, &mut Socket { outlet: &mut self.outlet, context });
    }
}
