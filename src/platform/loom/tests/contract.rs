//! The platform contract, in every execution that loom explores.

use antiphon_platform_loom as platform;

#[path = "../../contract/primitives.rs"]
mod primitives;
#[path = "../../contract/readiness.rs"]
mod readiness;
#[path = "../../contract/recorder.rs"]
mod recorder;

fn explore(program: impl Fn() + Send + Sync + 'static) {
    loom::model(program);
}
