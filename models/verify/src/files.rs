//! Files that the command writes.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{env, fs, process};

/// The root of the workspace: the nearest directory above the current one that has the suite in it, or
/// else the current one.
pub(crate) fn root() -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    let root = here.ancestors().find(|directory| directory.join("models/verify/Cargo.toml").is_file());
    root.unwrap_or(&here).to_path_buf()
}

/// Writes a file as a whole: whoever reads it sees the old contents or the new.
///
/// What is not a regular file, for example a device, can only be written to as it is.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory)?;
    }
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return fs::OpenOptions::new().write(true).open(path)?.write_all(contents);
    }
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}", process::id()));
    let aside = PathBuf::from(aside);
    let written = fs::write(&aside, contents).and_then(|()| fs::rename(&aside, path));
    if written.is_err() {
        // The first error is the one to tell; what is left half written is of no use.
        let _ = fs::remove_file(&aside);
    }
    written
}
