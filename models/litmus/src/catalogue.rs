//! The programs' names, what they may do, and what loom is known to answer.

use crate::{on_loom, on_shuttle};

/// What loom answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Loom {
    /// What C11 allows, all of it and nothing else.
    Exact,
    /// Nothing: it does not end in any reasonable time without bounds.
    TooLarge,
    /// Something else, for a known reason.
    Hole { because: &'static str, outcomes: &'static [&'static str] },
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
    pub(crate) loom: Loom,
    pub(crate) on_loom: fn(),
    pub(crate) on_shuttle: fn(),
}

const RELEASE_ACQUIRE: &str =
    "loom treats sequentially consistent accesses as acquire/release (loom's README)";
const LOAD_HIDES: &str = "a thread's own load hides an earlier concurrent access: tokio-rs/loom#392";
const NO_LOAD_BUFFERING: &str = "loom does not model load buffering (loom's README)";
const TRY_LOCK: &str =
    "loom runs no try_lock while another thread has the lock; measured, no public issue is known";
const NO_TIMEOUT: &str = "loom's timeouts never come";

macro_rules! catalogue {
    ($($name:literal $function:ident: sc $sc:expr, c11 $c11:expr, loom $loom:expr;)*) => {
        &[$(Litmus {
            name: $name,
            sc: $sc,
            c11: $c11,
            loom: $loom,
            on_loom: on_loom::programs::$function,
            on_shuttle: on_shuttle::programs::$function,
        }),*]
    };
}

const fn hole(because: &'static str, outcomes: &'static [&'static str]) -> Loom {
    Loom::Hole { because, outcomes }
}

/// All programs, in the order of the table.
///
/// The outcome sets are the textbook ones (Alglave, Maranget, Tautschnig, "Herding Cats", TOPLAS 2014; Batty, Owens,
/// Sarkar, Sewell, Weber, "Mathematizing C++ Concurrency", POPL 2011) or follow by enumeration; those under
/// sequential consistency are checked by naive search in every run.
pub(crate) const PROGRAMS: &[Litmus] = catalogue! {
    "store-buffering" store_buffering:
        sc &["01", "10", "11"], c11 &["01", "10", "11"],
        loom hole(RELEASE_ACQUIRE, &["00", "01", "10", "11"]);
    "store-buffering-relaxed" store_buffering_relaxed:
        sc &["01", "10", "11"], c11 &["00", "01", "10", "11"], loom Loom::Exact;
    "store-buffering-fences" store_buffering_fences:
        sc &["01", "10", "11"], c11 &["01", "10", "11"], loom Loom::Exact;
    "store-buffering-rmw" store_buffering_rmw:
        sc &["01", "10", "11"], c11 &["01", "10", "11"], loom Loom::Exact;
    "message-passing" message_passing:
        sc &["00", "01", "11"], c11 &["00", "01", "11"], loom Loom::Exact;
    "message-passing-relaxed" message_passing_relaxed:
        sc &["00", "01", "11"], c11 &["00", "01", "10", "11"], loom Loom::Exact;
    "load-buffering" load_buffering:
        sc &["00", "01", "10"], c11 &["00", "01", "10", "11"],
        loom hole(NO_LOAD_BUFFERING, &["00", "01", "10"]);
    "coherence-of-reads" coherence_of_reads:
        sc &["00", "01", "02", "11", "12", "22"], c11 &["00", "01", "02", "11", "12", "22"], loom Loom::Exact;
    "two-plus-two-writes" two_plus_two_writes:
        sc &["12", "21", "22"], c11 &["11", "12", "21", "22"], loom Loom::Exact;
    "independent-reads" independent_reads:
        sc IRIW_SC, c11 IRIW_C11, loom Loom::TooLarge;
    "compare-exchange-race" compare_exchange_race:
        sc &["ny", "yn"], c11 &["ny", "yn"], loom Loom::Exact;
    "load-then-store" load_then_store:
        sc &["0", "1"], c11 &["0", "1"], loom hole(LOAD_HIDES, &["0"]);
    "load-then-exchange" load_then_exchange:
        sc &["y0", "y1"], c11 &["y0", "y1"], loom hole(LOAD_HIDES, &["y0"]);
    "fetch-update" fetch_update:
        sc &["0", "1"], c11 &["0", "1"], loom hole(LOAD_HIDES, &["0"]);
    "load-then-exchange-read-by-rmw" load_then_exchange_read_by_rmw:
        sc &["y0", "y1"], c11 &["y0", "y1"], loom Loom::Exact;
    "two-load-then-exchange" two_load_then_exchange:
        sc TWO_EXCHANGES, c11 TWO_EXCHANGES, loom hole(LOAD_HIDES, &["ny01", "yn01", "yy02"]);
    "read-modify-write-chain" read_modify_write_chain:
        sc &["0123", "0213", "0312", "1203", "1302", "2301"],
        c11 &["0123", "0213", "0312", "1203", "1302", "2301"], loom Loom::Exact;
    "release-sequence" release_sequence:
        sc &["00", "01", "10", "11", "21"], c11 &["00", "01", "10", "11", "21"], loom Loom::Exact;
    "there-and-back" there_and_back:
        sc THERE_AND_BACK, c11 THERE_AND_BACK, loom Loom::Exact;
    "sequence-lock" sequence_lock:
        sc &["00", "11", "again"], c11 &["00", "11", "again"], loom Loom::Exact;
    "mutex-3x2" mutex_3x2:
        sc ORDERS, c11 ORDERS, loom Loom::Exact;
    "try-lock" try_lock:
        sc &["ny", "yn", "yy"], c11 &["ny", "yn", "yy"], loom hole(TRY_LOCK, &["yy"]);
    "condition-variable" condition_variable:
        sc &["7"], c11 &["7"], loom Loom::Exact;
    "timeout" timeout:
        sc &["done", "late"], c11 &["done", "late"], loom hole(NO_TIMEOUT, &["done"]);
    "flag-and-data" flag_and_data:
        sc &["001", "011", "111"], c11 &["001", "011", "111"], loom Loom::Exact;
};

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
