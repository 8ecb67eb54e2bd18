//! The platform contract, on real threads.

use antiphon_platform_recorded as platform;

#[path = "../../contract/primitives.rs"]
mod primitives;
#[path = "../../contract/readiness.rs"]
mod readiness;
#[path = "../../contract/recorder.rs"]
mod recorder;

/// A sample: real schedules are the operating system's to choose. One program at a time, since there is one
/// recorder for the whole process.
fn explore(program: impl Fn() + Send + Sync + 'static) {
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for _ in 0..200 {
        program();
    }
}
