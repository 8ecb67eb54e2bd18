//! Compiles a copy of the runtime with every bug in it, each behind a switch; see `src/lib.rs`.
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
    spurious: bool,
    #[serde(default)]
    unseen: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    at: Option<String>,
    find: String,
    replace: Option<String>,
    before: Option<String>,
    items: Option<String>,
}

/// The engine that shares its platform, and so its package, with shuttle.
const EXPLORER: &str = "explorer";

/// Rust source files by their paths, relative to the directory they were read from.
type Sources = BTreeMap<PathBuf, String>;

/// A place in a file, and what each mutant makes of it.
#[derive(Default)]
struct Place<'a> {
    replace: Vec<(usize, &'a str)>,
    before: Vec<(usize, &'a str)>,
}

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
    let catalogue = scenarios.get(Path::new("catalogue.rs")).ok_or("the scenarios have no catalogue.rs")?;
    // All that is wrong is told at once: a change of the runtime may touch several mutants.
    let mut errors: Vec<String> = mutants
        .iter()
        .filter_map(|mutant| Some((mutant, mutant.check(&mutants, catalogue).err()?)))
        .map(|(mutant, error)| mutant.wrong(&error))
        .collect();
    for (path, text) in &mut runtime {
        match mutate(path, text, &mutants) {
            Ok(mutated) => *text = mutated,
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(errors.join("\n"));
    }
    let out = PathBuf::from(variable("OUT_DIR")?);
    copy(&runtime, &out.join("runtime"), |text| text.replace("crate::", "crate::generated::runtime::"))?;
    copy(&scenarios, &out.join("scenarios"), |text| {
        text.replace("crate::", "crate::generated::scenarios::")
            .replace("antiphon::", "crate::generated::runtime::")
    })?;
    write(&out.join("mutants.rs"), &declarations(engine, &mutants, &out)?)
}

/// The source that declares the copies and lists the mutants.
fn declarations(engine: &str, mutants: &[Mutant], out: &Path) -> Result<String, String> {
    let [runtime, scenarios] = ["runtime", "scenarios"].map(|part| out.join(part).join("lib.rs"));
    let (mut list, mut unseen) = (String::new(), String::new());
    for (index, mutant) in mutants.iter().enumerate() {
        let Mutant { file, why, spurious, .. } = mutant;
        let name = format!("mutant/{}", mutant.name);
        let breaks = guarantee(&mutant.breaks)?;
        if let Some(why) = mutant.unseen.get(engine) {
            let _ = writeln!(unseen, "    Unseen {{ name: {name:?}, breaks: {breaks}, why: {why:?} }},");
            continue;
        }
        let shows = guarantee(mutant.shows.get(engine).unwrap_or(&mutant.breaks))?;
        // It runs on the same platform as shuttle's samplers.
        let to_explorer = guarantee(mutant.shows.get(EXPLORER).unwrap_or(&mutant.breaks))?;
        let shows = match shows == to_explorer {
            true => format!("|_| {shows}"),
            false => format!("|engine| if engine == Engine::Explorer {{ {to_explorer} }} else {{ {shows} }}"),
        };
        let _ = writeln!(
            list,
            "        Mutant {{ name: {name:?}, breaks: {breaks}, shows: {shows}, spurious: {spurious}, file: {file:?}, why: {why:?}, \
             scenarios: crate::scenarios(&{:?}), install: || crate::install({}) }},",
            mutant.scenarios,
            number(index)
        );
    }
    // Where a copy is wrong on purpose, what the compiler finds odd about it is not worth saying.
    let quiet = "#[allow(warnings, clippy::all, clippy::undocumented_unsafe_blocks)]";
    Ok(format!(
        "use antiphon_harness::{{Engine, Mutant, Unseen}};\nuse antiphon_spec::Guarantee;\n\n\
         {quiet}\n#[path = {runtime:?}]\npub(crate) mod runtime;\n\
         {quiet}\n#[path = {scenarios:?}]\npub(crate) mod scenarios;\n\n\
         pub(crate) fn mutants() -> Vec<Mutant> {{\n    vec![\n{list}    ]\n}}\n\n\
         pub(crate) static UNSEEN: &[Unseen] = &[\n{unseen}];\n"
    ))
}

/// The number by which a mutant is switched on. Zero is none.
fn number(index: usize) -> usize {
    index + 1
}

/// The text of one file, with all the bugs that are in it behind their switches.
fn mutate(path: &Path, text: &str, mutants: &[Mutant]) -> Result<String, String> {
    let mut places: BTreeMap<(usize, usize), Place<'_>> = BTreeMap::new();
    let mut items = String::new();
    for (index, mutant) in mutants.iter().enumerate() {
        if Path::new(&mutant.file).strip_prefix("src").ok() != Some(path) {
            continue;
        }
        for edit in &mutant.edits {
            let start = edit.place(text).map_err(|error| mutant.wrong(&error))?;
            let place = places.entry((start, start + edit.find.len())).or_default();
            place.replace.extend(edit.replace.iter().map(|code| (number(index), code.as_str())));
            place.before.extend(edit.before.iter().map(|code| (number(index), code.as_str())));
            items.extend(edit.items.iter().map(String::as_str));
        }
    }
    let mut mutated = String::new();
    let mut done = 0;
    for ((start, end), place) in places {
        let original = &text[start..end];
        if start < done {
            return Err(format!(
                "mutants.toml: {original:?} overlaps what another mutant changes: give both the same"
            ));
        }
        mutated += &text[done..start];
        place.write(&mut mutated, original);
        done = end;
    }
    Ok(mutated + &text[done..] + &items)
}

impl Place<'_> {
    fn write(&self, out: &mut String, original: &str) {
        for (number, code) in &self.before {
            let _ = writeln!(out, "if ::antiphon_mutants!() == {number} {{ {code} }}");
        }
        if self.replace.is_empty() {
            out.push_str(original);
            return;
        }
        out.push_str("(match ::antiphon_mutants!() { ");
        for (number, code) in &self.replace {
            let _ = write!(out, "{number} => {code}, ");
        }
        let _ = write!(out, "_ => {original} }})");
    }
}

