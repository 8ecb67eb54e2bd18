//! Reader and Handler share nothing that is not `Sync`.

use antiphon::{Exit, Interrupt, Reader, ReaderContext};
use std::cell::Cell;
use std::sync::Arc;

struct Ears {
    count: Arc<Cell<u64>>,
}

impl Reader<String> for Ears {
    fn interrupt(&mut self) -> Interrupt {
        Interrupt::none()
    }

    fn run(self, _: &ReaderContext<String>) -> Result<(), Exit> {
        self.count.set(1);
        Ok(())
    }
}

fn main() {}
