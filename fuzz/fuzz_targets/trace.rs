//! Any bytes are judged, or refused with a line and a column; what is judged comes back when it is written.
#![no_main]

use antiphon_spec::simulate::oracle;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| oracle::input(bytes));
