//! The words that complete a command line, for the completions of bash, zsh and fish.

use clap::{Arg, ArgAction, Command};

use super::help::definition;
use crate::commands::{NAMES, running};
use crate::fields::{self, typed_word};
use crate::filter::LANGUAGE;
use crate::model::{StateSet, TcpState};

/// What the shell completes by itself: a path.
const PATH: &str = "/\n";

/// A word and what it means.
type Words = Vec<(String, String)>;

/// The words that may stand in place of the last one of `typed`, one a line: the word, a tab, what it means. The line
/// `/` stands for paths.
pub(super) fn words(typed: &[String]) -> String {
    let Some((last, before)) = typed.split_last() else { return String::new() };
    let mut whole = definition();
    // So that each option knows how many values it takes.
    whole.build();
    let place = Place::of(&whole, before);
    if let Some(option) = place.option {
        return values_of(option, last).unwrap_or_else(|| PATH.to_owned());
    }
    if let Some((name, value)) =
        last.split_once('=').filter(|(name, _)| name.starts_with("--") && !place.ended)
    {
        let option = place.command.get_arguments().find(|option| is_called(option, &name[2..]));
        let Some(option) = option else { return String::new() };
        let values = values_of(option, value);
        return values.map_or_else(|| PATH.to_owned(), |values| prefixed(&values, &format!("{name}=")));
    }
    if last.starts_with('-') && !place.ended {
        return lines(last, options_of(place.command, last));
    }
    let positional = place.command.get_positionals().next();
    match positional
        .and_then(|arg| arg.get_value_names())
        .and_then(<[_]>::first)
        .map(clap::builder::Str::as_str)
    {
        Some("FILTER") => filter_words(&place, last),
        _ if place.words.is_empty() => positional.and_then(|arg| values_of(arg, last)).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Where on the command line a word stands.
struct Place<'a> {
    command: &'a Command,
    /// Whether this is a subcommand.
    is_below: bool,
    /// The words so far that are neither options nor their values.
    words: Vec<&'a str>,
    /// The option whose value comes next.
    option: Option<&'a Arg>,
    /// Whether `--` ended the options.
    ended: bool,
}

impl<'a> Place<'a> {
    fn of(whole: &'a Command, before: &'a [String]) -> Self {
        let mut place =
            Self { command: whole, is_below: false, words: Vec::new(), option: None, ended: false };
        for word in before {
            place.pass(word);
        }
        place
    }

    fn pass(&mut self, word: &'a str) {
        if self.option.take().is_some() {
            return;
        }
        if self.ended || !word.starts_with('-') || word == "-" {
            let command =
                self.command.find_subcommand(word).filter(|_| !self.is_below && self.words.is_empty());
            match command {
                Some(command) => (self.command, self.is_below) = (command, true),
                None => self.words.push(word),
            }
        } else if word == "--" {
            self.ended = true;
        } else {
            self.option = awaited(self.command, word);
        }
    }
}

/// The option that takes the next word as its value.
fn awaited<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    if let Some(long) = word.strip_prefix("--") {
        return command.get_arguments().find(|option| is_called(option, long) && takes_word(option));
    }
    // Of short options in one word, the first that takes a value takes the rest of the word.
    let mut shorts = word.chars().skip(1);
    let of = |short| command.get_arguments().find(|option| option.get_short() == Some(short));
    let option = shorts.by_ref().find_map(|short| of(short).filter(|option| takes_value(option)))?;
    (shorts.next().is_none() && takes_word(option)).then_some(option)
}

fn is_called(option: &Arg, long: &str) -> bool {
    option.get_long_and_visible_aliases().is_some_and(|names| names.contains(&long))
}

fn takes_value(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Set | ArgAction::Append)
}

fn takes_word(option: &Arg) -> bool {
    takes_value(option) && !option.is_require_equals_set()
}

fn options_of(command: &Command, typed: &str) -> Words {
    let shown = command.get_arguments().filter(|option| !option.is_hide_set());
    let mut words = Words::new();
    for option in shown {
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        words.extend(option.get_long().map(|long| (format!("--{long}"), help.clone())));
        let short = option.get_short().filter(|_| !typed.starts_with("--"));
        words.extend(short.map(|short| (format!("-{short}"), help)));
    }
    words
}

