//! A word for a field, as an option takes it.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};

use crate::fields;

/// Takes any word: what it means is for the option, and what may have been meant for its error. Completions offer the
/// fields.
#[derive(Clone)]
pub(super) struct FieldWord;

impl TypedValueParser for FieldWord {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(fields::all().map(|field| PossibleValue::new(field.typed()).help(field.help))))
    }
}
