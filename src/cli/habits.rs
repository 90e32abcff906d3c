//! Words of ss, netstat and lsof that fingers type, put into this program's words before they are parsed.

use std::collections::VecDeque;
use std::ffi::OsString;

use crate::commands::{HIDDEN, NAMES};
use crate::session::Refusal;

/// The same command line in this program's words. What follows a command's name or `--` stays as it is.
pub(super) fn rewritten(words: &[OsString]) -> Result<Vec<OsString>, Refusal> {
    let mut out: Vec<OsString> = words.iter().take(1).cloned().collect();
    let mut rest: VecDeque<OsString> = words.iter().skip(1).cloned().collect();
    if let [_, first, behind @ ..] = words
        && first == "help"
        && let Some(asked) = help(behind)?
    {
        out.extend(asked);
        return Ok(out);
    }
    // Terms that options stand for come last: `and` and `or` are taken from left to right, so they hold for all.
    let mut terms: Vec<OsString> = Vec::new();
    while let Some(word) = rest.pop_front() {
        if is_command(&word) || word == "--" {
            rest.push_front(word);
            break;
        }
        let Some(text) = word.to_str() else {
            out.push(word);
            continue;
        };
        let is_sort_key = out.last().is_some_and(|before| before == "--sort");
        if let Some((first, second)) = split(text).filter(|_| !is_sort_key) {
            rest.push_front(second.into());
            rest.push_front(first.into());
            continue;
        }
        let (ours, takes_next) = translated(text, rest.front().and_then(|next| next.to_str()))?;
        match ours {
            Ours::Words(ours) => out.extend(ours.into_iter().map(OsString::from)),
            Ours::Term(term) => terms.extend(term.map(OsString::from)),
        }
        if takes_next {
            rest.pop_front();
        }
    }
    let (before, behind) =
        if rest.front().is_some_and(is_command) { (terms, Vec::new()) } else { (Vec::new(), terms) };
    out.extend(before);
    out.extend(rest);
    out.extend(behind);
    Ok(out)
}

/// What `help` with these words stands for; `None` if it may be something else.
fn help(words: &[OsString]) -> Result<Option<Vec<OsString>>, Refusal> {
    match words {
        [] => Ok(Some(vec!["--help".into()])),
        [command] if is_command(command) => Ok(Some(vec![command.clone(), "--help".into()])),
        [other] if !other.as_encoded_bytes().starts_with(b"-") => Err(Refusal::with_hint(
            format!("'{}' is not a command of tcpstates", other.to_string_lossy()),
            format!("its commands are {}", NAMES.join(", ")),
        )),
        _ => Ok(None),
    }
}

/// A cluster of short options is split before and behind the first letter that this module translates:
/// `-tnf` → `-tn`, `-f`; `-finet` → `-f`, `inet`; `-Bn` → `-B`, `-n`.
fn split(word: &str) -> Option<(String, String)> {
    let letters = word.strip_prefix('-').filter(|letters| !letters.starts_with('-'))?;
    let at = letters.find(['f', 'F', 'A', 'B', '='])?;
    let (before, rest) = letters.split_at(at);
    let letter = rest.chars().next().filter(|letter| *letter != '=')?;
    let behind = &rest[1..];
    match (before, letter, behind) {
        ("", _, "") => None,
        ("", 'B', _) => Some(("-B".to_owned(), format!("-{behind}"))),
        ("", ..) => Some((format!("-{letter}"), behind.strip_prefix('=').unwrap_or(behind).to_owned())),
        _ => Some((format!("-{before}"), format!("-{rest}"))),
    }
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
        ("--pid" | "--port", None) => return Err(Refusal::usage(format!("{option} needs a value"))),
        ("--pid", Some(value)) => (term("pid", value), takes_next),
        ("--port", Some(value)) => (term("port", value), takes_next),
        ("-A" | "--query" | "--socket", Some(value)) => (words(&tables(value)?), takes_next),
        ("-f" | "--family", Some("inet" | "ipv4")) => (words(&["-4"]), takes_next),
        ("-f" | "--family", Some("inet6" | "ipv6")) => (words(&["-6"]), takes_next),
        ("-f" | "--family", Some(family)) if OTHER_FAMILIES.contains(&family) => {
            return Err(not_here(&[&format!("-f {family}")]));
        }
        ("-F" | "--filter", Some(value)) => (words(&[&format!("--filter-file={value}")]), takes_next),
        ("-B" | "--bound-inactive", _) if joined.is_none() => (words(&["state", "bound-inactive"]), false),
        _ => (words(&[interval(word).as_deref().or_else(|| lsof_port(word)).unwrap_or(word)]), false),
    })
}

