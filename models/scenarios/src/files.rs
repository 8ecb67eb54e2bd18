//! A file of a model: what it holds, which file has its name, and a pipe that tells of changes, as inotify does.

use std::io::{self, ErrorKind};

use antiphon::io::Source;
use antiphon::io::file::{self, Change, Command, Content, Data, Options, Place, Reading, Seen, Session};
use antiphon::{Address, Exit, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use platform::readiness::{Stream, pair};
use platform::sync::{Arc, Mutex};

use crate::parts::{EVER, Gate, Mail, Parent, node, start, stop};

/// A disk with one name, and what has or had it.
struct Disk {
    state: Mutex<State>,
    /// Where changes are told.
    pipe: Stream,
}

#[derive(Default)]
struct State {
    files: Vec<Vec<u8>>,
    named: usize,
    /// Which file is watched, once the name is.
    watched: Option<usize>,
    told: Seen,
}

impl Disk {
    /// Changes something, and tells of it if it is watched.
    fn change(&self, change: impl FnOnce(&mut State) -> Seen) {
        let mut state = self.state.lock();
        let seen = change(&mut state);
        state.told.content |= seen.content;
        state.told.name |= seen.name;
        drop(state);
        // If there is no room, the Reader is about to look anyway.
        let _ = self.pipe.write(&[1]);
    }

    /// Writes a byte to the end of the file that has the name.
    fn append(&self, byte: u8) {
        self.change(|state| {
            let named = state.named;
            state.files[named].push(byte);
            Seen { content: state.watched == Some(named), name: false }
        });
    }

    /// Empties the file that has the name.
    fn truncate(&self) {
        self.change(|state| {
            let named = state.named;
            state.files[named].clear();
            Seen { content: state.watched == Some(named), name: false }
        });
    }

    /// Gives the name to another file.
    fn replace(&self, content: &[u8]) {
        self.change(|state| {
            state.files.push(content.to_vec());
            state.named = state.files.len() - 1;
            Seen { content: false, name: state.watched.is_some() }
        });
    }
}

/// The name, for the Reader.
struct Name {
    disk: Arc<Disk>,
    pipe: Stream,
    is_followed: bool,
    /// What is done to the disk when the Reader is about to look at the name for the first time.
    before_look: Option<fn(&Disk)>,
}

impl Place for Name {
    type Content = Open;

    fn open(&self) -> io::Result<Open> {
        Ok(Open { disk: self.disk.clone(), number: self.disk.state.lock().named })
    }

    fn changes(&self) -> Option<&dyn Source> {
        self.is_followed.then_some(&self.pipe)
    }

    fn watch(&mut self) -> io::Result<()> {
        let is_watched = self.disk.state.lock().watched.is_some();
        if let Some(before_look) = self.before_look.take_if(|_| is_watched) {
            before_look(&self.disk);
        }
        let mut state = self.disk.state.lock();
        state.watched = Some(state.named);
        Ok(())
    }

    fn take(&mut self) -> io::Result<Seen> {
        // First the pipe: what comes after that is told again.
        while self.pipe.read(&mut [0]).is_ok_and(|count| count > 0) {}
        Ok(std::mem::take(&mut self.disk.state.lock().told))
    }
}

/// A file that is open, whatever has become of its name.
struct Open {
    disk: Arc<Disk>,
    number: usize,
}

impl Open {
    fn with<T>(&self, look: impl FnOnce(&[u8]) -> T) -> T {
        look(&self.disk.state.lock().files[self.number])
    }
}

impl Content for Open {
    fn identity(&self) -> (u64, u64) {
        (0, self.number as u64)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.with(|content| content.len() as u64))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let offset = usize::try_from(offset).map_err(|_| ErrorKind::InvalidInput)?;
        Ok(self.with(|content| {
            let rest = content.get(offset..).unwrap_or_default();
            buffer[..rest.len()].copy_from_slice(rest);
            rest.len()
        }))
    }
}

/// What a session was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    Byte(u8),
    Changed,
    Ended,
}

/// A session that expects to be told this, in this order, and opens its gate after each.
struct Ear {
    expects: Vec<(Told, Gate)>,
    told: usize,
    /// Goes to the begin of the file when it was told so much.
    seeks_after: Option<usize>,
}

impl Ear {
    fn hear(&mut self, told: Told, reading: &mut Reading<'_, Data>) -> Result<(), Exit> {
        let expected = self.expects.get(self.told);
        let is_expected = expected.is_some_and(|(expected, _)| *expected == told);
        check(is_expected, Guarantee::NoLoss, || {
            format!("{told:?} was told, and {:?} had to be", expected.map(|(expected, _)| *expected))
        });
        self.told += 1;
        if self.seeks_after == Some(self.told) {
            reading.seek(0);
        }
        if let Some((_, gate)) = expected {
            gate.open();
        }
        Ok(())
    }
}

impl Session for Ear {
    type Unit = Data;

    fn received(&mut self, data: Data, reading: &mut Reading<'_, Data>) -> Result<(), Exit> {
        reached("received");
        self.hear(Told::Byte(data[0]), reading)
    }

    fn changed(&mut self, change: Change, reading: &mut Reading<'_, Data>) -> Result<(), Exit> {
        reached(match change {
            Change::Truncated => "truncated",
            _ => "replaced",
        });
        self.hear(Told::Changed, reading)
    }

