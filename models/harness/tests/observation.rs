//! What an execution is, and to whom it belongs.

use std::thread;

use antiphon_harness::{begin, begin_keeping, begin_shared, check, finish, observe, reached, take};
use antiphon_spec::Guarantee;
use antiphon_spec::event::{ActorId, Class, Event, Kind, MessageId, Sender};

const ACTOR: ActorId = ActorId(1);

fn born() {
    observe(Event::InitBegin { actor: ACTOR, kind: Kind::Process, parent: None });
    observe(Event::InitEnd { actor: ACTOR, ok: true });
}

fn send(message: u64) {
    let (message, from) = (MessageId(message), Some(Sender::Thread("t".into())));
    observe(Event::SendBegin { message, from, to: ACTOR, class: Class::Main });
    observe(Event::SendEnd { message, accepted: true });
}

fn handle(message: u64) {
    observe(Event::HandleBegin { actor: ACTOR, message: MessageId(message) });
    observe(Event::HandleEnd { actor: ACTOR, message: MessageId(message), ok: true });
}

/// The tests of the shared execution must not meet: there is one in the process.
static SHARED: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[test]
fn totals_are_counted_over_executions_and_taken_once() {
    for _ in 0..3 {
        begin();
        born();
        send(1);
        handle(1);
        reached("handled");
        reached("handled");
        check(true, Guarantee::CleanStop, || unreachable!("only a fault needs words"));
        finish(true).unwrap();
    }
    let observed = take();
    assert_eq!(observed.executions, 3);
    assert_eq!(observed.reached["handled"], 3, "executions are counted, not times");
    assert_eq!(observed.premises[&Guarantee::CleanStop], 3);
    assert!(observed.premises[&Guarantee::RightRecipient] >= 3);
    assert!(!observed.premises.contains_key(&Guarantee::NoLeak));
    assert_eq!(take().executions, 0);
}

#[test]
fn the_first_fault_is_the_one() {
    begin();
    born();
    send(1);
    handle(1);
    handle(1);
    check(false, Guarantee::CleanStop, || "later".into());
    let fault = finish(true).unwrap_err();
    assert_eq!(fault.guarantee, Guarantee::NoDuplication);
    assert_eq!(fault.event, Some(Event::HandleBegin { actor: ACTOR, message: MessageId(1) }));
    assert_eq!(fault.history.len(), 6);
    assert_eq!(fault.earlier, 0);
    assert!(!fault.at_rest);
    assert!(!fault.allowed.is_empty());
    assert_eq!(take().executions, 1, "a faulty execution is one, too");
}

#[test]
fn what_waits_for_ever_is_a_fault_only_at_rest() {
    begin();
    born();
    send(1);
    finish(false).unwrap();
    begin();
    born();
    send(1);
    let fault = finish(true).unwrap_err();
    assert_eq!((fault.guarantee, fault.event, fault.at_rest), (Guarantee::WakeUp, None, true));
}

#[test]
fn only_the_last_events_are_kept() {
    begin_keeping(3);
    born();
    send(1);
    handle(1);
    handle(1);
    let fault = finish(true).unwrap_err();
    assert_eq!((fault.history.len(), fault.earlier), (3, 3));
    assert_eq!(fault.history[2], Event::HandleEnd { actor: ACTOR, message: MessageId(1), ok: true });
}

#[test]
fn an_abandoned_execution_counts_for_nothing() {
    begin();
    check(false, Guarantee::CleanStop, || "abandoned".into());
    reached("abandoned");
    begin();
    finish(true).unwrap();
    let observed = take();
    assert_eq!(observed.executions, 1);
    assert!(observed.reached.is_empty());
}

#[test]
fn without_an_execution_nothing_is_recorded() {
    let _alone = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    observe(Event::Interrupt { actor: ACTOR });
    check(false, Guarantee::CleanStop, || "nobody is there".into());
    begin();
    finish(true).unwrap();
}

#[test]
fn threads_without_an_execution_report_to_the_shared_one() {
    let _alone = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    begin_shared();
    thread::spawn(|| reached("from another thread")).join().unwrap();
    thread::spawn(|| {
        begin();
        reached("its own");
        finish(true).unwrap();
        assert_eq!(take().reached.len(), 1);
    })
    .join()
    .unwrap();
    thread::spawn(|| check(false, Guarantee::NoLeak, || "found elsewhere".into())).join().unwrap();
    assert_eq!(finish(true).unwrap_err().guarantee, Guarantee::NoLeak);
    let observed = take();
    assert_eq!(observed.executions, 1);
    assert_eq!(observed.reached.keys().collect::<Vec<_>>(), [&"from another thread"]);
}
