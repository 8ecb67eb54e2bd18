//! Meta-processes: a Reader beside a Handler.

use antiphon::{Actor, Address, Context, Exit, Node, ReaderContext};
use antiphon_harness::{check, reached};
use antiphon_spec::Guarantee;
use platform::thread::JoinHandle;

use crate::parts::{
    Clerk, Gate, Mail, Order, PanicIn, Parent, Read, blocked, node, planned_panic, send, send_some, sender,
    start, stop,
};

/// A process with one meta-process, made in the process's `init`.
fn spawn<F>(node: &Node, reader: Read<F>, clerk: Clerk) -> (Address<Mail>, Option<Address<Mail>>)
where
    F: FnOnce(&ReaderContext<Mail>) -> Result<(), Exit> + Send + 'static,
{
    let meta = platform::sync::Arc::new(platform::sync::Mutex::new(None));
    let parent = {
        let meta = meta.clone();
        Parent::new(move |context: &Context<'_, Mail>| {
            *meta.lock() = context.spawn_meta(reader, clerk).ok();
            Ok(())
        })
    };
    let parent = node.spawn(parent).expect("the node is up");
    let meta = meta.lock().take();
    (parent, meta)
}

fn spawned<F>(node: &Node, reader: Read<F>) -> (Address<Mail>, Address<Mail>)
where
    F: FnOnce(&ReaderContext<Mail>) -> Result<(), Exit> + Send + 'static,
{
    let (parent, meta) = spawn(node, reader, Clerk::new());
    (parent, meta.expect("the parent is alive"))
}

/// The Reader returns at once, while `senders` threads send `count` messages each.
pub(crate) fn reader_ends_against_sends(senders: u64, count: u64) {
    let node = node();
    let (_, meta) = spawned(&node, Read::soon(|_: &ReaderContext<Mail>| Ok(())));
    let threads: Vec<_> = (1..senders).map(|_| sender(&meta, count)).collect();
    send_some(&meta, count);
    threads.into_iter().for_each(JoinHandle::join);
    stop(&node);
}

/// The Reader returns while a handler is in progress: `terminate` waits for it.
pub(crate) fn reader_ends_against_handler() {
    let node = node();
    let gate = Gate::new();
    let reader = {
        let gate = gate.clone();
        Read::soon(move |_: &ReaderContext<Mail>| {
            gate.open();
            Ok(())
        })
    };
    let (_, meta) = spawned(&node, reader);
    // Where handlers waited for Readers, this would be a deadlock.
    if send(&meta, Mail::order(Order::Pass(gate))) {
        reached("handler was in progress");
    }
    stop(&node);
}

/// The Reader sends to its own Handler, another thread does too, and the Reader fails.
pub(crate) fn reader_sends(count: u64) {
    let node = node();
    let reader = Read::soon(move |context: &ReaderContext<Mail>| {
        let handler = context.address();
        send_some(&handler, count);
        Err(Exit::Failed("planned".into()))
    });
    let (_, meta) = spawned(&node, reader);
    send(&meta, Mail::new());
    stop(&node);
}

/// The Reader is blocked for as long as the meta-process lives; the Handler handles.
pub(crate) fn blocked_reader(senders: u64) {
    let node = node();
    let (_, meta) = spawned(&node, blocked());
    let threads: Vec<_> = (1..senders).map(|_| sender(&meta, 1)).collect();
    let accepted = send(&meta, Mail::new());
    check(accepted, Guarantee::Independence, || "the Handler of a blocked Reader takes no message".into());
    threads.into_iter().for_each(JoinHandle::join);
    stop(&node);
}

/// The Reader waits for the Handler, which waits for nobody; then the Handler waits for the Reader.
pub(crate) fn each_waits_for_the_other() {
    let node = node();
    let (to_reader, to_handler) = (Gate::new(), Gate::new());
    let reader = {
        let (to_reader, to_handler) = (to_reader.clone(), to_handler.clone());
        Read::soon(move |_: &ReaderContext<Mail>| {
            to_reader.pass();
            reached("reader went on");
            to_handler.open();
            Ok(())
        })
    };
    let (_, meta) = spawned(&node, reader);
    send(&meta, Mail::order(Order::Open(to_reader)));
    send(&meta, Mail::order(Order::Pass(to_handler)));
    stop(&node);
}

