//! Connections and listeners on descriptors that the engine knows: on a model, the platform's own; on threads,
//! real sockets on loopback.
//!
//! Each is told for a Reader with a thread of its own and for one that shares a poller.

use std::io::{self, ErrorKind, IoSlice};

use antiphon::io::stream::{self, Accept, Command, Connection, Data, Listen, Session, Socket, Stop};
use antiphon::io::{Readiness, Source, shared};
use antiphon::{Address, Exit, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use platform::readiness::{self, Event, Listener, Stream, pair};
use platform::sync::{Arc, Mutex};
use platform::thread::JoinHandle;

use crate::parts::{Gate, Mail, Parent, node, planned_panic, start, stop};

/// Where a Reader runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// On a thread of its own.
    Thread,
    /// On the node's executor, when the poller finds it ready.
    Poller,
}

/// A stream of the platform as a socket of the runtime.
#[derive(Debug)]
struct Wire(Stream);

impl Socket for Wire {
    fn source(&self) -> &dyn Source {
        &self.0
    }

    fn prepare(&self) -> io::Result<()> {
        Ok(())
    }

    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }

    fn reads_all(&self) -> bool {
        true
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write(slices.first().map_or(&[], |slice| slice))
    }

    fn shutdown_write(&self) -> io::Result<()> {
        self.0.shutdown_write()
    }

    fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }
}

/// What a session does with what it reads.
#[derive(Clone)]
enum Deed {
    /// Nothing but to note it.
    Note,
    /// The same; whoever waits at a gate is told when the session is gone.
    Leave(#[expect(dead_code, reason = "it is there to be dropped")] Arc<Farewell>),
    /// Write it back.
    Echo,
    /// Keep it until two bytes are there, and somebody who is told takes them; then, nothing.
    Keep(Arc<Mutex<Vec<Data>>>, Gate),
    /// Panic.
    Panic,
}

/// Opens its gate when it is dropped.
struct Farewell(Gate);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// A session that does its deed, and whether it has done enough of it.
struct Voice(Deed, bool);

impl Session for Voice {
    fn received(&mut self, data: Data, connection: &mut Connection<'_>) -> Result<(), Exit> {
        reached("received");
        match &self.0 {
            Deed::Note | Deed::Leave(_) => {}
            Deed::Echo => connection.write(data)?,
            Deed::Keep(kept, told) => {
                if !self.1 {
                    let mut kept = kept.lock();
                    kept.push(data);
                    self.1 = kept.iter().map(|data| data.len()).sum::<usize>() >= 2;
                    drop(kept);
                    if self.1 {
                        told.open();
                    }
                }
            }
            Deed::Panic => planned_panic(),
        }
        Ok(())
    }

    fn ended(&mut self, connection: &mut Connection<'_>) -> Result<(), Exit> {
        reached("the peer ended");
        connection.close();
        Ok(())
    }

    fn closed(&mut self, reason: &Exit, _: &mut Connection<'_>) {
        reached(match reason {
            Exit::ParentEnded => "interrupted",
            Exit::Panicked(_) => "ended by a panic",
            _ => "ended by itself",
        });
    }
}

/// A process with one connection, and the other end of its socket.
fn connection(node: &Node, on: On, capacity: usize, deed: Deed) -> (Address<Mail>, Address<Command>, Stream) {
    let (near, far) = pair(capacity).expect("there is room for two descriptors");
    let address = Arc::new(Mutex::new(None));
    let parent = {
        let address = address.clone();
        Parent::new(move |context: &antiphon::Context<'_, Mail>| {
            let (reader, handler) = stream::connection(Wire(near), Voice(deed, false))?;
            *address.lock() = Some(match on {
                On::Thread => context.spawn_meta(reader, handler)?,
                On::Poller => context.spawn_meta(shared(reader), handler)?,
            });
            Ok(())
        })
    };
    let parent = node.spawn(parent).expect("the node is up");
    let connection = address.lock().take().expect("the parent is alive");
    (parent, connection, far)
}

/// Reads `count` bytes, or up to the end; says how many came.
pub(crate) fn read(stream: &Stream, count: usize) -> usize {
    let event = Event::new().expect("there is room for a descriptor");
    let mut got = 0;
    while got < count {
        match stream.read(&mut [0]) {
            Ok(0) => break,
            Ok(_) => got += 1,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let wait = [Some((stream as &dyn Source, Readiness::READ))];
                readiness::wait(&event, wait, None).expect("there is room for a wait");
            }
            Err(_) => break,
        }
    }
    got
}

/// Writes `count` bytes, one at a time, as far as there is room.
pub(crate) fn write(stream: &Stream, count: usize) {
    for _ in 0..count {
        while let Err(error) = stream.write(&[7]) {
            if error.kind() != ErrorKind::WouldBlock {
                return;
            }
            let event = Event::new().expect("there is room for a descriptor");
            let wait = [Some((stream as &dyn Source, Readiness::WRITE))];
            readiness::wait(&event, wait, None).expect("there is room for a wait");
        }
    }
}

/// The owner ends while the Reader waits, or reads what its peer sent.
pub(crate) fn interrupt_against_readiness(on: On) {
    let node = node();
    let (parent, _, far) = connection(&node, on, 1, Deed::Note);
    write(&far, 1);
    node.exit(&parent, Exit::Normal);
    stop(&node);
}

