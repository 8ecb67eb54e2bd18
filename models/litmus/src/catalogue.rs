//! The programs' names, what they may do, and which engine is known to answer something else.

use crate::{on_explorer, on_loom, on_shuttle};

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// The explorer, with optimal reduction.
    Explorer,
    /// All schedules, one after the other, of the same platform.
    NaiveDfs,
    /// loom, without bounds unless the answer says which.
    Loom,
    /// shuttle's depth-first search, on shuttle's own primitives.
    ShuttleDfs,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Explorer, Self::NaiveDfs, Self::Loom, Self::ShuttleDfs];

    /// Its name, in the table and as JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Explorer => "explorer",
            Self::NaiveDfs => "naive-dfs",
            Self::Loom => "loom",
            Self::ShuttleDfs => "shuttle-dfs",
        }
    }
}

/// An answer that is wrong, as is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hole {
    /// Who answers so.
    pub(crate) engines: &'static [Engine],
    /// The outcomes that it comes across.
    pub(crate) outcomes: &'static [&'static str],
    /// Why, with the public issue where there is one.
    pub because: &'static str,
    /// What a program does that may fall into it.
    pub concerns: Concern,
}

/// What a program does that an engine may get wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concern {
    /// Loads an atomic.
    Load,
    /// Loads and stores atomics, by more than read-modify-writes.
    LoadAndStore,
    /// Reads and writes an atomic in one.
    ReadModifyWrite,
    /// Relies on the order of sequentially consistent accesses.
    SequentialConsistency,
    /// Compares and exchanges weakly.
    WeakExchange,
    /// Tries to lock.
    TryLock,
    /// Receives from a channel if there is something.
    TryReceive,
    /// Waits for a condition variable.
    Wait,
    /// Waits for a time at most.
    Timeout,
    /// Looks whether a lock is poisoned.
    Poison,
}

/// One litmus program.
#[derive(Clone, Copy, Debug)]
pub struct Litmus {
    /// Its name.
    pub name: &'static str,
    /// What it may do under sequential consistency.
    pub sc: &'static [&'static str],
    /// What it may do under C11, as written.
    pub c11: &'static [&'static str],
    pub(crate) holes: &'static [Hole],
    /// The most preemptions of an execution under loom, where it would not end otherwise.
    pub(crate) loom_preemptions: Option<usize>,
    pub(crate) on_explorer: fn(),
    pub(crate) on_loom: fn(),
    pub(crate) on_shuttle: fn(),
}

impl Litmus {
    /// The hole that this engine is known to have here.
    pub fn hole(&self, engine: Engine) -> Option<&Hole> {
        self.holes.iter().find(|hole| hole.engines.contains(&engine))
    }
}

/// Those that explore this project's platform.
const OURS: &[Engine] = &[Engine::Explorer, Engine::NaiveDfs];
const LOOM: &[Engine] = &[Engine::Loom];
const ALL: &[Engine] = &Engine::ALL;
const MOCKS: &[Engine] = &[Engine::Loom, Engine::ShuttleDfs];

