//! Every instance of every scenario, one line each.

use std::time::Duration;

use antiphon::supervisor::Strategy::{OneForAll, OneForOne, RestForOne};
use antiphon_harness::{Engine, Scenario};
use antiphon_spec::Guarantee::{self, *};

use crate::parts::PanicIn;
use crate::process::Way;
use crate::streams::On;
use crate::supervision::Told;
use crate::{
    calls, capacity, children, datagrams, ends, files, inbox, lines, meta, parcels, process, relations,
    signals, streams, supervision, timers,
};

/// For all engines.
const ALL: &[Engine] = &[Engine::Loom, Engine::Shuttle, Engine::Explorer, Engine::Threads];
/// Too large for loom.
const LARGE: &[Engine] = &[Engine::Shuttle, Engine::Explorer, Engine::Threads];
/// Needs a batch that is soon used up.
const SMALL_BATCH: &[Engine] = &[Engine::Shuttle, Engine::Explorer];
/// For all engines with a small batch.
const MODELS: &[Engine] = &[Engine::Loom, Engine::Shuttle, Engine::Explorer];
/// Needs a timeout that may come, which loom has not.
const TIMED: &[Engine] = LARGE;

/// The same, where real time comes too late or too early.
const TIMED_MODELS: &[Engine] = SMALL_BATCH;
/// For engines that search: what it exists for is so rare that a sampler may not meet it.
const SEARCHED: &[Engine] = &[Engine::Loom, Engine::Explorer];
/// The same, and too large for loom.
const EXPLORED: &[Engine] = &[Engine::Explorer];

/// What every scenario with a sender shows.
const MESSAGES: &[Guarantee] =
    &[HandlerExclusion, NoDuplication, RightRecipient, WakeUp, RaceFreedom, Handover, NoLeak];
/// What those show in which somebody sends twice while others keep the actor busy.
const ORDERED: &[Guarantee] =
    &[HandlerExclusion, NoDuplication, RightRecipient, SenderOrder, WakeUp, RaceFreedom, Handover, NoLeak];
const CLOSING: &[Guarantee] = &[
    HandlerExclusion,
    NoLoss,
    NoDuplication,
    RightRecipient,
    ClosedIsClosed,
    TerminateOnce,
    WakeUp,
    RaceFreedom,
    Handover,
    NoLeak,
];
const META: &[Guarantee] = &[
    HandlerExclusion,
    NoLoss,
    NoDuplication,
    RightRecipient,
    TerminateOnce,
    ReaderLifetime,
    Ownership,
    RaceFreedom,
    Handover,
    NoLeak,
];
/// What a Reader that is blocked for as long as it lives shows.
const INDEPENDENT: &[Guarantee] = &[
    Independence,
    HandlerExclusion,
    NoLoss,
    TerminateOnce,
    ReaderLifetime,
    Ownership,
    RaceFreedom,
    Handover,
    NoLeak,
];
const OWNED: &[Guarantee] =
    &[HandlerExclusion, TerminateOnce, ReaderLifetime, Ownership, RaceFreedom, NoLeak];
const INTERRUPTED: &[Guarantee] = &[TerminateOnce, ReaderLifetime, Ownership, Interruption, NoLeak];
/// What restarts show.
const SUPERVISED: &[Guarantee] =
    &[RestartDiscipline, MonitorOnce, NameValidity, UniqueIdentity, TerminateOnce, RaceFreedom, NoLeak];
/// What a supervisor that ends shows.
const ENDED: &[Guarantee] = &[RestartDiscipline, TerminateOnce, RaceFreedom, NoLeak];
const PANICS: &[Guarantee] =
    &[HandlerExclusion, NoLoss, TerminateOnce, PanicContainment, RaceFreedom, NoLeak];
/// What the memory of messages shows.
const PARCELS: &[Guarantee] = &[RaceFreedom, NoLeak];
const TIMERS: &[Guarantee] = &[TimerOutcome, NoDuplication, TerminateOnce, RaceFreedom, NoLeak];

