//! Names with `*` and `?`.

use std::fmt;

use crate::model::escape;

/// A pattern over bytes: `*` matches any number of bytes, `?` exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// The pattern as typed.
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// Whether the whole name fits. Time is bounded by the product of the lengths.
    pub fn matches(&self, name: &[u8]) -> bool {
        let pattern = self.0.as_bytes();
        let (mut p, mut n) = (0, 0);
        // Where to resume if the pattern after the last star fails: the star then takes one more byte.
        let mut retry = None;
        while n < name.len() {
            match pattern.get(p) {
                Some(b'*') => {
                    retry = Some((p, n));
                    p += 1;
                }
                Some(byte) if *byte == b'?' || name.get(n) == Some(byte) => {
                    p += 1;
                    n += 1;
                }
                _ => {
                    let Some((star, from)) = retry else { return false };
                    retry = Some((star, from + 1));
                    p = star + 1;
                    n = from + 1;
                }
            }
        }
        pattern.get(p..).unwrap_or_default().iter().all(|byte| *byte == b'*')
    }
}

impl Glob {
    /// Whether foreign text fits, raw or escaped as the layouts print it, so that a printed name can be pasted.
    pub fn matches_shown(&self, text: &[u8]) -> bool {
        if self.matches(text) {
            return true;
        }
        if escape::is_plain(text) {
            return false;
        }
        let mut in_json = String::with_capacity(text.len());
        escape::push_lossless(&mut in_json, text);
        self.matches(escape::escaped(text).as_bytes()) || self.matches(in_json.as_bytes())
    }
}

impl Glob {
    /// Whether a container's id fits: the whole id or, if it has 64 hexadecimal digits, its first 12 or more (`docker
    /// ps` prints 12).
    pub fn matches_id(&self, id: &str) -> bool {
        const SHORTEST: usize = 12;
        let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_start = self.0.len() >= SHORTEST && is_hex(&self.0) && id.len() == 64 && is_hex(id);
        self.matches_shown(id.as_bytes()) || (is_start && id.starts_with(&self.0))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name, fits) in [
            ("nginx", "nginx", true),
            ("nginx", "nginx2", false),
            ("ng*", "nginx", true),
            ("*x", "nginx", true),
            ("n?inx", "nginx", true),
            ("*", "", true),
            ("?", "", false),
            ("a*b*c", "axxbxbxc", true),
            ("a*b*c", "axxbxbx", false),
            ("**", "anything", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(name.as_bytes()), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn the_first_digits_of_an_id() {
        let id = "0123456789abcdef".repeat(4);
        let fits = |pattern: &str| Glob::new(pattern).matches_id(&id);
        assert!(fits(&id) && fits("0123456789ab") && fits("0123456789abc") && fits("0123*"));
        assert!(!fits("0123456789a") && !fits("123456789abc") && !fits("0123456789ab?"));
        assert!(!Glob::new("my-container1").matches_id("my-container12"));
    }

    #[test]
    fn what_was_printed_is_found_by_it() {
        let name = b"e)\n\x1b[31m\xff\"x".as_slice();
        for printed in [r#"e)\n\x1b[31m\xff"x"#, "e)\n\x1b[31m\\xff\"x"] {
            assert!(Glob::new(printed).matches_shown(name), "{printed}");
        }
        assert!(Glob::new(r"app\x2dweb.service").matches_shown(br"app\x2dweb.service"));
        assert!(!Glob::new(r"app\x2dweb.service").matches_shown(b"app-web.service"));
    }

    proptest! {
        #[test]
        fn any_text_is_found_as_it_is_shown(bytes: Vec<u8>) {
            prop_assert!(Glob::new(&escape::escaped(&bytes)).matches_shown(&bytes));
        }

        #[test]
        fn a_name_fits_itself_and_a_star(name in "[a-z]{0,9}", more in "[a-z*?]{0,9}") {
            prop_assert!(Glob::new(&name).matches(name.as_bytes()));
            prop_assert!(Glob::new("*").matches(name.as_bytes()));
            let _ = Glob::new(&more).matches(name.as_bytes());
        }
    }
}
