//! Each format over the same hand-built sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::Value;

use super::grid::BLOCK;
use super::samples::{ALL_PARTS, shown, style};
use super::{CountFormat, Format, Head, Parts, Style, Summary, listing, write_summary};
use crate::fields::{self, Kind, Part, named};
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
    insta::assert_snapshot!(shown(Format::Netstat, style(Parts::default())), @r#"
    Active Internet connections (servers and established)
    Proto Recv-Q Send-Q Local Address           Foreign Address         State      
    tcp        1      0 0.0.0.0:22              0.0.0.0:*               LISTEN     
    tcp6       0      0 :::443                  :::*                    LISTEN     
    tcp        5   1448 10.0.0.1:54321          192.0.2.7:443           ESTABLISHED
    tcp6       0      0 2001:db8:1111:2222::443 2001:db8::7:50000       TIME_WAIT  
    tcp6       1      0 10.0.0.1:443            203.0.113.9:40000       CLOSE_WAIT 
    tcp6       0      0 fe80::1:8080            :::*                    LISTEN     
    tcp        0      0 127.0.0.1:1             127.0.0.1:2             UNKNOWN(14)
    "#);
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
    insta::assert_snapshot!(shown(Format::Table, style(Parts::default())), @r#"
    State        Recv-Q  Send-Q  Local Address                   Peer Address
    LISTEN            1     128  0.0.0.0:22                      0.0.0.0:*
    LISTEN            0       0  *:443                           *:*
    ESTABLISHED       5    1448  10.0.0.1:54321                  192.0.2.7:443
    TIME_WAIT         0       0  [2001:db8:1111:2222:3333:4444:5555:6666]:443
                                                                 [2001:db8::7]:50000
    CLOSE_WAIT        1       0  10.0.0.1:443                    203.0.113.9:40000
    LISTEN            0       5  [fe80::1%eth0]:8080             [::]:*
    UNKNOWN(14)       0       0  127.0.0.1:1                     127.0.0.1:2
    "#);
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
        // The queues and the peers are empty throughout.
        let ports = lines.lines().map(|line| line.split_whitespace().nth(1).unwrap().to_owned());
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

/// Whether JSON has a value of this kind for it, or null.
fn is_of_kind(value: &Value, kind: Kind) -> bool {
    value.is_null()
        || match kind {
            Kind::Address(_) => value.as_str().is_some_and(|text| text.parse::<IpAddr>().is_ok()),
            Kind::Port(_) => value.as_u64().is_some_and(|port| u16::try_from(port).is_ok()),
            Kind::Count | Kind::Number | Kind::Bytes | Kind::Rate | Kind::Time(_) | Kind::Mark => {
                value.is_u64()
            }
            Kind::Large => value.as_str().is_some_and(|text| text.parse::<u64>().is_ok()),
            Kind::Flag => value.is_boolean(),
            Kind::Processes(_) => value.is_array(),
            // Some of them have parts of their own.
            Kind::List => value.is_array() || value.is_object(),
            Kind::Word(words, _) => value.as_str().is_some_and(|word| words.contains(&word)),
            Kind::Text => value.is_string() || value.get("name").is_some(),
            _ => value.is_string(),
        }
}

/// The keys of a row with those of its objects, `tcp_info.rtt_us`, and their values.
fn keys_of(row: &Value) -> BTreeMap<String, Value> {
    let mut keys = BTreeMap::new();
    for (key, value) in row.as_object().unwrap() {
        match value {
            Value::Object(inner) if !value.is_null() => {
                keys.extend(inner.iter().map(|(inner, value)| (format!("{key}.{inner}"), value.clone())));
            }
            _ => {
                keys.insert(key.clone(), value.clone());
            }
        }
    }
    keys
}

#[test]
fn json_has_the_keys_and_the_kinds_of_the_table() {
    for parts in [Parts::default(), ALL_PARTS] {
        let document: Value = serde_json::from_str(&shown(Format::Json, style(parts))).unwrap();
        let (sockets, warnings) = (&document["sockets"], &document["warnings"]);
        assert_eq!((&document["schema"], &document["source"]), (&1.into(), &"netlink".into()));
        assert_eq!((sockets.as_array().unwrap().len(), warnings.as_array().unwrap().len()), (7, 1));
        let mut found = BTreeSet::new();
        for row in sockets.as_array().unwrap() {
            for (key, value) in keys_of(row) {
                if ["timer", "tcp_info", "memory"].contains(&key.as_str()) {
                    assert!(value.is_null(), "{key}: {value}");
                    continue;
                }
                let field = fields::all().find(|field| field.json == key).unwrap_or_else(|| panic!("{key}"));
                assert!(parts.contain(field.part) && is_of_kind(&value, field.kind), "{key}: {value}");
                found.insert(key);
            }
        }
        // An older kernel has not every number.
        let shown_fields = fields::all().filter(|field| parts.contain(field.part));
        let missing: Vec<_> =
            shown_fields.filter(|field| field.part != Part::TcpInfo && !found.contains(field.json)).collect();
        assert!(missing.is_empty(), "{missing:?}");

        let lines = shown(Format::Ndjson, Style { repeated: true, ..style(parts) });
        for (line, expected) in lines.lines().zip(sockets.as_array().unwrap()) {
            let mut row: Value = serde_json::from_str(line).unwrap();
            assert_eq!(
                row.as_object_mut().unwrap().remove("taken_at"),
                Some("2026-01-02T03:04:05.678Z".into())
            );
            assert_eq!(&row, expected);
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
    insta::assert_snapshot!(summary(CountFormat::Plain), @r#"
    LISTEN 3
    SYN_SENT 0
    SYN_RECV 0
    ESTABLISHED 120
    FIN_WAIT1 0
    FIN_WAIT2 0
    CLOSE_WAIT 0
    LAST_ACK 0
    CLOSING 0
    TIME_WAIT 0
    CLOSED 1
    "#);
    insta::assert_snapshot!(summary(CountFormat::Table), @r#"
    LISTEN        3
    SYN_SENT      0
    SYN_RECV      0
    ESTABLISHED 120
    FIN_WAIT1     0
    FIN_WAIT2     0
    CLOSE_WAIT    0
    LAST_ACK      0
    CLOSING       0
    TIME_WAIT     0
    CLOSED        1
    total       124
    "#);
    insta::assert_snapshot!(summary(CountFormat::Csv), @r#"
    state,count
    LISTEN,3
    SYN_SENT,0
    SYN_RECV,0
    ESTABLISHED,120
    FIN_WAIT1,0
    FIN_WAIT2,0
    CLOSE_WAIT,0
    LAST_ACK,0
    CLOSING,0
    TIME_WAIT,0
    CLOSED,1
    "#);
    insta::assert_snapshot!("summary_json", summary(CountFormat::Json));
}

#[test]
fn a_summary_has_all_states_and_their_sum() {
    let document: Value = serde_json::from_str(&summary(CountFormat::Json)).unwrap();
    let keys: Vec<_> = document.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["schema", "source", "states", "taken_at", "total", "warnings"]);
    assert_eq!((&document["total"], &document["states"]["CLOSED"]), (&124.into(), &1.into()));
    assert_eq!(document["states"].as_object().unwrap().len(), 11);
    assert_eq!(document["warnings"].as_array().unwrap().len(), 1);
}