/// What a child process shows.
const CHILDREN: &[Guarantee] = &[
    HandlerExclusion,
    NoLoss,
    RightRecipient,
    WakeUp,
    TerminateOnce,
    ReaderLifetime,
    Ownership,
    RaceFreedom,
    NoLeak,
];
/// What a file shows that is read to its end, or further.
const FILES: &[Guarantee] = &[
    HandlerExclusion,
    NoLoss,
    NoDuplication,
    TerminateOnce,
    ReaderLifetime,
    Ownership,
    RaceFreedom,
    Handover,
    NoLeak,
];
/// What one shows that is to end with its owner.
const WAITED_FOR: &[Guarantee] =
    &[TerminateOnce, ReaderLifetime, Ownership, Interruption, RaceFreedom, NoLeak];
/// What a source shows that somebody calls.
const ANSWERED: &[Guarantee] =
    &[CallOutcome, HandlerExclusion, TerminateOnce, ReaderLifetime, Ownership, RaceFreedom, Handover, NoLeak];

const STREAMS: &[Guarantee] = &[
    HandlerExclusion,
    NoDuplication,
    RightRecipient,
    TerminateOnce,
    ReaderLifetime,
    Ownership,
    RaceFreedom,
    Handover,
    NoLeak,
];
/// What lines that come in order, and all of them, show.
const LINES: &[Guarantee] = &[
    HandlerExclusion,
    NoLoss,
    NoDuplication,
    RightRecipient,
    TerminateOnce,
    ReaderLifetime,
    Ownership,
    RaceFreedom,
    Handover,
    NoLeak,
];

macro_rules! catalogue {
    ($($name:literal, $guarantees:expr, [$($reaches:literal),*], $engines:expr, $body:expr;)*) => {
        &[$(Scenario {
            name: $name, guarantees: $guarantees, reaches: &[$($reaches),*], engines: $engines, body: || $body,
        }),*]
    };
}

