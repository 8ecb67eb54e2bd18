//! The files of the tree, and Rust source taken apart into paths.

use std::fmt;
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What is no source of ours: results of builds and tools.
const SKIPPED: &[&str] = &["target", "book", "corpus", "artifacts", "coverage", "traces", "build"];

/// What is read by people.
const READ: &[&str] = &["rs", "md", "toml", "v", "ml", "py", "sh", "css", "run", "stderr"];

/// One file of the tree.
pub(crate) struct File {
    /// From the root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A rule that is broken somewhere.
pub(crate) struct Complaint {
    path: String,
    line: usize,
    what: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

impl File {
    /// The file at `path`, from the root.
    pub(crate) fn read(path: &str) -> Self {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
        Self { path: path.to_owned(), text: text.unwrap_or_else(|error| panic!("{path}: {error}")) }
    }

    pub(crate) fn complain(&self, line: usize, what: impl Into<String>) -> Complaint {
        Complaint { path: self.path.clone(), line, what: what.into() }
    }

    /// Every path in the code, `use` trees taken apart, with its line. Comments and literals are none.
    pub(crate) fn paths(&self) -> Vec<(usize, String)> {
        let mut paths = Vec::new();
        collect(self.tokens(), "", &mut paths);
        paths
    }

    /// The code, without comments.
    pub(crate) fn tokens(&self) -> TokenStream {
        self.text.parse().unwrap_or_else(|error| panic!("{}: {error}", self.path))
    }
}

fn collect(tokens: TokenStream, prefix: &str, paths: &mut Vec<(usize, String)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut next = 0;
    while next < tokens.len() {
        let TokenTree::Ident(first) = &tokens[next] else {
            if let TokenTree::Group(group) = &tokens[next] {
                collect(group.stream(), "", paths);
            }
            next += 1;
            continue;
        };
        let line = first.span().start().line;
        let mut path = format!("{prefix}{first}");
        let mut is_whole = true;
        next += 1;
        while is_colon(tokens.get(next)) && is_colon(tokens.get(next + 1)) {
            match tokens.get(next + 2) {
                Some(TokenTree::Ident(segment)) => path = format!("{path}::{segment}"),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    collect(group.stream(), &format!("{path}::"), paths);
                    is_whole = false;
                }
                _ => break,
            }
            next += 3;
        }
        if is_whole {
            paths.push((line, path));
        }
    }
}

fn is_colon(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
}

/// Every file of the tree that is read by people.
pub(crate) fn tree() -> Vec<File> {
    let mut files = Vec::new();
    walk(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut files);
    assert!(files.len() > 50, "the tree has only {} files", files.len());
    files
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let entry = entry.expect("a readable folder");
        let name = entry.file_name().into_string().expect("names are text");
        let path = format!("{prefix}{name}");
        if entry.file_type().expect("a file or a folder").is_dir() {
            if !SKIPPED.contains(&name.as_str()) && name != ".git" {
                walk(&entry.path(), &format!("{path}/"), files);
            }
        } else if name.rsplit('.').next().is_some_and(|ending| READ.contains(&ending)) {
            files.push(File::read(&path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::File;

    #[test]
    fn paths_come_out_of_use_trees_and_code_and_not_out_of_comments() {
        let text = "// a::b\nuse c::{d, e::{f, self}};\nfn g() { h::i(\"j::k\"); }";
        let file = File { path: "sample.rs".into(), text: text.into() };
        let paths: Vec<String> =
            file.paths().into_iter().map(|(line, path)| format!("{line} {path}")).collect();
        for expected in ["2 c::d", "2 c::e::f", "3 h::i"] {
            assert!(paths.iter().any(|path| path == expected), "{expected} is not in {paths:?}");
        }
        assert!(!paths.iter().any(|path| path.contains("a::b") || path.contains("j::k")), "{paths:?}");
    }
}
