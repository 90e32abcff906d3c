//! Suggestions for a FILTER word that cannot be parsed.

use super::{HIDDEN, NAMES};
use crate::fields::{self, Kind, nearest, plain_word, typed_word};
use crate::filter::{BadFilter, FilterError, FilterText, LANGUAGE};
use crate::kernel::process;
use crate::model::{StateSet, TcpState};
use crate::session::Refusal;

/// The refusal of a bad filter: what is wrong, where, and what the user may have meant. `filter` holds the words as the
/// shell gave them; `continuous` says whether -c was given.
pub(crate) fn refusal(bad: &BadFilter, filter: &[String], continuous: bool) -> Refusal {
    // After a FILTER word, a command's name is parsed as another FILTER word.
    if let (FilterError::UnknownWord { word, .. }, [first, _, ..]) = (&bad.error, filter)
        && NAMES.iter().chain([&HIDDEN]).any(|name| name == word)
    {
        return Refusal::filter_before_command(first, word);
    }
    let hint = redirected(bad).or_else(|| hint(&bad.error, continuous));
    Refusal::Usage { message: bad.report(), hint }
}

/// In `sendq > 0` the shell takes `>` and the word behind it: the filter then ends behind the field.
fn redirected(bad: &BadFilter) -> Option<String> {
    let FilterError::Expected { span, .. } = &bad.error else { return None };
    let text = bad.typed.text.trim_end();
    let word = text.rsplit([' ', '(']).next()?;
    let field = fields::named(&plain_word(word))?;
    let is_number = matches!(
        field.kind,
        Kind::Count | Kind::Number | Kind::Bytes | Kind::Rate | Kind::Time(_) | Kind::Port(_)
    );
    let is_cut = span.start >= text.len() && bad.typed.file.is_none();
    (is_number && is_cut).then(|| {
        format!(
            "the shell takes '>' and '<' for itself: quote the filter, '{word} > 0', or write '{word} gt 0'"
        )
    })
}

/// Refuses `-c 2`, which people type from habit (netstat). A number alone is a port, which nobody means after -c.
pub(crate) fn refuse_interval(filter: &[String], continuous: bool) -> Result<(), Refusal> {
    match filter.first() {
        Some(word) if continuous && word.parse::<u64>().is_ok() => {
            let error = FilterError::UnknownWord { span: 0..word.len(), word: word.clone() };
            let typed = FilterText { text: filter.join(" "), file: None };
            Err(refusal(&BadFilter { typed, error }, filter, continuous))
        }
        _ => Ok(()),
    }
}

fn hint(error: &FilterError, continuous: bool) -> Option<String> {
    if let FilterError::UnknownWord { word, .. } | FilterError::BadEndpoint { word, .. } = error
        && continuous
        && word.parse::<f64>().is_ok()
    {
        return Some(format!("write -c={word}"));
    }
    match error {
        FilterError::UnknownWord { word, .. } => Some(unknown_word(word)),
        FilterError::UnknownState { word, .. } => Some(unknown_state(word)),
        FilterError::MissingState { .. } => Some(accepted_states()),
        FilterError::BadEndpoint { .. } => Some(
            "accepted are ADDR[/LEN][:PORT] and :PORT, with an IPv6 address before a port in brackets"
                .to_owned(),
        ),
        FilterError::TooManyChanges { .. } => {
            Some("put terms that are joined by the same word in brackets".to_owned())
        }
        FilterError::Expected { .. }
        | FilterError::TooDeep { .. }
        | FilterError::OpenQuote { .. }
        | FilterError::UnknownName { .. }
        | FilterError::NoEvidence { .. } => None,
    }
}

fn unknown_word(word: &str) -> String {
    if is_running(word) {
        return format!("did you mean 'process {word}'?");
    }
    let states = TcpState::SHOWN.into_iter().filter_map(TcpState::name);
    let terms: Vec<_> = fields::all().flat_map(|field| field.words().map(|word| typed_word(&word))).collect();
    let words = terms.iter().map(String::as_str).chain(LANGUAGE).chain(NAMES);
    nearest(word, words)
        .map(|near| format!("did you mean '{near}'?"))
        .or_else(|| nearest(word, states).map(|near| format!("did you mean 'state {near}'?")))
        .unwrap_or_else(|| {
            let others = LANGUAGE.join(", ");
            format!("accepted are :PORT, ADDR[/LEN][:PORT], {others}, and the fields of '--columns help'")
        })
}

/// Whether a process has this name now.
fn is_running(word: &str) -> bool {
    process::pids().into_iter().any(|pid| process::name_of(pid).is_some_and(|name| name == word.as_bytes()))
}

/// The refusal of a word that is not a TCP state.
pub(crate) fn no_state(word: &str) -> Refusal {
    let names: Vec<_> = TcpState::SHOWN.into_iter().filter_map(TcpState::name).collect();
    let hint = nearest(word, names.iter().copied()).map_or_else(
        || format!("accepted are {} in any spelling", names.join(", ")),
        |near| format!("did you mean '{near}'?"),
    );
    Refusal::with_hint(format!("'{word}' is not a TCP state"), hint)
}

fn unknown_state(word: &str) -> String {
    let names = TcpState::SHOWN.into_iter().filter_map(TcpState::name);
    nearest(word, names.chain(StateSet::GROUPS).chain(["bound-inactive"]))
        .map_or_else(accepted_states, |near| format!("did you mean '{near}'?"))
}

fn accepted_states() -> String {
    let names: Vec<_> = TcpState::SHOWN.into_iter().filter_map(TcpState::name).collect();
    format!(
        "accepted are {} in any spelling, bound-inactive, and the groups {}",
        names.join(", "),
        StateSet::GROUPS.join(", ")
    )
}
