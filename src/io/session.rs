//! The user's side of a connection: what happens with what is read, and how to write.

use std::fmt;
use std::io;

use bytes::Bytes;

use super::data::Data;
use super::output::Output;
use crate::address::Address;
use crate::exit::Exit;
use crate::meta::HandlerContext;

/// What one connection does: its callbacks run in the connection's Handler, one at a time.
///
/// An error, or a panic, ends the connection, and nothing else (`panic-containment`). What is accepted for
/// writing by then and does not fit into the socket at once is dropped; to have it written first, return
/// `Ok` after [`Connection::close`].
///
/// The callbacks usually run on the Reader's thread, whose stack has 256 KiB. One that blocks holds up its
/// own connection and no other.
pub trait Session: Send + Sized + 'static {
    /// Called first, before anything is read.
    ///
    /// # Errors
    /// The reason for which the connection does not come to life; nothing else is called then.
    fn opened(&mut self, _: &mut Connection<'_>) -> Result<(), Exit> {
        Ok(())
    }

    /// Called with what the peer sent, in order and without gaps; where it is cut is chance.
    ///
    /// # Errors
    /// The reason for which the connection ends. [`Exit::Normal`] means that it is done.
    fn received(&mut self, data: Data, connection: &mut Connection<'_>) -> Result<(), Exit>;

    /// Called once when the peer will send nothing more; it may still read. Unless it is told otherwise, the
    /// connection then ends after what is still to be written.
    ///
    /// # Errors
    /// As [`received`](Self::received).
    fn ended(&mut self, connection: &mut Connection<'_>) -> Result<(), Exit> {
        connection.close();
        Ok(())
    }

    /// Called when the peer is slow: 64 KiB wait to be written to it. It is not read from until
    /// [`drained`](Self::drained) is called; whoever else sends to it should hold back too.
    ///
    /// # Errors
    /// As [`received`](Self::received).
    fn congested(&mut self, _: &mut Connection<'_>) -> Result<(), Exit> {
        Ok(())
    }

    /// Called when less than 16 KiB wait to be written to a peer that was slow.
    ///
    /// # Errors
    /// As [`received`](Self::received).
    fn drained(&mut self, _: &mut Connection<'_>) -> Result<(), Exit> {
        Ok(())
    }

    /// Called once, last, if [`opened`](Self::opened) succeeded (`terminate-once`).
    fn closed(&mut self, _reason: &Exit, _connection: &mut Connection<'_>) {}
}

/// What can be sent to a connection, by whoever has its address.
///
/// Commands are obeyed in the order in which they were accepted (`sender-order`).
#[derive(Debug)]
pub struct Command(pub(crate) Request);

/// What the Handler of a connection is asked for.
#[derive(Debug)]
pub(crate) enum Request {
    /// The Reader read this.
    Received(Data),
    /// The Reader read the end.
    Ended,
    /// The Reader saw that there is room in the socket.
    Writable,
    Write(Bytes),
    ShutdownWrite,
    Close,
}

impl Command {
    /// Write these bytes; never waits, see [`Connection::write`].
    pub fn write(bytes: impl Into<Bytes>) -> Self {
        Self(Request::Write(bytes.into()))
    }

    /// Tell the peer that nothing more will come, after what is still to be written; go on reading.
    pub fn shutdown_write() -> Self {
        Self(Request::ShutdownWrite)
    }

    /// End the connection after what is still to be written.
    pub fn close() -> Self {
        Self(Request::Close)
    }
}

/// A connection, as its own [`Session`] sees it during a callback.
pub struct Connection<'a> {
    pub(crate) output: &'a mut Output,
    pub(crate) context: &'a HandlerContext<'a, Command>,
}

impl Connection<'_> {
    /// Writes to the peer, after all that was written before. Never waits: what the socket has no room for
    /// waits in memory.
    ///
    /// # Errors
    /// If the connection is broken, if its writing half is closed, or if more than 16 MiB wait already
    /// because the peer does not read. Each is a reason to end the connection, as `?` does.
    pub fn write(&mut self, bytes: impl Into<Bytes>) -> io::Result<()> {
        self.output.write(bytes.into())
    }

    /// Tells the peer that nothing more will come, after what is still to be written. Reading goes on.
    ///
    /// # Errors
    /// The operating system's.
    pub fn shutdown_write(&mut self) -> io::Result<()> {
        self.output.shutdown_write()
    }

    /// Ends the connection after what is still to be written. What the peer sends from now on is dropped.
    ///
    /// A peer that is still sending may then be told of a reset, and lose what it had not read yet. Where
    /// that matters, use [`shutdown_write`](Self::shutdown_write) and wait for the peer's own
    /// [end](Session::ended).
    pub fn close(&mut self) {
        self.output.close();
    }

    /// How many bytes wait to be written.
    pub fn queued(&self) -> usize {
        self.output.queued()
    }

    /// Where to send this connection commands.
    pub fn address(&self) -> Address<Command> {
        self.context.address()
    }

    /// The meta-process that this connection is, and what a Handler may do.
    pub fn context(&self) -> &HandlerContext<'_, Command> {
        self.context
    }
}

impl fmt::Debug for Connection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("context", self.context).field("output", self.output).finish()
    }
}
