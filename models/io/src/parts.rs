//! What the scenarios of all sources are made of.

use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Barrier;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use std::{iter, thread};

use antiphon::{Actor, Address, Context, Exit, Node};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;

/// Nothing on one machine takes that long, unless it hangs.
pub(crate) const LONG: Duration = Duration::from_secs(5);

/// A process that does what it is told when it begins, and nothing else.
struct Owner<F>(Option<F>);

impl<F: FnOnce(&Context<'_, Infallible>) -> Result<(), Exit> + Send + 'static> Actor for Owner<F> {
    type Message = Infallible;

    fn init(&mut self, context: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        let begin = self.0.take().expect("init is called once");
        begin(context)
    }

    fn handle(&mut self, message: Infallible, _: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        match message {}
    }
}

/// Starts a process that begins with `begin`, and says what that gave.
pub(crate) fn own<R: Send + 'static>(
    node: &Node,
    begin: impl FnOnce(&Context<'_, Infallible>) -> Result<R, Exit> + Send + 'static,
) -> (Address<Infallible>, R) {
    let (tell, told) = mpsc::channel();
    let begin = move |context: &Context<'_, Infallible>| Ok(tell.send(begin(context)?)?);
    let owner = node.spawn(Owner(Some(begin))).expect("the node is up");
    (owner, told.recv().expect("the owner has begun"))
}

/// What is told, until that ends or nothing is told for long.
pub(crate) fn until_silence<T>(told: &Receiver<T>) -> impl Iterator<Item = T> {
    iter::from_fn(|| told.recv_timeout(LONG).ok())
}

/// Kills `owner` while each of `peers` does `make` again and again, whose error says that nobody is there any
/// more.
pub(crate) fn kill_amid<E: Debug>(
    node: &Node,
    owner: &Address<Infallible>,
    peers: usize,
    make: impl Fn() -> Result<(), E> + Sync,
) {
    let all_do = Barrier::new(peers + 1);
    thread::scope(|scope| {
        for _ in 0..peers {
            scope.spawn(|| {
                make().expect("the owner lives until all have begun");
                all_do.wait();
                // The bound is for a source that goes on without its owner.
                let gone = (0..10_000).any(|_| make().is_err());
                check(gone, Guarantee::Ownership, || "the source outlives its owner".into());
                reached("gone");
            });
        }
        all_do.wait();
        node.kill(owner);
    });
}

/// Runs `body` on a node, and stops the node.
///
/// Every Reader is interrupted and returns, and when the node has stopped, none of its descriptors is open.
pub(crate) fn on_a_node(body: impl FnOnce(&Node)) {
    on_a_node_beside(body, |()| ());
}

/// Likewise; what `body` leaves behind goes on while the node stops, and is over when `end` returns.
pub(crate) fn on_a_node_beside<R>(body: impl FnOnce(&Node) -> R, end: impl FnOnce(R)) {
    let before = descriptors();
    let node = Node::new();
    let rest = body(&node);
    let stopped = node.stop(LONG);
    check(stopped.is_ok(), Guarantee::CleanStop, || format!("{stopped:?}"));
    let deaf = stopped.is_err_and(|error| error.0.iter().any(|actor| actor.reader));
    check(!deaf, Guarantee::Interruption, || "a Reader did not return when it was interrupted".into());
    end(rest);
    let after = descriptors();
    check(after == before, Guarantee::NoLeak, || {
        format!("{after} descriptors are open, {before} were before")
    });
}

/// How many descriptors are open, of the kinds that sources have: sockets, pipes and wakers. The engine may
/// open others meanwhile.
fn descriptors() -> usize {
    const KINDS: &[&str] =
        &["socket:", "pipe:", "anon_inode:[eventfd]", "anon_inode:[pidfd]", "anon_inode:inotify"];
    let links = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let targets = links.filter_map(|link| std::fs::read_link(link.path()).ok());
    targets.filter(|target| KINDS.iter().any(|kind| target.to_string_lossy().starts_with(kind))).count()
}
