//! netstat and ss run beside the program, over the same sockets.

use std::collections::BTreeSet;

use crate::support::zoo::Zoo;
use crate::support::{has, zoo};

/// Compares two programs that look at a moving target: a difference counts only if it stays.
#[track_caller]
fn assert_same(what: &str, peer: impl Fn() -> String, ours: impl Fn() -> String) {
    const TRIES: u32 = 10;
    for last in 1..=TRIES {
        let before = peer();
        let own = ours();
        if before == own {
            return;
        }
        // Another test's child may hold the zoo's descriptors for the moment before it becomes another program.
        std::thread::sleep(std::time::Duration::from_millis(20));
        if last == TRIES {
            let differing: Vec<_> =
                before.lines().zip(own.lines()).filter(|(peer, own)| peer != own).collect();
            panic!(
                "{what}: {} lines and {} of ours; {differing:#?}",
                before.lines().count(),
                own.lines().count()
            );
        }
    }
}

/// Remaining times run on between two looks.
fn without_times(text: &str) -> String {
    let mut shown = String::new();
    for line in text.lines() {
        match line.rsplit_once(" (") {
            Some((start, timer)) if timer.ends_with(')') => {
                let counts = timer.split_once('/').map_or(timer, |(_, counts)| counts);
                shown.extend([start, " (T/", counts, "\n"]);
            }
            _ => shown.extend([line, "\n"]),
        }
    }
    shown
}

fn netstat_is_same(zoo: &Zoo, args: &[&str]) {
    let shown = |text: String| if args.contains(&"-nato") { without_times(&text) } else { text };
    assert_same(
        &format!("netstat {args:?}"),
        || shown(zoo.namespace().other("netstat", args)),
        || shown(zoo.namespace().tcpstates(&[&["-f", "netstat"], args].concat())),
    );
}

#[test]
fn netstat_to_the_byte() {
    let Some(zoo) = zoo() else { return };
    if !has("netstat") {
        return;
    }
    for args in [
        &["-nat"][..],
        &["-nt"],
        &["-ntl"],
        &["-natp"],
        &["-nate"],
        &["-natep"],
        &["-nato"],
        &["-natW"],
        &["-nat", "-4"],
        &["-nat", "-6"],
        &["-ntl", "-4"],
        &["-nate", "-6"],
    ] {
        // netstat prints the user and inode with -e once, for TCP.
        netstat_is_same(&zoo, args);
    }
}

/// ss before 6.9 does not ask for bound sockets.
fn knows_bound_sockets(zoo: &Zoo) -> bool {
    zoo.namespace().other("ss", &["-Hnat", "state", "all"]).contains("UNCONN")
}

/// Fields that run on by themselves, and those that older versions of ss don't print.
fn is_steady(field: &str) -> bool {
    const RUNNING: [&str; 4] = ["lastsnd:", "lastrcv:", "lastack:", "busy:"];
    const NEWER: [&str; 2] = ["rcv_wnd:", "rehash:"];
    // What a retransmission changes.
    const RESENT: [&str; 6] = ["rto:", "backoff:", "retrans:", "segs_out:", "bytes_retrans:", "bytes_sent:"];
    let moves = [&RUNNING[..], &NEWER, &RESENT].concat();
    !moves.iter().any(|name| field.starts_with(name)) && !field.starts_with("ssthresh:")
}

/// A timer's time runs on, and its count; its name stays.
fn steady_field(field: &str) -> String {
    match field.strip_prefix("timer:(") {
        Some(timer) => format!("timer:({}", timer.split(',').next().unwrap_or_default()),
        None => field.to_owned(),
    }
}

/// Sets in which ss has, since 6.9, the private number of half-open connections, but not the public one.
fn has_half_open_ones_since_6_9(args: &[&str]) -> bool {
    matches!(args, ["-nt"] | ["-nt", "state", "big"])
}

/// The rows, each with its fields apart by one blank. A second line of details joins its row.
fn rows(text: &str, bound: bool) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for line in text.lines() {
        let fields: Vec<_> =
            line.split_whitespace().filter(|field| is_steady(field)).map(steady_field).collect();
        match rows.last_mut() {
            Some(row) if line.is_empty() || line.starts_with('\t') => {
                row.push_str(" | ");
                row.push_str(&fields.join(" "));
            }
            _ => rows.push(fields.join(" ")),
        }
    }
    rows.retain(|row| bound || !row.starts_with("UNCONN"));
    rows
}

#[test]
fn ss_row_by_row_and_field_by_field() {
    let Some(zoo) = zoo() else { return };
    if !has("ss") {
        return;
    }
    let bound = knows_bound_sockets(&zoo);
    for args in [
        &["-nat"][..],
        &["-nt"],
        &["-ntl"],
        &["-natp"],
        &["-nato"],
        &["-nate"],
        &["-natm"],
        &["-nati"],
        &["-natmi"],
        &["-natieO"],
        &["-nat", "-4"],
        &["-nat", "-6"],
        &["-nt", "state", "time-wait"],
        &["-nt", "state", "established", "state", "syn-sent"],
        &["-nt", "exclude", "listening"],
        &["-nt", "state", "connected"],
        &["-nt", "state", "closed"],
        &["-nt", "state", "big"],
    ] {
        let unknown_to_peer = !bound && has_half_open_ones_since_6_9(args);
        let args = [&["-H"], args].concat();
        assert_same(
            &format!("ss {args:?}"),
            || rows(&zoo.namespace().other("ss", &args), bound).join("\n"),
            || {
                let mut rows =
                    rows(&zoo.namespace().tcpstates(&[&["-f", "ss"], args.as_slice()].concat()), bound);
                rows.retain(|row| !(unknown_to_peer && row.starts_with("SYN-RECV")));
                rows.join("\n")
            },
        );
    }
}

#[test]
fn the_heading_of_ss() {
    let Some(zoo) = zoo() else { return };
    let heading = |args: &[&str]| {
        let text = zoo.namespace().tcpstates(&[&["-f", "ss"], args].concat());
        let first = text.lines().next().unwrap_or_default();
        assert_eq!(first, first.trim_end());
        first.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(heading(&["-nat"]), "State Recv-Q Send-Q Local Address:Port Peer Address:Port");
    assert_eq!(heading(&["-natp"]), "State Recv-Q Send-Q Local Address:Port Peer Address:Port Process");
    assert_eq!(heading(&["state", "time-wait"]), "Recv-Q Send-Q Local Address:Port Peer Address:Port");
    assert!(heading(&["-natH"]).starts_with("LISTEN"));
}

/// The awk one-liners that people have in their scripts do the same with the plain list.
#[test]
fn the_awk_one_liner() {
    let Some(zoo) = zoo() else { return };
    if !has("awk") {
        return;
    }
    let plain = zoo.namespace().tcpstates(&["-nat"]);
    let counted: BTreeSet<_> = zoo.namespace().tcpstates(&["-s"]).lines().map(str::to_owned).collect();
    let states = plain.lines().skip(1).filter_map(|line| line.split_whitespace().nth(5));
    let mut counts = std::collections::BTreeMap::<_, u32>::new();
    states.for_each(|state| *counts.entry(state).or_default() += 1);
    for (state, count) in counts {
        assert!(counted.contains(&format!("{state} {count}")), "{state} {count}");
    }
}
