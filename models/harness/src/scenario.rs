//! The static description of a scenario.

use antiphon_spec::Guarantee;

/// A family of engines that a scenario is made for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Engine {
    /// loom: C11 acquire/release; at most five threads, small.
    Loom,
    /// shuttle's sampling schedulers (random, PCT, URW): sequential consistency, large.
    Shuttle,
    /// The explorer: all interleavings up to equivalence, sequential consistency.
    Explorer,
    /// The real build on real threads.
    Threads,
}

/// One program on the runtime, with what it is meant to show.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name, `subject/what-happens/parameters`; unique.
    pub name: &'static str,
    /// The guarantees that it exercises. Each one's premise must occur in at least one execution of a run.
    pub guarantees: &'static [Guarantee],
    /// The situations that it exists for, by the labels given to [`reached`](crate::reached); a run that
    /// never gets to one of them has shown nothing and is not green.
    pub reaches: &'static [&'static str],
    /// The engines that it fits.
    pub engines: &'static [Engine],
    /// Runs it once. Called by the engine, on the engine's main thread.
    pub body: fn(),
}
