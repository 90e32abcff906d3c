//! Words of ss, netstat and lsof that fingers type, put into this program's words before they are parsed.

use std::ffi::OsString;

use crate::commands::{HIDDEN, NAMES};
use crate::session::Refusal;

/// The same command line in this program's words. What follows a command's name or `--` stays as it is.
pub(super) fn rewritten(words: &[OsString]) -> Result<Vec<OsString>, Refusal> {
    let mut out: Vec<OsString> = words.iter().take(1).cloned().collect();
    let mut rest = words.get(1..).unwrap_or_default();
    match rest {
        [first] if first == "help" => return Ok(vec![program(words), "--help".into()]),
        [first, command] if first == "help" && is_command(command) => {
            return Ok(vec![program(words), command.clone(), "--help".into()]);
        }
        _ => {}
    }
    // Terms that options stand for come last: `and` and `or` are taken from left to right, so they hold for all.
    let mut terms: Vec<OsString> = Vec::new();
    while let [word, behind @ ..] = rest {
        if is_command(word) || word == "--" {
            break;
        }
        rest = behind;
        let Some(text) = word.to_str() else {
            out.push(word.clone());
            continue;
        };
        let next = behind.first().and_then(|next| next.to_str());
        let (ours, takes_next) = translated(text, next)?;
        match ours {
            Ours::Words(ours) => out.extend(ours.into_iter().map(OsString::from)),
            Ours::Term(term) => terms.extend(term.map(OsString::from)),
        }
        rest = rest.get(usize::from(takes_next)..).unwrap_or_default();
    }
    let (before, behind) =
        if rest.first().is_some_and(is_command) { (terms, Vec::new()) } else { (Vec::new(), terms) };
    out.extend(before);
    out.extend(rest.iter().cloned());
    out.extend(behind);
    Ok(out)
}

fn program(words: &[OsString]) -> OsString {
    words.first().cloned().unwrap_or_default()
}

fn is_command(word: &OsString) -> bool {
    NAMES.iter().chain([&HIDDEN]).any(|name| word == name)
}

/// A word in this program's words.
enum Ours {
    /// In its place.
    Words(Vec<String>),
    /// A term of the filter: a field, an operator and a value.
    Term([String; 3]),
}

/// A word in ours, and whether the word behind it belongs to it.
fn translated(word: &str, next: Option<&str>) -> Result<(Ours, bool), Refusal> {
    let words = |words: &[&str]| Ours::Words(words.iter().map(|word| (*word).to_owned()).collect());
    let (option, joined) = word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
    let value = joined.or(next);
    let takes_next = joined.is_none();
    let term = |field: &str, value: &str| Ours::Term([field, "=", value].map(str::to_owned));
    Ok(match (option, value) {
        ("--pid", Some(value)) => (term("pid", value), takes_next),
        ("--port", Some(value)) => (term("port", value), takes_next),
        ("-A" | "--query" | "--socket", Some(value)) => {
            tables(value)?;
            (words(&[]), takes_next)
        }
        ("-f" | "--family", Some("inet")) => (words(&["-4"]), takes_next),
        ("-f" | "--family", Some("inet6")) => (words(&["-6"]), takes_next),
        ("-F", Some(value)) => (words(&[&format!("--filter-file={value}")]), takes_next),
        ("-B" | "--bound-inactive", _) if joined.is_none() => (words(&["state", "bound-inactive"]), false),
        _ => (words(&[interval(word).as_deref().unwrap_or(word)]), false),
    })
}

/// ss's tables of sockets: only TCP's is here.
fn tables(list: &str) -> Result<(), Refusal> {
    let other = list.split(',').find(|table| !["tcp", "inet", "all"].contains(table));
    match other {
        None => Ok(()),
        Some(other) => Err(Refusal::with_hint(
            format!("-A {other}: only TCP sockets are shown here"),
            format!("ss -A {other} shows them"),
        )),
    }
}

/// `-c1`, `-natc0.5` → `-c=1`, `-natc=0.5`: what is right behind -c is its interval.
fn interval(word: &str) -> Option<String> {
    let flags = word.strip_prefix('-').filter(|flags| !flags.starts_with('-'))?;
    let (before, number) = flags.split_once('c')?;
    let is_number =
        number.starts_with(|c: char| c.is_ascii_digit() || c == '.') && number.parse::<f64>().is_ok();
    // What follows -f is a layout's name.
    (is_number && !before.contains(['f', '='])).then(|| format!("-{before}c={number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> String {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let words = rewritten(&words).unwrap();
        words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn habits_are_understood() {
        for (line, ours) in [
            ("t --pid 1", "t pid = 1"),
            ("t -a --pid=1 state listen", "t -a state listen pid = 1"),
            ("t --pid 1 sport = 1 or dport = 2", "t sport = 1 or dport = 2 pid = 1"),
            ("t --port 1 -- sport = 2", "t -- sport = 2 port = 1"),
            ("t --port 80", "t port = 80"),
            ("t -A tcp -n", "t -n"),
            ("t --query=inet", "t"),
            ("t -f inet", "t -4"),
            ("t -f inet6", "t -6"),
            ("t -f json", "t -f json"),
            ("t -F file", "t --filter-file=file"),
            ("t -B", "t state bound-inactive"),
            ("t -c1", "t -c=1"),
            ("t -natc0.5", "t -natc=0.5"),
            ("t -c4", "t -c=4"),
            ("t -c -4", "t -c -4"),
            ("t -c=5", "t -c=5"),
            ("t -fcsv", "t -fcsv"),
            ("t help", "t --help"),
            ("t help explain", "t explain --help"),
            ("t help nosuch", "t help nosuch"),
            ("t diagnose -c5 --pid 1", "t diagnose -c5 --pid 1"),
            ("t -- -c1", "t -- -c1"),
        ] {
            assert_eq!(typed(line), ours, "{line}");
        }
    }

    #[test]
    fn other_tables_are_another_programs() {
        let words = ["t", "-A", "tcp,unix"].map(OsString::from);
        let Err(Refusal::Usage { message, hint }) = rewritten(&words) else { panic!("it is refused") };
        assert_eq!(message, "-A unix: only TCP sockets are shown here");
        assert_eq!(hint.as_deref(), Some("ss -A unix shows them"));
    }
}