/// The values of ss's `-f` that are other protocols.
const OTHER_FAMILIES: [&str; 6] = ["unix", "link", "netlink", "vsock", "tipc", "xdp"];

/// The options that stand for a list of ss's tables of sockets. Beside TCP's, the others are a note, as with `-tu`.
fn tables(list: &str) -> Result<Vec<&'static str>, Refusal> {
    let has_tcp = list.split(',').any(|table| matches!(table, "tcp" | "inet" | "all"));
    let option = |table| match table {
        "tcp" | "inet" | "all" => Some("-t"),
        "udp" => Some("-u"),
        "raw" => Some("-w"),
        "unix" => Some("-x"),
        _ => None,
    };
    let options = list.split(',').map(option).collect::<Option<Vec<_>>>();
    options.filter(|_| has_tcp).ok_or_else(|| not_here(&[&format!("-A {list}")]))
}

/// The message for options that ask for other protocols.
pub(super) fn only_tcp(typed: &[&str]) -> String {
    format!("{}: only TCP sockets are shown here", typed.join(", "))
}

/// The refusal of these options.
pub(super) fn not_here(typed: &[&str]) -> Refusal {
    Refusal::with_hint(only_tcp(typed), format!("ss {} shows them; -t shows TCP sockets", typed.join(" ")))
}

/// lsof's `-i:80` and `-iTCP:80` → `:80`.
fn lsof_port(word: &str) -> Option<&str> {
    let rest = word.strip_prefix("-i")?;
    let port = rest.strip_prefix("TCP").or_else(|| rest.strip_prefix("tcp")).unwrap_or(rest);
    port.starts_with(':').then_some(port)
}

/// `-c1`, `-natc0.5` → `-c=1`, `-natc=0.5`: what is right behind -c is its interval.
fn interval(word: &str) -> Option<String> {
    let flags = word.strip_prefix('-').filter(|flags| !flags.starts_with('-'))?;
    let (before, number) = flags.split_once('c')?;
    let number = number.strip_suffix('s').unwrap_or(number);
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
            ("t -A tcp -n", "t -t -n"),
            ("t --query=inet", "t -t"),
            ("t -A tcp,udp", "t -t -u"),
            ("t -natAtcp", "t -nat -t"),
            ("t -tnf inet", "t -tn -4"),
            ("t -finet", "t -4"),
            ("t -f=inet6", "t -6"),
            ("t -f ipv4", "t -4"),
            ("t -tnB", "t -tn state bound-inactive"),
            ("t -Bn", "t state bound-inactive -n"),
            ("t -F/dev/null", "t --filter-file=/dev/null"),
            ("t --filter=x", "t --filter-file=x"),
            ("t -c1s", "t -c=1"),
            ("t -iTCP:80", "t :80"),
            ("t -i :80", "t -i :80"),
            ("t --sort -buffers", "t --sort -buffers"),
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
            ("t -fcsv", "t -f csv"),
            ("t -natfcsv", "t -nat -f csv"),
            ("t help", "t --help"),
            ("t help explain", "t explain --help"),
            ("t diagnose -c5 --pid 1", "t diagnose -c5 --pid 1"),
            ("t -- -c1", "t -- -c1"),
        ] {
            assert_eq!(typed(line), ours, "{line}");
        }
    }

    #[test]
    fn what_is_another_programs_or_nothing_is_refused() {
        for (line, message, hint) in [
            (
                "t -A unix",
                "-A unix: only TCP sockets are shown here",
                "ss -A unix shows them; -t shows TCP sockets",
            ),
            (
                "t -A tcp,packet",
                "-A tcp,packet: only TCP sockets are shown here",
                "ss -A tcp,packet shows them; -t shows TCP sockets",
            ),
            (
                "t -f unix",
                "-f unix: only TCP sockets are shown here",
                "ss -f unix shows them; -t shows TCP sockets",
            ),
            (
                "t help nosuch",
                "'nosuch' is not a command of tcpstates",
                &format!("its commands are {}", NAMES.join(", ")),
            ),
            ("t --pid", "--pid needs a value", ""),
        ] {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            let Err(Refusal::Usage { message: given, hint: help }) = rewritten(&words) else {
                panic!("{line} is refused")
            };
            assert_eq!((&*given, help.as_deref().unwrap_or_default()), (message, hint), "{line}");
        }
    }
}
