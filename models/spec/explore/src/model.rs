//! What is explored, as a model for stateright.
//!
//! Each guarantee is an `always` property, each premise a `sometimes` property. A premise is a matter of how
//! a state was reached, and only the first path to a state is looked at; so each transition notes what it
//! put to the test, also one into a known state. There is no `eventually`: stateright's is unsound on cycles
//! and joins. Liveness is a property of the states in which nothing can
//! move any more: there the specification judges quiescence, and what has begun to end has ended.

use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use antiphon_spec::event::Event;
use antiphon_spec::{Guarantee, State};
use stateright::{Model, Property};

use crate::scope::Scope;

pub(crate) const SENSE: &str = "every event makes sense";
pub(crate) const ENDS: &str = "at rest, what began to end has ended";

/// What is explored: the states of something, and its atomic steps.
pub(crate) trait Explored: Clone + Eq + Hash + Debug + Send + Sync + 'static {
    type Step: Copy + Eq + Hash + Debug + Send + Sync + 'static;

    fn new(scope: &Scope) -> Self;
    /// What can happen next.
    fn steps(&self, scope: &Scope, steps: &mut Vec<Self::Step>);
    fn after(&self, scope: &Scope, step: Self::Step) -> Self;
    /// Judges that nothing more will happen.
    fn rest(&mut self);
    /// Whether what has begun to end has ended.
    fn all_ends_are_over(&self) -> bool;
    fn judged(&self) -> &Judged;
}

/// What the specification knows and says of a state.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Judged {
    pub(crate) spec: State,
    /// The guarantees that were violated on the way here, sorted.
    violated: Vec<Guarantee>,
    /// An event contradicted those before it ([`State::admits`]).
    senseless: bool,
}

impl Judged {
    pub(crate) fn new() -> Self {
        Self { spec: State::instrumented(), violated: Vec::new(), senseless: false }
    }

    pub(crate) fn emit(&mut self, event: &Event) {
        self.senseless |= self.spec.admits(event).is_err();
        let mut violations = Vec::new();
        self.spec.observe(event, &mut violations);
        violations.into_iter().for_each(|violation| self.note(violation.guarantee));
    }

    pub(crate) fn rest(&mut self) {
        self.spec.finish().into_iter().for_each(|violation| self.note(violation.guarantee));
    }

    fn note(&mut self, guarantee: Guarantee) {
        if let Err(place) = self.violated.binary_search(&guarantee) {
            self.violated.insert(place, guarantee);
        }
    }
}

pub(crate) struct Exploring<W> {
    pub(crate) scope: Scope,
    /// The guarantees whose premises must occur.
    pub(crate) exercises: &'static [Guarantee],
    /// Those that did, one bit for each.
    pub(crate) reached: AtomicU64,
    pub(crate) world: PhantomData<fn() -> W>,
}

const _: () = assert!(Guarantee::COUNT <= u64::BITS as usize);

fn kept<W: Explored, const INDEX: usize>(_: &Exploring<W>, world: &W) -> bool {
    !world.judged().violated.contains(&Guarantee::ALL[INDEX])
}

fn reached<W: Explored, const INDEX: usize>(model: &Exploring<W>, _: &W) -> bool {
    // Relaxed: a flag that is only ever set.
    model.reached.load(Ordering::Relaxed) & (1 << INDEX) != 0
}

type Condition<W> = fn(&Exploring<W>, &W) -> bool;

macro_rules! conditions {
    ($condition:ident: $($index:literal)+) => {
        [$($condition::<W, $index> as Condition<W>),+]
    };
}

/// The name of the `always` property of a guarantee is its id; that of its premise is apart.
pub(crate) fn premise_name(guarantee: Guarantee) -> &'static str {
    guarantee.statement()
}

impl<W: Explored> Exploring<W> {
    const KEPT: [Condition<W>; Guarantee::COUNT] =
        conditions!(kept: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27);
    const REACHED: [Condition<W>; Guarantee::COUNT] =
        conditions!(reached: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27);

    fn note(&self, world: &W) {
        let occurred = world.judged().spec.premises().iter().filter(|(_, times)| *times > 0);
        let bits = occurred.fold(0, |bits, (guarantee, _)| bits | 1 << guarantee.index());
        self.reached.fetch_or(bits, Ordering::Relaxed);
    }

    fn is_at_rest(&self, world: &W) -> bool {
        let mut moves = Vec::new();
        world.steps(&self.scope, &mut moves);
        moves.is_empty()
    }
}

impl<W: Explored> Model for Exploring<W> {
    type State = W;
    type Action = W::Step;

    fn init_states(&self) -> Vec<W> {
        vec![W::new(&self.scope)]
    }

    fn actions(&self, world: &W, moves: &mut Vec<W::Step>) {
        world.steps(&self.scope, moves);
    }

    fn next_state(&self, world: &W, step: W::Step) -> Option<W> {
        let mut next = world.after(&self.scope, step);
        self.note(&next);
        if self.is_at_rest(&next) {
            next.rest();
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = Guarantee::ALL.iter().map(|g| Property::always(g.id(), Self::KEPT[g.index()]));
        let sometimes =
            self.exercises.iter().map(|g| Property::sometimes(premise_name(*g), Self::REACHED[g.index()]));
        let sense = Property::always(SENSE, |_: &Self, world: &W| !world.judged().senseless);
        let ends = Property::always(ENDS, |model: &Self, world: &W| {
            world.all_ends_are_over() || !model.is_at_rest(world)
        });
        always.chain(sometimes).chain([sense, ends]).collect()
    }
}
