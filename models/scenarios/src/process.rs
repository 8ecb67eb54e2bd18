//! Processes: senders that compete, ends that race, panics.

use antiphon::{Address, DeadLetter, Exit};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use platform::thread::JoinHandle;

use crate::parts::{Clerk, Mail, Order, PanicIn, node, send, send_some, sender, start, stop};

/// `senders` threads, the engine's main thread one of them, send `count` messages each to one actor.
pub(crate) fn competing_senders(senders: u64, count: u64) {
    let node = node();
    let clerk = node.spawn(Clerk::new()).expect("the node is up");
    let threads: Vec<_> = (1..senders).map(|_| sender(&clerk, count)).collect();
    send_some(&clerk, count);
    threads.into_iter().for_each(JoinHandle::join);
    stop(&node);
}

/// An actor sends to itself, from inside its own callback: what it sends waits for its turn.
pub(crate) fn send_to_self() {
    let node = node();
    let clerk = node.spawn(Clerk::new()).expect("the node is up");
    let thread = sender(&clerk, 1);
    let (once, twice) = (clerk.clone(), clerk.clone());
    // While the first of two is handled, a third joins the second.
    let first = Order::Do(Box::new(move || _ = send(&once, Mail::new())));
    let both = move || {
        send(&twice, Mail::order(first));
        send(&twice, Mail::new());
    };
    send(&clerk, Mail::order(Order::Do(Box::new(both))));
    thread.join();
    stop(&node);
}

/// Two threads send to an actor that has ended: each has its message back.
pub(crate) fn send_to_ended() {
    let node = node();
    let clerk = node.spawn(Clerk::new()).expect("the node is up");
    send(&clerk, Mail::order(Order::End(Exit::Normal)));
    let thread = sender(&clerk, 1);
    send(&clerk, Mail::new());
    thread.join();
    stop(&node);
}

/// An actor is spawned after another has ended, beside a third: it takes its place, not its identity.
pub(crate) fn spawn_after_end() {
    let node = node();
    let first = node.spawn(Clerk::new()).expect("the node is up");
    let beside = node.spawn(Clerk::new()).expect("the node is up");
    send(&first, Mail::order(Order::End(Exit::Normal)));
    let thread = sender(&beside, 1);
    let second = node.spawn(Clerk::new()).expect("the node is up");
    send(&second, Mail::new());
    thread.join();
    stop(&node);
}

/// An actor that knows its own address, as it would to hand it out.
struct Introvert(Option<Address<Mail>>);

impl antiphon::Actor for Introvert {
    type Message = Mail;

    fn init(&mut self, context: &mut antiphon::Context<'_, Mail>) -> Result<(), Exit> {
        self.0 = Some(context.address());
        Ok(())
    }

    fn handle(&mut self, _: Mail, _: &mut antiphon::Context<'_, Mail>) -> Result<(), Exit> {
        reached("handled");
        Ok(())
    }
}

/// An actor that keeps its own address is not kept by it.
pub(crate) fn keeps_own_address() {
    let node = node();
    let introvert = node.spawn(Introvert(None)).expect("the node is up");
    let thread = sender(&introvert, 1);
    node.exit(&introvert, Exit::Normal);
    thread.join();
    stop(&node);
}

/// One sender, two recipients: each gets its own.
pub(crate) fn two_recipients() {
    let node = node();
    let clerks = [(); 2].map(|()| node.spawn(Clerk::new()).expect("the node is up"));
    let thread = {
        let [first, second] = clerks.clone();
        start(move || {
            send(&first, Mail::new());
            send(&second, Mail::new());
        })
    };
    let [first, second] = &clerks;
    send(second, Mail::new());
    send(first, Mail::new());
    thread.join();
    stop(&node);
}

/// Two threads spawn one actor each: each has its own identity.
pub(crate) fn concurrent_spawns() {
    let node = node();
    let thread = {
        let node = node.clone();
        start(move || {
            let clerk = node.spawn(Clerk::new()).expect("the node is up");
            send(&clerk, Mail::new());
        })
    };
    let clerk = node.spawn(Clerk::new()).expect("the node is up");
    send(&clerk, Mail::new());
    thread.join();
    stop(&node);
}

/// A thread spawns while another stops the node: the actor ends with the node, or never lived.
pub(crate) fn spawn_against_stop() {
    let node = node();
    let thread = {
        let node = node.clone();
        start(move || match node.spawn(Clerk::new()) {
            Ok(clerk) => {
                reached("spawned");
                send(&clerk, Mail::new());
            }
            Err(_) => reached("spawn refused"),
        })
    };
    stop(&node);
    thread.join();
}

/// How a process is told to end.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    Exit,
    Finish,
    Kill,
    TwoKills,
    Return,
    Fail,
    Panic,
    NodeStop,
}

/// A sender of `count` messages, against each way to end. A second actor hears of the dead letters.
pub(crate) fn send_against(way: Way, count: u64) {
    let node = node();
    let clerk = node.spawn(Clerk::new()).expect("the node is up");
    let thread = sender(&clerk, count);
    let killer = matches!(way, Way::TwoKills).then(|| {
        let (node, clerk) = (node.clone(), clerk.clone());
        start(move || node.kill(&clerk))
    });
    match way {
        Way::Exit => node.exit(&clerk, Exit::Normal),
        Way::Finish => node.finish(&clerk),
        Way::Kill | Way::TwoKills => node.kill(&clerk),
        Way::Return => _ = send(&clerk, Mail::order(Order::End(Exit::Normal))),
        Way::Fail => _ = send(&clerk, Mail::order(Order::End(Exit::Failed("planned".into())))),
        Way::Panic => _ = send(&clerk, Mail::order(Order::Panic)),
        Way::NodeStop => stop(&node),
    }
    thread.join();
    if let Some(killer) = killer {
        killer.join();
    }
    let late = clerk.send(Mail::new());
    check(late.is_err(), Guarantee::ClosedIsClosed, || "a send to an ended actor was accepted".into());
    stop(&node);
}

/// An actor whose `init` or `terminate` panics, and another that goes on.
pub(crate) fn panic_in(callback: PanicIn) {
    let node = node();
    let other = node.spawn(Clerk::new()).expect("the node is up");
    let thread = sender(&other, 1);
    match node.spawn(Clerk::panicking_in(callback)) {
        Ok(clerk) => {
            send(&clerk, Mail::order(Order::End(Exit::Normal)));
            reached("ended");
        }
        Err(_) => reached("init failed"),
    }
    thread.join();
    check(send(&other, Mail::new()), Guarantee::PanicContainment, || "another actor ended too".into());
    stop(&node);
}

/// Hears of the dead letters of others.
struct DeadLetterOffice;

impl antiphon::Actor for DeadLetterOffice {
    type Message = DeadLetter;

    fn handle(&mut self, letter: DeadLetter, _: &mut antiphon::Context<'_, DeadLetter>) -> Result<(), Exit> {
        reached("dead letter");
        check(letter.message.is::<Mail>(), Guarantee::NoLoss, || "not the message that was sent".into());
        Ok(())
    }
}

/// What an actor has accepted and not handled when it ends goes to the subscriber.
pub(crate) fn dead_letters(count: u64) {
    let node = node();
    let office: Address<DeadLetter> = node.spawn(DeadLetterOffice).expect("the node is up");
    node.subscribe_dead_letters(&office);
    let clerk = node.spawn(Clerk::new()).expect("the node is up");
    let thread = sender(&clerk, count);
    send(&clerk, Mail::order(Order::End(Exit::Normal)));
    thread.join();
    stop(&node);
}
