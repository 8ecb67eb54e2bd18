//! Supervisors on real threads: what is restarted, when, and how it all ends (`restart-discipline`).

#[path = "supervisor_support/mod.rs"]
mod support;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use antiphon::supervisor::{Restart, Strategy};
use antiphon::{Actor, Child, Context, Exit, SpawnError, Supervisor};
use support::Told::{Over, Up};
use support::{Fragile, Order, Place, SOON, Stage, failed, panicked, shut_down, soon};

const ABC: [&str; 3] = ["a", "b", "c"];

#[test]
fn one_for_one_restarts_the_one() {
    let stage = Stage::new();
    stage.supervise(Strategy::OneForOne, &ABC);
    stage.fail("b");
    stage.expect(&[Over("b", failed()), Up("b")]);
    stage.stop(&["c", "b", "a"].map(shut_down));
}

#[test]
fn one_for_all_restarts_all_in_order() {
    let stage = Stage::new();
    stage.supervise(Strategy::OneForAll, &ABC);
    stage.fail("b");
    stage.expect(&[Over("b", failed()), shut_down("c"), shut_down("a"), Up("a"), Up("b"), Up("c")]);
    stage.stop(&["c", "b", "a"].map(shut_down));
}

#[test]
fn rest_for_one_restarts_those_that_came_after() {
    let stage = Stage::new();
    stage.supervise(Strategy::RestForOne, &ABC);
    stage.fail("b");
    stage.expect(&[Over("b", failed()), shut_down("c"), Up("b"), Up("c")]);
    stage.stop(&["c", "b", "a"].map(shut_down));
}

/// Ends a child of each kind; says whether the next incarnation comes to life.
fn is_restarted(restart: Restart, reason: &Exit) -> bool {
    let stage = Stage::new();
    let child = stage.worker("a").restart(restart);
    let supervisor = stage.start(Supervisor::new(Strategy::OneForOne).child(child));
    stage.expect(&[Up("a")]);
    stage.find("a").send(Order::End(reason.clone())).expect("it is up");
    stage.expect(&[Over("a", reason.clone())]);
    // A child that is not restarted is forgotten.
    let outcome = || match &stage.children(&supervisor)[..] {
        [] => Some(false),
        [child] => (child.incarnations == 2).then_some(true),
        [..] => panic!("one child was started"),
    };
    let again = soon(outcome, "what becomes of the child");
    if again {
        stage.expect(&[Up("a")]);
        stage.stop(&[shut_down("a")]);
    } else {
        stage.stop(&[]);
    }
    again
}

#[test]
fn who_is_restarted_after_which_end() {
    for (restart, after_normal, after_abnormal) in [
        (Restart::Permanent, true, true),
        (Restart::Transient, false, true),
        (Restart::Temporary, false, false),
    ] {
        assert_eq!(is_restarted(restart, &Exit::Normal), after_normal, "{restart:?}");
        assert_eq!(is_restarted(restart, &failed()), after_abnormal, "{restart:?}");
    }
}

#[test]
fn a_temporary_child_leaves_with_its_group() {
    let stage = Stage::new();
    let supervisor = Supervisor::new(Strategy::OneForAll)
        .child(stage.worker("a"))
        .child(stage.worker("b").restart(Restart::Temporary));
    let supervisor = stage.start(supervisor);
    stage.expect(&[Up("a"), Up("b")]);
    stage.fail("a");
    stage.expect(&[Over("a", failed()), shut_down("b"), Up("a")]);
    assert_eq!(stage.children(&supervisor).len(), 1);
    stage.stop(&[shut_down("a")]);
}

#[test]
fn panics_in_callbacks_are_failures() {
    let stage = Stage::new();
    let fragile = stage.fragile("a", Place::Terminate);
    stage.start(Supervisor::new(Strategy::OneForOne).child(fragile));
    stage.expect(&[Up("a")]);
    stage.find("a").send(Order::Panic).expect("it is up");
    // It panics in `handle`, and again in `terminate`.
    stage.expect(&[Over("a", panicked()), Up("a")]);
    stage.stop(&[shut_down("a")]);
}

