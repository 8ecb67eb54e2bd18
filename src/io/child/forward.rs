//! The session that leaves all decisions to an actor.

use std::marker::PhantomData;
use std::process::ExitStatus;

use event::ActorId;

use super::session::{Child, Command, Session, Stream};
use crate::address::Address;
use crate::exit::Exit;
use crate::io::line::{Line, Unit};

/// What the meta-process of a child tells an actor, through a [`Forward`].
///
/// The events of one child arrive in order (`sender-order`): `Started` first, `Closed` last.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<U: Unit = Line> {
    /// The child runs; send it commands to this address.
    Started {
        /// Where to send it commands.
        child: Address<Command>,
        /// The number of its process.
        pid: u32,
    },
    /// The child has written this line, this part of a line, or this chunk.
    Output {
        /// Which child.
        child: ActorId,
        /// To which stream.
        stream: Stream,
        /// What it wrote.
        unit: U,
    },
    /// Nothing more can come from this stream.
    OutputEnded {
        /// Which child.
        child: ActorId,
        /// Which stream.
        stream: Stream,
    },
    /// The child has exited; all that it wrote itself was told.
    Exited {
        /// Which child.
        child: ActorId,
        /// How.
        status: ExitStatus,
    },
    /// The child reads its standard input no more.
    StdinClosed {
        /// Which child.
        child: ActorId,
    },
    /// The child is slow: 64 KiB wait to be written to it. Hold back.
    Congested {
        /// Which child.
        child: ActorId,
    },
    /// The child that was slow has caught up.
    Drained {
        /// Which child.
        child: ActorId,
    },
    /// The meta-process has ended.
    Closed {
        /// Which child's.
        child: ActorId,
        /// Why.
        reason: Exit,
    },
}

/// The session that tells an actor what happens, and leaves all decisions to it.
///
/// The meta-process, and the child, end when the actor has ended.
#[derive(Debug)]
pub struct Forward<M: Send + 'static, U: Unit = Line> {
    to: Address<M>,
    unit: PhantomData<fn() -> U>,
}

impl<M: From<Event<U>> + Send + 'static, U: Unit> Forward<M, U> {
    /// Tells `to` what happens.
    pub fn new(to: Address<M>) -> Self {
        Self { to, unit: PhantomData }
    }

    fn tell(&self, event: Event<U>) -> Result<(), Exit> {
        self.to.send(M::from(event)).map_err(|_| Exit::Normal)
    }
}

impl<M: From<Event<U>> + Send + 'static, U: Unit> Session for Forward<M, U> {
    type Unit = U;

    fn started(&mut self, child: &mut Child<'_>) -> Result<(), Exit> {
        self.tell(Event::Started { child: child.address(), pid: child.pid() })
    }

    fn output(&mut self, stream: Stream, unit: U, child: &mut Child<'_>) -> Result<(), Exit> {
        self.tell(Event::Output { child: child.context().id(), stream, unit })
    }

    fn output_ended(&mut self, stream: Stream, child: &mut Child<'_>) -> Result<(), Exit> {
        self.tell(Event::OutputEnded { child: child.context().id(), stream })
    }

    fn exited(&mut self, status: ExitStatus, child: &mut Child<'_>) -> Result<(), Exit> {
        self.tell(Event::Exited { child: child.context().id(), status })
    }

    fn stdin_closed(&mut self, child: &mut Child<'_>) -> Result<(), Exit> {
        self.tell(Event::StdinClosed { child: child.context().id() })
    }

    fn congested(&mut self, child: &mut Child<'_>) -> Result<(), Exit> {
        self.tell(Event::Congested { child: child.context().id() })
    }

    fn drained(&mut self, child: &mut Child<'_>) -> Result<(), Exit> {
        self.tell(Event::Drained { child: child.context().id() })
    }

    fn closed(&mut self, reason: &Exit, child: &mut Child<'_>) {
        let child = child.context().id();
        // If the actor has ended, nobody needs to know.
        let _ = self.tell(Event::Closed { child, reason: reason.clone() });
    }
}
