use super::*;
use crate::diagnose::diagnose;
use crate::diagnose::samples::{Numbers, Sample, connection, holder, listener};
use crate::model::{Gap, Setting, Source, TcpState};

fn written(sample: Sample, gaps: &[Gap], style: ReportStyle) -> String {
    let thresholds = sample.thresholds;
    let mut evidence = sample.evidence();
    evidence.gaps = gaps.to_vec();
    written_of(&evidence, thresholds, style)
}

fn written_of(evidence: &Evidence, thresholds: Thresholds, style: ReportStyle) -> String {
    let diagnosis = diagnose(evidence, &thresholds);
    let head = Head { source: Source::Netlink, taken_at: "2026-11-21T12:00:00.000Z" };
    let judgement = Judgement { diagnosis: &diagnosis, evidence, thresholds: &thresholds };
    let mut out = Vec::new();
    write_diagnosis(&mut out, style, &head, &judgement).unwrap();
    String::from_utf8(out).unwrap()
}

const TEXT: ReportStyle = ReportStyle { json: false, color: false, width: 80 };

fn troubled() -> Sample {
    let numbers = Numbers { last_ack_recv_ms: 4_000_000, last_data_recv_ms: 4_000_000, ..Numbers::default() };
    let left = |peer| connection(TcpState::CloseWait, peer, (18, 0), numbers);
    let sample = Sample::default()
        .without(Setting::Mem)
        .without(Setting::MaxOrphans)
        .held(listener("::", 8080, 129, Some(128)), &[holder(4711, "evil\u{1b}[31m\nname")])
        .counter("TcpExt", "ListenOverflows", 37)
        .since(&[("TcpExt", "ListenOverflows", 30)]);
    (0..12).fold(sample, |sample, number| {
        let peer = if number < 9 { "10.0.0.2" } else { "2001:db8::7" };
        sample.held(left(peer), &[holder(4711, "evil\u{1b}[31m\nname")])
    })
}

#[test]
fn text_at_80_columns() {
    let text = written(troubled(), &[Gap::ProcessesDenied { count: 3, first: 1, privileges: None }], TEXT);
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn one_line_where_nothing_is_wrong() {
    let text = written(Sample::default(), &[], TEXT);
    assert_eq!(text, "Nothing wrong: 13 rules over 0 sockets, settings and counters.\n");
}

#[test]
fn what_was_not_read_is_not_said_to_be_well() {
    let last = |settings: bool, counters: bool| {
        let mut evidence = Sample::default().evidence();
        if !settings {
            evidence.settings = Settings::default();
        }
        if !counters {
            evidence.counters = crate::model::Counters::default();
        }
        let text = written_of(&evidence, Thresholds::default(), TEXT);
        text.lines().next().unwrap_or_default().to_owned()
    };
    let begin = "Nothing wrong: 13 rules over 0 sockets";
    assert_eq!(last(true, false), format!("{begin} and settings; no counter could be read."));
    assert_eq!(last(false, true), format!("{begin} and counters; no setting could be read."));
    assert_eq!(last(false, false), format!("{begin}; no setting and no counter could be read."));
}

#[test]
fn a_document() {
    let text =
        written(troubled(), &[Gap::ProcessesHidden { privileges: None }], ReportStyle { json: true, ..TEXT });
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let finding = &document["findings"][0];
    assert_eq!((&finding["rule"], &finding["severity"]), (&"accept-queue".into(), &"critical".into()));
    let seen = &finding["seen"];
    assert_eq!((&seen["waiting"], &seen["backlog"]), (&129.into(), &128.into()));
    assert_eq!(
        (&seen["listen_overflows"], &seen["listen_overflows_within_interval"]),
        (&37.into(), &7.into())
    );
    assert_eq!(seen["processes"][0]["name"], "evil\u{1b}[31m\nname");
    assert_eq!(document["interval_s"], 2.0);
    assert_eq!(
        (&document["unseen"][0], document["warnings"].as_array().map(Vec::len)),
        (&document["warnings"][0], Some(1))
    );
    assert_eq!(text.lines().count(), 1, "on one line");
}

#[test]
fn severities_are_coloured_and_keep_the_width() {
    let text = written(troubled(), &[], ReportStyle { color: true, ..TEXT });
    assert!(text.starts_with("\u{1b}[1m\u{1b}[31mCRITICAL\u{1b}[0m  the accept queue of"), "{text:?}");
}
