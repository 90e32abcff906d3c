//! The words for fields in `--columns`, `--sort`, `--count-by` and `--sum`.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};

use crate::fields::{self, Field, Kind, nearest_field};
use crate::session::Refusal;
use crate::tally::{CountKey, SortDirection, SortTerm};

/// The fields of `--columns`.
pub(crate) fn columns(words: &[String]) -> Result<Vec<&'static Field>, Refusal> {
    read("--columns", words, |_| true, fields::named)
}

/// The terms of `--sort`: a word with `-` before it reverses.
pub(crate) fn sort_terms(words: &[String]) -> Result<Vec<SortTerm>, Refusal> {
    read(
        "--sort",
        words,
        |_| true,
        |word| {
            let (word, direction) = match word.strip_prefix('-') {
                Some(word) => (word, SortDirection::Falling),
                None => (word, SortDirection::Rising),
            };
            fields::named(word).map(|field| SortTerm { field, direction })
        },
    )
}

/// The keys of `--count-by`.
pub(crate) fn count_keys(words: &[String]) -> Result<Vec<CountKey>, Refusal> {
    read("--count-by", words, |_| true, CountKey::parse)
}

/// The fields of `--sum`.
pub(crate) fn sums(words: &[String]) -> Result<Vec<&'static Field>, Refusal> {
    let fields = read("--sum", words, |field| field.kind.adds_up(), fields::named)?;
    match fields.iter().find(|field| !field.kind.adds_up()) {
        None => Ok(fields),
        Some(field) => Err(Refusal::with_hint(
            format!("--sum: {} of several sockets can't be added up", field.typed()),
            "it takes counts, bytes and rates, such as recv-q or bytes-sent",
        )),
    }
}

/// Parses the words. The word `help` prints the fields that the option takes.
fn read<T>(
    option: &str,
    words: &[String],
    takes: fn(&Field) -> bool,
    named: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, Refusal> {
    if words.iter().any(|word| word.eq_ignore_ascii_case("help")) {
        return Err(Refusal::Answer(help(takes)));
    }
    let unknown = |word: &str| {
        if word.contains("-net") || word.contains("_net") {
            let message = format!("{option}: '{word}' is not a network");
            return Refusal::with_hint(
                message,
                "accepted are peer-net/LEN and local-net/LEN, LEN from 0 to 128",
            );
        }
        let hint = nearest_field(word.trim_start_matches('-'))
            .map_or_else(|| format!("{option} help lists them"), |near| format!("did you mean '{near}'?"));
        Refusal::with_hint(format!("{option}: '{word}' is not a field"), hint)
    };
    words.iter().map(|word| named(word).ok_or_else(|| unknown(word))).collect()
}

/// One line for each field.
fn help(takes: fn(&Field) -> bool) -> String {
    let lines = fields::all()
        .filter(|field| takes(field))
        .map(|field| format!("{:20} {}\n", field.typed(), described(field)));
    lines.collect::<Vec<_>>().concat()
}

/// A field's help, with the unit of a rate, which the help leaves out.
pub(crate) fn described(field: &Field) -> String {
    match field.kind {
        Kind::Rate => format!("{}, in bytes/s", field.help),
        _ => field.help.to_owned(),
    }
}

/// Accepts any word: each option parses its words later, so that its error can suggest a field. Completions offer the
/// fields.
#[derive(Clone)]
pub(crate) struct FieldWord;

impl TypedValueParser for FieldWord {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(fields::all().map(|field| PossibleValue::new(field.typed()).help(field.help))))
    }
}
