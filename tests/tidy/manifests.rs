//! The rules about manifests: who may depend on whom, and that every package takes part in everything.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::source::File;

fn manifest(path: &str) -> Table {
    File::read(path).text.parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn members(of: &Table, list: &str) -> BTreeSet<String> {
    let members = of["workspace"].get(list).and_then(Value::as_array);
    let members = members.unwrap_or_else(|| panic!("the workspace has no `{list}`"));
    members.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

/// The packages that `manifest` depends on to be built, by their own names.
fn dependencies(manifest: &Table) -> BTreeSet<String> {
    let name = |(key, value): (&String, &Value)| {
        value.get("package").and_then(Value::as_str).unwrap_or(key).to_owned()
    };
    manifest.get("dependencies").and_then(Value::as_table).into_iter().flatten().map(name).collect()
}

/// What of `dependencies` is this project's and not in `allowed`.
fn forbidden(dependencies: &BTreeSet<String>, allowed: &[&str]) -> Vec<String> {
    let ours = dependencies.iter().filter(|name| name.starts_with("antiphon"));
    ours.filter(|name| !allowed.contains(&name.as_str())).cloned().collect()
}

#[test]
fn plain_cargo_test_runs_every_member() {
    let root = manifest("Cargo.toml");
    let mut every = members(&root, "members");
    every.insert(".".into());
    assert_eq!(members(&root, "default-members"), every);
}

#[test]
fn every_package_takes_the_workspaces_lints() {
    let root = manifest("Cargo.toml");
    for lint in ["missing_docs", "unsafe_code"] {
        assert!(
            root["workspace"]["lints"]["rust"].get(lint).is_some(),
            "{lint} is not a lint of the workspace"
        );
    }
    for member in members(&root, "members") {
        let lints = manifest(&format!("{member}/Cargo.toml")).get("lints").cloned();
        assert_eq!(lints.and_then(|lints| lints.get("workspace")?.as_bool()), Some(true), "{member}");
    }
}

#[test]
fn the_runtime_knows_of_the_specification_only_its_alphabet() {
    let of = dependencies(&manifest("Cargo.toml"));
    assert_eq!(forbidden(&of, &["antiphon-event", "antiphon-platform"]), Vec::<String>::new());
    for engine in ["recorded", "loom", "shuttle"] {
        let of = dependencies(&manifest(&format!("models/runtime/{engine}/Cargo.toml")));
        let platform = format!("antiphon-platform-{engine}");
        assert_eq!(forbidden(&of, &["antiphon-event", &platform]), Vec::<String>::new());
    }
}

#[test]
fn the_specification_and_the_platforms_know_nothing_of_the_runtime() {
    assert_eq!(dependencies(&manifest("models/spec/event/Cargo.toml")), BTreeSet::new());
    let of = dependencies(&manifest("models/spec/Cargo.toml"));
    assert_eq!(forbidden(&of, &["antiphon-event"]), Vec::<String>::new());
    for platform in ["std", "recorded", "loom", "shuttle"] {
        let of = dependencies(&manifest(&format!("src/platform/{platform}/Cargo.toml")));
        let allowed = ["antiphon-event", "antiphon-platform"];
        assert_eq!(forbidden(&of, &allowed), Vec::<String>::new(), "{platform}");
    }
}

#[test]
fn a_forbidden_dependency_is_found() {
    let bad: Table = "[dependencies]\nspec = { package = \"antiphon-spec\", path = \"x\" }\nserde = \"1\""
        .parse()
        .unwrap();
    assert_eq!(forbidden(&dependencies(&bad), &["antiphon-event"]), ["antiphon-spec"]);
}
