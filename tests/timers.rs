//! Timers on the real build: a real clock, the pool, and a thread that sleeps.

use std::num::NonZeroU32;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use antiphon::{
    Actor, Context, DeadLetter, Exit, Handler, HandlerContext, Interrupt, Node, Reader, ReaderContext, Timer,
    TimerError,
};

/// Long enough for any machine; whoever waits for so long has found a fault.
const PATIENCE: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_millis(5);
/// Never comes while a test runs.
const LATE: Duration = Duration::from_secs(3600);

/// Passes on what it is sent.
struct Ear<M>(Sender<M>);

impl<M: Send + 'static> Actor for Ear<M> {
    type Message = M;

    fn handle(&mut self, message: M, _: &mut Context<'_, M>) -> Result<(), Exit> {
        // The test may have heard enough.
        let _ = self.0.send(message);
        Ok(())
    }
}

fn ear<M: Send + 'static>(node: &Node) -> (antiphon::Address<M>, Receiver<M>) {
    let (heard, hears) = channel();
    (node.spawn(Ear(heard)).expect("the node is up"), hears)
}

fn stop(node: &Node) {
    node.stop(PATIENCE).expect("nothing hangs");
}

#[test]
fn messages_come_when_they_are_due_and_in_that_order() {
    let node = Node::new();
    let (ear, hears) = ear(&node);
    let begun = Instant::now();
    for (message, delay) in [(3, SOON * 3), (1, SOON), (2, SOON * 2)] {
        node.send_after(&ear, message, delay).unwrap();
    }
    for expected in 1..=3 {
        assert_eq!(hears.recv_timeout(PATIENCE), Ok(expected));
        assert!(begun.elapsed() >= SOON * expected, "message {expected} came before it was due");
    }
    stop(&node);
}

#[test]
fn a_timer_that_is_cancelled_in_time_is_never_heard_of() {
    let node = Node::new();
    let (ear, hears) = ear(&node);
    let timer = node.send_after(&ear, "late", LATE).unwrap();
    assert!(node.cancel(timer));
    assert!(!node.cancel(timer), "it is cancelled once");
    let due = node.send_after(&ear, "due", SOON).unwrap();
    assert_eq!(hears.recv_timeout(PATIENCE), Ok("due"));
    assert!(!node.cancel(due), "it was sent");
    stop(&node);
    assert_eq!(hears.try_recv().ok(), None);
}

#[test]
fn each_timer_was_cancelled_or_sent() {
    let node = Node::new();
    let (ear, hears) = ear(&node);
    let timers: Vec<Timer> =
        (0..2000u64).map(|n| node.send_after(&ear, n, Duration::from_micros(n % 400)).unwrap()).collect();
    let cancelled = timers.iter().map(|timer| node.cancel(*timer)).collect::<Vec<_>>();
    node.send_after(&ear, u64::MAX, Duration::from_millis(10)).unwrap();
    let mut sent = vec![false; timers.len()];
    loop {
        match hears.recv_timeout(PATIENCE).unwrap() {
            u64::MAX => break,
            n => assert!(!std::mem::replace(&mut sent[n as usize], true), "{n} was sent twice"),
        }
    }
    for (n, (cancelled, sent)) in cancelled.into_iter().zip(sent).enumerate() {
        assert!(cancelled != sent, "timer {n}: cancelled {cancelled}, sent {sent}");
    }
    stop(&node);
}

/// Ticks, and ends at the third tick.
struct Clock {
    ticks: u32,
    gone: Sender<u32>,
}

impl Actor for Clock {
    type Message = ();

    fn init(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        context.send_every(&context.address(), (), SOON)?;
        Ok(())
    }

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        self.ticks += 1;
        if self.ticks == 3 { Err(Exit::Normal) } else { Ok(()) }
    }

    fn terminate(&mut self, _: &Exit, context: &mut Context<'_, ()>) {
        let refused = context.send_after(&context.address(), (), SOON);
        assert!(matches!(refused, Err(TimerError::Refused(()))), "{refused:?}");
        let _ = self.gone.send(self.ticks);
    }
}

#[test]
fn a_timer_that_repeats_ends_with_its_owner() {
    let node = Node::new();
    let (gone, goes) = channel();
    let begun = Instant::now();
    node.spawn(Clock { ticks: 0, gone }).unwrap();
    assert_eq!(goes.recv_timeout(PATIENCE), Ok(3));
    assert!(begun.elapsed() >= SOON * 3);
    stop(&node);
    assert_eq!(node.refused_timers(), 0);
}

