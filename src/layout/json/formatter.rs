//! JSON on one line that is safe on a terminal.

use std::io::{self, Write};

use serde_json::ser::Formatter;

use crate::layout::text::is_unsafe;

/// serde_json escapes ASCII control characters; this formatter also escapes all others that a terminal or a line-wise
/// reader would interpret.
pub(super) struct Lines;

impl Formatter for Lines {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        // These characters, except DEL, lie outside ASCII; nearly all output is ASCII.
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_unsafe(*c)) {
            let (before, after) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            write!(writer, "\\u{:04x}", u32::from(c))?;
            rest = after.get(c.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::push_value;
    use crate::layout::text::is_unsafe;

    proptest! {
        #[test]
        fn strings_come_back_and_nothing_unsafe_gets_through(text: String) {
            let mut out = Vec::new();
            push_value(&mut out, &text).unwrap();
            prop_assert!(!std::str::from_utf8(&out).unwrap().chars().any(is_unsafe));
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