/// Why an answer is wrong, and what falls into that.
type Reason = (&'static str, Concern);

const RELEASE_ACQUIRE: Reason = (
    "sequentially consistent accesses count as acquire/release: tokio-rs/loom#180",
    Concern::SequentialConsistency,
);
const LOAD_HIDES: Reason =
    ("a thread's own load hides an earlier concurrent access: tokio-rs/loom#392", Concern::Load);
const NEEDLESS: Reason =
    ("a load that changes nothing hides interleavings: tokio-rs/loom#166", Concern::Load);
const OUT_OF_ORDER: Reason =
    ("the modification order is not respected: tokio-rs/loom#282", Concern::ReadModifyWrite);
const SQUEEZED: Reason = (
    "a store comes between what a swap reads and what it writes: tokio-rs/loom#389",
    Concern::ReadModifyWrite,
);
const NO_LOAD_BUFFERING: Reason = ("load buffering is not modelled (loom's README)", Concern::LoadAndStore);
const TRY_LOCK: Reason =
    ("a try_lock waits for the lock instead of failing: tokio-rs/loom#376", Concern::TryLock);
const TRY_RECEIVE: Reason = (
    "a look at an empty channel is no scheduling point; measured, no public issue is known",
    Concern::TryReceive,
);
const NO_TIMEOUT: Reason = ("timeouts never come, as its documentation says", Concern::Timeout);
const NEVER_SPURIOUS: Reason =
    ("compare_exchange_weak never fails for no reason, as its documentation says", Concern::WeakExchange);
const NO_SPURIOUS_WAKE_UP: Reason =
    ("a condition variable wakes nobody for no reason, as its documentation says", Concern::Wait);
const NO_POISON: Reason =
    ("the platform's locks are not poisoned, and neither are the runtime's", Concern::Poison);
const POISON_PANICS: Reason =
    ("a poisoned lock panics instead of saying so; measured, no public issue is known", Concern::Poison);

macro_rules! catalogue {
    ($($name:literal $function:ident: sc $sc:expr, c11 $c11:expr
        $(, hole $engines:ident $outcomes:expr, $because:expr)* $(, loom within $bound:literal)?;)*) => {
        &[$(Litmus {
            name: $name,
            sc: $sc,
            c11: $c11,
            holes: &[$(Hole { engines: $engines, outcomes: $outcomes, because: $because.0, concerns: $because.1 }),*],
            loom_preemptions: bound!($($bound)?),
            on_explorer: on_explorer::programs::$function,
            on_loom: on_loom::programs::$function,
            on_shuttle: on_shuttle::programs::$function,
        }),*]
    };
}

macro_rules! bound {
    () => {
        None
    };
    ($bound:literal) => {
        Some($bound)
    };
}

/// All programs, in the order of the table.
///
/// The outcome sets are the textbook ones (Alglave, Maranget, Tautschnig, "Herding Cats", TOPLAS 2014; Batty, Owens,
/// Sarkar, Sewell, Weber, "Mathematizing C++ Concurrency", POPL 2011) or follow by enumeration; those under
/// sequential consistency are checked by naive search in every run.
pub(crate) const PROGRAMS: &[Litmus] = catalogue! {
    "store-buffering" store_buffering:
        sc &["01", "10", "11"], c11 &["01", "10", "11"],
        hole LOOM &["00", "01", "10", "11"], RELEASE_ACQUIRE;
    "store-buffering-relaxed" store_buffering_relaxed:
        sc &["01", "10", "11"], c11 &["00", "01", "10", "11"];
    "store-buffering-fences" store_buffering_fences:
        sc &["01", "10", "11"], c11 &["01", "10", "11"];
    "store-buffering-rmw" store_buffering_rmw:
        sc &["01", "10", "11"], c11 &["01", "10", "11"];
    "message-passing" message_passing:
        sc &["00", "01", "11"], c11 &["00", "01", "11"];
    "message-passing-fences" message_passing_fences:
        sc &["00", "01", "11"], c11 &["00", "01", "11"];
    "message-passing-relaxed" message_passing_relaxed:
        sc &["00", "01", "11"], c11 &["00", "01", "10", "11"];
    "load-buffering" load_buffering:
        sc &["00", "01", "10"], c11 &["00", "01", "10", "11"],
        hole LOOM &["00", "01", "10"], NO_LOAD_BUFFERING;
    "coherence-of-reads" coherence_of_reads:
        sc &["00", "01", "02", "11", "12", "22"], c11 &["00", "01", "02", "11", "12", "22"];
    "coherence-of-own-write" coherence_of_own_write:
        sc &["11", "12", "22"], c11 &["11", "12", "22"];
    "modification-order" modification_order:
        sc MODIFICATIONS, c11 MODIFICATIONS, hole LOOM MODIFICATIONS_TOO_MANY, OUT_OF_ORDER;
    "swap-against-store" swap_against_store:
        sc &["01", "12"], c11 &["01", "12"], hole LOOM &["01", "02", "12"], SQUEEZED;
    "two-plus-two-writes" two_plus_two_writes:
        sc &["12", "21", "22"], c11 &["11", "12", "21", "22"];
    "independent-reads" independent_reads:
        sc IRIW_SC, c11 IRIW_C11,
        loom within 2;
    "compare-exchange-race" compare_exchange_race:
        sc &["ny", "yn"], c11 &["ny", "yn"];
    "weak-exchange" weak_exchange:
        sc &["0n", "0y"], c11 &["0n", "0y"], hole ALL &["0y"], NEVER_SPURIOUS;
    "without-needless-load" without_needless_load:
        sc &["00", "01", "10", "11"], c11 &["00", "01", "10", "11"];
    "with-needless-load" with_needless_load:
        sc &["00", "01", "10", "11"], c11 &["00", "01", "10", "11"], hole LOOM &["00", "01", "11"], NEEDLESS;
    "load-then-store" load_then_store:
        sc &["0", "1"], c11 &["0", "1"], hole LOOM &["0"], LOAD_HIDES;
    "load-then-exchange" load_then_exchange:
        sc &["y0", "y1"], c11 &["y0", "y1"], hole LOOM &["y0"], LOAD_HIDES;
    "fetch-update" fetch_update:
        sc &["0", "1"], c11 &["0", "1"], hole LOOM &["0"], LOAD_HIDES;
    "load-then-exchange-read-by-rmw" load_then_exchange_read_by_rmw:
        sc &["y0", "y1"], c11 &["y0", "y1"];
    "two-load-then-exchange" two_load_then_exchange:
        sc TWO_EXCHANGES, c11 TWO_EXCHANGES, hole LOOM &["ny01", "yn01", "yy02"], LOAD_HIDES;
    "read-modify-write-chain" read_modify_write_chain:
        sc &["0123", "0213", "0312", "1203", "1302", "2301"],
        c11 &["0123", "0213", "0312", "1203", "1302", "2301"];
    "release-sequence" release_sequence:
        sc &["00", "01", "10", "11", "21"], c11 &["00", "01", "10", "11", "21"];
    "there-and-back" there_and_back:
        sc THERE_AND_BACK, c11 THERE_AND_BACK;
    "sequence-lock" sequence_lock:
        sc &["00", "11", "again"], c11 &["00", "11", "again"];
    "mutex-3x2" mutex_3x2:
        sc ORDERS, c11 ORDERS;
    "try-lock" try_lock:
        sc &["ny", "yn", "yy"], c11 &["ny", "yn", "yy"], hole LOOM &["yy"], TRY_LOCK;
    "try-receive" try_receive:
        sc &["--", "-1", "1-", "12"], c11 &["--", "-1", "1-", "12"], hole LOOM &["--"], TRY_RECEIVE;
    "receive" receive:
        sc &["12", "21"], c11 &["12", "21"];
    "park-token" park_token:
        sc &["0", "1"], c11 &["0", "1"];
    "park-until-told" park_until_told:
        sc &["told"], c11 &["told"];
    "condition-variable" condition_variable:
        sc &["7"], c11 &["7"];
    "spurious-wake-up" spurious_wake_up:
        sc &["0", "1"], c11 &["0", "1"], hole MOCKS &["1"], NO_SPURIOUS_WAKE_UP;
    "poisoning" poisoning:
        sc &["clean", "poisoned"], c11 &["clean", "poisoned"], hole OURS &["clean"], NO_POISON,
        hole LOOM &["clean", "panics"], POISON_PANICS;
    "timeout" timeout:
        sc &["done", "late"], c11 &["done", "late"], hole MOCKS &["done"], NO_TIMEOUT;
    "flag-and-data" flag_and_data:
        sc &["001", "011", "111"], c11 &["001", "011", "111"];
};

/// By what was swapped out (first), the word was 0, 1, 2 or 0, 2, 1; two reads follow that order.
#[rustfmt::skip]
const MODIFICATIONS: &[&str] = &[
    "000", "001", "002", "011", "021", "022", "100", "101", "102", "111", "112", "122",
];
/// And 012: the swap found the word before it was 1, and still 1 comes before 2.
#[rustfmt::skip]
const MODIFICATIONS_TOO_MANY: &[&str] = &[
    "000", "001", "002", "011", "012", "021", "022", "100", "101", "102", "111", "112", "122",
];
/// Two readers that agree on the order of two independent writes: all but 1010.
#[rustfmt::skip]
const IRIW_SC: &[&str] = &[
    "0000", "0001", "0010", "0011", "0100", "0101", "0110", "0111", "1000", "1001", "1011", "1100", "1101", "1110", "1111",
];
#[rustfmt::skip]
const IRIW_C11: &[&str] = &[
    "0000", "0001", "0010", "0011", "0100", "0101", "0110", "0111", "1000", "1001", "1010", "1011", "1100", "1101", "1110", "1111",
];
/// Both succeed, or the one that loaded before the other exchanged fails; the load in between sees any state.
const TWO_EXCHANGES: &[&str] = &["ny01", "ny11", "yn01", "yn11", "yy02", "yy12", "yy22"];
/// `0yyy` and `1yyy` are the ABA problem: the exchange succeeds although somebody was there meanwhile.
const THERE_AND_BACK: &[&str] = &["0nyy", "0ynn", "0yyn", "0yyy", "1nyy", "1yyn", "1yyy"];
/// All orders of two times three.
#[rustfmt::skip]
const ORDERS: &[&str] = &[
    "001122", "001212", "001221", "002112", "002121", "002211", "010122", "010212", "010221", "011022",
    "011202", "011220", "012012", "012021", "012102", "012120", "012201", "012210", "020112", "020121",
    "020211", "021012", "021021", "021102", "021120", "021201", "021210", "022011", "022101", "022110",
    "100122", "100212", "100221", "101022", "101202", "101220", "102012", "102021", "102102", "102120",
    "102201", "102210", "110022", "110202", "110220", "112002", "112020", "112200", "120012", "120021",
    "120102", "120120", "120201", "120210", "121002", "121020", "121200", "122001", "122010", "122100",
    "200112", "200121", "200211", "201012", "201021", "201102", "201120", "201201", "201210", "202011",
    "202101", "202110", "210012", "210021", "210102", "210120", "210201", "210210", "211002", "211020",
    "211200", "212001", "212010", "212100", "220011", "220101", "220110", "221001", "221010", "221100",
];
