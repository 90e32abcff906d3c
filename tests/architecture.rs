//! The import table holds, and the ends of the house stay small.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Who may import whom: a module, or a path below one (`bind/report`), and the modules that it may import; `None` may
/// import everything.
type Table = BTreeMap<String, Option<BTreeSet<String>>>;

/// The table in ARCHITECTURE.md.
fn table() -> Table {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md"));
    let text = text.expect("it is there");
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ").collect();
        let [module, _, imports] = cells.as_slice() else { return None };
        let imports = match *imports {
            "everything" => None,
            "nothing" => Some(BTreeSet::new()),
            list => Some(list.split(", ").map(str::to_owned).collect()),
        };
        Some((module.trim_end_matches('`').to_owned(), imports))
    });
    rows.collect()
}

/// The row for a source file: the longest path in the table that leads to it.
fn row<'a>(table: &'a Table, file: &Path) -> Option<(&'a str, &'a Option<BTreeSet<String>>)> {
    let path = file.with_extension("");
    path.ancestors()
        .find_map(|path| table.get_key_value(path.to_str()?))
        .map(|(path, row)| (path.as_str(), row))
}

/// Whether a file uses a sibling module that has a row of its own. Re-exporting it (`pub use`) is allowed.
fn uses_other_row(table: &Table, own_row: &str, text: &str) -> bool {
    let below = format!("{own_row}/");
    let mut others = table.keys().filter_map(|path| path.strip_prefix(&below));
    others.any(|name| {
        let path = format!("{name}::");
        text.lines().any(|line| !line.starts_with("pub") && line.contains(&path))
    })
}

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

/// The commands: none imports another one.
const COMMANDS: [&str; 7] = ["list", "count", "explain", "demo", "bind", "diagnose", "trace"];

/// A source file without its comments.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The modules of this crate that a file names, by `use`, in braces or in full.
fn imports(text: &str) -> BTreeSet<String> {
    let name = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for rest in code(text).split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(list) => found.extend(top_level_names(list)),
            None => found.extend(Some(name(rest))),
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

/// The first names in a list in braces: `a::b, c::{d, e}}` → a, c.
fn top_level_names(list: &str) -> Vec<String> {
    let (mut names, mut current, mut depth) = (Vec::new(), String::new(), 0);
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(std::mem::take(&mut current)),
            c if depth == 0 => current.push(c),
            _ => {}
        }
    }
    names.push(current);
    names.iter().map(|name| name.trim().split([':', ' ']).next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_import_is_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let table = table();
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
        let (path, allowed) = row(&table, below).unwrap_or_else(|| panic!("{module} is not in the table"));
        for import in imports(&fs::read_to_string(&file).expect("it can be read")) {
            let is_allowed =
                import == module || allowed.as_ref().is_none_or(|allowed| allowed.contains(&import));
            assert!(is_allowed, "{} may not import {import}", below.display());
        }
        let text = code(&fs::read_to_string(&file).expect("it can be read"));
        assert!(
            !uses_other_row(&table, path, &text),
            "{} uses a path below {path} that has a row of its own",
            below.display()
        );
        let depth = below.components().count();
        // From a file directly in a module's folder this leads out of the module.
        assert!(depth > 2 || !text.contains("super::super::"), "{}", below.display());
        assert!(
            module == "session" || !text.contains("std::env::"),
            "{} reads the environment",
            below.display()
        );
        let writes = ["io::stdout", "io::stderr", "println!"].iter().any(|word| text.contains(word));
        assert!(["run", "commands", "session"].contains(&module) || !writes, "{} writes", below.display());
        for command in COMMANDS {
            let is_own = below
                .iter()
                .nth(1)
                .is_some_and(|name| name.to_string_lossy().trim_end_matches(".rs") == command);
            let other = [format!("commands::{command}"), format!("super::{command}")];
            let names_it = module == "commands" && !is_own && other.iter().any(|path| text.contains(path));
            assert!(!names_it, "{} imports the command {command}", below.display());
        }
        checked.insert(path.to_owned());
    }
    assert_eq!(checked, table.keys().cloned().collect(), "the table and the sources name different modules");
}

#[test]
fn the_longest_path_has_the_row() {
    let table: Table = ["bind", "bind/report", "layout"].map(|path| (path.to_owned(), None)).into();
    for (file, expected) in [
        ("bind/mod.rs", Some("bind")),
        ("bind/judge.rs", Some("bind")),
        ("bind/report.rs", Some("bind/report")),
        ("bind/report/mod.rs", Some("bind/report")),
        ("bind/report/text.rs", Some("bind/report")),
        ("bind/reports.rs", Some("bind")),
        ("layout/report.rs", Some("layout")),
        ("trace/mod.rs", None),
    ] {
        assert_eq!(row(&table, Path::new(file)).map(|(path, _)| path), expected, "{file}");
    }
    assert!(uses_other_row(&table, "bind", "use super::report::write_answer;"));
    assert!(!uses_other_row(&table, "bind", "pub(crate) use report::write_answer;"));
    assert!(!uses_other_row(&table, "layout", "use super::report::Report;"));
}

#[test]
fn braces_and_full_paths_are_seen() {
    let text = "use crate::model::{A, B};\n// crate::no\nlet x = crate::run::run();\nuse crate::{cli as _, query::{Q, R}};";
    assert_eq!(imports(text).into_iter().collect::<Vec<_>>(), ["cli", "model", "query", "run"]);
}

#[test]
fn main_does_nothing() {
    let main =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs")).expect("it is there");
    assert!(main.lines().count() <= 50);
}
