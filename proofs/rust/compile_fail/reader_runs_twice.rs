//! A Reader runs at most once.

use antiphon::{Reader, ReaderContext};

fn twice<R: Reader<String>>(reader: R, context: &ReaderContext<String>) {
    let _ = reader.run(context);
    let _ = reader.run(context);
}

fn main() {}
