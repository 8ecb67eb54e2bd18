//! The bounds that the explorer may be asked to keep to, for what is too large without.

use std::fmt;

use antiphon_explorer::{Cut, DEPTH};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::Configuration;

/// Bounds on each execution of the explorer; without any, only its own on the steps, which is there for what is endless.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Args, Serialize, Deserialize)]
pub(crate) struct Bounds {
    /// Let no execution of the explorer have more preemptions than N: switches away from a thread that could go on.
    ///
    /// Other engines and the seeded bugs are as ever. The verdict says what was cut off. With something cut off
    /// nothing is said to hold: equivalents of it within the bound may be missing, too.
    #[arg(long, value_name = "N")]
    #[serde(default)]
    pub(crate) preemptions: Option<u32>,
    /// Cut executions of the explorer off after N steps; without it, after 10000.
    ///
    /// Other engines and the seeded bugs are as ever. The verdict says what was cut off; with something cut off
    /// nothing is said to hold.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[serde(default)]
    pub(crate) depth: Option<u32>,
}

impl Configuration {
    /// The explorer, within no bounds but its own.
    pub(crate) const fn explorer(spurious: bool) -> Self {
        Configuration::Explorer { spurious, bounds: Bounds::NONE }
    }

    /// The bounds that it was asked to keep to.
    pub(crate) fn asked(self) -> Bounds {
        if let Configuration::Explorer { bounds, .. } = self { bounds } else { Bounds::NONE }
    }
}

impl Bounds {
    /// Those that nobody asked for.
    pub(crate) const NONE: Self = Self { preemptions: None, depth: None };

    /// Whether somebody asked for some.
    pub(crate) fn are_asked_for(self) -> bool {
        self != Self::NONE
    }

    /// The most steps of an execution.
    pub(crate) fn steps(self) -> usize {
        self.depth.map_or(DEPTH, |steps| steps as usize)
    }

    /// What the explorer explores within them.
    pub(super) fn describe(self, spurious: bool) -> String {
        let interleavings = match self.preemptions {
            None => "all interleavings up to equivalence, any number of preemptions".to_string(),
            Some(most) => format!("interleavings up to equivalence, at most {}", preemptions(most)),
        };
        let wakes =
            if spurious { "at most one spurious wake-up of each thread" } else { "no spurious wake-ups" };
        format!("{interleavings}, {} steps per execution; {wakes} of condition variables", self.steps())
    }

    /// Whether all that was cut off was to be.
    pub(crate) fn want(self, cut: Cut) -> bool {
        (cut.preemptions == 0 || self.preemptions.is_some()) && (cut.depth == 0 || self.depth.is_some())
    }

    /// Says what was cut off, and where.
    pub(crate) fn tell(self, cut: Cut) -> String {
        let at_depth = format!("at the depth bound of {} steps", self.steps());
        let at_preemptions = format!("at the bound of {}", preemptions(self.preemptions.unwrap_or_default()));
        match cut {
            Cut { depth, preemptions: 0 } => format!("{} cut off {at_depth}", were(depth)),
            Cut { depth: 0, preemptions } => format!("{} cut off {at_preemptions}", were(preemptions)),
            Cut { depth, preemptions } => {
                format!("{} cut off {at_preemptions}, and {depth} {at_depth}", were(preemptions))
            }
        }
    }
}

/// Writes them as they are written on the command line.
impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { preemptions: None, depth: None } => f.write_str("no bounds"),
            Self { preemptions: Some(most), depth: None } => write!(f, "--preemptions {most}"),
            Self { preemptions: None, depth: Some(steps) } => write!(f, "--depth {steps}"),
            Self { preemptions: Some(most), depth: Some(steps) } => {
                write!(f, "--preemptions {most} --depth {steps}")
            }
        }
    }
}

fn were(executions: u64) -> String {
    if executions == 1 { "1 execution was".to_string() } else { format!("{executions} executions were") }
}

/// So many preemptions, in words.
fn preemptions(most: u32) -> String {
    if most == 1 { "1 preemption".to_string() } else { format!("{most} preemptions") }
}
