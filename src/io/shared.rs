//! Readers that share a poller: one wait for all of them, and each is run when it is ready.
//!
//! A shared Reader is an [inbox](crate::inbox). What is pushed says no more than that its waker's word is not
//! empty: a poller's report and a request from another thread come the same way. Whoever pushes first has the
//! activation and gives it to the node's executor; whoever holds it takes the word, goes steps on until nothing
//! more is there, arms the source with the poller, and parks. So
//!
//! * the steps of one Reader never overlap, and none is lost: that is the inbox's promise;
//! * what the poller waits for is changed only by the holder of the activation: nobody races for it. What is
//!   reported meanwhile is taken after the step, and left out if it is not waited for any more: arming finds it;
//! * a step runs on the executor, as any callback does, and so does a Handler that is run by
//!   [`deliver`](crate::ReaderContext::deliver): one that blocks is the executor's to replace, and delays no other
//!   (`independence`), since the poller's next turn is queued there like any task.
//!
//! The poller reports what is *new*, and what is there when a source is *armed*. So a step need not use up what is
//! there: the source is armed again after it, which is a system call, and finds the rest. Only if the Reader
//! [says](Stepwise::has_used_up) that nothing is left, what comes next is new, and reported by itself. An end
//! that came together with what was read is not new; the report says that it is there.

use std::io;
use std::time::Duration;

use platform::limits;
use platform::readiness::Readiness;
use platform::sync::Arc;
use platform::time;

use super::poller::Poller;
use super::stepwise::{Step, Stepwise, Wait, failed};
use super::waker::{Ready, Requests, Seated};
use crate::exit::Exit;
use crate::inbox::{Activation, Body, Content, Inbox, Pushed, Task};
use crate::meta::ReaderLine;
use crate::node::Node;

/// Starts a Reader that shares the poller.
pub(crate) fn start<M: Send + 'static, S: Stepwise<M>>(reader: S, line: ReaderLine<M>) -> io::Result<()> {
    let node = line.node().clone();
    let poller = Poller::of(&node)?;
    let waker = reader.waker().clone();
    poller.adopt(line.context().id(), &waker);
    let stepper = Stepper { reader, line, begun: false, added: false, armed: None };
    let body = Seat { stepper: Some(stepper), poller, deadline: None };
    let activation = Inbox::new(body, node.clone());
    waker.bind(Arc::clone(activation.inbox()));
    // Born active: the first run takes what was asked for before there was a bell.
    node.executor().execute(activation.into_task());
    Ok(())
}

/// The body of the inbox: empty when the Reader is over.
struct Seat<M: Send + 'static, S> {
    stepper: Option<Stepper<M, S>>,
    poller: Poller,
    /// When it is to be woken, whatever happens.
    deadline: Option<Duration>,
}

struct Stepper<M: Send + 'static, S> {
    reader: S,
    line: ReaderLine<M>,
    begun: bool,
    /// It has been added to the poller.
    added: bool,
    /// What the poller waits for, and reports. Nothing, if it has to be told again.
    armed: Option<Readiness>,
}

impl<M: Send + 'static, S: Stepwise<M>> Seated for Arc<Inbox<Seat<M, S>>> {
    fn push(&self) -> Option<(Node, Task)> {
        match Inbox::push(self, ()) {
            Ok(Pushed::Activated(activation)) => Some((self.shared().clone(), activation.into_task())),
            // Somebody is at it, or it is over.
            Ok(Pushed::Queued) | Err(_) => None,
        }
    }
}

impl<M: Send + 'static, S: Stepwise<M>> Content for Seat<M, S> {
    type Item = ();
    type Shared = Node;
}

impl<M: Send + 'static, S: Stepwise<M>> Body for Seat<M, S> {
    fn run(mut activation: Activation<Self>) {
        for _ in 0..limits::BATCH {
            // First the bell, then the word: as the waker's protocol has it.
            drop(activation.take());
            if let Step::Break(result) = activation.with(|_, seat| seat.turn()) {
                return over(activation, result);
            }
            match activation.park() {
                Ok(()) => return,
                Err(back) => activation = back,
            }
        }
        // Fairness: others have waited for a whole batch.
        let node = activation.inbox().shared().clone();
        node.executor().yield_back(activation.into_task());
    }
}

impl<M: Send + 'static, S: Stepwise<M>> Seat<M, S> {
    /// Goes on as far as what was reported and asked for leads, and says what to wait for next.
    fn turn(&mut self) -> Step {
        let Self { stepper, poller, deadline } = self;
        let Stepper { reader, line, begun, added, armed } = stepper.as_mut().expect("it is not over");
        if !std::mem::replace(begun, true) {
            line.begin();
        }
        let key = line.context().id();
        let went = line.contain(|context| {
            let requests = reader.waker().take();
            if requests.contains(Requests::END) {
                return Step::Break(Ok(()));
            }
            if requests != Requests::NONE {
                let always = Readiness::BROKEN.union(Readiness::MORE);
                let source = requests.reported().common(armed.map_or(Readiness::NONE, |it| it.union(always)));
                if requests.asked() != Requests::NONE || !source.is_none() {
                    reader.step(Ready { source, requests }, context)?;
                }
                if !source.is_none() && (source.intersects(always) || !reader.has_used_up()) {
                    *armed = None;
                }
            }
            let Wait { interest, timeout } = reader.wait();
            if interest.is_none() {
                *armed = None;
            }
            let next = timeout.map(|timeout| time::now().saturating_add(timeout));
            poller.set_deadline(key, std::mem::replace(deadline, next), next);
            let Some(interest) = interest.filter(|interest| *armed != Some(*interest)) else {
                return Step::Continue(());
            };
            match poller.arm(reader.source(), key, !*added, interest) {
                Ok(()) => {
                    (*added, *armed) = (true, Some(interest));
                    Step::Continue(())
                }
                Err(error) => failed(error),
            }
        });
        went.unwrap_or_else(|panic| Step::Break(Err(panic)))
    }
}

/// The Reader is over: what is left of it goes, and then its end is reported.
fn over<M: Send + 'static, S: Stepwise<M>>(activation: Activation<Seat<M, S>>, result: Result<(), Exit>) {
    let (mut closed, _) = activation.close();
    let (stepper, poller, deadline) =
        closed.with(|_, seat| (seat.stepper.take(), seat.poller.clone(), seat.deadline));
    drop(closed);
    let Stepper { reader, line, added, .. } = stepper.expect("it is over once");
    poller.leave(line.context().id(), deadline);
    let left = line.contain(|_| {
        // They lead to each other.
        reader.waker().unbind();
        if added {
            poller.remove(reader.source());
        }
        drop(reader);
    });
    drop(poller);
    line.end(result.and(left), |_| ());
}
