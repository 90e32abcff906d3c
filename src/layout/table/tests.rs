//! Tables at every width: no text is broken, and no line is longer than it must be.

use proptest::prelude::*;

use super::*;
use crate::layout::samples::{ALL_PARTS, shown, style};
use crate::layout::{Format, Parts};

/// The texts between blanks, in any order.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
    words.sort();
    words
}

#[test]
fn each_width_has_the_same_addresses_whole() {
    let addresses = |text: &str| -> Vec<String> {
        words(text)
            .into_iter()
            .filter(|word| word.contains(':') && word.contains(|c: char| c.is_ascii_digit()))
            .collect()
    };
    let wide = addresses(&shown(Format::Table, Style { width: None, ..style(Parts::default()) }));
    assert!(wide.len() > 8, "{wide:?}");
    for width in 40..=140 {
        let text = shown(Format::Table, Style { width: Some(width), ..style(Parts::default()) });
        let narrow = addresses(&text);
        let missing: Vec<_> =
            wide.iter().filter(|word| !word.ends_with(":*") && !narrow.contains(word)).collect();
        assert!(missing.is_empty(), "{width}: {missing:?}\n{text}");
        for line in text.lines() {
            let longest_word = line.split_whitespace().map(text::width).max().unwrap_or(0);
            assert!(
                text::width(line) <= usize::from(width).max(longest_word + lines::INDENT),
                "{width}: {line}"
            );
        }
    }
}

#[test]
fn a_table_of_60_columns_with_all_parts() {
    insta::assert_snapshot!(shown(Format::Table, Style { width: Some(60), ..style(ALL_PARTS) }));
}

#[test]
fn rows_are_stacked_at_40_columns() {
    insta::assert_snapshot!(shown(Format::Table, Style { width: Some(40), ..style(Parts::default()) }), @r#"
    LISTEN
      Recv-Q         1
      Send-Q         128
      Local Address  0.0.0.0:22
    LISTEN
      Local Address  *:443
    ESTABLISHED
      Recv-Q         5
      Send-Q         1448
      Local Address  10.0.0.1:54321
      Peer Address   192.0.2.7:443
    TIME_WAIT
      Local Address
        [2001:db8:1111:2222:3333:4444:5555:6666]:443
      Peer Address   [2001:db8::7]:50000
    CLOSE_WAIT
      Recv-Q         1
      Local Address  10.0.0.1:443
      Peer Address   203.0.113.9:40000
    LISTEN
      Send-Q         5
      Local Address  [fe80::1%eth0]:8080
    UNKNOWN(14)
      Local Address  127.0.0.1:1
      Peer Address   127.0.0.1:2
    "#);
}

proptest! {
    #[test]
    fn any_cells_are_whole_at_any_width(
        texts in prop::collection::vec(prop::collection::vec("[a-z0-9:.]{1,30}", 4), 1..20),
        room in 20_usize..120,
    ) {
        let cells: Vec<Vec<usize>> = texts.iter().map(|row| row.iter().map(String::len).collect()).collect();
        let wishes: Vec<_> = (0..4).map(|at| Wish { title: 4, is_flexible: at > 0 }).collect();
        if let Plan::Beside(widths) = plan(&wishes, &cells, Some(room)) {
            for row in &texts {
                let row: Vec<_> = row.iter().map(Cell::plain).collect();
                let mut out = Vec::new();
                lines::push_row(&mut out, &row.iter().collect::<Vec<_>>(), &widths, room, false);
                let written = String::from_utf8(out).unwrap();
                let found: Vec<_> = written.split_whitespace().collect();
                prop_assert_eq!(found, row.iter().map(|cell| &*cell.text).collect::<Vec<_>>());
                prop_assert!(written.lines().all(|line| line.len() <= room.max(34)), "{written}");
            }
        }
    }
}
