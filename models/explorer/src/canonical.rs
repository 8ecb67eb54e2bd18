//! A name for each class of equivalent executions.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::trace::Trace;

/// The name of the class that an execution is in: two executions have the same one exactly if they have the same
/// steps with the same happens-before (but for hash collisions, of 128 bits).
pub(crate) fn class(trace: &Trace) -> u128 {
    let mut done = vec![false; trace.steps.len()];
    let mut low = DefaultHasher::new();
    let mut high = DefaultHasher::new();
    1_u8.hash(&mut high);
    for _ in 0..trace.steps.len() {
        // The least thread whose next step needs nothing that is not done.
        let next = (0..trace.steps.len())
            .filter(|index| !done[*index])
            .filter(|index| {
                trace.steps[..*index]
                    .iter()
                    .enumerate()
                    .all(|(other, step)| done[other] || !step.in_clock(&trace.steps[*index].clock))
            })
            .min_by_key(|index| trace.steps[*index].thread)
            .expect("a partial order has a least element");
        done[next] = true;
        let step = &trace.steps[next];
        for hasher in [&mut low, &mut high] {
            step.thread.hash(hasher);
            step.operation.kind.hash(hasher);
            step.operation.ways.hash(hasher);
            if step.operation.ways > 0 {
                step.operation.new.hash(hasher);
            }
            for access in step.operation.accesses.as_slice() {
                access.object.hash(hasher);
                access.mode.hash(hasher);
            }
        }
    }
    u128::from(low.finish()) | u128::from(high.finish()) << 64
}