pub(crate) static SCENARIOS: &[Scenario] = catalogue! {
    "inbox/senders/1x3", MESSAGES, ["activated", "parked"], ALL, inbox::senders(1, 3, 4);
    "inbox/senders/2x1", MESSAGES, ["activated", "queued", "parked", "could not park"], ALL, inbox::senders(2, 1, 3);
    "inbox/senders/2x2", ORDERED, ["activated", "queued", "parked", "could not park"], ALL, inbox::senders(2, 2, 5);
    "inbox/senders/3x1", MESSAGES, ["activated", "queued", "parked", "could not park"], ALL, inbox::senders(3, 1, 4);
    "inbox/senders/3x2", ORDERED, ["activated", "queued", "parked", "could not park"], LARGE, inbox::senders(3, 2, 7);
    "inbox/close/2x1", CLOSING, ["closed", "refused", "dead letter"], ALL, inbox::senders(2, 1, 1);
    "inbox/close/2x2", CLOSING, ["closed", "refused", "dead letter"], ALL, inbox::senders(2, 2, 2);
    "inbox/close/3x1", CLOSING, ["closed", "refused", "dead letter"], ALL, inbox::senders(3, 1, 1);
    "inbox/close/3x2", CLOSING, ["closed", "refused", "dead letter"], LARGE, inbox::senders(3, 2, 2);

    "inbox/abandoned/1", &[RaceFreedom, NoLeak], ["queued", "refused"], ALL, inbox::abandoned(1);
    "inbox/abandoned/2", &[RaceFreedom, NoLeak], ["queued", "refused"], ALL, inbox::abandoned(2);

    "parcels/opened-by/1", PARCELS, ["opened elsewhere", "opened at home"], ALL, parcels::opened_by(1);
    "parcels/opened-by/2", PARCELS, ["opened elsewhere", "opened at home"], ALL, parcels::opened_by(2);

    "process/senders/2x1", MESSAGES, ["handled"], ALL, process::competing_senders(2, 1);
    "process/senders/2x2", ORDERED, ["handled"], LARGE, process::competing_senders(2, 2);
    "process/senders/3x1", MESSAGES, ["handled"], LARGE, process::competing_senders(3, 1);
    "process/senders/2x3", ORDERED, ["handled", "batch used up"], SMALL_BATCH, process::competing_senders(2, 3);
    "process/send-to-self", ORDERED, ["handled", "batch used up"], MODELS, process::send_to_self();
    "process/send-to-ended", &[ClosedIsClosed, TerminateOnce, NoLeak], ["refused"], ALL, process::send_to_ended();
    "process/spawn-after-end", &[UniqueIdentity, TerminateOnce, NoLeak], ["handled"], ALL, process::spawn_after_end();
    "process/keeps-own-address", &[TerminateOnce, NoLeak], ["handled", "refused"], ALL, process::keeps_own_address();
    "process/two-recipients", MESSAGES, ["handled"], ALL, process::two_recipients();
    "process/concurrent-spawns", &[UniqueIdentity, NoLoss, RightRecipient], ["handled"], ALL, process::concurrent_spawns();
    "process/spawn-against-stop", &[TerminateOnce, CleanStop, NoLeak], ["spawned", "spawn refused"], ALL, process::spawn_against_stop();
    "process/exit/1", CLOSING, ["handled", "refused"], ALL, process::send_against(Way::Exit, 1);
    "process/exit/2", CLOSING, ["handled", "refused"], LARGE, process::send_against(Way::Exit, 2);
    "process/finish/2", CLOSING, ["handled", "refused"], LARGE, process::send_against(Way::Finish, 2);
    "process/kill/1", CLOSING, ["handled", "refused"], ALL, process::send_against(Way::Kill, 1);
    "process/two-kills/1", CLOSING, ["handled", "refused"], LARGE, process::send_against(Way::TwoKills, 1);
    "process/return/1", CLOSING, ["handled", "refused"], ALL, process::send_against(Way::Return, 1);
    "process/fail/2", CLOSING, ["handled", "refused"], LARGE, process::send_against(Way::Fail, 2);
    "process/panic/1", CLOSING, ["refused", "ended by a panic"], ALL, process::send_against(Way::Panic, 1);
    "process/node-stop/1", CLOSING, ["handled", "refused"], ALL, process::send_against(Way::NodeStop, 1);
    "process/panic-in-init", PANICS, ["init failed"], ALL, process::panic_in(PanicIn::Init);
    "process/panic-in-terminate", PANICS, ["ended"], ALL, process::panic_in(PanicIn::Terminate);
    "process/dead-letters/2", CLOSING, ["dead letter"], LARGE, process::dead_letters(2);

    "meta/reader-ends-against-send/1x1", META, ["accepted", "refused"], ALL, meta::reader_ends_against_sends(1, 1);
    "meta/reader-ends-against-send/2x1", META, ["accepted", "refused"], LARGE, meta::reader_ends_against_sends(2, 1);
    "meta/reader-ends-against-send/2x2", META, ["accepted", "refused"], LARGE, meta::reader_ends_against_sends(2, 2);
    "meta/reader-ends-against-handler", META, ["handler was in progress"], ALL, meta::reader_ends_against_handler();
    "meta/reader-sends/1", META, ["handled"], ALL, meta::reader_sends(1);
    "meta/reader-sends/2", META, ["handled", "refused"], LARGE, meta::reader_sends(2);
    "meta/blocked-reader/1", INDEPENDENT, ["handled", "interrupted"], ALL, meta::blocked_reader(1);
    "meta/blocked-reader/2", INDEPENDENT, ["handled", "interrupted"], LARGE, meta::blocked_reader(2);
    "meta/each-waits-for-the-other", META, ["reader went on"], ALL, meta::each_waits_for_the_other();
    "meta/parent-ends-against-spawn", OWNED, ["spawned", "spawn refused"], ALL, meta::parent_ends_against_spawn();
    "meta/parent-ends-with-metas/1", OWNED, ["interrupted"], ALL, meta::parent_ends_with_metas(1);
    "meta/parent-ends-with-metas/2", OWNED, ["interrupted"], LARGE, meta::parent_ends_with_metas(2);
    "meta/parent-ends-beside-another", INTERRUPTED, ["interrupted"], ALL, meta::parent_ends_beside_another();
    "meta/parent-fails-after-spawn", &[TerminateOnce, ReaderLifetime, RaceFreedom, NoLeak], ["init failed", "interrupted"], ALL, meta::parent_fails_after_spawn();
    "meta/failure-beside-its-parent", &[CallIsolation, TerminateOnce, Ownership, RaceFreedom, NoLeak], ["failed"], ALL, meta::failure_beside_its_parent();
    "meta/parent-ends-against-send", META, ["accepted", "refused"], ALL, meta::parent_ends_against_send();
    "meta/panic-in-reader", PANICS, ["handled"], ALL, meta::panic_in_reader();
    "meta/panic-in-handle", PANICS, ["ended by a panic"], ALL, meta::panic_in_handler(None);
    "meta/panic-in-init", PANICS, ["init failed"], ALL, meta::panic_in_handler(Some(PanicIn::Init));
    "meta/panic-in-terminate", PANICS, ["ended by a panic"], ALL, meta::panic_in_handler(Some(PanicIn::Terminate));
    "meta/kill-against-reader-end", META, ["handled", "refused"], LARGE, meta::kill_against_reader_end();

    "node/stop-against-sender", &[CleanStop, TerminateOnce, NoLeak], ["handled", "refused"], ALL, ends::stop_against_sender();
    "node/deaf-reader", &[CleanStop, Interruption, ReaderLifetime], ["named"], TIMED, ends::deaf_reader();

    "relations/monitor-against-end", &[MonitorOnce, CallIsolation, TerminateOnce, RaceFreedom, NoLeak], ["down"], ALL, relations::monitor_against_end();
    "relations/demonitor-against-end", &[TerminateOnce, RaceFreedom, NoLeak], ["taken back"], MODELS, relations::demonitor_against_end();
    "relations/both-ends-of-a-monitor", &[TerminateOnce, RaceFreedom, NoLeak], ["accepted"], MODELS, relations::both_ends_of_a_monitor();
    "relations/link-against-end", &[LinkPropagation, TerminateOnce, RaceFreedom, NoLeak], ["linked actor exited"], ALL, relations::link_against_end(false);
    "relations/trapped-link", &[LinkPropagation, TerminateOnce, RaceFreedom, NoLeak], ["linked actor exited"], ALL, relations::link_against_end(true);
    "relations/link-and-normal-end", &[LinkPropagation, RaceFreedom], ["accepted"], ALL, relations::link_and_normal_end();
    "relations/name-against-end", &[NameValidity, MonitorOnce, NoLeak], ["found", "not found", "down"], MODELS, relations::name_against_end();
    "relations/two-want-a-name", &[NameValidity, TerminateOnce, NoLeak], ["the other got it", "this one got it"], MODELS, relations::two_want_a_name();

    "supervision/restart", SUPERVISED, ["restarted", "handled", "refused"], ALL, supervision::restart(false);
    "supervision/restart/with-reader", SUPERVISED, ["restarted", "interrupted"], LARGE, supervision::restart(true);
    "supervision/failure/one-for-one", SUPERVISED, ["restarted"], LARGE, supervision::failure(OneForOne, 0, 1);
    "supervision/failure/one-for-all", SUPERVISED, ["restarted"], LARGE, supervision::failure(OneForAll, 0, 2);
    "supervision/failure/rest-for-one/first", SUPERVISED, ["restarted"], LARGE, supervision::failure(RestForOne, 0, 2);
    "supervision/failure/rest-for-one/last", SUPERVISED, ["restarted"], LARGE, supervision::failure(RestForOne, 1, 1);
    "supervision/two-failures/one-for-one", SUPERVISED, ["restarted"], LARGE, supervision::two_failures(OneForOne);
    "supervision/normal-end", SUPERVISED, ["handled", "refused"], ALL, supervision::normal_end();
    "supervision/gives-up", SUPERVISED, ["down", "handled"], LARGE, supervision::gives_up();
    "supervision/exit-against-failure/one-for-one", ENDED, ["restarted", "refused"], SEARCHED, supervision::end_against_failure(Told::Exit, OneForOne);
    "supervision/exit-against-failure/one-for-all", ENDED, ["restarted", "refused"], EXPLORED, supervision::end_against_failure(Told::Exit, OneForAll);
    "supervision/kill-against-failure", ENDED, ["restarted", "refused"], EXPLORED, supervision::end_against_failure(Told::Kill, OneForOne);
    "supervision/start-against-exit", ENDED, ["started", "not started"], MODELS, supervision::start_against_exit();
    "supervision/stop-against-failure", ENDED, ["restarted", "refused"], SEARCHED, supervision::stop_against_failure();
    "supervision/tree", SUPERVISED, ["the branch was restarted"], LARGE, supervision::tree();
    "supervision/overdue", ENDED, ["killed"], TIMED, supervision::overdue();

    "calls/two-callers", &[CallOutcome, HandlerExclusion, RaceFreedom, Handover, NoLeak], ["reply"], ALL, calls::two_callers();
    "calls/against-end", &[CallOutcome, RaceFreedom, NoLeak], ["reply", "refused", "terminated"], MODELS, calls::call_against_end();
    "calls/dropped-reply", &[CallOutcome, NoLeak], ["terminated"], ALL, calls::dropped_reply();
    "calls/reply-passed-on", &[CallOutcome, RaceFreedom, Handover, NoLeak], ["reply"], ALL, calls::reply_passed_on();
    "calls/late-reply", &[CallOutcome, NoLeak], ["timeout", "late reply"], TIMED, calls::late_reply();
    "calls/close-a-cycle", &[CallOutcome, DeadlockRefusal, NoLeak], ["reply", "deadlock"], MODELS, calls::calls_that_close_a_cycle();
    "calls/to-oneself", &[CallOutcome, DeadlockRefusal], ["deadlock"], ALL, calls::call_to_oneself();

    "capacity/competing-senders", &[Capacity, RaceFreedom, NoLeak], ["full"], ALL, capacity::competing_senders();
    "capacity/back-pressure", &[Capacity, RaceFreedom, NoLeak], ["had room"], ALL, capacity::back_pressure();
    "capacity/back-pressure-against-end", &[ClosedIsClosed, RaceFreedom, NoLeak], ["closed while it waited"], MODELS, capacity::back_pressure_against_end();
    "capacity/classes", &[ClassOrder], ["all handled"], ALL, capacity::classes();
    "capacity/overtaking", &[ClassOrder, SenderOrder], ["all handled"], ALL, capacity::overtaking();
    "capacity/urgent-against-main", &[ClassOrder, NoLoss, WakeUp], ["urgent accepted"], MODELS, capacity::urgent_against_main();

    "streams/interrupt-against-readiness/thread", STREAMS, ["received", "interrupted"], ALL, streams::interrupt_against_readiness(On::Thread);
    "streams/interrupt-against-readiness/poller", STREAMS, ["received", "interrupted"], ALL, streams::interrupt_against_readiness(On::Poller);
    "streams/two-interrupts/thread", INTERRUPTED, ["interrupted"], ALL, streams::two_interrupts(On::Thread);
    "streams/two-interrupts/poller", OWNED, ["interrupted"], ALL, streams::two_interrupts(On::Poller);
    "streams/two-requests/thread", STREAMS, ["accepted", "interrupted"], ALL, streams::two_requests(On::Thread);
    "streams/two-requests/poller", STREAMS, ["accepted", "interrupted"], ALL, streams::two_requests(On::Poller);
    "streams/write-against-end/thread", STREAMS, ["accepted", "the peer ended"], ALL, streams::write_against_end(On::Thread);
    "streams/write-against-end/poller", STREAMS, ["accepted", "the peer ended"], ALL, streams::write_against_end(On::Poller);
    "streams/hold-against-release/thread", STREAMS, ["received", "the peer ended"], LARGE, streams::hold_against_release(On::Thread);
    "streams/hold-against-release/poller", STREAMS, ["received", "the peer ended"], LARGE, streams::hold_against_release(On::Poller);
    "streams/write-against-room/thread", STREAMS, ["all came"], ALL, streams::write_against_room(On::Thread);
    "streams/write-against-room/poller", STREAMS, ["all came"], ALL, streams::write_against_room(On::Poller);
    "streams/echo/thread", STREAMS, ["received", "the peer ended"], ALL, streams::echo(On::Thread);
    "streams/echo/poller", STREAMS, ["received", "the peer ended"], ALL, streams::echo(On::Poller);
    "streams/last-words/thread", STREAMS, ["received", "the peer ended"], ALL, streams::last_words(On::Thread);
    "streams/last-words/poller", STREAMS, ["received", "the peer ended"], ALL, streams::last_words(On::Poller);
    "streams/panic-in-session/thread", PANICS, ["ended by a panic"], ALL, streams::panic_in_session(On::Thread);
    "streams/panic-in-session/poller", PANICS, ["ended by a panic"], ALL, streams::panic_in_session(On::Poller);
    "streams/close-against-accept/thread", OWNED, ["accepted", "stopped"], LARGE, streams::close_against_accept(On::Thread);
    "streams/close-against-accept/poller", OWNED, ["accepted", "stopped"], LARGE, streams::close_against_accept(On::Poller);

    "datagrams/interrupt-against-readiness/thread", STREAMS, ["received", "interrupted"], ALL, datagrams::interrupt_against_readiness(On::Thread);
    "datagrams/interrupt-against-readiness/poller", STREAMS, ["received", "interrupted"], ALL, datagrams::interrupt_against_readiness(On::Poller);
    "datagrams/send-against-room/thread", ANSWERED, ["all came"], ALL, datagrams::send_against_room(On::Thread);
    "datagrams/send-against-room/poller", ANSWERED, ["all came"], ALL, datagrams::send_against_room(On::Poller);
    "datagrams/close-against-room/thread", ANSWERED, ["refused", "dropped"], MODELS, datagrams::close_against_room(On::Thread);
    "datagrams/close-against-room/poller", ANSWERED, ["refused", "dropped"], MODELS, datagrams::close_against_room(On::Poller);
    "datagrams/error-against-datagram/thread", STREAMS, ["an error was told", "received after an error"], ALL, datagrams::error_against_datagram(On::Thread);
    "datagrams/error-against-datagram/poller", STREAMS, ["an error was told", "received after an error"], ALL, datagrams::error_against_datagram(On::Poller);

    "signals/come-against-release", STREAMS, ["received"], ALL, signals::come_against_release();
    "signals/two-kinds", STREAMS, ["received"], ALL, signals::two_kinds();
    "signals/come-against-end", STREAMS, ["received"], ALL, signals::come_against_end();
    "signals/come-against-removal", STREAMS, ["received"], ALL, signals::come_against_removal();

    "children/output-against-exit", CHILDREN, ["output", "exited"], ALL, children::output_against_exit();
    "children/end-against-exit", WAITED_FOR, ["exited"], ALL, children::end_against_exit();
    "children/kill-against-exit", WAITED_FOR, ["killed", "exited"], TIMED_MODELS, children::kill_against_exit();
    "children/disobedience", WAITED_FOR, ["killed"], TIMED, children::disobedience();
    "children/stop-against-heir", CHILDREN, ["exited", "ended by a signal"], ALL, children::stop_against_heir();
    "children/write-against-exit", CHILDREN, ["accepted", "it reads no more", "exited"], ALL, children::write_against_exit();
    "children/close-against-room", CHILDREN, ["all came", "exited"], ALL, children::close_against_room();

    "lines/interrupt-against-readiness", LINES, ["handled", "interrupted"], ALL, lines::interrupt_against_readiness();
    "lines/last-line", LINES, ["handled", "ended"], ALL, lines::last_line();
    "lines/pieces", LINES, ["handled"], ALL, lines::pieces();
    "lines/handler-ends-against-delivery", LINES, ["handled", "told to end"], ALL, lines::handler_ends_against_delivery();
    "lines/hold-against-release", LINES, ["handled", "ended"], LARGE, lines::hold_against_release();
    "lines/next-writer", LINES, ["handled", "began again"], ALL, lines::next_writer();
    "lines/writer-between-openings", LINES, ["handled", "began again"], ALL, lines::writer_between_openings();
    "lines/interrupt-against-next-writer", LINES, ["handled", "began again", "interrupted"], ALL, lines::interrupt_against_next_writer();

    "files/append-against-end", FILES, ["received"], ALL, files::append_against_end();
    "files/truncate-against-read", FILES, ["received", "truncated"], ALL, files::truncate_against_read();
    "files/replace-against-end", FILES, ["received", "replaced"], ALL, files::replace_against_end();
    "files/replace-before-look", FILES, ["received", "replaced"], ALL, files::replace_before_look();
    "files/truncate-and-replace-before-look", FILES, ["received", "truncated", "replaced"], ALL, files::truncate_and_replace_before_look();
    "files/seek-against-delivery", FILES, ["received", "position"], ALL, files::seek_against_delivery();
    "files/interrupt-against-append", OWNED, ["received", "interrupted"], ALL, files::interrupt_against_append();

    "timers/cancel-against-fire/due", TIMERS, ["cancelled", "too late"], MODELS, timers::cancel_against_fire(Duration::ZERO);
    "timers/cancel-against-fire/later", TIMERS, ["cancelled", "too late"], TIMED_MODELS, timers::cancel_against_fire(timers::SOME);
    "timers/two-cancel", &[TimerOutcome, RaceFreedom, NoLeak], ["this one came in time", "the other came in time"], MODELS, timers::two_cancel();
    "timers/owner-ends-against-fire/due", TIMERS, ["sent", "not sent"], MODELS, timers::owner_ends_against_fire(Duration::ZERO);
    "timers/owner-ends-against-fire/later", TIMERS, ["sent", "not sent"], TIMED_MODELS, timers::owner_ends_against_fire(timers::SOME);
    "timers/set-against-end", &[TimerOutcome, RaceFreedom, NoLeak], ["set", "refused"], MODELS, timers::set_against_end();
    "timers/every-against-stop", TIMERS, ["first tick"], TIMED_MODELS, timers::every_against_stop();
    "timers/every-against-cancel", TIMERS, ["cancelled", "too late"], TIMED_MODELS, timers::every_against_cancel();
    "timers/stop-with-pending", &[TimerOutcome, CleanStop, RaceFreedom, NoLeak], ["set", "refused"], MODELS, timers::stop_with_pending();
    "timers/one-after-another", &[TimerOutcome, WakeUp, NoLeak], ["the first", "the second"], ALL, timers::one_after_another();
    "timers/earlier-one-set-later", &[TimerOutcome, WakeUp, NoLeak], ["woken"], ALL, timers::earlier_one_set_later();
};
