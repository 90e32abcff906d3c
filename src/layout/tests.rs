//! Each format over the same hand-built sockets.

use super::grid::BLOCK;
use super::json::records::{DocumentRecord, SocketRecord, SummaryRecord};
use super::samples::{ALL_PARTS, shown, style};
use super::{CountFormat, Format, Head, Parts, Style, Summary, listing, write_summary};
use crate::fields::named;
use crate::model::{Endpoint, Family, Gap, Row, Socket, Source, TcpState};
use crate::tally::StateCounts;

#[test]
fn plain() {
    insta::assert_snapshot!(shown(Format::Plain, style(Parts::default())));
}

#[test]
fn plain_with_all_parts() {
    insta::assert_snapshot!(shown(Format::Plain, style(ALL_PARTS)));
}

#[test]
fn netstat() {
    insta::assert_snapshot!(shown(Format::Netstat, style(Parts::default())));
}

#[test]
fn netstat_with_all_parts_uncut() {
    insta::assert_snapshot!(shown(Format::Netstat, Style { wide: true, ..style(ALL_PARTS) }));
}

#[test]
fn ss() {
    insta::assert_snapshot!(shown(Format::Ss, style(Parts::default())));
}

#[test]
fn ss_with_all_parts() {
    insta::assert_snapshot!(shown(Format::Ss, style(ALL_PARTS)));
}

#[test]
fn ss_on_one_line() {
    let style = Style { oneline: true, single_state: true, numeric: false, ..style(ALL_PARTS) };
    insta::assert_snapshot!(shown(Format::Ss, style));
}

#[test]
fn table_at_80_columns() {
    insta::assert_snapshot!(shown(Format::Table, style(Parts::default())));
}

#[test]
fn table_with_all_parts() {
    insta::assert_snapshot!(shown(Format::Table, style(ALL_PARTS)));
}

#[test]
fn a_long_table_comes_in_blocks_below_one_heading() {
    let socket = |port| {
        let local = Endpoint { port, ..Endpoint::unspecified(Family::Inet) };
        Socket::new(Family::Inet, TcpState::Listen, local, Endpoint::unspecified(Family::Inet))
    };
    let chosen = ["state", "local"].map(|word| named(word).unwrap());
    for columns in [&[][..], &chosen] {
        let mut layout = listing(Format::Table, style(Parts::default()), columns);
        let (mut text, mut out) = (String::new(), Vec::new());
        layout.head(&mut out, &Head { source: Source::Netlink, taken_at: "now" }).unwrap();
        let rows = u16::try_from(2 * BLOCK + 1).unwrap();
        let mut longest_wait = 0;
        let mut waiting = 0;
        for port in 1..=rows {
            layout.row(&mut out, &Row::bare(&socket(port))).unwrap();
            waiting = if out.is_empty() { waiting + 1 } else { 1 };
            longest_wait = longest_wait.max(waiting);
            // As a writer does, between any two calls.
            text += std::str::from_utf8(&std::mem::take(&mut out)).unwrap();
        }
        layout.tail(&mut out, &[]).unwrap();
        text += std::str::from_utf8(&out).unwrap();
        assert_eq!(longest_wait, BLOCK);
        let (heading, lines) = text.split_once('\n').unwrap();
        assert!(heading.starts_with("State"), "{heading}");
        let local = if columns.is_empty() { 3 } else { 1 };
        let ports = lines.lines().map(|line| line.split_whitespace().nth(local).unwrap().to_owned());
        assert!(ports.eq((1..=rows).map(|port| format!("0.0.0.0:{port}"))));
    }
}

#[test]
fn table_in_colour() {
    let text = shown(Format::Table, Style { color: true, ..style(Parts::default()) });
    assert!(text.contains("\u{1b}[38;5;10mESTABLISHED"), "{text:?}");
    assert!(!shown(Format::Table, style(Parts::default())).contains('\u{1b}'));
}