impl Edit {
    /// Where in the text it is.
    fn place(&self, text: &str) -> Result<usize, String> {
        let at = self.at.as_ref().unwrap_or(&self.find);
        Ok(only(text, at)? + only(at, &self.find)?)
    }
}

/// Where `part` is, if that is clear.
fn only(text: &str, part: &str) -> Result<usize, String> {
    let mut places = text.match_indices(part);
    match (places.next(), places.next()) {
        (Some((place, _)), None) => Ok(place),
        (first, _) => {
            let how = if first.is_some() { "several times" } else { "nowhere" };
            Err(format!("{part:?} must occur once and occurs {how}: adapt it to the source as it is now"))
        }
    }
}

impl Mutant {
    /// Looks at what needs no source of the runtime.
    fn check(&self, all: &[Mutant], catalogue: &str) -> Result<(), String> {
        if all.iter().filter(|other| other.name == self.name).count() != 1 {
            return Err("there are two of this name".into());
        }
        let changes = |edit: &Edit| edit.replace.is_some() != edit.before.is_some();
        if self.scenarios.is_empty() || self.edits.is_empty() || !self.edits.iter().all(changes) {
            return Err("it needs a scenario, and edits that either replace or come before".into());
        }
        let unknown = |name: &&String| !catalogue.contains(&format!("    \"{name}\","));
        if let Some(scenario) = self.scenarios.iter().find(unknown) {
            return Err(format!("there is no scenario {scenario}"));
        }
        if !Path::new("../../..").join(&self.file).is_file() {
            return Err(format!("there is no file {}", self.file));
        }
        let mut engines = self.shows.keys().filter(|engine| *engine != EXPLORER).chain(self.unseen.keys());
        if let Some(engine) = engines.find(|engine| !ENGINES.contains(&engine.as_str())) {
            return Err(format!("there is no engine {engine}"));
        }
        if self.unseen.len() == ENGINES.len() {
            return Err("an engine must be able to see it".into());
        }
        self.shows.values().chain([&self.breaks]).try_for_each(|id| guarantee(id).map(drop))
    }

    fn wrong(&self, error: &str) -> String {
        format!("mutants.toml: mutant {}: {}: {error}", self.name, self.file)
    }
}

/// The guarantee with this id, as Rust names it.
fn guarantee(id: &str) -> Result<String, String> {
    let known = Guarantee::from_id(id).ok_or_else(|| format!("there is no guarantee {id}"))?;
    Ok(format!("Guarantee::{known:?}"))
}

/// Writes source files, with the paths in them made to fit their new place.
fn copy(sources: &Sources, place: &Path, rewrite: impl Fn(&str) -> String) -> Result<(), String> {
    for (path, text) in sources {
        let text = rewrite(text).replace("::antiphon_mutants!()", "crate::active()");
        write(&place.join(path), &text)?;
    }
    Ok(())
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