#[test]
fn a_child_that_cannot_start_makes_the_supervisor_fail() {
    let stage = Stage::new();
    let supervisor = Supervisor::new(Strategy::OneForOne)
        .child(stage.worker("a"))
        .child(stage.fragile("b", Place::Init))
        .child(stage.worker("c"));
    let error = stage.node.spawn(supervisor).expect_err("a child does not start");
    let SpawnError::Init(Exit::Failed(text)) = error else { panic!("{error}") };
    assert!(text.contains("child 1") && text.contains("planned"), "{text}");
    stage.expect(&[Up("a")]);
    stage.stop(&[Over("a", Exit::ParentEnded)]);
}

#[test]
fn starts_that_fail_count() {
    let stage = Stage::new();
    let broken = Arc::new(AtomicBool::new(false));
    let (told, is_broken) = (stage.told.clone(), broken.clone());
    let child = Child::new(move || match is_broken.load(Ordering::Relaxed) {
        true => resume_unwind(Box::new("planned")),
        false => Fragile::new("a", Place::Nowhere, told.clone()),
    });
    let supervisor = Supervisor::new(Strategy::OneForOne).restarts(2, SOON).child(child.named("a"));
    let supervisor = stage.start(supervisor);
    let down = stage.watch(&supervisor);
    stage.expect(&[Up("a")]);
    broken.store(true, Ordering::Relaxed);
    stage.fail("a");
    stage.expect(&[Over("a", failed())]);
    let reason = down.recv_timeout(SOON).expect("it gives up");
    assert!(reason.to_string().contains("gave up after more than 2 failures"), "{reason}");
    assert!(reason.to_string().contains("panic: planned"), "{reason}");
    stage.stop(&[]);
}

#[test]
fn gives_up_in_reverse_order_and_says_so() {
    let stage = Stage::new();
    let supervisor = Supervisor::new(Strategy::OneForOne).restarts(1, SOON);
    let supervisor = ABC.iter().fold(supervisor, |supervisor, name| supervisor.child(stage.worker(name)));
    let supervisor = stage.start(supervisor);
    let down = stage.watch(&supervisor);
    stage.expect(&ABC.map(Up));
    stage.fail("b");
    stage.expect(&[Over("b", failed()), Up("b")]);
    stage.fail("b");
    stage.expect(&[Over("b", failed()), shut_down("c"), shut_down("a")]);
    let reason = down.recv_timeout(SOON).expect("it gives up");
    assert!(matches!(&reason, Exit::Failed(text) if text.contains("gave up")), "{reason}");
    stage.stop(&[]);
}

#[test]
fn a_tree_is_restarted_as_a_whole() {
    let stage = Stage::new();
    let told = stage.told.clone();
    let branch = Child::new(move || {
        let leaf = |name| Fragile::child(name, Place::Nowhere, told.clone());
        Supervisor::new(Strategy::OneForOne).restarts(0, SOON).child(leaf("x")).child(leaf("y"))
    });
    let root = Supervisor::new(Strategy::RestForOne)
        .child(stage.worker("a"))
        .child(branch.shutdown(Duration::MAX))
        .child(stage.worker("z"));
    stage.start(root);
    stage.expect(&[Up("a"), Up("x"), Up("y"), Up("z")]);
    stage.fail("x");
    stage.expect(&[Over("x", failed()), shut_down("y"), shut_down("z"), Up("x"), Up("y"), Up("z")]);
    stage.stop(&["z", "y", "x", "a"].map(shut_down));
}

