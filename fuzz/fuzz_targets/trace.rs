//! Any bytes are judged, or refused with a line and a column; nothing panics, and memory stays bounded.
#![no_main]

use antiphon_spec::check::judge;
use antiphon_spec::trace::Reader;
use libfuzzer_sys::fuzz_target;

/// As long as a line may be here: what is longer must be refused, not kept.
const LINE_LIMIT: usize = 4096;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(reader) = Reader::with_line_limit(bytes, LINE_LIMIT) {
        // A report or an error: both are an answer.
        let _ = judge(reader);
    }
});
