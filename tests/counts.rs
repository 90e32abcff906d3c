//! `--count-by` over the zoo.

use std::collections::BTreeMap;

use crate::support::run::{finish, tcpstates};
use crate::support::zoo;
use crate::support::zoo::{Specimen, Zoo};

/// What is counted, by its text.
fn counted(zoo: &Zoo, args: &[&str]) -> BTreeMap<String, usize> {
    let text = zoo.namespace().tcpstates(args);
    let groups: Vec<(String, usize)> = text
        .lines()
        .map(|line| {
            line.rsplit_once(' ').map(|(key, count)| (key.to_owned(), count.parse().unwrap())).unwrap()
        })
        .collect();
    assert!(groups.is_sorted_by(|a, b| a.1 >= b.1), "the most first: {text}");
    groups.into_iter().collect()
}

fn held(zoo: &Zoo, key: impl Fn(&Specimen) -> String) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for specimen in zoo.specimens() {
        *counts.entry(key(specimen)).or_default() += 1;
    }
    counts
}

fn peer(specimen: &Specimen, shown: impl Fn(std::net::SocketAddr) -> String) -> String {
    specimen.peer.map_or_else(|| "-".to_owned(), shown)
}

#[test]
fn by_what_the_kernel_tells() {
    let Some(zoo) = zoo() else { return };
    assert_eq!(counted(&zoo, &["--count-by", "state"]), held(&zoo, |s| s.state.to_owned()));
    assert_eq!(counted(&zoo, &["--count-by=local-port", "-l"]), held(&zoo, |s| s.local.port().to_string()));
    assert_eq!(
        counted(&zoo, &["--count-by", "state,peer-port"]),
        held(&zoo, |s| format!("{} {}", s.state, peer(s, |peer| peer.port().to_string())))
    );
    assert_eq!(
        counted(&zoo, &["--count-by", "peer"]),
        held(&zoo, |s| peer(s, |peer| peer.ip().to_canonical().to_string()))
    );
    let nets = counted(&zoo, &["--count-by", "peer-net/8"]);
    let ten =
        |s: &&Specimen| s.peer.is_some_and(|peer| peer.ip().to_canonical().to_string().starts_with("10."));
    assert_eq!(nets.get("10.0.0.0/8"), Some(&zoo.specimens().iter().filter(ten).count()));
    let ifaces = counted(&zoo, &["--count-by", "iface"]);
    assert_eq!(ifaces.values().sum::<usize>(), zoo.specimens().len());
    assert!(ifaces.contains_key("tun0") && ifaces.contains_key("-"), "{ifaces:?}");
}

#[test]
fn by_who_holds_it_and_filtered() {
    let Some(zoo) = zoo() else { return };
    let pid = std::process::id().to_string();
    let of_pid = |s: &Specimen| if s.inode.is_some() { pid.clone() } else { "-".to_owned() };
    assert_eq!(counted(&zoo, &["--count-by", "pid"]), held(&zoo, of_pid));
    let listening = counted(&zoo, &["--count-by", "pid,state", "state", "listen"]);
    let count = zoo.specimens().iter().filter(|s| s.state == "LISTEN").count();
    assert_eq!(listening, BTreeMap::from([(format!("{pid} LISTEN"), count)]));
    assert_eq!(
        counted(&zoo, &["--count-by", "user", "state", "listen"]),
        BTreeMap::from([("root".to_owned(), count)])
    );
    assert_eq!(
        counted(&zoo, &["-n", "--count-by", "user", "state", "listen"]),
        BTreeMap::from([("0".to_owned(), count)])
    );
    assert!(counted(&zoo, &["--count-by", "timer"]).contains_key("timewait"));
}

#[test]
fn in_every_format() {
    let Some(zoo) = zoo() else { return };
    let total = zoo.specimens().len();
    let json = zoo.namespace().tcpstates(&["--count-by", "state,peer-port", "--json", "--limit", "2"]);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["total"], total);
    assert_eq!(document["counts"].as_array().map(Vec::len), Some(2));
    let first = &document["counts"][0];
    assert!(first["state"].is_string() && first["count"].is_u64(), "{first}");
    assert!(first["peer_port"].is_u64() || first["peer_port"].is_null(), "{first}");

    let lines = zoo.namespace().tcpstates(&["--count-by", "state", "--ndjson"]);
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    let csv = zoo.namespace().tcpstates(&["--count-by", "state,peer-port", "-f", "csv"]);
    assert!(csv.starts_with("state,peer_port,count\n"), "{csv}");
    let table = zoo.namespace().tcpstates(&["--count-by", "peer-net/24,state", "-f", "table"]);
    assert!(
        table.starts_with("Peer-net/24 ") && table.lines().next().is_some_and(|line| line.ends_with("Count")),
        "{table}"
    );
}

#[test]
fn what_can_not_be_counted() {
    for (args, message) in [
        (&["--count-by", "size"][..], "--count-by: 'size' is not accepted: it is none of state, process, "),
        (&["--count-by", "state", "-f", "ss"], "--count-by: the ss layout has no such table"),
        (&["--count-by", "state", "--sort", "pid"], "--sort can't stand beside --count-by"),
        (&["--count-by", "state", "-s"], "--summary can't stand beside --count-by"),
    ] {
        let stderr = finish(tcpstates(args)).failed(2);
        assert!(stderr.starts_with(&format!("tcpstates: {message}")), "{stderr}");
    }
    let stderr = finish(tcpstates(&["--count-by", "unit", "--source", "procfs"])).failed(1);
    assert!(stderr.contains("/proc does not tell what '--count-by unit"), "{stderr}");
}
