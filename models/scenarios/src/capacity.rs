//! Bounded mailboxes.

use std::num::NonZeroU32;

use antiphon::{Actor, Address, Class, Context, Exit, SendError};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use platform::sync::{Arc, Mutex};

use crate::parts::{EVER, Gate, node, start, stop};

/// Has room for one message.
struct Narrow;

enum Letter {
    Note,
    /// Keeps the actor busy, from one gate to the other.
    Busy(Gate, Gate),
    /// Notes in which order it was handled.
    Number(u32, Arc<Mutex<Vec<u32>>>),
}

impl Actor for Narrow {
    type Message = Letter;

    fn capacity(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(1)
    }

    fn handle(&mut self, letter: Letter, _: &mut Context<'_, Letter>) -> Result<(), Exit> {
        match letter {
            Letter::Note | Letter::Number(..) => (),
            Letter::Busy(began, go_on) => {
                began.open();
                go_on.pass();
            }
        }
        Ok(())
    }
}

fn send(to: &Address<Letter>) -> u32 {
    match to.send(Letter::Note) {
        Ok(()) => 1,
        Err(SendError::Full(_)) => {
            reached("full");
            0
        }
        Err(_) => 0,
    }
}

/// Keeps `to` busy on a thread of its own, until the returned gate is opened.
fn keep_busy(to: &Address<Letter>) -> (Gate, platform::thread::JoinHandle) {
    let (began, go_on) = (Gate::new(), Gate::new());
    let thread = {
        let (to, began, go_on) = (to.clone(), began.clone(), go_on.clone());
        start(move || drop(to.send(Letter::Busy(began, go_on))))
    };
    began.pass();
    (go_on, thread)
}

/// While the actor is busy, two senders get exactly one message in.
pub(crate) fn competing_senders() {
    let node = node();
    let narrow = node.spawn(Narrow).expect("the node is up");
    let (go_on, busy) = keep_busy(&narrow);
    let theirs = Arc::new(Mutex::new(0));
    let thread = {
        let (narrow, theirs) = (narrow.clone(), Arc::clone(&theirs));
        start(move || *theirs.lock() = send(&narrow))
    };
    let ours = send(&narrow);
    thread.join();
    let accepted = ours + *theirs.lock();
    check(accepted == 1, Guarantee::Capacity, || format!("{accepted} messages where one has room"));
    // A signal needs no room: the actor ends though its mailbox is full.
    node.exit(&narrow, Exit::Normal);
    go_on.open();
    busy.join();
    stop(&node);
}

/// A sender waits for room, and gets it when the actor goes on.
pub(crate) fn back_pressure() {
    let node = node();
    let narrow = node.spawn(Narrow).expect("the node is up");
    let (go_on, busy) = keep_busy(&narrow);
    check(send(&narrow) == 1, Guarantee::Capacity, || "refused while there is room".into());
    let thread = {
        let narrow = narrow.clone();
        start(move || {
            let sent = narrow.send_timeout(Letter::Note, EVER).is_ok();
            check(sent, Guarantee::Capacity, || "who waits for room gets it".into());
            reached("had room");
        })
    };
    go_on.open();
    busy.join();
    thread.join();
    stop(&node);
}

/// A sender waits for room, and the actor ends.
pub(crate) fn back_pressure_against_end() {
    let node = node();
    let narrow = node.spawn(Narrow).expect("the node is up");
    let (go_on, busy) = keep_busy(&narrow);
    send(&narrow);
    let thread = {
        let narrow = narrow.clone();
        start(move || {
            if let Err(SendError::Closed(_)) = narrow.send_timeout(Letter::Note, EVER) {
                reached("closed while it waited");
            }
        })
    };
    node.kill(&narrow);
    go_on.open();
    busy.join();
    thread.join();
    let closed = matches!(narrow.send(Letter::Note), Err(SendError::Closed(_)));
    check(closed, Guarantee::ClosedIsClosed, || "it has ended, and accepts or has no room".into());
    stop(&node);
}

/// An unbounded actor that notes numbers.
struct Sorted;

impl Actor for Sorted {
    type Message = Letter;

    fn handle(&mut self, letter: Letter, _: &mut Context<'_, Letter>) -> Result<(), Exit> {
        match letter {
            Letter::Note => (),
            Letter::Busy(began, go_on) => {
                began.open();
                go_on.pass();
            }
            Letter::Number(number, order) => order.lock().push(number),
        }
        Ok(())
    }
}

/// Messages of three classes wait for a busy actor: they are handled most urgent first.
pub(crate) fn classes() {
    let node = node();
    let sorted = node.spawn(Sorted).expect("the node is up");
    let (go_on, busy) = keep_busy(&sorted);
    let order = Arc::new(Mutex::new(Vec::new()));
    for (number, class) in [(3, Class::Main), (2, Class::System), (1, Class::Urgent)] {
        let _ = sorted.send_as(class, Letter::Number(number, Arc::clone(&order)));
    }
    go_on.open();
    busy.join();
    let order = std::mem::take(&mut *order.lock());
    check(order == [1, 2, 3], Guarantee::ClassOrder, || format!("handled in the order {order:?}"));
    reached("all handled");
    stop(&node);
}

/// An urgent message comes when the actor has taken what waited: it is handled first, then what was taken, then
/// what came with it.
pub(crate) fn overtaking() {
    let node = node();
    let sorted = node.spawn(Sorted).expect("the node is up");
    let (take, busy) = keep_busy(&sorted);
    let order = Arc::new(Mutex::new(Vec::new()));
    let number = |number| Letter::Number(number, Arc::clone(&order));
    let (taken, go_on) = (Gate::new(), Gate::new());
    let _ = sorted.send(Letter::Busy(taken.clone(), go_on.clone()));
    let _ = sorted.send(number(2));
    take.open();
    taken.pass();
    let _ = sorted.send(number(3));
    let _ = sorted.send_as(Class::Urgent, number(1));
    go_on.open();
    busy.join();
    let order = std::mem::take(&mut *order.lock());
    check(order == [1, 2, 3], Guarantee::ClassOrder, || format!("handled in the order {order:?}"));
    reached("all handled");
    stop(&node);
}

/// An urgent message against a main one that is being handled.
pub(crate) fn urgent_against_main() {
    let node = node();
    let sorted = node.spawn(Sorted).expect("the node is up");
    let thread = {
        let sorted = sorted.clone();
        start(move || {
            drop(sorted.send(Letter::Note));
            drop(sorted.send(Letter::Note));
        })
    };
    if sorted.send_as(Class::Urgent, Letter::Note).is_ok() {
        reached("urgent accepted");
    }
    thread.join();
    stop(&node);
}
