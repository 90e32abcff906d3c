//! Made-up transitions in every layout.

use super::*;
use crate::model::{Endpoint, Family, transitions_between};
use crate::trace::{Comm, Meaning, Missed, Observation, OnCpu, Stories, Tally, Wall};
use TcpState::{Close, Established, FinWait1, FinWait2, Listen, SynSent, TimeWait};
use jiff::tz::TimeZone;

/// 2026-11-21T13:00:00Z
const OFFSET: i64 = 1_795_266_000_000_000_000;

fn change(at: u64, old: TcpState, new: Option<TcpState>) -> StateChange {
    let end = |host: &str, port| Endpoint::new(host.parse().unwrap(), port);
    let way = new.and_then(|new| transitions_between(old, new).next());
    let peer = if old == Listen { end("::", 0) } else { end("2001:db8::2", 443) };
    StateChange {
        at,
        connection: 1,
        family: Family::Inet6,
        local: end("2001:db8::1", if new == Some(SynSent) { 0 } else { 40000 }),
        peer,
        old,
        new,
        in_old: (old != Close).then_some(at / 2),
        on_cpu: Some(OnCpu {
            pid: Some(7),
            name: Comm::from_bytes(b"a \"b\",\x1b"),
            in_interrupt: old == FinWait1,
        }),
        meaning: match (way, new) {
            (Some(way), Some(TimeWait)) => Meaning::TimeWait(way, 60_000_000_000),
            (Some(way), _) => Meaning::Listed(way),
            (None, Some(_)) => Meaning::Unlisted,
            (None, None) => Meaning::HandedOver,
        },
    }
}

fn changes() -> Vec<StateChange> {
    vec![
        change(1_000, Close, Some(SynSent)),
        change(2_000_000, SynSent, Some(Established)),
        change(3_000_000_000, Established, Some(FinWait1)),
        change(3_000_010_000, FinWait1, Some(FinWait2)),
        change(4_000_000_000, FinWait2, Some(TimeWait)),
        change(5_000_000_000, FinWait2, None),
        change(6_000_000_000, Listen, Some(Close)),
        change(7_000_000_000, Close, Some(Established)),
    ]
}

fn time(change: &StateChange) -> Wall {
    Wall(OFFSET.saturating_add_unsigned(change.at))
}

fn lines(format: TraceFormat, width: Option<usize>) -> TraceLines {
    let style = TraceStyle { format, header: true, color: false, width };
    TraceLines::new(style, TimeZone::UTC)
}

fn written(format: TraceFormat, width: Option<usize>) -> String {
    let mut lines = lines(format, width);
    let mut out = Vec::new();
    lines.head(&mut out);
    for change in changes() {
        lines.change(&mut out, &change, time(&change));
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn transitions_in_every_layout() {
    insta::assert_snapshot!("plain", written(TraceFormat::Plain, None));
    insta::assert_snapshot!("table", written(TraceFormat::Table, Some(80)));
    insta::assert_snapshot!("ndjson", written(TraceFormat::Ndjson, None));
    insta::assert_snapshot!("csv", written(TraceFormat::Csv, None));
    assert_eq!(written(TraceFormat::Table, Some(WIDE)), written(TraceFormat::Plain, None));
}

#[test]
fn who_was_on_the_processor() {
    let shown = |format, pid, name: &[u8], in_interrupt| {
        let on_cpu = Some(OnCpu { pid, name: Comm::from_bytes(name), in_interrupt });
        let change = StateChange { on_cpu, ..change(1_000, Close, Some(SynSent)) };
        let mut out = Vec::new();
        lines(format, None).change(&mut out, &change, time(&change));
        String::from_utf8(out).unwrap()
    };
    let is_shown = |pid, name: &[u8], in_interrupt, text: &str| {
        let line = shown(TraceFormat::Plain, pid, name, in_interrupt);
        assert!(line.contains(&format!(" {text} ")), "{text}: {line}");
    };
    is_shown(Some(7), b"curl", false, "7/curl");
    is_shown(Some(7), b"", false, "7/");
    is_shown(Some(0), b"idle", true, "[0/idle]");
    is_shown(Some(7), b"a\nb", false, "7/a\\nb");
    // A process that this PID namespace does not see has no number here, and may have a name.
    is_shown(None, b"curl", false, "curl");
    is_shown(None, b"curl", true, "[curl]");
    is_shown(None, b"", false, "-");
    let line = shown(TraceFormat::Ndjson, None, b"curl", false);
    assert!(line.contains(r#""pid":null,"name":"curl""#), "{line}");
    let line = shown(TraceFormat::Ndjson, None, b"", false);
    assert!(line.contains(r#""pid":null,"name":null"#), "{line}");
    assert!(shown(TraceFormat::Csv, None, b"curl", false).contains(",443,,curl,,"));
}

#[test]
fn ndjson_is_json_with_the_documented_fields() {
    for line in written(TraceFormat::Ndjson, None).lines() {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        let keys: Vec<_> = object.keys().map(String::as_str).collect();
        let mut wanted: Vec<_> =
            "time old new local_address local_port peer_address peer_port pid name duration meaning"
                .split(' ')
                .collect();
        wanted.sort_unstable();
        assert_eq!(keys, wanted);
    }
}

#[test]
fn connections_and_the_summary() {
    let (mut stories, mut tally) = (Stories::new(9), Tally::new());
    for change in &changes()[..5] {
        stories.take(&Observation::Change(change, time(change)));
        tally.count(change);
    }
    let story = stories.next(u64::MAX).unwrap();
    let missed = Missed { lost: 3, ..Missed::default() };
    for (name, format, width) in [
        ("stories_plain", TraceFormat::Plain, None),
        ("stories_table", TraceFormat::Table, Some(80)),
        ("stories_ndjson", TraceFormat::Ndjson, None),
        ("stories_csv", TraceFormat::Csv, None),
    ] {
        let mut lines = lines(format, width);
        let mut out = Vec::new();
        lines.stories_head(&mut out);
        lines.story(&mut out, &story);
        lines.summary(&mut out, &tally, missed).unwrap();
        insta::assert_snapshot!(name, String::from_utf8(out).unwrap());
    }
}
