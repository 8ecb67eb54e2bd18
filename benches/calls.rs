//! What a call, a monitor and a bounded mailbox cost: `cargo bench --bench calls`.

mod support;

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use antiphon::{Actor, Address, Context, Down, Exit, Node, Reply};
use support::{Subject, compare, scale};

const LONG: Duration = Duration::from_secs(60);

/// Answers with what it is asked, and one more.
struct Callee;

struct Question(u64, Reply<u64>);

impl Actor for Callee {
    type Message = Question;

    fn handle(
        &mut self,
        Question(number, reply): Question,
        _: &mut Context<'_, Question>,
    ) -> Result<(), Exit> {
        // Nobody gives up here.
        let _ = reply.send(number + 1);
        Ok(())
    }
}

/// Calls so many times, and tells how long it took.
struct Caller {
    callee: Address<Question>,
    done: mpsc::Sender<Duration>,
}

impl Actor for Caller {
    type Message = usize;

    fn handle(&mut self, count: usize, context: &mut Context<'_, usize>) -> Result<(), Exit> {
        let begin = Instant::now();
        for _ in 0..count {
            black_box(context.call(&self.callee, |reply| Question(black_box(1), reply), LONG)?);
        }
        Ok(self.done.send(begin.elapsed())?)
    }
}

fn calls_of_actor() -> (Duration, usize) {
    let count = scale(1_000_000);
    let node = Node::new();
    let callee = node.spawn(Callee).expect("the node is up");
    let (done, is_done) = mpsc::channel();
    let caller = node.spawn(Caller { callee, done }).expect("the node is up");
    caller.send(count).expect("it lives");
    let time = is_done.recv_timeout(LONG).expect("all calls are answered");
    node.stop(LONG).expect("nothing hangs");
    (time, count)
}

fn calls_of_thread() -> (Duration, usize) {
    let count = scale(1_000_000);
    let node = Node::new();
    let callee = node.spawn(Callee).expect("the node is up");
    let begin = Instant::now();
    for _ in 0..count {
        black_box(node.call(&callee, |reply| Question(black_box(1), reply), LONG).expect("it is answered"));
    }
    let time = begin.elapsed();
    node.stop(LONG).expect("nothing hangs");
    (time, count)
}

/// The same round trip between two bare threads, which wake each other.
fn bare_calls() -> (Duration, usize) {
    let count = scale(50_000);
    let (ask, asked) = mpsc::channel::<(u64, mpsc::SyncSender<u64>)>();
    let callee = thread::spawn(move || {
        asked.iter().for_each(|(number, reply)| reply.send(number + 1).expect("somebody waits"));
    });
    let begin = Instant::now();
    for _ in 0..count {
        let (reply, replied) = mpsc::sync_channel(1);
        ask.send((1, reply)).expect("the callee lives");
        black_box(replied.recv().expect("it is answered"));
    }
    let time = begin.elapsed();
    drop(ask);
    callee.join().expect("it does not panic");
    (time, count)
}

/// Watches one short-lived process after the other.
struct Watcher {
    left: usize,
    done: mpsc::Sender<()>,
}

struct ShortLived;

impl Actor for ShortLived {
    type Message = ();

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Err(Exit::Normal)
    }
}

impl Watcher {
    fn next(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        if self.left == 0 {
            return Ok(self.done.send(())?);
        }
        self.left -= 1;
        let watched = context.spawn(ShortLived)?;
        context.monitor(&watched);
        Ok(watched.send(())?)
    }
}

impl Actor for Watcher {
    type Message = ();

    fn handle(&mut self, (): (), context: &mut Context<'_, ()>) -> Result<(), Exit> {
        self.next(context)
    }

    fn down(&mut self, _: Down, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        self.next(context)
    }
}

fn monitors() -> (Duration, usize) {
    let count = scale(200_000);
    let node = Node::new();
    let (done, is_done) = mpsc::channel();
    let watcher = node.spawn(Watcher { left: count, done }).expect("the node is up");
    let begin = Instant::now();
    watcher.send(()).expect("it lives");
    is_done.recv_timeout(LONG).expect("each Down arrives");
    let time = begin.elapsed();
    node.stop(LONG).expect("nothing hangs");
    (time, count)
}

/// Tells when it has handled as many messages as expected.
struct Sink {
    room: Option<NonZeroU32>,
    left: usize,
    done: mpsc::Sender<()>,
}

impl Actor for Sink {
    type Message = u64;

    fn capacity(&self) -> Option<NonZeroU32> {
        self.room
    }

    fn handle(&mut self, _: u64, _: &mut Context<'_, u64>) -> Result<(), Exit> {
        self.left -= 1;
        if self.left == 0 {
            self.done.send(())?;
        }
        Ok(())
    }
}

/// One thread sends to one actor that has room for so many messages.
fn sends(room: Option<u32>) -> (Duration, usize) {
    let count = scale(1_000_000);
    let node = Node::new();
    let (done, is_done) = mpsc::channel();
    let room = room.and_then(NonZeroU32::new);
    let sink = node.spawn(Sink { room, left: count, done }).expect("the node is up");
    let begin = Instant::now();
    for message in 0..count {
        sink.send_timeout(message as u64, LONG).expect("there is room in time");
    }
    is_done.recv_timeout(LONG).expect("all messages are handled");
    let time = begin.elapsed();
    node.stop(LONG).expect("nothing hangs");
    (time, count)
}

fn main() {
    let medians = compare(vec![
        Subject::per_step("call, actor to actor", calls_of_actor),
        Subject::per_step("call, thread to actor", calls_of_thread),
        Subject::per_step("bare round trip between two threads", bare_calls),
        Subject::per_step("spawn, monitor, end, Down", monitors),
        Subject::per_step("send 1->1, unbounded", || sends(None)),
        Subject::per_step("send 1->1, room for a million", || sends(Some(1_000_000))),
        Subject::per_step("send 1->1, room for 1024", || sends(Some(1024))),
    ]);
    let ratio = |name| Some(medians.get(name)? / medians.get("send 1->1, unbounded")?);
    for name in ["send 1->1, room for a million", "send 1->1, room for 1024"] {
        if let Some(ratio) = ratio(name) {
            println!("{name}: {ratio:.2} times the unbounded one");
        }
    }
}
