//! Each engine's answer is as pinned.

use antiphon_litmus::{Engine, Status, answer, programs};

#[test]
fn each_answer_is_as_pinned() {
    let mut wrong = Vec::new();
    for program in programs() {
        for engine in Engine::ALL {
            let Some(answer) = answer(program, engine) else { continue };
            println!(
                "{:32} {engine:?} {:?} {} {:.3}s {:?}",
                program.name, answer.status, answer.executions, answer.seconds, answer.outcomes
            );
            if answer.status == Status::Unexpected {
                wrong.push(format!("{} {engine:?}: {:?}", program.name, answer.outcomes));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
