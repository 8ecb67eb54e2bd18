//! `--only`: which runs are wanted.

use std::collections::BTreeSet;

use antiphon_spec::Guarantee;

use crate::catalogue::Run;

/// How many near names are offered for one that does not exist.
const CANDIDATES: usize = 3;

/// From here on (0 to 1), two names are near.
const NEAR: f64 = 0.7;

/// The three kinds of names that `--only` takes.
#[derive(Default)]
struct Wanted<'a> {
    guarantees: Vec<&'a str>,
    scenarios: Vec<&'a str>,
    engines: Vec<&'a str>,
}

/// The runs that fit `only`: prefixes of guarantee ids, scenario names and engine names. Guarantees and
/// scenarios add up; engines narrow them down.
///
/// # Errors
/// A prefix that fits nothing, with the names that are near it; names that fit no run together.
pub(crate) fn select(runs: Vec<Run>, only: &[String]) -> Result<Vec<Run>, String> {
    let scenarios: BTreeSet<&str> = runs.iter().map(|run| run.name).collect();
    let engines: BTreeSet<&str> = runs.iter().map(|run| run.engine.name()).collect();
    let mut wanted = Wanted::default();
    for prefix in only {
        let prefix = prefix.as_str();
        let mut fits = false;
        let mut file = |kind: &mut Vec<_>, matches: bool| {
            if matches {
                kind.push(prefix);
                fits = true;
            }
        };
        let engine = engines.iter().any(|name| name.starts_with(prefix));
        file(&mut wanted.engines, engine);
        file(&mut wanted.guarantees, Guarantee::ALL.iter().any(|g| g.id().starts_with(prefix)));
        // What only one engine runs begins with that engine's name, which is meant then.
        file(&mut wanted.scenarios, !engine && scenarios.iter().any(|name| name.starts_with(prefix)));
        if !fits {
            let names = Guarantee::ALL.iter().map(|g| g.id()).chain(scenarios).chain(engines);
            return Err(unknown(prefix, names));
        }
    }
    let selected: Vec<Run> = runs.into_iter().filter(|run| wanted.fits(run)).collect();
    match selected.is_empty() {
        true => {
            Err(format!("there is no run for {}; `antiphon verify --list` shows all", only.join(" and ")))
        }
        false => Ok(selected),
    }
}

/// Whether a run that fits is made at all: a deep one must be known to end, or be asked for by its engine's
/// name.
pub(crate) fn is_worth_it(run: &Run, only: &[String], pin: Option<u64>) -> bool {
    !run.engine.is_deep()
        || run.mutant.is_some()
        || pin.is_some()
        || only.iter().any(|prefix| run.engine.name().starts_with(prefix.as_str()))
}

impl Wanted<'_> {
    fn fits(&self, run: &Run) -> bool {
        let any = |prefixes: &[&str], name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let fits_guarantee = run.guarantees.iter().any(|g| any(&self.guarantees, g.id()));
        let any_subject = self.guarantees.is_empty() && self.scenarios.is_empty();
        let subject = any_subject || fits_guarantee || any(&self.scenarios, run.name);
        subject && (self.engines.is_empty() || any(&self.engines, run.engine.name()))
    }
}

fn unknown<'a>(prefix: &str, names: impl Iterator<Item = &'a str>) -> String {
    let hint = near(prefix, names).unwrap_or("`antiphon verify --list` shows all names".to_string());
    format!("no guarantee, scenario or engine begins with '{prefix}'; {hint}")
}

/// Which of `names` may have been meant by a prefix that fits none; none if nothing is near it.
pub(crate) fn near<'a>(prefix: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut near: Vec<(f64, &str)> = names
        .map(|name| {
            let start = name.get(..prefix.len()).unwrap_or(name);
            (strsim::jaro_winkler(prefix, name).max(strsim::jaro_winkler(prefix, start)), name)
        })
        .filter(|(similarity, _)| *similarity >= NEAR)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let near: Vec<&str> = near.into_iter().map(|(_, name)| name).take(CANDIDATES).collect();
    (!near.is_empty()).then(|| format!("near it: {}", near.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::select;
    use crate::catalogue::{Catalogue, Run};

    fn names(only: &[&str]) -> Result<Vec<(&'static str, &'static str)>, String> {
        let only: Vec<String> = only.iter().map(ToString::to_string).collect();
        let name = |run: &Run| (run.name, run.engine.name());
        select(Catalogue::self_test().runs(), &only).map(|runs| runs.iter().map(name).collect())
    }

    #[test]
    fn without_names_it_is_everything() {
        assert_eq!(names(&[]).unwrap().len(), Catalogue::self_test().runs().len());
    }

    #[test]
    fn subjects_add_up_and_engines_narrow() {
        let one = names(&["selftest/loom/counts", "loom/unbounded"]).unwrap();
        assert_eq!(one, [("selftest/loom/counts", "loom/unbounded")]);
        let two = names(&["selftest/loom/counts", "loom/preemptions"]).unwrap();
        assert_eq!(two.len(), 2);
        assert_eq!(names(&["no-loss", "threads"]).unwrap(), names(&["threads"]).unwrap());
        let both = names(&["selftest/loom/counts", "selftest/threads/passes"]).unwrap();
        assert_eq!(both.len(), 4);
        assert!(names(&["selftest/loom/counts", "threads"]).is_err());
        assert!(names(&["wake-up"]).is_err());
    }

    #[test]
    fn what_does_not_exist_is_refused_with_what_is_near() {
        let error = names(&["handler-exclusoin"]).unwrap_err();
        assert!(error.contains("handler-exclusion"), "{error}");
        let error = names(&["%%%"]).unwrap_err();
        assert!(error.contains("--list"), "{error}");
    }
}
