//! The machine takes any sequence of events.
#![no_main]

use antiphon_spec::simulate::oracle;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| oracle::events(bytes));