#[test]
fn a_killed_supervisor_is_down_after_its_children() {
    let stage = Stage::new();
    let supervisor = stage.supervise(Strategy::OneForOne, &["a", "b"]);
    let down = stage.watch(&supervisor);
    let gate = stage.hold("b");
    stage.node.kill(&supervisor);
    stage.expect(&[Over("a", Exit::ParentEnded)]);
    assert!(down.try_recv().is_err(), "a child is still there");
    drop(gate);
    stage.expect(&[Over("b", Exit::ParentEnded)]);
    assert_eq!(down.recv_timeout(SOON), Ok(Exit::Killed));
    stage.stop(&[]);
}

/// Panics when it is dropped, as a captured value of a child's closure.
struct Sharp;

impl Drop for Sharp {
    fn drop(&mut self) {
        resume_unwind(Box::new("planned"));
    }
}

#[test]
fn a_supervisor_that_panics_leaves_nobody() {
    let stage = Stage::new();
    let (sharp, told) = (Sharp, stage.told.clone());
    let child = Child::new(move || {
        let _ = &sharp;
        Fragile::new("b", Place::Nowhere, told.clone())
    });
    let child = child.named("b").restart(Restart::Temporary);
    let supervisor = Supervisor::new(Strategy::OneForOne).child(stage.worker("a")).child(child);
    let supervisor = stage.start(supervisor);
    let down = stage.watch(&supervisor);
    stage.expect(&[Up("a"), Up("b")]);
    // It is forgotten, and what it was made by dropped.
    stage.fail("b");
    stage.expect(&[Over("b", failed()), Over("a", Exit::ParentEnded)]);
    assert_eq!(down.recv_timeout(SOON), Ok(panicked()));
    stage.stop(&[]);
}

#[test]
fn a_child_that_does_not_end_in_time_is_killed() {
    let stage = Stage::new();
    let supervisor = Supervisor::new(Strategy::OneForOne)
        .child(stage.worker("a"))
        .child(stage.worker("b").shutdown(Duration::from_millis(10)));
    let supervisor = stage.start(supervisor);
    let down = stage.watch(&supervisor);
    stage.expect(&[Up("a"), Up("b")]);
    let gate = stage.hold("b");
    stage.node.exit(&supervisor, Exit::Shutdown);
    // `b` has had its time, and is in its callback still: the one before it is told all the same.
    stage.expect(&[shut_down("a")]);
    assert!(down.try_recv().is_err(), "a child is still there");
    // And the supervisor is not blocked by it: it answers, and soon knows of the end of `a`.
    soon(|| (stage.children(&supervisor).len() == 1).then_some(()), "the end of a child");
    drop(gate);
    stage.expect(&[Over("b", Exit::Killed)]);
    assert_eq!(down.recv_timeout(SOON), Ok(Exit::Shutdown));
    stage.stop(&[]);
}

/// Puts its end off until it has counted down.
struct Putter {
    left: u32,
    reason: Option<Exit>,
}

impl Actor for Putter {
    type Message = ();

    fn handle(&mut self, (): (), context: &mut Context<'_, ()>) -> Result<(), Exit> {
        match (self.left.checked_sub(1), &self.reason) {
            (Some(left), _) => {
                self.left = left;
                Ok(context.address().send(())?)
            }
            (None, Some(reason)) => Err(reason.clone()),
            (None, None) => Ok(()),
        }
    }

    fn exit(&mut self, reason: Exit, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        self.reason = Some(reason);
        Ok(context.address().send(())?)
    }
}

#[test]
fn an_actor_may_put_its_end_off_but_not_its_kill() {
    let stage = Stage::new();
    let patient = || Putter { left: 1000, reason: None };
    let (first, second) =
        (stage.node.spawn(patient()).expect("up"), stage.node.spawn(patient()).expect("up"));
    let downs = [stage.watch(&first), stage.watch(&second)];
    stage.node.exit(&first, failed());
    assert_eq!(downs[0].recv_timeout(SOON), Ok(failed()));
    stage.node.kill(&second);
    assert_eq!(downs[1].recv_timeout(SOON), Ok(Exit::Killed));
    stage.stop(&[]);
}