#[test]
fn json() {
    insta::assert_snapshot!(shown(Format::Json, style(Parts::default())));
}

#[test]
fn ndjson_with_all_parts() {
    insta::assert_snapshot!(shown(Format::Ndjson, style(ALL_PARTS)));
}

#[test]
fn csv() {
    insta::assert_snapshot!(shown(Format::Csv, style(Parts { tcp_info: false, ..ALL_PARTS })));
}

#[test]
fn csv_rows_have_as_many_fields_as_the_heading() {
    let text = shown(Format::Csv, style(ALL_PARTS));
    let counts: Vec<_> = text.lines().map(csv_fields).collect();
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

/// Commas outside of quotes, and one.
fn csv_fields(line: &str) -> usize {
    line.split('"').step_by(2).map(|part| part.matches(',').count()).sum::<usize>() + 1
}

#[test]
fn json_comes_back_through_strict_types() {
    for parts in [Parts::default(), ALL_PARTS] {
        let text = shown(Format::Json, style(parts));
        let document: DocumentRecord<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!(document.schema, 1);
        assert_eq!(document.source, "netlink");
        assert_eq!(document.sockets.len(), 7);
        assert_eq!(document.warnings.len(), 1);
        let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_value(&document).unwrap(), whole);

        let lines = shown(Format::Ndjson, Style { repeated: true, ..style(parts) });
        for (line, expected) in lines.lines().zip(&document.sockets) {
            let socket: SocketRecord<'_> = serde_json::from_str(line).unwrap();
            assert_eq!(socket.taken_at.as_deref(), Some("2026-01-02T03:04:05.678Z"));
            assert_eq!(&SocketRecord { taken_at: None, ..socket }, expected);
        }
    }
}

#[test]
fn without_a_heading() {
    for format in [Format::Plain, Format::Csv, Format::Ss, Format::Netstat, Format::Table] {
        let uncut = Style { wide: true, ..style(Parts::default()) };
        let with = shown(format, uncut);
        let without = shown(format, Style { header: false, ..uncut });
        let dropped = if format == Format::Netstat { 2 } else { 1 };
        assert_eq!(with.lines().count(), without.lines().count() + dropped, "{format:?}");
    }
}

#[test]
fn nothing_hostile_gets_through() {
    for (word, format) in Format::WORDS {
        let text = shown(format, style(ALL_PARTS));
        let unsafe_chars: Vec<_> =
            text.chars().filter(|c| super::text::is_unsafe(*c) && !matches!(c, '\n' | '\t')).collect();
        assert_eq!(unsafe_chars, [], "{word}");
    }
}

fn summary(format: CountFormat) -> String {
    let mut counts = StateCounts::default();
    for (state, count) in [(TcpState::Listen, 3), (TcpState::Established, 120), (TcpState::BoundInactive, 1)]
    {
        (0..count).for_each(|_| counts.add(state));
    }
    let mut out = Vec::new();
    let head = Head { source: Source::Procfs, taken_at: "2026-01-02T03:04:05.678Z" };
    let gaps = [Gap::FellBack { reason: "why".to_owned() }];
    write_summary(&mut out, Summary { format, header: true, repeated: false }, &head, &counts, &gaps)
        .unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn summaries() {
    insta::assert_snapshot!("summary_plain", summary(CountFormat::Plain));
    insta::assert_snapshot!("summary_table", summary(CountFormat::Table));
    insta::assert_snapshot!("summary_csv", summary(CountFormat::Csv));
    insta::assert_snapshot!("summary_json", summary(CountFormat::Json));
}

#[test]
fn a_summary_comes_back_through_strict_types() {
    let text = summary(CountFormat::Json);
    let document: SummaryRecord<'_> = serde_json::from_str(&text).unwrap();
    assert_eq!(document.total, 124);
    assert_eq!(document.states.len(), 11);
    assert_eq!(document.states["CLOSED"], 1);
    assert_eq!(document.warnings.len(), 1);
}
