//! The abstract runtime as a model for stateright.
//!
//! Each guarantee is an `always` property, each premise a `sometimes` property. A premise is a matter of how
//! a state was reached, and only the first path to a state is looked at; so each transition notes what it
//! put to the test, also one into a known state. There is no `eventually`: stateright's is unsound on cycles
//! and joins. Liveness is a property of the states in which nothing can
//! move any more: there the specification judges quiescence, and what has begun to end has ended.

use std::sync::atomic::{AtomicU64, Ordering};

use antiphon_spec::Guarantee;
use stateright::{Model, Property};

use crate::scope::Scope;
use crate::world::{Move, World};

pub(crate) const SENSE: &str = "every event makes sense";
pub(crate) const ENDS: &str = "at rest, what began to end has ended";

pub(crate) struct Runtime {
    pub(crate) scope: Scope,
    /// The guarantees whose premises must occur.
    pub(crate) exercises: &'static [Guarantee],
    /// Those that did, one bit for each.
    pub(crate) reached: AtomicU64,
}

const _: () = assert!(Guarantee::COUNT <= u64::BITS as usize);

fn kept<const INDEX: usize>(_: &Runtime, world: &World) -> bool {
    !world.violated().contains(&Guarantee::ALL[INDEX])
}

fn reached<const INDEX: usize>(model: &Runtime, _: &World) -> bool {
    // Relaxed: a flag that is only ever set.
    model.reached.load(Ordering::Relaxed) & (1 << INDEX) != 0
}

type Condition = fn(&Runtime, &World) -> bool;

macro_rules! conditions {
    ($condition:ident: $($index:literal)+) => {
        [$($condition::<$index> as Condition),+]
    };
}

const KEPT: [Condition; Guarantee::COUNT] =
    conditions!(kept: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27);
const REACHED: [Condition; Guarantee::COUNT] =
    conditions!(reached: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27);

/// The name of the `always` property of a guarantee is its id; that of its premise is apart.
pub(crate) fn premise_name(guarantee: Guarantee) -> &'static str {
    guarantee.statement()
}

impl Runtime {
    fn note(&self, world: &World) {
        let occurred = world.spec().premises().iter().filter(|(_, times)| *times > 0);
        let bits = occurred.fold(0, |bits, (guarantee, _)| bits | 1 << guarantee.index());
        self.reached.fetch_or(bits, Ordering::Relaxed);
    }

    fn is_at_rest(&self, world: &World) -> bool {
        let mut moves = Vec::new();
        world.moves(&self.scope, &mut moves);
        moves.is_empty()
    }
}

impl Model for Runtime {
    type State = World;
    type Action = Move;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.scope)]
    }

    fn actions(&self, world: &World, moves: &mut Vec<Move>) {
        world.moves(&self.scope, moves);
    }

    fn next_state(&self, world: &World, step: Move) -> Option<World> {
        let mut next = world.after(&self.scope, step);
        self.note(&next);
        if self.is_at_rest(&next) {
            next.rest();
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = Guarantee::ALL.iter().map(|g| Property::always(g.id(), KEPT[g.index()]));
        let sometimes =
            self.exercises.iter().map(|g| Property::sometimes(premise_name(*g), REACHED[g.index()]));
        let sense = Property::always(SENSE, |_: &Self, world: &World| world.makes_sense());
        let ends = Property::always(ENDS, |model: &Self, world: &World| {
            world.all_ends_are_over() || !model.is_at_rest(world)
        });
        always.chain(sometimes).chain([sense, ends]).collect()
    }
}
