//! Text for a terminal or a line: escaped, padded and measured.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

pub use crate::model::escape::{escaped, is_plain, is_unsafe, push_escaped};
use crate::model::escape::{push_char, push_hex};

/// The last filter before the terminal, in case a writer failed to escape: only line breaks, tabs and, with `colors`,
/// the sequences that set colours (`ESC [ … m`) pass unescaped.
pub fn guarded(bytes: &[u8], colors: bool) -> Cow<'_, [u8]> {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    // Without an early exit the loop examines many bytes in one step.
    if bytes.iter().fold(true, |plain, byte| plain & is_plain(byte)) {
        return Cow::Borrowed(bytes);
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(c) = rest.chars().next() {
            let color = if colors { color_len(rest) } else { None };
            let (taken, behind) = rest.split_at(color.unwrap_or(c.len_utf8()));
            match c {
                '\n' | '\t' => out.push(c),
                _ if color.is_some() => out.push_str(taken),
                c => push_char(&mut out, c),
            }
            rest = behind;
        }
        for byte in chunk.invalid() {
            push_hex(&mut out, *byte);
        }
    }
    Cow::Owned(out.into_bytes())
}

/// The length of the colour sequence at the start of the text, if any.
fn color_len(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\x1b[")?;
    let end = numbers.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    numbers.get(end..)?.starts_with('m').then_some(end + 3)
}

/// `local-port` → `Local-port`, for a heading.
pub fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// The columns that text takes on a terminal.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// A whole number of any size.
pub trait Number: itoa::Integer + TryInto<u8> + Copy {}
impl<T: itoa::Integer + TryInto<u8> + Copy> Number for T {}

/// Appends a number.
pub fn push_number(out: &mut Vec<u8>, number: impl Number) {
    // Most numbers of a socket are 0.
    match number.try_into() {
        Ok(digit @ 0..10) => out.push(b'0' + digit),
        _ => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
    }
}

/// Appends a point and the digits of these millionths.
pub fn push_millionths(out: &mut Vec<u8>, millionths: u64) {
    // Adding a million keeps the leading zeros; the point then overwrites the million's digit.
    let start = out.len();
    push_number(out, 1_000_000 + millionths);
    if let Some(first) = out.get_mut(start) {
        *first = b'.';
    }
}

/// Appends a number, blanks before it up to `width`.
pub fn push_number_right(out: &mut Vec<u8>, number: impl Number, width: usize) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number);
    push_blanks(out, width.saturating_sub(digits.len()));
    out.extend_from_slice(digits.as_bytes());
}

/// Pads the text appended since `start` with blanks to `width` columns.
pub fn pad_from(out: &mut Vec<u8>, start: usize, width: usize) {
    let field = out.get(start..).unwrap_or_default();
    // Bytes equal columns in ASCII text; only names, which are rare, can be anything else.
    let len = if field.is_ascii() { field.len() } else { self::width(&String::from_utf8_lossy(field)) };
    push_blanks(out, width.saturating_sub(len));
}

/// Pads the text appended since `start` on the left, with blanks to `width` bytes.
pub fn pad_left_from(out: &mut Vec<u8>, start: usize, width: usize) {
    let blanks = width.saturating_sub(out.len() - start);
    push_blanks(out, blanks);
    if let Some(field) = out.get_mut(start..) {
        field.rotate_right(blanks);
    }
}

/// Appends text and fills it up with blanks.
pub fn push_left(out: &mut Vec<u8>, text: &str, width: usize) {
    let start = out.len();
    out.extend_from_slice(text.as_bytes());
    pad_from(out, start, width);
}

/// Trims blanks from the end of the text appended since `start`.
pub fn trim_end(out: &mut Vec<u8>, start: usize) {
    let kept = out.get(start..).unwrap_or_default().trim_ascii_end().len();
    out.truncate(start + kept);
}

fn push_blanks(out: &mut Vec<u8>, count: usize) {
    out.resize(out.len() + count, b' ');
}

/// A time span, in a unit that needs at most three digits before the point.
pub fn span_us(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros}us"),
        1_000..1_000_000 => decimal(micros, 1_000, "ms"),
        _ => decimal(micros, 1_000_000, "s"),
    }
}

/// A number of bytes, in a unit that needs at most three digits before the point.
pub fn amount(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let (mut unit, mut scale) = (0, 1);
    while unit + 1 < UNITS.len() && bytes / scale >= 1_000 {
        (unit, scale) = (unit + 1, scale * 1_000);
    }
    let (whole, tenths) = (bytes / scale, bytes % scale * 10 / scale.max(1));
    let name = UNITS.get(unit).copied().unwrap_or_default();
    // Two digits are enough to compare.
    if scale > 1 && whole < 100 && tenths > 0 {
        format!("{whole}.{tenths} {name}")
    } else {
        format!("{whole} {name}")
    }
}

fn decimal(number: u64, unit: u64, name: &str) -> String {
    let (whole, thousandths) = (number / unit, number % unit * 1_000 / unit);
    let digits = format!("{thousandths:03}");
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    format!("{whole}{point}{digits}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_that_leaves_is_obeyed_but_colours() {
        let hostile = b"a\x1b]52;c;QUJD\x07\tb\x1b[31mc\x1b[2Jd\\\r\xff\n\xe2\x80\xae";
        let shown = |colors| String::from_utf8(guarded(hostile, colors).into_owned()).unwrap();
        assert_eq!(shown(false), "a\\x1b]52;c;QUJD\\x07\tb\\x1b[31mc\\x1b[2Jd\\\\r\\xff\n\\u{202e}");
        assert_eq!(shown(true), "a\\x1b]52;c;QUJD\\x07\tb\x1b[31mc\\x1b[2Jd\\\\r\\xff\n\\u{202e}");
        assert!(matches!(guarded(b"plain \"text\"\\\n", false), Cow::Borrowed(_)));
    }

    #[test]
    fn spans_have_their_unit() {
        for (micros, text) in
            [(0, "0us"), (999, "999us"), (1_000, "1ms"), (21_512, "21.512ms"), (1_500_000, "1.5s")]
        {
            assert_eq!(span_us(micros), text);
        }
    }

    #[test]
    fn amounts_have_their_unit() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1 kB"),
            (5_385_000, "5.3 MB"),
            (123_456, "123 kB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(amount(bytes), text);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_leaves_is_unsafe(bytes: Vec<u8>) {
            let left = String::from_utf8(guarded(&bytes, false).into_owned()).unwrap();
            prop_assert!(!left.chars().any(|c| is_unsafe(c) && !matches!(c, '\n' | '\t')));
        }
    }
}
