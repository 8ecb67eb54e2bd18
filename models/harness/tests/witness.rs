//! Who witnesses executions is shown each of them, whole. In a process of its own: there is one witness.

use std::sync::{Mutex, PoisonError};

use antiphon_harness::{Recording, begin_keeping, check, finish, observe, witness};
use antiphon_spec::Guarantee;
use antiphon_spec::event::{ActorId, Event, Kind};

static SHOWN: Mutex<Vec<Recording>> = Mutex::new(Vec::new());

fn born() {
    observe(Event::InitBegin { actor: ActorId(1), kind: Kind::Process, parent: None });
    observe(Event::InitEnd { actor: ActorId(1), ok: true });
}

fn shown() -> Recording {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner).pop().expect("an execution was finished")
}

#[test]
fn each_execution_is_shown_whole() {
    witness(|recording| SHOWN.lock().unwrap_or_else(PoisonError::into_inner).push(recording));
    begin_keeping(1);
    born();
    finish(true).expect("nothing is wrong");
    let whole = shown();
    assert_eq!((whole.events.len(), whole.complete, whole.faulty), (2, true, false));

    begin_keeping(1);
    born();
    observe(Event::InitBegin { actor: ActorId(1), kind: Kind::Process, parent: None });
    observe(Event::Ended { actor: ActorId(1) });
    finish(true).expect_err("the actor begins twice");
    let broken = shown();
    assert_eq!((broken.events.len(), broken.complete, broken.faulty), (3, false, true), "{broken:?}");

    begin_keeping(1);
    born();
    check(false, Guarantee::NoLeak, || "something is left".into());
    observe(Event::Ended { actor: ActorId(1) });
    finish(true).expect_err("a check failed");
    let cut = shown();
    assert_eq!((cut.events.len(), cut.complete, cut.faulty), (2, false, true), "{cut:?}");
}
