//! No two source files import each other, directly or through others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module by its path: `cli`, `args`, `trace`.
type Module = Vec<String>;

/// The modules with a file below this folder, and each file's text before its tests.
fn modules(folder: &Path, parent: &[String], found: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the sources can be listed").path();
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        let module =
            if name == "mod" { parent.to_vec() } else { [parent, std::slice::from_ref(&name)].concat() };
        if path.is_dir() {
            modules(&path, &module, found);
        } else if !name.contains("tests") {
            let text = fs::read_to_string(&path).expect("it can be read");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            found.insert(module, lines.collect::<Vec<_>>().join(" "));
        }
    }
}

/// The paths that `use` names, each with its braces taken apart.
fn imports(code: &str) -> Vec<Vec<String>> {
    let statements = code.match_indices("use ").filter_map(|(at, word)| {
        // What a file passes on is not what it needs.
        let is_private = !code[..at].trim_end().ends_with("pub") && !code[..at].trim_end().ends_with(')');
        is_private.then(|| code[at + word.len()..].split(';').next().unwrap_or_default())
    });
    statements.flat_map(apart).collect()
}

fn apart(list: &str) -> Vec<Vec<String>> {
    let names = |path: &str| -> Vec<String> {
        let names = path.split("::").map(|name| name.split(" as ").next().unwrap_or_default().trim());
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let Some((before, inside)) = list.split_once('{') else { return vec![names(list)] };
    let inside = inside.rsplit_once('}').map_or(inside, |(inside, _)| inside);
    let mut depth = 0;
    let parts = inside.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let parts = parts.filter(|part| !part.trim().is_empty()).flat_map(apart);
    parts.map(|path| [names(before), path].concat()).collect()
}

/// The module that a path leads to, if it is one with a file.
fn target(from: &Module, path: &[String], all: &BTreeMap<Module, String>) -> Option<Module> {
    let ups = path.iter().take_while(|name| *name == "super").count();
    let (mut base, rest) = match path.first()?.as_str() {
        "crate" => (Module::new(), path.get(1..)?),
        "self" => (from.clone(), path.get(1..)?),
        "super" => (from.get(..from.len().checked_sub(ups)?)?.to_vec(), path.get(ups..)?),
        _ => return None,
    };
    for name in rest {
        base.push(name.clone());
        if !all.contains_key(&base) {
            base.pop();
            break;
        }
    }
    // A folder's own file only passes on what the others have.
    (all.contains_key(&base) && !from.starts_with(&base)).then_some(base)
}

/// A circle of imports from the module back to itself, if there is one.
fn circle(start: &Module, edges: &BTreeMap<Module, BTreeSet<Module>>) -> Option<Vec<Module>> {
    let mut seen = BTreeSet::new();
    let mut ways = vec![vec![start.clone()]];
    while let Some(way) = ways.pop() {
        for next in way.last().and_then(|last| edges.get(last)).into_iter().flatten() {
            if next == start {
                return Some(way);
            }
            if seen.insert(next.clone()) {
                ways.push([way.as_slice(), std::slice::from_ref(next)].concat());
            }
        }
    }
    None
}

fn edges(all: &BTreeMap<Module, String>) -> BTreeMap<Module, BTreeSet<Module>> {
    let of = |(module, code): (&Module, &String)| {
        let targets = imports(code).into_iter().filter_map(|path| target(module, &path, all)).collect();
        (module.clone(), targets)
    };
    all.iter().map(of).collect()
}

#[test]
fn no_import_leads_back() {
    let mut all = BTreeMap::new();
    modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut all);
    let edges = edges(&all);
    assert!(edges.values().map(BTreeSet::len).sum::<usize>() > 300, "imports are found");
    for module in all.keys() {
        let circle =
            circle(module, &edges).map(|way| way.iter().map(|step| step.join("/")).collect::<Vec<_>>());
        assert_eq!(circle, None);
    }
}

#[test]
fn a_circle_is_found() {
    let code = [
        ("a", "use crate::b::{X, c::Y};"),
        ("b", ""),
        ("b c", "use super::super::d;"),
        ("d", "use crate::a::Z;"),
    ];
    let all: BTreeMap<Module, String> = code
        .into_iter()
        .map(|(module, code)| (module.split(' ').map(str::to_owned).collect(), code.to_owned()))
        .collect();
    let found = circle(&vec!["a".to_owned()], &edges(&all)).map(|way| way.len());
    assert_eq!(found, Some(3), "a, b/c, d");
    assert_eq!(circle(&vec!["b".to_owned()], &edges(&all)), None);
}