/// The parent ends while a Reader of it spawns a further meta-process: too late, or ended with it.
pub(crate) fn parent_ends_against_spawn() {
    let node = node();
    let reader = Read::soon(|context: &ReaderContext<Mail>| {
        match context.spawn_meta(blocked(), Clerk::new()) {
            Ok(_) => reached("spawned"),
            Err(_) => reached("spawn refused"),
        }
        Ok(())
    });
    let (parent, _) = spawned(&node, reader);
    node.exit(&parent, Exit::Normal);
    stop(&node);
}

/// The parent ends, with `metas` meta-processes whose Readers are blocked.
pub(crate) fn parent_ends_with_metas(metas: u64) {
    let node = node();
    let parent = Parent::new(move |context: &Context<'_, Mail>| {
        for _ in 0..metas {
            context.spawn_meta(blocked(), Clerk::new())?;
        }
        Ok(())
    });
    let parent = node.spawn(parent).expect("the node is up");
    node.exit(&parent, Exit::Normal);
    stop(&node);
}

/// One parent ends whose meta-process has a blocked Reader, and another that has none.
pub(crate) fn parent_ends_beside_another() {
    let node = node();
    let other = node.spawn(Clerk::new()).expect("the node is up");
    let (parent, _) = spawned(&node, blocked());
    node.exit(&other, Exit::Normal);
    node.exit(&parent, Exit::Normal);
    stop(&node);
}

/// The parent's `init` fails after it has spawned a meta-process, which ends too.
pub(crate) fn parent_fails_after_spawn() {
    let node = node();
    let parent = Parent::new(|context: &Context<'_, Mail>| {
        context.spawn_meta(blocked(), Clerk::new())?;
        Err(Exit::Failed("planned".into()))
    });
    if node.spawn(parent).is_err() {
        reached("init failed");
    }
    stop(&node);
}

/// Has a meta-process that fails, which is nothing to it.
struct Unmoved;

impl Actor for Unmoved {
    type Message = Mail;

    fn init(&mut self, context: &mut Context<'_, Mail>) -> Result<(), Exit> {
        let reader = Read::soon(|_: &ReaderContext<Mail>| {
            reached("failed");
            Err(Exit::Failed("planned".into()))
        });
        context.spawn_meta(reader, Clerk::new())?;
        Ok(())
    }

    fn handle(&mut self, mail: Mail, _: &mut Context<'_, Mail>) -> Result<(), Exit> {
        mail.obey()
    }

    fn terminate(&mut self, reason: &Exit, _: &mut Context<'_, Mail>) {
        let its_own = *reason == Exit::Shutdown;
        check(its_own, Guarantee::CallIsolation, || format!("the parent ended, too: {reason}"));
    }
}

/// A meta-process fails; its parent ends when the node does.
pub(crate) fn failure_beside_its_parent() {
    let node = node();
    let parent = node.spawn(Unmoved).expect("the node is up");
    send(&parent, Mail::new());
    stop(&node);
}

/// A sender against the end of the parent.
pub(crate) fn parent_ends_against_send() {
    let node = node();
    let (parent, meta) = spawned(&node, blocked());
    let thread = sender(&meta, 1);
    node.exit(&parent, Exit::Normal);
    thread.join();
    stop(&node);
}

/// A panic in the Reader, while a sender sends.
pub(crate) fn panic_in_reader() {
    let node = node();
    let reader = Read::soon(|_: &ReaderContext<Mail>| {
        planned_panic();
        Ok(())
    });
    let (parent, meta) = spawned(&node, reader);
    send(&meta, Mail::new());
    send(&parent, Mail::new());
    stop(&node);
}

/// A panic in a callback of the Handler, beside a blocked Reader, while a sender sends.
pub(crate) fn panic_in_handler(callback: Option<PanicIn>) {
    let node = node();
    let clerk = Clerk::panicking_in(callback.unwrap_or(PanicIn::Nothing));
    match spawn(&node, blocked(), clerk) {
        (_, Some(meta)) => {
            let thread = sender(&meta, 1);
            send(&meta, Mail::order(Order::Panic));
            thread.join();
        }
        (parent, None) => {
            reached("init failed");
            send(&parent, Mail::new());
        }
    }
    stop(&node);
}

/// Kills the meta-process while its Reader returns by itself and a message is on its way.
pub(crate) fn kill_against_reader_end() {
    let node = node();
    let (_, meta) = spawned(&node, Read::soon(|_: &ReaderContext<Mail>| Ok(())));
    let killer = {
        let (node, meta) = (node.clone(), meta.clone());
        start(move || node.kill(&meta))
    };
    send(&meta, Mail::new());
    killer.join();
    stop(&node);
}
