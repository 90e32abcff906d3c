//! The manual pages and the completions are those of the present command line.

use std::fs;
use std::path::Path;

use crate::support::run::{finish, tcpstates};

#[track_caller]
fn assert_fresh(artifact: &[&str], file: &str) {
    let committed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file))
        .unwrap_or_else(|error| panic!("{file}: {error}"));
    let made = finish(tcpstates(&[&["generate"], artifact].concat())).quiet();
    let artifact = artifact.join(" ");
    assert!(committed == made, "{file} is stale: run `cargo run -- generate {artifact} > {file}`");
}

/// The commands that the help lists.
fn commands() -> Vec<String> {
    let help = finish(tcpstates(&["-h"])).quiet();
    let lines =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn man() {
    assert_fresh(&["man"], "man/tcpstates.1");
    let commands = commands();
    assert_eq!(commands.len(), 5, "{commands:?}");
    for command in commands {
        assert_fresh(&["man", "--", &command], &format!("man/tcpstates-{command}.1"));
    }
}

/// Each page has the sections that people look for, and the main page all of them.
#[test]
fn the_manual_has_the_sections_that_people_look_for() {
    let has = |page: &str, section: &str| {
        page.lines().any(|line| line == format!(".SH \"{section}\"") || line == format!(".SH {section}"))
    };
    let all = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO"];
    for command in commands() {
        let page = finish(tcpstates(&["generate", "man", "--", &command])).quiet();
        for section in all {
            assert!(has(&page, section), "{command}: no {section}");
        }
    }
    let page = finish(tcpstates(&["generate", "man"])).quiet();
    for section in all.into_iter().chain(["COMMANDS", "FILTERS", "FIELDS", "UNITS", "OUTPUT", "FILES"]) {
        assert!(has(&page, section), "no {section}");
    }
}

#[test]
fn completions() {
    for (artifact, file) in [
        ("bash", "completions/tcpstates.bash"),
        ("zsh", "completions/_tcpstates"),
        ("fish", "completions/tcpstates.fish"),
        ("elvish", "completions/tcpstates.elv"),
        ("powershell", "completions/_tcpstates.ps1"),
    ] {
        assert_fresh(&[artifact], file);
    }
}

#[test]
fn the_page_on_benchmarks_shows_the_kept_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/benchmarks.md")).expect("it is there");
    let shown: Vec<_> = page.split("<!-- kept: ").skip(1).collect();
    assert!(!shown.is_empty(), "there is a table");
    for block in shown {
        let (name, behind) = block.split_once(" -->\n").expect("it has a name");
        let (table, _) = behind.split_once("<!-- end -->").expect("it ends");
        let kept = fs::read_to_string(root.join("benchsuite/runs").join(name)).expect("the run was kept");
        assert_eq!(table, kept, "{name}");
    }
}
