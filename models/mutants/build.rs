//! Compiles one copy of the runtime and of the scenarios for each mutant; see `src/lib.rs`.
//!
//! Everything that can be wrong with `mutants.toml` is a build error that names the mutant.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use antiphon_spec::Guarantee;
use serde::Deserialize;

/// The engines that there is a package for.
const ENGINES: [&str; 2] = ["loom", "shuttle"];

/// The copy without a bug.
const UNCHANGED: &str = "unchanged";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    mutant: Vec<Mutant>,
}

/// One seeded bug; `mutants.toml` says what the fields mean.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    breaks: String,
    file: String,
    edits: Vec<Edit>,
    why: String,
    scenarios: Vec<String>,
    #[serde(default)]
    shows: BTreeMap<String, String>,
    #[serde(default)]
    unseen: BTreeMap<String, String>,
}

/// A text that occurs once in the file, and what it becomes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    find: String,
    replace: String,
}

/// Rust source files by their paths, relative to the directory they were read from.
type Sources = BTreeMap<PathBuf, String>;

fn main() {
    if let Err(errors) = run() {
        // The one form of a build error that cargo shows without a backtrace around it: one line.
        errors.lines().for_each(|error| println!("cargo::error={error}"));
    }
}

fn run() -> Result<(), String> {
    let package = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = package.join("../../..");
    let manifest = package.join("../mutants.toml");
    let (runtime, scenarios) = (root.join("src"), root.join("models/scenarios/src"));
    for input in [&manifest, &runtime, &scenarios] {
        println!("cargo::rerun-if-changed={}", input.display());
    }
    let name = variable("CARGO_PKG_NAME")?;
    let engine = ENGINES.into_iter().find(|engine| name.ends_with(engine)).ok_or("an unknown engine")?;
    let Manifest { mutant: mutants } =
        toml::from_str(&read(&manifest)?).map_err(|error| format!("mutants.toml: {error}"))?;
    let mut runtime = sources(&runtime)?;
    runtime.retain(|path, _| !path.starts_with("platform"));
    let scenarios = sources(&scenarios)?;
    let out = PathBuf::from(variable("OUT_DIR")?);
    let generated = generate(engine, &mutants, &runtime, &scenarios, &out)?;
    write(&out.join("mutants.rs"), &generated)
}

/// Writes the copies below `out`; returns the source that declares them.
fn generate(
    engine: &str,
    mutants: &[Mutant],
    runtime: &Sources,
    scenarios: &Sources,
    out: &Path,
) -> Result<String, String> {
    // All that is wrong is told at once: a change of the runtime may touch several mutants.
    let errors: Vec<String> = mutants
        .iter()
        .filter_map(|mutant| Some((mutant, mutant.check(mutants, runtime, scenarios).err()?)))
        .map(|(mutant, error)| format!("mutants.toml: mutant {}: {error}", mutant.name))
        .collect();
    if !errors.is_empty() {
        return Err(errors.join("\n"));
    }
    let (mut modules, mut list, mut unseen) = (String::new(), String::new(), String::new());
    for mutant in mutants {
        let breaks = guarantee(&mutant.breaks)?;
        let shows = guarantee(mutant.shows.get(engine).unwrap_or(&mutant.breaks))?;
        let Mutant { name, file, why, .. } = mutant;
        if let Some(why) = mutant.unseen.get(engine) {
            let _ = writeln!(unseen, "    Unseen {{ name: {name:?}, breaks: {breaks}, why: {why:?} }},");
            continue;
        }
        let (runtime, scenarios) = (mutant.mutate(runtime)?, select(scenarios, &mutant.scenarios)?);
        let module = name.replace('-', "_");
        modules += &compile(&module, &runtime, &scenarios, out)?;
        let _ = writeln!(
            list,
            "        Mutant {{ name: {name:?}, breaks: {breaks}, shows: {shows}, file: {file:?}, \
             why: {why:?}, scenarios: {module}::scenarios::scenarios() }},",
        );
    }
    let all: Vec<String> = mutants.iter().flat_map(|mutant| mutant.scenarios.iter().cloned()).collect();
    modules += &compile(UNCHANGED, runtime, &select(scenarios, &all)?, out)?;
    Ok(format!(
        "use antiphon_harness::{{Mutant, Unseen}};\nuse antiphon_spec::Guarantee;\n\n{modules}\n\
         pub(crate) fn mutants() -> Vec<Mutant> {{\n    vec![\n{list}    ]\n}}\n\n\
         pub(crate) static UNSEEN: &[Unseen] = &[\n{unseen}];\n"
    ))
}