    fn ended(&mut self, reading: &mut Reading<'_, Data>) -> Result<(), Exit> {
        self.hear(Told::Ended, reading)
    }

    fn closed(&mut self, reason: &Exit, _: &mut Reading<'_, Data>) {
        reached(match reason {
            Exit::ParentEnded => "interrupted",
            _ => "ended by itself",
        });
    }
}

/// What belongs to a file in a scenario.
struct Desk {
    node: Node,
    parent: Address<Mail>,
    reading: Address<Command<Data>>,
    disk: Arc<Disk>,
    /// Each is open once its part was told.
    told: Vec<Gate>,
}

impl Desk {
    /// A process with a Reader of a file.
    fn begin(follow: bool, content: &[u8], expects: &[Told], seeks_after: Option<usize>) -> Self {
        Self::with(follow, content, expects, seeks_after, None)
    }

    /// The same; something is done to the disk when the Reader is about to look at the name.
    fn with(
        follow: bool,
        content: &[u8],
        expects: &[Told],
        seeks_after: Option<usize>,
        before_look: Option<fn(&Disk)>,
    ) -> Self {
        let (near, far) = pair(1).expect("there is room for two descriptors");
        let state = State { files: vec![content.to_vec()], ..State::default() };
        let disk = Arc::new(Disk { state: Mutex::new(state), pipe: far });
        let name = Name { disk: disk.clone(), pipe: near, is_followed: follow, before_look };
        let told: Vec<_> = expects.iter().map(|_| Gate::new()).collect();
        let expects = expects.iter().copied().zip(told.iter().cloned()).collect();
        let ear = Ear { expects, told: 0, seeks_after };
        // Each byte is told by itself, however many are read at once.
        let options = Options::new("model").limit(1);
        let options = if follow { options.follow() } else { options };
        let address = Arc::new(Mutex::new(None));
        let parent = {
            let address = address.clone();
            Parent::new(move |context: &antiphon::Context<'_, Mail>| {
                let (reader, handler) = file::reader_at(options, name, ear)?;
                *address.lock() = Some(context.spawn_meta(reader, handler)?);
                Ok(())
            })
        };
        let node = node();
        let parent = node.spawn(parent).expect("the node is up");
        let reading = address.lock().take().expect("the parent is alive");
        Self { node, parent, reading, disk, told }
    }
}

/// A file grows while its Reader comes to its end: what is appended is read.
pub(crate) fn append_against_end() {
    let desk = Desk::begin(true, &[1], &[Told::Byte(1), Told::Byte(2)], None);
    desk.disk.append(2);
    // Where the Reader does not look again, this is a deadlock.
    desk.told[1].pass();
    stop(&desk.node);
}

/// A file that was read is truncated, and grows again.
pub(crate) fn truncate_against_read() {
    let desk = Desk::begin(true, &[1], &[Told::Byte(1), Told::Changed, Told::Byte(2)], None);
    desk.told[0].pass();
    desk.disk.truncate();
    desk.told[1].pass();
    desk.disk.append(2);
    desk.told[2].pass();
    stop(&desk.node);
}

/// A file grows, and another takes its name: the old one is read to its end, then the new one from its begin.
pub(crate) fn replace_against_end() {
    let expects = [Told::Byte(1), Told::Byte(2), Told::Changed, Told::Byte(3)];
    let desk = Desk::begin(true, &[1], &expects, None);
    desk.told[0].pass();
    desk.disk.append(2);
    desk.disk.replace(&[3]);
    desk.told[3].pass();
    stop(&desk.node);
}

/// The same, between the Reader's last look at the old one and its look at the name.
pub(crate) fn replace_before_look() {
    let expects = [Told::Byte(1), Told::Byte(2), Told::Changed, Told::Byte(3)];
    let replace = |disk: &Disk| {
        disk.append(2);
        disk.replace(&[3]);
    };
    let desk = Desk::with(true, &[1], &expects, None, Some(replace));
    desk.told[3].pass();
    stop(&desk.node);
}

/// The old one is truncated and written to there, and then replaced.
pub(crate) fn truncate_and_replace_before_look() {
    let expects = [Told::Byte(1), Told::Byte(2), Told::Changed, Told::Byte(3), Told::Changed, Told::Byte(4)];
    let replace = |disk: &Disk| {
        disk.truncate();
        disk.append(3);
        disk.replace(&[4]);
    };
    let desk = Desk::with(true, &[1, 2], &expects, None, Some(replace));
    desk.told[5].pass();
    stop(&desk.node);
}

/// The session goes back while the Reader reads on: what was read before that, and not told, is not told.
pub(crate) fn seek_against_delivery() {
    let expects = [Told::Byte(1), Told::Byte(1), Told::Byte(2), Told::Ended];
    let desk = Desk::begin(false, &[1, 2], &expects, Some(1));
    // Whoever asks may run the Handler, and the Reader reads on.
    let position = desk.node.call(&desk.reading, Command::position, EVER);
    reached(if position.is_ok() { "position" } else { "no position" });
    desk.told[3].pass();
    stop(&desk.node);
}

/// The owner ends while the file grows.
pub(crate) fn interrupt_against_append() {
    let desk = Desk::begin(true, &[], &[Told::Byte(1)], None);
    let writer = {
        let disk = desk.disk.clone();
        start(move || disk.append(1))
    };
    desk.node.exit(&desk.parent, Exit::Normal);
    writer.join();
    stop(&desk.node);
}
