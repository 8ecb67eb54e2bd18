//! The description of a seeded bug.

use antiphon_spec::Guarantee;

use crate::{Engine, Scenario};

/// A fault in a copy of the runtime, and the scenarios that have to notice it.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// Its name; unique.
    pub name: &'static str,
    /// The guarantee that it breaks.
    pub breaks: Guarantee,
    /// The guarantee that an engine's verdict names: it is *violated*, and exactly this one. Mostly the one that
    /// it breaks. But an engine stops at the first thing that is wrong, and what was not handed over, or not
    /// excluded, is to an engine that watches memory a data race first.
    pub shows: fn(Engine) -> Guarantee,
    /// Whether it takes a wait that ends for no reason to see it.
    pub spurious: bool,
    /// The source file of the runtime that is changed.
    pub file: &'static str,
    /// What the change is, and what goes wrong with it.
    pub why: &'static str,
    /// Scenarios compiled against the copy. At least one that fits the engine must notice.
    pub scenarios: &'static [Scenario],
    /// Switches the fault on, for the whole process, and connects the platform's recorder to the harness.
    pub install: fn(),
}

/// A seeded bug that an engine cannot see.
#[derive(Clone, Copy, Debug)]
pub struct Unseen {
    /// Its name.
    pub name: &'static str,
    /// The guarantee that it breaks.
    pub breaks: Guarantee,
    /// Why the engine cannot see it.
    pub why: &'static str,
}
