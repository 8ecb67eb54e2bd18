//! What the types promise: who may cross threads, what can be copied, and how large things are on the way of
//! a message.

use antiphon::inbox::{Activation, Body, Closed, Content, Inbox, Letter, Task};
use antiphon::{Actor, Address, Context, Exit, HandlerContext, Interrupt, Node, ReaderContext, SendError};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use std::cell::Cell;

/// A message that may be sent but not shared.
type Unshared = Cell<u64>;

assert_impl_all!(Address<Unshared>: Send, Sync, Clone);
// A message may contain an address of its own type, as in any protocol with an answer.
assert_impl_all!(Address<Answer>: Send, Sync, Clone);
assert_impl_all!(Envelope: Send, Sync);
assert_impl_all!(Node: Send, Sync, Clone);
assert_impl_all!(Interrupt: Send);
assert_impl_all!(Exit: Send, Sync, Clone);
assert_impl_all!(SendError<Unshared>: Send);

#[expect(dead_code, reason = "only its type matters")]
enum Answer {
    To(Address<Answer>),
    Within(Envelope),
}

#[expect(dead_code, reason = "only its type matters")]
struct Envelope(Address<Answer>);

// The activation is a linear token: it moves between threads, and there is one of it.
assert_impl_all!(Activation<Counter>: Send);
assert_impl_all!(Task: Send);
assert_not_impl_any!(Activation<Counter>: Clone, Copy);
assert_not_impl_any!(Closed<Counter>: Clone, Copy);
assert_not_impl_any!(Task: Clone, Copy, Sync);
assert_not_impl_any!(Letter<u64>: Clone, Copy);

// An inbox may be shared though neither its items nor its body may.
assert_impl_all!(Inbox<Counter>: Send, Sync);

struct Counter(Cell<u64>);

impl Content for Counter {
    type Item = Unshared;
    type Shared = ();
}

impl Body for Counter {
    fn run(mut activation: Activation<Self>) {
        let sum: u64 = activation.take().map(|letter| letter.into_item().get()).sum();
        activation.with(|_, counter| counter.0.set(counter.0.get() + sum));
        activation.park().expect("nobody pushes meanwhile");
    }
}

#[test]
fn a_task_is_two_words_and_a_letter_one() {
    assert_eq!(size_of::<Task>(), 2 * size_of::<usize>());
    assert_eq!(size_of::<Activation<Counter>>(), size_of::<usize>());
    assert_eq!(size_of::<Letter<u64>>(), size_of::<usize>());
    assert_eq!(size_of::<Address<u64>>(), size_of::<usize>());
    assert_eq!(size_of::<Option<Address<u64>>>(), size_of::<usize>());
}

/// Contexts belong to the callback that they were lent to: a lifetime says so. This is only to see that they
/// are what the tests of the proofs directory assume.
#[test]
fn contexts_are_a_pointer() {
    struct Idle;
    impl Actor for Idle {
        type Message = u64;
        fn handle(&mut self, _: u64, context: &mut Context<'_, u64>) -> Result<(), Exit> {
            assert_eq!(size_of_val(context), size_of::<usize>());
            Ok(())
        }
    }
    assert_eq!(size_of::<Context<'_, u64>>(), size_of::<usize>());
    assert_eq!(size_of::<HandlerContext<'_, u64>>(), size_of::<usize>());
    assert_eq!(size_of::<ReaderContext<u64>>(), size_of::<usize>());
    let node = Node::with_executor(antiphon::executor::Pool::new());
    node.spawn(Idle).expect("the node is up").send(1).expect("it is alive");
    node.stop(std::time::Duration::from_secs(10)).expect("it ends");
}
