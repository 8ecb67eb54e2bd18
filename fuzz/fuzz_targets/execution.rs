//! A simulated execution conforms; broken on purpose, it violates exactly what was broken.
#![no_main]

use antiphon_spec::simulate::oracle;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| oracle::execution(bytes));
