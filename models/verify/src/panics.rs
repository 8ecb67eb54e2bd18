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
    static LAST_WORD: RefCell<Option<LastWord>> = const { RefCell::new(None) };
}

/// Takes the message of a panic after which nothing of the execution can be trusted, and ends the process.
type LastWord = Box<dyn Fn(&str)>;

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

/// Has `end` told what loom finds on this thread, before anything unwinds.
///
/// Unwinding runs destructors of the runtime in the middle of a program that loom has given up: they abort, or
/// worse. What is told is loom's finding or, where loom only stumbles over what another panic has left, that
/// panic.
pub(crate) fn on_finding_of_loom(end: impl Fn(&str) + 'static) {
    LAST_WORD.set(Some(Box::new(end)));
}

/// How loom says what it finds.
const FINDINGS: [&str; 5] = [
    "deadlock",
    "Causality violation",
    "currently writing to cell",
    "currently reading from cell",
    "Arc leaked",
];

/// How loom says that an execution is over, to the destructors of what was left by a panic that got out of it.
const AFTERMATH: &str = "cannot access Loom execution state";

fn last_word(message: &str) {
    let aftermath = message.starts_with(AFTERMATH);
    if !aftermath && !FINDINGS.iter().any(|finding| message.contains(finding)) {
        return;
    }
    let before = || RECENT.try_with(|recent| Some(recent.try_borrow().ok()?.back()?.message.clone()));
    let told = if aftermath { before().ok().flatten() } else { Some(message.to_string()) };
    let _ = LAST_WORD.try_with(|end| {
        if let (Ok(end), Some(told)) = (end.try_borrow(), told)
            && let Some(end) = end.as_ref()
        {
            end(&told);
        }
    });
}

fn remember(info: &PanicHookInfo<'_>) {
    let message = text(info.payload()).unwrap_or("a panic without a message").to_string();
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    if location.contains("/loom-") {
        last_word(&message);
    }
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
