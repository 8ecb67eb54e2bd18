//! Gives the command a digest of the sources that it is built from, for the parts of a verification to be told from
//! those of another build. Same sources and same compiler, same digest, whichever machine it is.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../..");
    let mut files = vec![root.join("Cargo.toml"), root.join("Cargo.lock")];
    for directory in ["src", "models"] {
        println!("cargo::rerun-if-changed={}", root.join(directory).display());
        collect(&root.join(directory), &mut files);
    }
    files.sort();
    let mut digest = DefaultHasher::new();
    for file in &files {
        file.strip_prefix(&root).expect("below the root").hash(&mut digest);
        fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display())).hash(&mut digest);
    }
    let compiler = Command::new(env::var_os("RUSTC").expect("cargo sets it")).arg("--version").output();
    compiler.expect("the compiler runs").stdout.hash(&mut digest);
    for what in ["TARGET", "PROFILE", "OPT_LEVEL"] {
        env::var(what).expect("cargo sets it").hash(&mut digest);
    }
    println!("cargo::rerun-if-changed={}", root.join("Cargo.toml").display());
    println!("cargo::rerun-if-changed={}", root.join("Cargo.lock").display());
    println!("cargo::rustc-env=ANTIPHON_SOURCES={:016x}", digest.finish());
}

/// All that is compiled; what is recorded or written down is not.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            // Tests are no part of the command.
            if name != "tests" && name != "target" {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") || name == "mutants.toml" {
            files.push(path);
        }
    }
}
