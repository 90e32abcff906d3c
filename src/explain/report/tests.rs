//! Every state, as text and as a document.

use std::net::Ipv4Addr;

use super::*;
use crate::explain::{Holder, explain};
use crate::model::{Setting, Settings, Source};

const STYLE: ReportStyle = ReportStyle { json: false, color: false, width: 80 };
const HEAD: Head<'_> = Head { source: Source::Netlink, taken_at: "2026-01-02T03:04:05.678Z" };

/// As on a host that was never tuned.
fn settings() -> Settings {
    use Setting::{
        AbortOnOverflow, FinTimeout, KeepaliveIntvl, KeepaliveProbes, KeepaliveTime, LocalPortRange,
        MaxSynBacklog, MaxTwBuckets, OrphanRetries, Retries2, Somaxconn, SynLinearTimeouts, SynRetries,
        SynackRetries, Syncookies, TwReuse,
    };
    let values = [
        (FinTimeout, "60"),
        (SynRetries, "6"),
        (SynLinearTimeouts, "4"),
        (SynackRetries, "5"),
        (OrphanRetries, "0"),
        (Retries2, "15"),
        (MaxTwBuckets, "131072"),
        (TwReuse, "2"),
        (MaxSynBacklog, "2048"),
        (Somaxconn, "4096"),
        (Syncookies, "1"),
        (AbortOnOverflow, "0"),
        (KeepaliveTime, "7200"),
        (KeepaliveIntvl, "75"),
        (KeepaliveProbes, "9"),
        (LocalPortRange, "32768\t60999"),
    ];
    values.into_iter().map(|(setting, value)| (setting, value.to_owned())).collect()
}

fn here(count: u64) -> Here {
    let holder = Holder { pid: 77, name: b"nasty\x1b[31m".as_slice().into() };
    Here {
        count,
        processes: vec![(Some(holder), 2), (None, 1)],
        peers: vec![(Ipv4Addr::new(192, 0, 2, 1).into(), 3)],
        ports: vec![(443, 3)],
    }
}

fn explained(state: TcpState) -> Explanation {
    explain(state, &settings(), here(3)).unwrap()
}

#[test]
fn each_state_as_text() {
    for state in TcpState::SHOWN {
        let mut out = Vec::new();
        write_explanation(&mut out, STYLE, &HEAD, &explained(state), &[]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(format!("explain_{state}"), text);
    }
}

#[test]
fn all_states_as_text() {
    let states: Vec<_> = TcpState::SHOWN.into_iter().map(explained).collect();
    let mut out = Vec::new();
    write_overview(&mut out, STYLE, &HEAD, &states, &[]).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_narrow_terminal_gets_no_broken_diagram() {
    let states: Vec<_> = TcpState::SHOWN.into_iter().map(explained).collect();
    let mut out = Vec::new();
    write_overview(&mut out, ReportStyle { width: 60, ..STYLE }, &HEAD, &states, &[]).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("needs 74 columns") && !text.contains("->"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
}

#[test]
fn documents_are_whole_and_safe() {
    let style = ReportStyle { json: true, ..STYLE };
    let gaps = [Gap::ProcessesHidden { privileges: None }];
    let mut one = Vec::new();
    write_explanation(&mut one, style, &HEAD, &explained(TcpState::CloseWait), &gaps).unwrap();
    let one: serde_json::Value = serde_json::from_slice(&one).unwrap();
    assert_eq!(one["state"]["processes"][0]["name"], "nasty\u{1b}[31m");
    assert_eq!(one["state"]["processes"][1]["pid"], serde_json::Value::Null);
    assert_eq!(one["warnings"][0], gaps[0].to_string());

    let states: Vec<_> = TcpState::SHOWN.into_iter().map(explained).collect();
    let mut all = Vec::new();
    write_overview(&mut all, style, &HEAD, &states, &[]).unwrap();
    let all: serde_json::Value = serde_json::from_slice(&all).unwrap();
    assert_eq!(all["states"].as_array().map(Vec::len), Some(11));
    assert_eq!(all["transitions"].as_array().map(Vec::len), Some(MACHINE.len()));
}

#[test]
fn colours_are_only_there_when_asked_for() {
    let mut out = Vec::new();
    write_explanation(
        &mut out,
        ReportStyle { color: true, ..STYLE },
        &HEAD,
        &explained(TcpState::Listen),
        &[],
    )
    .unwrap();
    assert!(String::from_utf8(out).unwrap().contains("\u{1b}[1m"));
}
