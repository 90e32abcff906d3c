//! Finds the field for a word, or the likely field for a misspelt word.

use super::{Field, all};

/// Converts a word of an option, a filter or a heading to the table's spelling: lower case, parts joined by `_`.
pub fn plain_word(word: &str) -> String {
    word.to_ascii_lowercase().replace(['-', '.', ' '], "_")
}

/// Converts a word of the table to the spelling of options and headings.
pub fn typed_word(word: &str) -> String {
    word.replace('_', "-")
}

/// The field that has this word, in any spelling.
pub fn named(word: &str) -> Option<&'static Field> {
    let word = plain_word(word);
    let is_it =
        |field: &&Field| field.word == word || field.others.contains(&&*word) || is_key(field.json, &word);
    // Otherwise JSON's key without its enclosing object.
    let is_inner = |field: &&Field| field.json.split_once('.').is_some_and(|(_, key)| key == word);
    if word.is_empty() { None } else { all().find(is_it).or_else(|| all().find(is_inner)) }
}

/// Whether the word is JSON's key, or the heading in CSV.
fn is_key(json: &str, word: &str) -> bool {
    json.len() == word.len()
        && json.bytes().zip(word.bytes()).all(|(a, b)| a == b || (a == b'.' && b == b'_'))
}

/// The most similar word of the table, spelt as in options; `None` if no word is similar.
pub fn nearest_field(word: &str) -> Option<String> {
    let words: Vec<_> = all().flat_map(Field::words).collect();
    let near = nearest(&plain_word(word), words.iter().map(String::as_str))?;
    Some(typed_word(near))
}

/// The most similar candidate; `None` if no candidate is similar.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.8;
    let word = word.to_ascii_lowercase();
    candidates
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fields::Part;
    use crate::model::TcpInfo;

    #[test]
    fn every_word_has_one_field() {
        let mut seen = BTreeSet::new();
        for field in all() {
            for word in field.words().collect::<BTreeSet<_>>() {
                assert_eq!(named(&word), Some(field), "{word}");
                assert_eq!(named(&word.replace('_', "-").to_uppercase()), Some(field), "{word}");
                assert!(seen.insert(word.clone()), "{word}");
            }
            if let Some(object) = field.object() {
                assert_eq!(field.json, format!("{}.{}", object.key(), field.key()));
            } else {
                assert!(field.part == Part::Chosen || !field.json.contains('.'), "{field:?}");
            }
            assert!(!field.help.is_empty() && !field.help.ends_with('.'), "{field:?}");
            assert!(
                field
                    .word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            );
        }
        assert_eq!(named("rtt_us"), named("rtt"));
        assert_eq!(
            (named("retrans").unwrap().json, named("tcp_info.retrans").unwrap().word),
            ("tcp_info.total_retrans", "retrans_out")
        );
        assert!(named("").is_none() && named("size").is_none());
    }

    #[test]
    fn every_number_of_the_connection_has_its_entry() {
        for name in TcpInfo::FIELDS {
            let key = format!("tcp_info.{name}");
            assert!(all().any(|field| field.json == key), "{key}");
        }
    }

    #[test]
    fn a_slip_is_known() {
        assert_eq!(nearest_field("recvqq").as_deref(), Some("recvq"));
        assert_eq!(nearest_field("bytes-recieved").as_deref(), Some("bytes-received"));
        assert_eq!(nearest_field("xyzzy"), None);
    }
}
