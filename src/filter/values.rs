//! The operand after an operator: marks, timers, sizes, times.

use super::expr::{Device, Name, Term};
use super::glob::Glob;
use super::typed::{digits, number};
use crate::fields::{self, Kind, Value};
use crate::model::{Timer, escape};

pub(super) fn device_term(word: Name) -> Term {
    Term::Device(match digits(&word.text) {
        Some(index) => Device::Index(index),
        None => Device::Name(word),
    })
}

/// Numbers as C and ss have them: 0x before hexadecimal digits, 0 before octal ones.
pub(super) fn mark(text: &str) -> Result<Term, &'static str> {
    let number = number::<u32>;
    let (value, mask) = text.split_once('/').map_or((text, None), |(value, mask)| (value, Some(mask)));
    let mask = mask.map_or(Some(u32::MAX), number);
    match (number(value), mask) {
        // The kernel compares the masked mark with the unmasked value, so mask the value here.
        (Some(value), Some(mask)) => Ok(Term::Mark { value: value & mask, mask }),
        _ => Err("a mark such as 0x10 or 16/0xff"),
    }
}

/// A timer by any word that is printed for it; `_` and `-` within it do not matter.
pub(super) fn timer(text: &str) -> Result<Term, &'static str> {
    // As netstat prints it, `on (0.15/1/0)`.
    let lower = text.split(" (").next().unwrap_or(text).to_ascii_lowercase();
    let folded =
        if lower.starts_with("unkn") || lower == "-" { lower } else { lower.replace(['-', '_'], "") };
    let glob = Glob::new(&folded);
    let kinds = (0..=u8::MAX).map(|kind| Timer::from_kernel(kind, 0, 0, 0));
    if kinds.into_iter().any(|timer| timer_fits(&glob, timer.as_ref())) {
        return Ok(Term::Text { field: &fields::TIMER, glob });
    }
    Err("one of off, retransmit, keepalive, timewait, probe0, delayed_ack")
}

/// Whether one of the timer's words fits.
pub(super) fn timer_fits(glob: &Glob, timer: Option<&Timer>) -> bool {
    let has_word = Timer::words(timer).iter().any(|word| glob.matches(word.as_bytes()));
    has_word
        // netstat prints an unknown timer like this.
        || matches!(timer, Some(Timer::Other { kind, .. }) if glob.matches(format!("unkn-{kind}").as_bytes()))
}

/// Whether one of the words for this value fits.
pub(super) fn text_fits(glob: &Glob, kind: Kind, value: &Value<'_>) -> bool {
    match value {
        Value::Absent
        | Value::Unknown
        | Value::Flag(_)
        | Value::State(_)
        | Value::Address(_)
        | Value::Endpoint(_) => false,
        Value::Number(number) => glob.matches(number.to_string().as_bytes()),
        Value::Text(text) if kind == Kind::Container => glob.matches_id(&escape::lossless(text)),
        Value::Text(text) => glob.matches_shown(text),
        Value::Word(word) => glob.matches(word.as_bytes()),
        Value::User(name, uid) => {
            name.is_some_and(|name| glob.matches_shown(name.as_bytes()))
                || glob.matches(uid.to_string().as_bytes())
        }
        Value::Note(note) => {
            [note.to_string().as_str(), note.short()].iter().any(|text| glob.matches(text.as_bytes()))
        }
        Value::Options(info) => {
            let all = info.option_names().collect::<Vec<_>>().join(",");
            info.option_names().any(|name| glob.matches(name.as_bytes())) || glob.matches(all.as_bytes())
        }
        Value::Congestion(congestion) => glob.matches(congestion.name().as_bytes()),
        Value::Ulp(ulp) => glob.matches_shown(ulp.name.as_bytes()),
        Value::Md5Keys(keys) => keys.iter().any(|key| {
            let address = key.address.to_string();
            glob.matches(address.as_bytes())
                || glob.matches(format!("{address}/{}", key.prefix_length).as_bytes())
        }),
    }
}

pub(super) fn count(text: &str) -> Option<u64> {
    digits(text)
}

/// Bytes: `4096`, `4096B`, `4k`, `1M`, `2G`, by 1024.
pub(super) fn size(text: &str) -> Option<u64> {
    with_unit(text, &[("", 1), ("b", 1), ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30)])
}

/// A pace: bytes, perhaps with `/s` behind.
pub(super) fn rate(text: &str) -> Option<u64> {
    size(text.strip_suffix("/s").unwrap_or(text))
}

/// Yes or no, as 1 or 0.
pub(super) fn flag(text: &str) -> Option<u64> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(1),
        "false" | "no" | "0" => Some(0),
        _ => None,
    }
}

/// Microseconds: a plain number is milliseconds, as ss shows them; `sec` and `min` are ss's too.
pub(super) fn micros(text: &str) -> Option<u64> {
    const SECOND: u64 = 1_000_000;
    let units = [("us", 1), ("ms", 1_000), ("s", SECOND), ("sec", SECOND), ("min", 60 * SECOND), ("", 1_000)];
    with_unit(text, &units)
}

/// The same for a word that ends with the unit, such as JSON's `rtt_us`: a plain number is in microseconds.
pub(super) fn plain_micros(text: &str) -> Option<u64> {
    digits(text).or_else(|| micros(text))
}

/// Plain digits, perhaps with a fraction, and one of the units behind.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let unit = unit.to_ascii_lowercase();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let whole: u64 = digits(whole)?;
    let fraction_value: u64 = digits(fraction)?;
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    whole.checked_mul(*factor)?.checked_add(fraction_value.checked_mul(*factor)? / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_numbers_as_in_c() {
        for (text, value, mask) in [
            ("16", 16, u32::MAX),
            ("0x10", 16, u32::MAX),
            ("0X1f/0xff", 31, 255),
            ("010", 8, u32::MAX),
            ("010/017", 8, 15),
            ("0", 0, u32::MAX),
            ("4294967295/0", 0, 0),
            ("0x10f/0xff", 0x0f, 0xff),
        ] {
            assert_eq!(mark(text), Ok(Term::Mark { value, mask }), "{text}");
        }
        for bad in ["", "/", "1/", "/1", "+1", "0x", "0x+1", "08", "4294967296", "1/2/3", "-1"] {
            assert!(mark(bad).is_err(), "{bad}");
        }
    }
}
