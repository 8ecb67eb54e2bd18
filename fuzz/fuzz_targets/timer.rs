//! Any sequence of operations on a schedule of timers does what a plain model says.
#![no_main]

use antiphon_operations::decode;
use antiphon_operations::timer::{Operation, Pair};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut pair = Pair::default();
    for operation in decode(bytes, Operation::decode) {
        pair.apply(operation);
    }
    pair.finish();
});
