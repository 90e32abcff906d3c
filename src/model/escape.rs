//! Text that others chose, escaped in the same form in every layout.
//!
//! The filter accepts this form too: a name finds its socket as it was printed.

use std::fmt::Write as _;

/// Appends text so that it stays on its line and does nothing to a terminal: no control character, no escape sequence,
/// no line break and no character that changes the direction of writing gets through. Bytes that are not UTF-8 appear
/// as `\xNN`. A backslash stays as it is: systemd writes `\x2d` into the names of units, and ss and our JSON print it
/// once.
pub fn push_escaped(out: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_char(out, c);
        }
        for byte in chunk.invalid() {
            push_hex(out, *byte);
        }
    }
}

/// The escaped text.
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    push_escaped(&mut text, bytes);
    text
}

/// The text unchanged, except that bytes that are not UTF-8 appear as `\xNN`.
pub fn lossless(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    push_lossless(&mut text, bytes);
    text
}

/// Appends text unchanged, except that bytes that are not UTF-8 appear as `\xNN`: the text of JSON before its own
/// escaping.
pub fn push_lossless(out: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            push_hex(out, *byte);
        }
    }
}

/// Undoes an escape that writes a byte as `marker` and `digits` digits of this radix: systemd's in the names of units
/// (`\x2d`), the kernel's in lists of mounts (`\040`).
pub fn unescaped(text: &[u8], marker: &[u8], digits: usize, radix: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let number = rest.strip_prefix(marker).and_then(|rest| rest.split_at_checked(digits));
        let byte = number.and_then(|(digits, behind)| {
            let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
            Some((u8::from_str_radix(digits, radix).ok()?, behind))
        });
        let (byte, behind) = byte.unwrap_or((*first, after));
        bytes.push(byte);
        rest = behind;
    }
    bytes
}

/// Whether a character could do harm on a terminal or break a line.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        // Line and paragraph separators, and characters that change the direction of the text that follows.
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether text is printable ASCII without quotes and backslashes, so that it needs no escaping in any format. Nearly
/// all text is.
pub fn is_plain(bytes: &[u8]) -> bool {
    // A loop without an early exit checks many bytes in one step.
    bytes.iter().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~') & !matches!(byte, b'"' | b'\\'))
}

/// Appends a character, escaped if it is unsafe.
pub fn push_char(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if !is_unsafe(c) => out.push(c),
        c if c.is_ascii() => push_hex(out, c as u8),
        c => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
}

/// Appends a byte that is not text as `\xNN`.
pub fn push_hex(out: &mut String, byte: u8) {
    let _ = write!(out, "\\x{byte:02x}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_names_are_made_visible() {
        assert_eq!(escaped(b"nginx: worker"), "nginx: worker");
        assert_eq!(escaped(b"a\x1b[31mb\nc"), "a\\x1b[31mb\\nc");
        assert_eq!(escaped(b"\xff\xfe\\"), "\\xff\\xfe\\");
        assert_eq!(escaped("caf\u{e9} \u{9b}\u{202e}\u{2028}".as_bytes()), "café \\u{9b}\\u{202e}\\u{2028}");
        assert_eq!(escaped(b"\x7f"), "\\x7f");
    }

    #[test]
    fn a_backslash_stays_single() {
        assert_eq!(escaped(br"app\x2dweb@a.service"), r"app\x2dweb@a.service");
    }

    #[test]
    fn written_digits_are_bytes_again() {
        assert_eq!(unescaped(br"debian\x2dtree\x2", br"\x", 2, 16), br"debian-tree\x2");
        assert_eq!(unescaped(br"two\040words\134\9", b"\\", 3, 8), br"two words\\9");
        assert_eq!(unescaped(br"\+40", b"\\", 3, 8), br"\+40");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_gets_through(bytes: Vec<u8>) {
            prop_assert!(!escaped(&bytes).chars().any(is_unsafe));
        }
    }
}
