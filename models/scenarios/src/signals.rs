//! Signals of a model: for each kind a mark that it has come, and a pipe that says so, as the operating system's
//! have them.

use std::collections::BTreeSet;

use antiphon::io::signals::{self, Command, Delivery, Received};
use antiphon::io::{Signal, Source};
use antiphon::{Address, Exit, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use platform::readiness::{Stream, pair};
use platform::sync::{Arc, Mutex};

use crate::parts::{Gate, Mail, Parent, node, send, start, stop};

/// Where signals are raised.
struct Post {
    come: Mutex<BTreeSet<i32>>,
    pipe: Stream,
}

impl Post {
    /// Raises a signal: one that has come, and was not taken, is not another.
    fn raise(&self, signal: Signal) {
        self.come.lock().insert(signal.number());
        // If there is no room, the Reader is about to look anyway.
        let _ = self.pipe.write(&[1]);
    }
}

/// Where they are taken.
struct Slot {
    post: Arc<Post>,
    pipe: Stream,
}

impl Delivery for Slot {
    fn source(&self) -> &dyn Source {
        &self.pipe
    }

    fn take(&mut self) -> impl Iterator<Item = i32> {
        // First the pipe: what comes after that is told again.
        while self.pipe.read(&mut [0]).is_ok_and(|count| count > 0) {}
        std::mem::take(&mut *self.post.come.lock()).into_iter()
    }
}

/// A process with a meta-process that receives the signals in `set`.
fn receiver(
    node: &Node,
    set: &'static [Signal],
    receive: impl FnMut(Received) -> Result<(), Exit> + Send + 'static,
) -> (Address<Mail>, Address<Command>, Arc<Post>) {
    let (near, far) = pair(1).expect("there is room for two descriptors");
    let post = Arc::new(Post { come: Mutex::default(), pipe: far });
    let slot = Slot { post: post.clone(), pipe: near };
    let address = Arc::new(Mutex::new(None));
    let parent = {
        let address = address.clone();
        Parent::new(move |context: &antiphon::Context<'_, Mail>| {
            let (reader, handler) = signals::delivered(slot, |_| Ok(()), set.iter().copied(), receive)?;
            *address.lock() = Some(context.spawn_meta(reader, handler)?);
            Ok(())
        })
    };
    let parent = node.spawn(parent).expect("the node is up");
    let address = address.lock().take().expect("the parent is alive");
    (parent, address, post)
}

/// A signal comes while one of its kind is in somebody's hands, who lets it go: it is received, too.
pub(crate) fn come_against_release() {
    let node = node();
    let (first, second) = (Gate::new(), Gate::new());
    let kept = Arc::new(Mutex::new(None));
    let (_, _, post) = {
        let (first, second, kept) = (first.clone(), second.clone(), kept.clone());
        let mut received = 0;
        receiver(&node, &[Signal::HangUp], move |signal| {
            reached("received");
            received += 1;
            if received == 1 {
                *kept.lock() = Some(signal);
                first.open();
            } else {
                second.open();
            }
            Ok(())
        })
    };
    post.raise(Signal::HangUp);
    first.pass();
    let keeper = start(move || drop(kept.lock().take()));
    post.raise(Signal::HangUp);
    // Where the last one of a kind is lost, this is a deadlock.
    second.pass();
    keeper.join();
    stop(&node);
}

/// Two signals of different kinds come at once: neither hides the other.
pub(crate) fn two_kinds() {
    let node = node();
    let gates = [Gate::new(), Gate::new()];
    let (_, _, post) = {
        let gates = gates.clone();
        receiver(&node, &[Signal::User1, Signal::User2], move |received| {
            reached("received");
            gates[usize::from(received.signal() == Signal::User2)].open();
            Ok(())
        })
    };
    let other = {
        let post = post.clone();
        start(move || post.raise(Signal::User2))
    };
    post.raise(Signal::User1);
    gates.iter().for_each(Gate::pass);
    other.join();
    stop(&node);
}

/// A signal comes while the owner ends.
pub(crate) fn come_against_end() {
    let node = node();
    let (parent, _, post) = receiver(&node, &[Signal::Terminate], |_| {
        reached("received");
        Ok(())
    });
    let other = start(move || post.raise(Signal::Terminate));
    node.exit(&parent, Exit::Normal);
    other.join();
    stop(&node);
}

/// A signal is taken out of the set while it comes: it may have been received before, and is not after.
pub(crate) fn come_against_removal() {
    let node = node();
    let told = Gate::new();
    let (_, commands, post) = {
        let told = told.clone();
        let mut is_removed = false;
        receiver(&node, &[Signal::HangUp, Signal::User1], move |received| {
            reached("received");
            if received.signal() == Signal::User1 {
                // It was raised after the removal had been accepted, which so was obeyed before.
                is_removed = true;
                told.open();
            } else {
                check(!is_removed, Guarantee::SenderOrder, || {
                    "a signal was received that is not in the set".into()
                });
            }
            Ok(())
        })
    };
    let other = {
        let post = post.clone();
        start(move || post.raise(Signal::HangUp))
    };
    send(&commands, Command::remove(Signal::HangUp));
    post.raise(Signal::User1);
    told.pass();
    other.join();
    stop(&node);
}