#[test]
fn ticks_to_a_full_mailbox_are_dropped_and_counted() {
    struct Slow(Receiver<()>, Sender<()>);
    impl Actor for Slow {
        type Message = ();
        fn capacity(&self) -> Option<NonZeroU32> {
            NonZeroU32::new(1)
        }
        fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
            let _ = self.1.send(());
            let _ = self.0.recv();
            Ok(())
        }
    }
    let node = Node::new();
    let ((go, wait), (begin, begun)) = (channel(), channel());
    let slow = node.spawn(Slow(wait, begin)).unwrap();
    let timer = node.send_every(&slow, (), Duration::from_millis(1)).unwrap();
    begun.recv_timeout(PATIENCE).unwrap();
    let until = Instant::now() + PATIENCE;
    while node.refused_timers() < 3 {
        assert!(Instant::now() < until, "no tick was refused");
        std::thread::yield_now();
    }
    node.cancel(timer);
    drop(go);
    begun.recv_timeout(PATIENCE).expect("the tick that had room is handled");
    stop(&node);
}

#[test]
fn what_is_refused_when_it_is_due_becomes_a_dead_letter() {
    let node = Node::new();
    let (office, letters) = ear::<DeadLetter>(&node);
    node.subscribe_dead_letters(&office);
    let (gone, _) = ear::<&str>(&node);
    node.exit(&gone, Exit::Normal);
    while gone.send("still there").is_ok() {}
    // The recipient of a plain thread's timer owns it.
    assert!(matches!(node.send_after(&gone, "late", SOON), Err(TimerError::Refused("late"))));

    struct Caller(antiphon::Address<&'static str>);
    impl Actor for Caller {
        type Message = ();
        fn init(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
            context.send_after(&self.0, "to nobody", SOON)?;
            Ok(())
        }
        fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
            Ok(())
        }
    }
    node.spawn(Caller(gone.clone())).unwrap();
    loop {
        let letter = letters.recv_timeout(PATIENCE).unwrap();
        assert_eq!(letter.to, gone.id());
        if *letter.message.downcast::<&str>().unwrap() == "to nobody" {
            break;
        }
    }
    stop(&node);
    assert_eq!(node.refused_timers(), 1);
}

#[test]
fn a_period_of_nothing_is_refused() {
    let node = Node::new();
    let (ear, _hears) = ear(&node);
    let refused = node.send_every(&ear, 7, Duration::ZERO);
    assert!(matches!(refused, Err(TimerError::NoPeriod(7))), "{refused:?}");
    stop(&node);
}

#[test]
fn a_node_stops_with_timers_pending_and_frees_what_they_were_to_send() {
    let node = Node::new();
    let (ear, hears) = ear::<Sender<()>>(&node);
    let (message, freed) = channel();
    for _ in 0..100 {
        node.send_after(&ear, message.clone(), LATE).unwrap();
    }
    drop(message);
    stop(&node);
    assert_eq!(hears.recv_timeout(PATIENCE).unwrap_err(), RecvTimeoutError::Disconnected);
    assert_eq!(freed.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
    let (late, _) = channel();
    assert!(matches!(node.send_after(&ear, late, SOON), Err(TimerError::Refused(_))));
}

/// A Reader that sets a timer for its Handler and waits for its interrupt.
struct Watch(Option<Sender<()>>, Receiver<()>);

impl Reader<u8> for Watch {
    fn interrupt(&mut self) -> Interrupt {
        let door = self.0.take();
        Interrupt::new(move || drop(door))
    }

    fn run(self, context: &ReaderContext<u8>) -> Result<(), Exit> {
        context.send_after(&context.address(), 1, SOON)?;
        context.send_after(&context.address(), 2, LATE)?;
        let interrupted = self.1.recv();
        assert_eq!(interrupted, Err(std::sync::mpsc::RecvError));
        Ok(())
    }
}

/// Sets a timer for itself, and passes on what it is sent.
struct Hand(Sender<u8>);

impl Handler for Hand {
    type Message = u8;

    fn init(&mut self, context: &mut HandlerContext<'_, u8>) -> Result<(), Exit> {
        context.send_after(&context.address(), 0, Duration::ZERO)?;
        Ok(())
    }

    fn handle(&mut self, message: u8, _: &mut HandlerContext<'_, u8>) -> Result<(), Exit> {
        Ok(self.0.send(message)?)
    }
}

struct Parent(Option<Sender<u8>>);

impl Actor for Parent {
    type Message = ();

    fn init(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        let (open, closed) = channel();
        context.spawn_meta(Watch(Some(open), closed), Hand(self.0.take().expect("begun once")))?;
        Ok(())
    }

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }
}

#[test]
fn both_lines_of_a_meta_process_have_timers() {
    let node = Node::new();
    let (heard, hears) = channel();
    node.spawn(Parent(Some(heard))).unwrap();
    let mut both = [(); 2].map(|()| hears.recv_timeout(PATIENCE).unwrap());
    both.sort_unstable();
    assert_eq!(both, [0, 1]);
    stop(&node);
    assert_eq!(hears.try_recv().ok(), None);
}