/// The Reader is asked for two things, one soon after the other: to wait for room, and to end.
pub(crate) fn two_requests(on: On) {
    let node = node();
    let (parent, connection, far) = connection(&node, on, 1, Deed::Note);
    for _ in 0..2 {
        crate::parts::send(&connection, Command::write(vec![7]));
    }
    node.exit(&parent, Exit::Normal);
    stop(&node);
    drop(far);
}

/// The owner of two connections ends: both Readers wait.
pub(crate) fn two_interrupts(on: On) {
    let node = node();
    let (first, _, one) = connection(&node, on, 1, Deed::Note);
    let (second, _, other) = connection(&node, on, 1, Deed::Note);
    node.exit(&first, Exit::Normal);
    node.exit(&second, Exit::Normal);
    stop(&node);
    drop((one, other));
}

/// The peer ends while somebody has the connection write.
pub(crate) fn write_against_end(on: On) {
    let node = node();
    let gone = Gate::new();
    let leave = Deed::Leave(Arc::new(Farewell(gone.clone())));
    let (_, connection, far) = connection(&node, on, 1, leave);
    let peer = start(move || drop(far));
    reached(match connection.send(Command::write(vec![7])) {
        Ok(()) => "accepted",
        Err(_) => "refused",
    });
    peer.join();
    // Where the end goes unheard, this is a deadlock.
    gone.pass();
    stop(&node);
}

/// Whoever keeps what was read lets it go while more is on its way: reading is held up, and goes on.
pub(crate) fn hold_against_release(on: On) {
    let node = node();
    let (kept, told) = (Arc::new(Mutex::new(Vec::new())), Gate::new());
    let (_, _, far) = connection(&node, on, 2, Deed::Keep(kept.clone(), told.clone()));
    let peer = {
        let kept = kept.clone();
        start(move || {
            told.pass();
            let freed = std::mem::take(&mut *kept.lock());
            drop(freed);
        })
    };
    // As much as the window, then one more: it is read only after the first were let go.
    write(&far, 3);
    peer.join();
    let _ = far.shutdown_write();
    // The end comes after all that was read: it is there only if nothing held it up for ever.
    check(read(&far, 1) == 0, Guarantee::WakeUp, || "something was written".into());
    drop(std::mem::take(&mut *kept.lock()));
    stop(&node);
}

/// The connection answers more than there is room for, and its peer reads late.
pub(crate) fn write_against_room(on: On) {
    let node = node();
    let (_, connection, far) = connection(&node, on, 1, Deed::Note);
    let peer = start(move || {
        let got = read(&far, 2);
        check(got == 2, Guarantee::NoLoss, || format!("{got} bytes of 2 came"));
        reached("all came");
    });
    for _ in 0..2 {
        let accepted = connection.send(Command::write(vec![7])).is_ok();
        check(accepted, Guarantee::Independence, || "the Handler of an idle connection ended".into());
    }
    peer.join();
    stop(&node);
}

/// A peer sends, and has its answer.
pub(crate) fn echo(on: On) {
    let node = node();
    let (_, _, far) = connection(&node, on, 1, Deed::Echo);
    write(&far, 1);
    let got = read(&far, 1);
    check(got == 1, Guarantee::WakeUp, || "what was sent came back".into());
    drop(far);
    stop(&node);
}

/// A peer sends, and ends: the end may have come by the time what was sent is read.
pub(crate) fn last_words(on: On) {
    let node = node();
    let (_, _, far) = connection(&node, on, 1, Deed::Note);
    write(&far, 1);
    let _ = far.shutdown_write();
    // The end comes back only if it was heard.
    check(read(&far, 1) == 0, Guarantee::WakeUp, || "something was written".into());
    stop(&node);
}

/// A session panics on what it reads.
pub(crate) fn panic_in_session(on: On) {
    let node = node();
    let (parent, _, far) = connection(&node, on, 1, Deed::Panic);
    write(&far, 1);
    // The connection ends, and with it its socket.
    read(&far, 1);
    crate::parts::send(&parent, Mail::new());
    stop(&node);
}

/// A socket of the platform as one that listens.
struct Ear(Arc<Listener>);

impl Listen for Ear {
    type Socket = Wire;
    type Peer = ();

    fn source(&self) -> &dyn Source {
        &*self.0
    }

    fn accept(&self) -> io::Result<(Wire, ())> {
        Ok((Wire(self.0.accept()?), ()))
    }
}

/// Makes sessions that note what they read.
struct Doorman;

impl Accept<()> for Doorman {
    type Session = Voice;

    fn accept(&mut self, (): ()) -> Voice {
        reached("accepted");
        Voice(Deed::Note, false)
    }
}

/// A listener is stopped while a client connects.
pub(crate) fn close_against_accept(on: On) {
    let node = node();
    let socket = Arc::new(Listener::new(1).expect("there is room for a descriptor"));
    let listener: Arc<Mutex<Option<Address<Stop>>>> = Arc::new(Mutex::new(None));
    let parent = {
        let (socket, listener) = (socket.clone(), listener.clone());
        Parent::new(move |context: &antiphon::Context<'_, Mail>| {
            let (reader, handler) = stream::listener(Ear(socket), Doorman);
            *listener.lock() = Some(match on {
                On::Thread => context.spawn_meta(reader, handler)?,
                On::Poller => context.spawn_meta(shared(reader), handler)?,
            });
            Ok(())
        })
    };
    node.spawn(parent).expect("the node is up");
    let listener = listener.lock().take().expect("the parent is alive");
    let client: JoinHandle = start(move || drop(socket.connect()));
    reached(match listener.send(Stop) {
        Ok(()) => "stopped",
        Err(_) => "had ended",
    });
    client.join();
    stop(&node);
}
