//! A name for each class of equivalent executions.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use platform::model::ThreadId;

use crate::trace::{MOST_THREADS, Step, Trace};

/// The name of the class that an execution is in: two executions have the same one exactly if they have the same
/// steps with the same happens-before (but for hash collisions, of 128 bits).
pub(crate) fn class(trace: &Trace) -> u128 {
    let mut low = DefaultHasher::new();
    let mut high = DefaultHasher::new();
    1_u8.hash(&mut high);
    let mut lines: Vec<VecDeque<&Step>> = vec![VecDeque::new(); MOST_THREADS];
    for step in &trace.steps {
        lines[step.thread.index()].push_back(step);
    }
    let mut done = [0; MOST_THREADS];
    for _ in 0..trace.steps.len() {
        // The least thread whose next step needs nothing that is not done.
        let ready = |line: &VecDeque<&Step>| {
            line.front().is_some_and(|step| {
                let needs = |other: usize| step.clock.get(ThreadId(other as u16));
                (0..MOST_THREADS).all(|other| other == step.thread.index() || needs(other) <= done[other])
            })
        };
        let next = lines.iter().position(ready).expect("a partial order has a least element");
        let step = lines[next].pop_front().expect("a step that is ready");
        done[next] += 1;
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