/// The values of an option or an argument; `None` where these are paths.
fn values_of(option: &Arg, typed: &str) -> Option<String> {
    let (head, last) = match option.get_value_delimiter().and_then(|comma| typed.rfind(comma)) {
        Some(comma) => typed.split_at(comma + 1),
        None => ("", typed),
    };
    // A field to sort by may have a - before it.
    let minus = last.len()
        - last.strip_prefix('-').filter(|_| option.is_allow_hyphen_values_set()).unwrap_or(last).len();
    let (sign, last) = last.split_at(minus);
    let name =
        option.get_value_names().and_then(<[_]>::first).map(clap::builder::Str::as_str).unwrap_or_default();
    let values: Words = if name.starts_with("STATE") {
        states()
    } else if matches!(name, "FILE" | "DIR") {
        return None;
    } else {
        let values = option.get_possible_values().into_iter().filter(|value| !value.is_hide_set());
        let help = |value: &clap::builder::PossibleValue| {
            value.get_help().map(ToString::to_string).unwrap_or_default()
        };
        values.map(|value| (value.get_name().to_owned(), help(&value))).collect()
    };
    Some(prefixed(&lines(last, values), &format!("{head}{sign}")))
}

/// The eleven states.
fn states() -> Words {
    let names = TcpState::SHOWN.into_iter().filter_map(TcpState::name);
    names.map(|name| (typed_word(&name.to_lowercase()), "a state".to_owned())).collect()
}

/// The words of a filter: a value of the field before, or a term.
fn filter_words(place: &Place<'_>, typed: &str) -> String {
    let of_field = match place.words.as_slice() {
        [.., field, "=" | "==" | "!=" | "eq" | "ne"] | [.., field] => *field,
        [] => "",
    };
    if let Some(values) = values_of_field(of_field) {
        let head = typed.rfind(',').map_or(0, |comma| comma + 1);
        return prefixed(&lines(&typed[head..], values), &typed[..head]);
    }
    if let Some((field, value)) = typed.split_once('=') {
        let values = values_of_field(field).unwrap_or_default();
        return prefixed(&lines(value, values), &format!("{field}="));
    }
    let mut words = Words::new();
    if !place.is_below && place.words.is_empty() {
        let about = |name| place.command.find_subcommand(name).and_then(Command::get_about);
        words.extend(
            NAMES.map(|name| (name.to_owned(), about(name).map(ToString::to_string).unwrap_or_default())),
        );
    }
    let more =
        ["state", "not"].into_iter().chain(["and", "or"].into_iter().filter(|_| !place.words.is_empty()));
    words.extend(more.chain(LANGUAGE).map(|word| (word.to_owned(), "a word of filters".to_owned())));
    // The fields are too many where nothing was typed.
    if !typed.is_empty() {
        words.extend(fields::all().map(|field| (field.typed(), field.help.to_owned())));
    }
    words.sort_by(|one, other| one.0.cmp(&other.0));
    words.dedup_by(|one, other| one.0 == other.0);
    lines(typed, words)
}

/// The values of a field that has few of them; `None` of another word.
fn values_of_field(word: &str) -> Option<Words> {
    let named = |names: std::collections::BTreeSet<String>, what: &str| {
        names.into_iter().map(|name| (name, what.to_owned())).collect()
    };
    Some(match word {
        "state" | "exclude" | "excl" => {
            let groups = StateSet::GROUPS.map(|group| (group.to_owned(), "a group of states".to_owned()));
            states().into_iter().chain(groups).collect()
        }
        "process" | "program" | "peer-process" => named(running::programs(), "a running program"),
        "unit" => named(running::units(), "a systemd unit"),
        _ => return None,
    })
}

/// The words that begin like the typed one, a line each.
fn lines(typed: &str, words: Words) -> String {
    let typed = typed.to_lowercase();
    let fit = words.into_iter().filter(|(word, _)| word.to_lowercase().starts_with(&typed));
    let lines = fit.map(|(word, what)| format!("{word}\t{}\n", what.replace(['\n', '\t'], " ")));
    lines.collect::<Vec<_>>().concat()
}

fn prefixed(lines: &str, head: &str) -> String {
    lines.lines().map(|line| format!("{head}{line}\n")).collect::<Vec<_>>().concat()
}
