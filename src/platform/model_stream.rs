//! Connected stream sockets for models, and what accepts them.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};

use super::{Level, Readiness, Source};
use crate::sync::{Arc, Mutex};

/// One end of a connection, which never blocks.
///
/// Reading, writing, the end and the reset are those of a TCP socket, as `contract/` tells them; there is no
/// delay and no loss between the two ends, and what one of them writes is there to be read at once.
#[derive(Debug)]
pub struct Stream {
    pair: Arc<Mutex<Pair>>,
    side: usize,
}

#[derive(Debug)]
struct Pair {
    /// How many bytes may be on their way in one direction.
    capacity: usize,
    ends: [End; 2],
}

#[derive(Debug)]
struct End {
    level: Level,
    /// Written by the other end, not yet read by this one.
    inbound: VecDeque<u8>,
    /// Nothing more comes.
    ended: bool,
    /// It writes no more.
    shut: bool,
    /// It is no longer there.
    closed: bool,
    /// The other end has gone without reading all.
    reset: bool,
}

/// Two connected ends; `capacity` bytes may be on their way in each direction.
///
/// # Errors
/// Never; the signature is that of the other platforms.
pub fn pair(capacity: usize) -> io::Result<(Stream, Stream)> {
    let end = || End {
        level: Level::new(Readiness::WRITE),
        inbound: VecDeque::new(),
        ended: false,
        shut: false,
        closed: false,
        reset: false,
    };
    let pair = Arc::new(Mutex::new(Pair { capacity, ends: [end(), end()] }));
    Ok((Stream { pair: Arc::clone(&pair), side: 0 }, Stream { pair, side: 1 }))
}

impl Pair {
    /// Sets both levels to what the state says.
    fn settle(&mut self) {
        for side in [0, 1] {
            let (other, end) = (&self.ends[1 - side], &self.ends[side]);
            let broken = end.reset || (end.shut && end.ended);
            let readable = broken || end.ended || !end.inbound.is_empty();
            let writable = broken || end.shut || other.closed || other.inbound.len() < self.capacity;
            let mut ready = Readiness::NONE;
            for (holds, readiness) in [
                (readable, Readiness::READ),
                (writable, Readiness::WRITE),
                (broken, Readiness::BROKEN),
                (end.ended, Readiness::MORE),
            ] {
                if holds {
                    ready = ready.union(readiness);
                }
            }
            if ready != end.level.ready {
                self.ends[side].level.set(ready);
            }
        }
    }
}

impl Stream {
    /// Reads what is there: as much as `buffer` has room for; nothing at the end.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is there yet, `ConnectionReset` if the other end went without reading all.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut pair = self.pair.lock();
        let end = &mut pair.ends[self.side];
        if std::mem::take(&mut end.reset) {
            // It is told once; after it comes the end.
            (end.ended, end.shut) = (true, true);
            end.inbound.clear();
            pair.settle();
            return Err(ErrorKind::ConnectionReset.into());
        }
        let count = buffer.len().min(end.inbound.len());
        if count == 0 && !end.ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        for (to, from) in buffer.iter_mut().zip(end.inbound.drain(..count)) {
            *to = from;
        }
        pair.settle();
        Ok(count)
    }

    /// How many bytes can be read.
    ///
    /// # Errors
    /// Never; the signature is that of the other platforms.
    pub fn unread(&self) -> io::Result<usize> {
        Ok(self.pair.lock().ends[self.side].inbound.len())
    }

    /// Writes as much as there is room for.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room, `BrokenPipe` if the other end is gone or this one was shut.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut pair = self.pair.lock();
        let capacity = pair.capacity;
        let (me, other) = pair.both(self.side);
        if me.shut || other.closed {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let count = bytes.len().min(capacity - other.inbound.len());
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        other.inbound.extend(&bytes[..count]);
        pair.settle();
        Ok(count)
    }

    /// Tells the other end that nothing more comes.
    ///
    /// # Errors
    /// Never; the signature is that of the other platforms.
    pub fn shutdown_write(&self) -> io::Result<()> {
        let mut pair = self.pair.lock();
        let (me, other) = pair.both(self.side);
        (me.shut, other.ended) = (true, true);
        pair.settle();
        Ok(())
    }

    /// Takes the error that broke the connection, if one did.
    ///
    /// # Errors
    /// Never; the signature is that of the other platforms.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        let mut pair = self.pair.lock();
        let end = &mut pair.ends[self.side];
        let reset = std::mem::take(&mut end.reset);
        if reset {
            (end.ended, end.shut) = (true, true);
            pair.settle();
        }
        Ok(reset.then(|| ErrorKind::ConnectionReset.into()))
    }

    /// Goes away at once, whatever is on its way.
    pub fn reset(self) {
        let mut pair = self.pair.lock();
        pair.ends[1 - self.side].reset = true;
        pair.settle();
    }
}

impl Pair {
    fn both(&mut self, side: usize) -> (&mut End, &mut End) {
        let [first, second] = &mut self.ends;
        if side == 0 { (first, second) } else { (second, first) }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut pair = self.pair.lock();
        let (me, other) = pair.both(self.side);
        (me.closed, other.ended) = (true, true);
        other.reset |= !me.inbound.is_empty();
        // Nobody waits for what is closed: as the operating system, which forgets it then.
        me.level = Level::default();
        pair.settle();
    }
}

impl Source for Stream {
    fn level(&self, look: &mut dyn FnMut(&mut Level)) {
        look(&mut self.pair.lock().ends[self.side].level);
    }
}

/// A socket that accepts connections, and never blocks.
#[derive(Debug)]
pub struct Listener {
    waiting: Mutex<(Level, VecDeque<Stream>)>,
    capacity: usize,
}

impl Listener {
    /// A listener; `capacity` bytes may be on their way in each direction of each of its connections.
    ///
    /// # Errors
    /// Never; the signature is that of the other platforms.
    pub fn new(capacity: usize) -> io::Result<Self> {
        Ok(Self { waiting: Mutex::default(), capacity })
    }

    /// Connects to it, and waits for nothing.
    ///
    /// # Errors
    /// Never; the signature is that of the other platforms.
    pub fn connect(&self) -> io::Result<Stream> {
        let (near, far) = pair(self.capacity)?;
        let mut waiting = self.waiting.lock();
        waiting.1.push_back(far);
        waiting.0.set(Readiness::READ);
        Ok(near)
    }

    /// Accepts the connection that has waited longest.
    ///
    /// # Errors
    /// `WouldBlock` if none waits.
    pub fn accept(&self) -> io::Result<Stream> {
        let mut waiting = self.waiting.lock();
        let stream = waiting.1.pop_front().ok_or(ErrorKind::WouldBlock)?;
        if waiting.1.is_empty() {
            waiting.0.set(Readiness::NONE);
        }
        Ok(stream)
    }
}

impl Source for Listener {
    fn level(&self, look: &mut dyn FnMut(&mut Level)) {
        look(&mut self.waiting.lock().0);
    }
}
