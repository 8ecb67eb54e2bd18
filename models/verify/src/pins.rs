//! Pinned execution counts: what a complete exploration is expected to have explored.
//!
//! An exploration that suddenly has fewer executions than yesterday is the most dangerous kind of green:
//! the scenario was emptied, or the engine prunes too much. So the number is written down, and another one
//! is not green until somebody looked at it and pinned it again.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use crate::catalogue::Run;

/// Where the pins are, from the root of the workspace.
pub(crate) const PATH: &str = "models/verify/pins.toml";

/// The pins that this binary was built with.
const BUILT_IN: &str = include_str!("../pins.toml");

const HEADER: &str = "\
# How many executions each exploration has when it is complete, by engine and scenario.
# Written by `antiphon verify --pin`; a change belongs into the commit that causes it, with the reason.
";

/// The expected number of executions for each engine and scenario.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Pins(BTreeMap<String, BTreeMap<String, u64>>);

impl Pins {
    /// Those of `path`, or else those of this build.
    ///
    /// # Errors
    /// If the file can't be read, or is not a table of tables of numbers.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, String> {
        let (text, name) = match path {
            Some(path) => (fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?, path),
            None => (BUILT_IN.to_string(), Path::new(PATH)),
        };
        toml::from_str(&text).map(Self).map_err(|e| format!("{}: {e}", name.display()))
    }

    /// Writes them to `path`, all or nothing.
    pub(crate) fn store(&self, path: &Path) -> io::Result<()> {
        let body = toml::to_string(&self.0).expect("a table of tables of numbers");
        crate::files::replace(path, format!("{HEADER}\n{body}").as_bytes())
    }

    /// How many executions a complete run has.
    pub(crate) fn get(&self, run: &Run) -> Option<u64> {
        run.own_pin().or_else(|| self.0.get(run.engine.name())?.get(run.name).copied())
    }

    /// Pins a run, unless its number is written down elsewhere.
    pub(crate) fn set(&mut self, run: &Run, executions: u64) {
        if run.own_pin().is_some() {
            return;
        }
        self.0.entry(run.engine.name().to_string()).or_default().insert(run.name.to_string(), executions);
    }

    /// Forgets what is no longer among the runs that there are.
    pub(crate) fn retain(&mut self, runs: &[Run]) {
        self.0.retain(|engine, scenarios| {
            scenarios.retain(|scenario, _| {
                runs.iter().any(|run| run.engine.name() == engine && run.name == scenario)
            });
            !scenarios.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Pins;

    #[test]
    fn the_pins_of_this_build_can_be_read() {
        Pins::load(None).unwrap();
    }

    #[test]
    fn what_is_written_is_read_back() {
        let run =
            crate::catalogue::Catalogue::self_test().find("selftest/loom/counts", "loom/unbounded").unwrap();
        let path = std::env::temp_dir().join(format!("antiphon-pins-{}.toml", std::process::id()));
        let mut pins = Pins::default();
        pins.set(&run, 4);
        pins.store(&path).unwrap();
        let read = Pins::load(Some(&path));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read.unwrap(), pins);
        assert_eq!(pins.get(&run), Some(4));
        pins.retain(&[]);
        assert_eq!(pins.get(&run), None);
    }
}
