//! Events whose order matters to an observer are explored in both orders; others cost nothing.

mod common;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use antiphon_explorer::{Explorer, Mode, Program};
use common::threads;
use event::{ActorId, Class, Event, MessageId};
use platform::record;

/// Has each of two threads record one event; tells in which orders an observer sees them, and in how many
/// executions.
fn orders(first: Event, second: Event) -> (BTreeSet<Vec<Event>>, u64) {
    orders_if(false, first, second)
}

/// The same for an observer that can tell by the order of any two.
fn all_orders(first: Event, second: Event) -> (BTreeSet<Vec<Event>>, u64) {
    orders_if(true, first, second)
}

fn orders_if(all: bool, first: Event, second: Event) -> (BTreeSet<Vec<Event>>, u64) {
    let events = [first, second];
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let orders = Arc::clone(&seen);
    std::thread_local! {
        static NOW: std::cell::RefCell<Vec<Event>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    let body = move || {
        let events = events.clone();
        threads(2, move |index| record::emit(|_| events[index].clone()));
    };
    let program = Program::new(body)
        .before(move || {
            record::all_in_order(all);
            NOW.with_borrow_mut(Vec::clear);
            record::install(Box::new(|event| NOW.with_borrow_mut(|now| now.push(event))));
        })
        .after(move |_| {
            orders.lock().unwrap().insert(NOW.with_borrow(Clone::clone));
            Ok(())
        });
    let mut executions = Vec::new();
    for mode in [Mode::Source, Mode::Optimal] {
        let report = Explorer::new().mode(mode).run(&program).expect("no shards");
        assert!(report.complete);
        executions.push(report.executions);
    }
    assert_eq!(executions[0], executions[1]);
    let seen = seen.lock().unwrap().clone();
    (seen, executions[0])
}

const ACTOR: ActorId = ActorId(1);

fn send(message: u64, class: Class) -> Event {
    Event::SendBegin { message: MessageId(message), from: None, to: ACTOR, class }
}

#[test]
fn a_send_against_terminate_comes_in_both_orders() {
    let (orders, executions) =
        orders(send(1, Class::Main), Event::TerminateBegin { actor: ACTOR, reason: None });
    assert_eq!((orders.len(), executions), (2, 2));
}

#[test]
fn two_callbacks_of_one_actor_come_in_both_orders() {
    let handle = |message| Event::HandleBegin { actor: ACTOR, message: MessageId(message) };
    assert_eq!(orders(handle(1), handle(2)).1, 2);
}

#[test]
fn an_observer_of_the_whole_order_sees_all_of_them() {
    let reader = Event::ReaderBegin { actor: ACTOR };
    let handler = Event::HandleBegin { actor: ACTOR, message: MessageId(1) };
    let (seen, executions) = all_orders(reader, handler);
    assert_eq!((seen.len(), executions), (2, 2));
}

#[test]
fn what_commutes_costs_nothing() {
    assert_eq!(orders(send(1, Class::Main), send(2, Class::Main)).1, 1, "two sends");
    let other = Event::TerminateBegin { actor: ActorId(2), reason: None };
    assert_eq!(orders(send(1, Class::Main), other).1, 1, "of another actor");
    let reader = Event::ReaderBegin { actor: ACTOR };
    let handler = Event::HandleBegin { actor: ACTOR, message: MessageId(1) };
    assert_eq!(orders(reader, handler).1, 1, "the Reader beside the Handler");
}
