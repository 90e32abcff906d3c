//! Words of ss, netstat and lsof that fingers type, put into this program's words before they are parsed.

use std::ffi::OsString;

use crate::commands::{HIDDEN, NAMES};
use crate::session::Refusal;

/// The same command line in this program's words. What follows a command's name or `--` stays as it is.
pub(super) fn rewritten(words: &[OsString]) -> Result<Vec<OsString>, Refusal> {
    let mut out: Vec<OsString> = words.iter().take(1).cloned().collect();
    let mut rest = words.get(1..).unwrap_or_default();
    if let [first, others @ ..] = rest
        && first == "help"
    {
        out.extend(others.first().cloned());
        out.push("--help".into());
        return Ok(out);
    }
    while let [word, behind @ ..] = rest {
        let is_command = NAMES.iter().chain([&HIDDEN]).any(|name| word == name);
        if is_command || word == "--" {
            break;
        }
        rest = behind;
        let Some(text) = word.to_str() else {
            out.push(word.clone());
            continue;
        };
        let next = behind.first().and_then(|next| next.to_str());
        let (ours, takes_next) = translated(text, next)?;
        out.extend(ours.into_iter().map(OsString::from));
        rest = rest.get(usize::from(takes_next)..).unwrap_or_default();
    }
    out.extend(rest.iter().cloned());
    Ok(out)
}

/// A word in ours, and whether the word behind it belongs to it.
fn translated(word: &str, next: Option<&str>) -> Result<(Vec<String>, bool), Refusal> {
    let as_it_is = || Ok((vec![word.to_owned()], false));
    let (option, joined) = word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
    let value = joined.or(next);
    let takes_next = joined.is_none();
    let filter =
        |field: &str, value: &str| Ok((vec![field.to_owned(), "=".to_owned(), value.to_owned()], takes_next));
    match (option, value) {
        ("--pid", Some(value)) => filter("pid", value),
        ("--port", Some(value)) => filter("port", value),
        ("-A" | "--query" | "--socket", Some(value)) => tables(value).map(|()| (Vec::new(), takes_next)),
        ("-f" | "--family", Some("inet")) => Ok((vec!["-4".to_owned()], takes_next)),
        ("-f" | "--family", Some("inet6")) => Ok((vec!["-6".to_owned()], takes_next)),
        ("-F", Some(value)) => Ok((vec![format!("--filter-file={value}")], takes_next)),
        ("-B" | "--bound-inactive", _) if joined.is_none() => {
            Ok((vec!["state".to_owned(), "bound-inactive".to_owned()], false))
        }
        _ => match interval(word) {
            Some(rewritten) => Ok((vec![rewritten], false)),
            None => as_it_is(),
        },
    }
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
            ("t -a --pid=1 state listen", "t -a pid = 1 state listen"),
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
