//! The one table of fields: each of them is a column, sorts, is counted by and is a term of filters.

use crate::support::run::{finish, tcpstates};
use crate::support::zoo;

/// The words of all fields, as `--columns help` lists them.
fn words() -> Vec<String> {
    let help = finish(tcpstates(&["--columns", "help"])).quiet();
    help.lines().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

/// Sockets that send nothing: with others a number may change between two lists.
const AT_REST: &str = "inode > 0 and (state established or state listen or state close-wait)";

const CLOCKS: [&str; 6] =
    ["timer-expires", "busy-time", "rwnd-limited", "sndbuf-limited", "total-rto-time", "age"];

/// Names of hosts are looked up for lists alone.
fn is_of_host(word: &str) -> bool {
    word.ends_with("-host")
}

#[test]
fn every_field_sorts_and_is_counted_by() {
    let Some(zoo) = zoo() else { return };
    let run = |args: &[&str]| zoo.namespace().tcpstates(args);
    let sockets = zoo.specimens().len();
    for word in words() {
        for order in [word.clone(), format!("-{word}")] {
            assert_eq!(run(&["-naH", &format!("--sort={order}")]).lines().count(), sockets, "{order}");
        }
        if is_of_host(&word) {
            continue;
        }
        let counts: serde_json::Value =
            serde_json::from_str(&run(&["-n", "--json", "--count-by", &word])).unwrap();
        assert_eq!(counts["total"], sockets, "{word}");
        let key = word.replace('-', "_");
        let groups = counts["counts"].as_array().unwrap();
        assert!(groups.iter().all(|group| group.get(&key).is_some()), "{word}: {counts}");
        let summed: u64 = groups.iter().map(|group| group["count"].as_u64().unwrap()).sum();
        assert!(summed >= sockets as u64, "{word}: {counts}");
    }
}

/// The inode and the value of the first socket that has one.
fn first_value(run: &impl Fn(&[&str]) -> String, filter: &str, word: &str) -> Option<(String, String)> {
    let shown = run(&["-naf", "csv", "-H", "--columns", &format!("inode,{word}"), filter]);
    let mut values = shown.lines().filter_map(|line| line.split_once(','));
    let (inode, value) = values.find(|(_, value)| !value.trim_matches('"').is_empty())?;
    // What remains of a timer goes on.
    let value = value.trim_matches('"').split(" (").next().unwrap();
    Some((inode.to_owned(), value.to_owned()))
}

#[test]
fn what_a_column_shows_is_found_by_it() {
    let Some(zoo) = zoo() else { return };
    let run = |args: &[&str]| zoo.namespace().tcpstates(args);
    let mut found = 0;
    for word in words() {
        // Clocks advance, and values of several parts are not compared.
        let is_clock = word.starts_with("last-") || CLOCKS.contains(&&*word);
        if is_clock || word == "congestion" || is_of_host(&word) {
            continue;
        }
        let Some((inode, mut value)) = first_value(&run, AT_REST, &word) else { continue };
        for times in 0.. {
            assert!(times < 20, "{word} of {inode} never stands still");
            // Of several holders, or several words, one will do.
            let one = if word.ends_with("process") { &value } else { value.split(',').next().unwrap() };
            let equals = if word == "state" { "" } else { "= " };
            let term = format!("inode = {inode} and {word} {equals}'{one}'");
            let lines = run(&["-naH", &term]).lines().count();
            // A number may change between two lists.
            let (_, after) = first_value(&run, &format!("inode = {inode}"), &word).unwrap();
            if after == value {
                assert_eq!(lines, 1, "{term}");
                break;
            }
            value = after;
        }
        found += 1;
    }
    assert!(found > 60, "{found}");
}

#[test]
fn words_of_a_closed_set_are_checked_and_a_state_takes_an_operator() {
    let Some(zoo) = zoo() else { return };
    let lines = |filter: &str| zoo.namespace().tcpstates(&["-naH", filter]).lines().count();
    assert_eq!(lines("direction = LISTEN"), lines("state = listen"));
    assert_eq!(lines("state != listen") + lines("state listen"), zoo.specimens().len());
    assert_eq!(lines("family = inet") + lines("family = inet6"), zoo.specimens().len());
    for (filter, expected) in [
        ("direction = inbound", "in, out or listen"),
        ("family = ipv4", "inet or inet6"),
        ("shutdown = foo", "none, receive, send or both"),
        ("protocol = udp", "tcp"),
    ] {
        let stderr = finish(tcpstates(&[filter])).failed(2);
        assert!(stderr.contains(&format!("found where {expected} is expected")), "{stderr}");
    }
    let sums = finish(tcpstates(&["--sum", "help"])).quiet();
    assert!(sums.contains("bytes-sent") && !sums.contains("\nrtt "), "{sums}");
    let stderr = finish(tcpstates(&["--count-by", "peer-net/200"])).failed(2);
    assert!(stderr.contains("LEN from 0 to 128"), "{stderr}");
}

#[test]
fn a_note_is_found_and_counted() {
    let Some(zoo) = zoo() else { return };
    let notes = zoo.namespace().tcpstates(&["-naf", "csv", "-H", "--columns", "note", "state time-wait"]);
    let note = notes.lines().next().unwrap();
    let held = notes.lines().count();
    let found = zoo.namespace().tcpstates(&["-naH", &format!("note = '{note}'")]);
    assert_eq!(found.lines().count(), held, "{note}");
    let counts = zoo.namespace().tcpstates(&["-n", "--count-by", "note", "state time-wait"]);
    assert_eq!(counts, format!("{note} {held}\n"));
}

#[test]
fn numbers_are_added_up() {
    let Some(zoo) = zoo() else { return };
    let args = ["-n", "--json", "--count-by", "state,program", "--sum", "recv-q,bytes_sent"];
    let counts: serde_json::Value = serde_json::from_str(&zoo.namespace().tcpstates(&args)).unwrap();
    let unread: u64 =
        zoo.specimens().iter().filter(|one| one.state != "LISTEN").map(|one| u64::from(one.recv_q)).sum();
    assert!(unread > 0);
    assert_eq!(counts["recv_q_sum"], unread);
    let groups = counts["counts"].as_array().unwrap();
    let summed = |key: &str| groups.iter().map(|group| group[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(summed("recv_q_sum"), unread);
    assert_eq!(counts["bytes_sent_sum"], summed("bytes_sent_sum"));
    let csv = zoo.namespace().tcpstates(&["-nf", "csv", "--count-by", "state", "--sum", "recv-q"]);
    assert!(csv.starts_with("state,count,recv_q_sum\n"), "{csv}");
}
