//! An abstract runtime, explored exhaustively, each of its transitions judged by the specification.
//!
//! This shows two things about the specification itself. The protocol of the one-word inbox, of Readers, of
//! families and of ends *has* the guarantees, in all interleavings of a small scope, and the specification
//! raises no false alarm on any of them. And each [`Bug`] seeded into that protocol is caught, in all of its
//! interleavings under the name of the guarantee that owns it, so that no rule is a rule in name only.
//!
//! | module | what it is |
//! |---|---|
//! | `scope` | the bounds of an exploration: who does what, what may go wrong |
//! | `bug` | the seeded bugs |
//! | `world` | the abstract runtime: states and atomic steps |
//! | `supervised` | a supervisor and its children, around the runtime's own decision |
//! | `model` | its properties, for stateright |
//! | `instance` | the explorations of the suite, with their pinned counts |
//!
//! What a supervisor decides is not abstracted: it is the runtime's own source file, `decision.rs`, which knows no
//! actor. So what is explored of it is what ships.
//!
//! What is not explored: links, names and timeouts; more actors than an instance says;
//! weak memory, which has no meaning at this level.
#![forbid(unsafe_code)]

mod bug;
#[path = "../../../../src/supervisor/decision.rs"]
mod decision;
mod instance;
mod model;
mod scope;
mod supervised;
mod world;

use std::collections::{BTreeSet, HashSet};
use std::marker::PhantomData;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use antiphon_spec::Guarantee;
use antiphon_spec::machine::Outline;
use stateright::{Checker, Model};

pub use bug::Bug;
pub use instance::{INSTANCES, Instance, SEEDED, Seeded};
pub use scope::{Act, Family, Faults, Place, Scope, Trouble};

use model::{ENDS, Explored, Exploring, SENSE, premise_name};
use supervised::Supervised;
use world::World;

/// A property of the specification or of the abstract runtime that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Discovery {
    /// The guarantee that is violated; `None` if the abstract runtime itself is wrong: then
    /// [`property`](Self::property) says what it got wrong.
    pub guarantee: Option<Guarantee>,
    /// The id of the guarantee, or the property in words.
    pub property: &'static str,
    /// The steps that lead there, from the start.
    pub path: Vec<String>,
}

/// What an exploration found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exploration {
    /// The number of different states.
    pub unique_states: usize,
    /// The length of the longest path, in steps.
    pub max_depth: usize,
    /// Whether all states within the scope were explored; `false` if the time was over before.
    pub complete: bool,
    /// What does not hold, with one path to each.
    pub discoveries: Vec<Discovery>,
    /// The guarantees whose premise occurred, of those that the exploration is for.
    pub reached: Vec<Guarantee>,
}

impl Exploration {
    /// The guarantees that are violated somewhere.
    pub fn violated(&self) -> Vec<Guarantee> {
        self.discoveries.iter().filter_map(|discovery| discovery.guarantee).collect()
    }
}

/// Explores all interleavings within `scope`, breadth first, on `threads` threads, for at most `timeout`.
///
/// With one thread the counts are the same in each run. `exercises` are the guarantees whose premises are
/// looked for.
///
/// # Panics
///
/// If a thread of the exploration panics, which is a bug of this package.
pub fn explore(
    scope: &Scope,
    exercises: &'static [Guarantee],
    threads: usize,
    timeout: Duration,
) -> Exploration {
    match scope.family {
        Some(_) => explore_world::<Supervised>(scope, exercises, threads, timeout),
        None => explore_world::<World>(scope, exercises, threads, timeout),
    }
}

fn explore_world<W: Explored>(
    scope: &Scope,
    exercises: &'static [Guarantee],
    threads: usize,
    timeout: Duration,
) -> Exploration {
    let model = Exploring::<W> { scope: *scope, exercises, reached: AtomicU64::new(0), world: PhantomData };
    let begun = Instant::now();
    let checker = model.checker().threads(threads).timeout(timeout).spawn_bfs().join();
    // A checker whose time is over looks like one that is done, `is_done` included.
    let complete = begun.elapsed() < timeout;
    let found = checker.discoveries();
    let path = |name| {
        let steps = found.get(name)?.clone().into_actions();
        Some(steps.iter().map(|step| format!("{step:?}")).collect())
    };
    let of_guarantees = Guarantee::ALL.iter().filter_map(|guarantee| {
        let path = path(guarantee.id())?;
        Some(Discovery { guarantee: Some(*guarantee), property: guarantee.id(), path })
    });
    let of_the_model = [SENSE, ENDS]
        .into_iter()
        .filter_map(|property| Some(Discovery { guarantee: None, property, path: path(property)? }));
    Exploration {
        unique_states: checker.unique_state_count(),
        max_depth: checker.max_depth(),
        complete,
        discoveries: of_guarantees.chain(of_the_model).collect(),
        reached: exercises.iter().copied().filter(|g| found.contains_key(premise_name(*g))).collect(),
    }
}

/// What the specification knows of the actors, in outline, in all states within `scope`: what an implementation can
/// be compared with. None if there are more than `most` states.
pub fn outlines(scope: &Scope, most: usize) -> Option<BTreeSet<Vec<Outline>>> {
    let start = World::new(scope);
    let mut outlines = BTreeSet::from([start.judged().spec.outlines()]);
    let mut known = HashSet::from([start.clone()]);
    let mut ahead = vec![start];
    while let Some(world) = ahead.pop() {
        let mut moves = Vec::new();
        world.steps(scope, &mut moves);
        for step in moves {
            let next = world.after(scope, step);
            outlines.insert(next.judged().spec.outlines());
            if known.len() < most && known.insert(next.clone()) {
                ahead.push(next);
            }
        }
    }
    (known.len() < most).then_some(outlines)
}
