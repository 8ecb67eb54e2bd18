//! The platform contract, on real threads.

use antiphon_platform as platform;

#[path = "../../contract/primitives.rs"]
mod primitives;

/// A sample: real schedules are the operating system's to choose.
fn explore(program: impl Fn() + Send + Sync + 'static) {
    for _ in 0..200 {
        program();
    }
}
