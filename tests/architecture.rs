//! The import table holds, and the ends of the house stay small.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The table of src/lib.rs: who may import whom.
const TABLE: &[(&str, &[&str])] = &[
    ("cli", &["model", "query", "filter", "select", "render"]),
    ("collect", &["model", "query"]),
    ("enrich", &["model"]),
    ("exit", &[]),
    ("filter", &["model"]),
    ("model", &[]),
    ("query", &["model"]),
    ("render", &["model", "select"]),
    ("run", &["cli", "collect", "enrich", "exit", "filter", "model", "query", "render", "select"]),
    ("select", &["model", "filter"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the sources can be listed").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules of this crate that a file names, by `use` or in full.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .filter(|name: &String| !name.is_empty())
        .collect()
}

#[test]
fn every_import_is_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut checked = BTreeSet::new();
    for file in files {
        let below = file.strip_prefix(&root).expect("it was found there");
        let first = below.iter().next().expect("it has a name").to_string_lossy().into_owned();
        let module = first.trim_end_matches(".rs");
        if matches!(module, "lib" | "main") {
            continue;
        }
        let (_, allowed) = TABLE
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("{module} is not in the table"));
        for import in imports(&fs::read_to_string(&file).expect("it can be read")) {
            let is_allowed = import == module || allowed.contains(&import.as_str());
            assert!(is_allowed, "{} may not import {import}", below.display());
        }
        checked.insert(module.to_owned());
    }
    let all: BTreeSet<_> = TABLE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(checked, all, "the table and the sources name different modules");
}

#[test]
fn braces_and_full_paths_are_seen() {
    assert_eq!(imports("use crate::model::{A, B};\n// crate::no\nlet x = crate::run::run();").len(), 2);
}

#[test]
fn main_does_nothing() {
    let main =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs")).expect("it is there");
    assert!(main.lines().count() <= 50);
}
