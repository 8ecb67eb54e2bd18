//! Keeps panics quiet, and remembers the last ones for whoever has to explain how a run ended.
//!
//! The runtime contains panics and scenarios provoke them, so printing each would drown what matters. But
//! when a panic can't unwind, the process aborts and takes its memories along: then they are printed.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{self, PanicHookInfo};

/// How many panics of a thread are remembered: the last, and what may have led to it.
const REMEMBERED: usize = 16;

thread_local! {
    static RECENT: RefCell<VecDeque<Panic>> = const { RefCell::new(VecDeque::new()) };
}

struct Panic {
    message: String,
    location: String,
}

/// Takes the place of the hook that prints every panic.
pub(crate) fn install() {
    panic::set_hook(Box::new(remember));
}

/// Where this thread last panicked with this message; none if that was in a dependency, where the place
/// says nothing about the program.
pub(crate) fn location(message: &str) -> Option<String> {
    RECENT.with_borrow(|recent| {
        let panic = recent.iter().rev().find(|panic| panic.message == message)?;
        (!panic.location.starts_with('/')).then(|| panic.location.clone())
    })
}

/// What a panic says, if it says anything.
pub(crate) fn text(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

fn remember(info: &PanicHookInfo<'_>) {
    let message = text(info.payload()).unwrap_or("a panic without a message").to_string();
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    // The standard library's two ways of saying that it is about to abort.
    let fatal = message.starts_with("panic in a ");
    // A thread that is ending may have no memory any more, and a panic may come from in here.
    let _ = RECENT.try_with(|recent| {
        let Ok(mut recent) = recent.try_borrow_mut() else { return };
        if recent.len() == REMEMBERED {
            recent.pop_front();
        }
        recent.push_back(Panic { message, location });
        if fatal {
            for panic in recent.iter() {
                eprintln!("{}", panic.message);
            }
        }
    });
}