/// Writes a copy below `out`; returns the module that it is compiled as.
fn compile(module: &str, runtime: &Sources, scenarios: &Sources, out: &Path) -> Result<String, String> {
    let place = out.join(module);
    let own = format!("crate::generated::{module}");
    for (path, text) in runtime {
        let text = text.replace("crate::", &format!("{own}::runtime::"));
        write(&place.join("runtime").join(path), &text)?;
    }
    for (path, text) in scenarios {
        let text = text.replace("crate::", &format!("{own}::scenarios::"));
        let text = text.replace("antiphon::", &format!("{own}::runtime::"));
        write(&place.join("scenarios").join(path), &text)?;
    }
    let [runtime, scenarios] = ["runtime", "scenarios"].map(|part| place.join(part).join("lib.rs"));
    // A mutant is meant to be wrong: what the compiler finds odd about it is not worth saying.
    Ok(format!(
        "#[allow(warnings, clippy::all, clippy::undocumented_unsafe_blocks)]\n\
         pub(crate) mod {module} {{\n    \
         #[path = {runtime:?}]\n    pub(crate) mod runtime;\n    \
         #[path = {scenarios:?}]\n    pub(crate) mod scenarios;\n\
         }}\n"
    ))
}

/// The scenarios, with only those in the catalogue that are `wanted`: the others need not be compiled.
fn select(scenarios: &Sources, wanted: &[String]) -> Result<Sources, String> {
    let path = Path::new("catalogue.rs");
    let catalogue = scenarios.get(path).ok_or("the scenarios have no catalogue.rs")?;
    // One instance, one line, which begins with its name.
    let name = |line: &str| line.trim_start().strip_prefix('"')?.split('"').next().map(str::to_owned);
    let names: Vec<String> = catalogue.lines().filter_map(name).collect();
    if let Some(missing) = wanted.iter().find(|scenario| !names.contains(scenario)) {
        return Err(format!("there is no scenario {missing}"));
    }
    let keep = |line: &&str| name(line).is_none_or(|name| wanted.contains(&name));
    let lines: Vec<&str> = catalogue.lines().filter(keep).collect();
    let mut selected = scenarios.clone();
    selected.insert(path.into(), lines.join("\n"));
    Ok(selected)
}

impl Mutant {
    /// Whether it can be compiled for every engine that is to see it.
    fn check(&self, all: &[Mutant], runtime: &Sources, scenarios: &Sources) -> Result<(), String> {
        let fits = |character: char| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
        };
        if !self.name.chars().all(fits) || self.name == UNCHANGED {
            return Err(
                "a name is made of small letters, digits and hyphens, and is not that of the original".into(),
            );
        }
        if self.scenarios.is_empty() || self.edits.is_empty() {
            return Err("nothing is changed, or no scenario is expected to notice it".into());
        }
        if all.iter().filter(|other| other.name == self.name).count() != 1 {
            return Err("there are two of this name".into());
        }
        let mut engines = self.shows.keys().chain(self.unseen.keys());
        if let Some(engine) = engines.find(|engine| !ENGINES.contains(&engine.as_str())) {
            return Err(format!("there is no engine {engine}"));
        }
        if self.unseen.len() == ENGINES.len() {
            return Err("an engine must be able to see it".into());
        }
        self.shows.values().chain([&self.breaks]).try_for_each(|id| guarantee(id).map(drop))?;
        self.mutate(runtime)?;
        select(scenarios, &self.scenarios)?;
        Ok(())
    }

    /// The runtime with this bug in it.
    fn mutate(&self, runtime: &Sources) -> Result<Sources, String> {
        let Self { file, edits, .. } = self;
        let path = Path::new(file).strip_prefix("src").map_err(|_| format!("{file} is not below src"))?;
        let mut text = runtime.get(path).ok_or_else(|| format!("there is no file {file}"))?.clone();
        for Edit { find, replace } in edits {
            match text.matches(find.as_str()).count() {
                1 if find != replace => text = text.replacen(find.as_str(), replace, 1),
                1 => return Err(format!("{find:?} stays as it is")),
                count => {
                    return Err(format!(
                        "{find:?} must occur once in {file} and occurs {count} times: adapt it to the source as it is now"
                    ));
                }
            }
        }
        let mut mutated = runtime.clone();
        mutated.insert(path.into(), text);
        Ok(mutated)
    }
}

/// The guarantee with this id, as Rust names it.
fn guarantee(id: &str) -> Result<String, String> {
    let known = Guarantee::from_id(id).ok_or_else(|| format!("there is no guarantee {id}"))?;
    Ok(format!("Guarantee::{known:?}"))
}

/// All Rust source files below `directory`.
fn sources(directory: &Path) -> Result<Sources, String> {
    let mut found = Sources::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).map_err(|error| format!("{}: {error}", next.display()))? {
            let path = entry.map_err(|error| format!("{}: {error}", next.display()))?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(directory).expect("it was found below").to_path_buf();
                found.insert(relative, read(&path)?);
            }
        }
    }
    Ok(found)
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let error = |error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(path.parent().expect("a file is in a directory")).map_err(error)?;
    fs::write(path, text).map_err(error)
}
