//! `explain` with the zoo: each state with what the namespace has of it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::run::{finish, tcpstates};
use crate::support::zoo;
use crate::support::zoo::{STATES, Specimen, Zoo};

fn explained(zoo: &Zoo, words: &[&str]) -> Value {
    let text = zoo.namespace().run(&[&["explain", "--json"], words].concat()).done();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn in_state<'a>(zoo: &'a Zoo, state: &'a str) -> impl Iterator<Item = &'a Specimen> {
    zoo.specimens().iter().filter(move |specimen| specimen.state == state)
}

/// The states that the document has, with their counts.
fn counts(document: &Value) -> BTreeMap<String, u64> {
    let states = document["states"].as_array().expect("all states are there");
    states
        .iter()
        .map(|state| (state["state"].as_str().unwrap().to_owned(), state["count"].as_u64().unwrap()))
        .collect()
}

#[test]
fn all_states_have_the_zoos_counts_in_the_text_and_the_document() {
    let Some(zoo) = zoo() else { return };
    let counts = counts(&explained(&zoo, &[]));
    assert_eq!(counts.len(), 11);
    let text = zoo.namespace().run(&["explain"]).done();
    for (state, count) in &counts {
        assert_eq!(*count, in_state(&zoo, state).count() as u64, "{state}");
        assert!(text.contains(&format!("{state} {count}")), "the diagram has {state}: {text}");
        let in_table = |line: &str| line.split_whitespace().take(2).eq([state.as_str(), &count.to_string()]);
        assert!(text.lines().any(in_table), "the table has {state}: {text}");
    }
    let v4: u64 = self::counts(&explained(&zoo, &["-4"])).values().sum();
    let v6: u64 = self::counts(&explained(&zoo, &["-6"])).values().sum();
    assert_eq!(v4 + v6, counts.values().sum::<u64>());
    assert!(v4 > 0 && v6 > 0);
}

#[test]
fn each_state_has_its_count_its_processes_and_its_peers() {
    let Some(zoo) = zoo() else { return };
    let pid = u64::from(std::process::id());
    for state in STATES {
        let document = explained(&zoo, &[state]);
        let explained = &document["state"];
        let there = in_state(&zoo, state).count() as u64;
        assert_eq!((explained["state"].as_str(), explained["count"].as_u64()), (Some(state), Some(there)));
        // One that waits to be accepted is its listener's process's.
        let is_held = |specimen: &&Specimen| specimen.inode.is_some() || specimen.state == "ESTABLISHED";
        let held = in_state(&zoo, state).filter(is_held).count() as u64;
        let of = |pid: Option<u64>| {
            let processes = explained["processes"].as_array().expect("they were counted");
            processes
                .iter()
                .find(|process| process["pid"].as_u64() == pid)
                .map_or(0, |process| process["count"].as_u64().unwrap())
        };
        assert_eq!((of(Some(pid)), of(None)), (held, there - held), "{state}: {explained}");
        let peers = explained["peers"].as_array().expect("they were counted");
        assert_eq!(
            peers.is_empty(),
            in_state(&zoo, state).all(|specimen| specimen.peer.is_none()),
            "{state}"
        );
        assert!(
            !explained["ways_in"].as_array().unwrap().is_empty()
                && !explained["ways_out"].as_array().unwrap().is_empty()
        );
        let text = zoo.namespace().run(&["explain", state]).done();
        let expected = match there {
            // Idle ones, which an old kernel does not list.
            0 => "None".to_owned(),
            1 => "1 socket".to_owned(),
            many => format!("{many} sockets"),
        };
        assert!(text.contains(&format!("{expected} at this moment")), "{text}");
        if held > 0 {
            assert!(text.contains(&format!("{pid}/")), "{text}");
        }
    }
}

#[test]
fn settings_are_this_namespaces() {
    let Some(zoo) = zoo() else { return };
    zoo.namespace().sysctl("ipv4/tcp_fin_timeout", "17");
    let document = explained(&zoo, &["fin-wait-2"]);
    let settings = document["state"]["settings"].as_array().unwrap();
    let of = |name: &str| {
        settings.iter().find(|setting| setting["name"] == name).map(|setting| setting["value"].clone())
    };
    assert_eq!(of("net.ipv4.tcp_fin_timeout"), Some("17".into()));
    assert!(document["state"]["lasts"][0].as_str().unwrap().contains("17 s"));
    // The whole host's, which a namespace does not have.
    assert_eq!(of("net.ipv4.tcp_max_orphans"), Some(Value::Null));
}

#[test]
fn any_spelling_is_read_and_no_other_word() {
    let shown = |word: &str| finish(tcpstates(&["explain", word])).done().lines().next().map(str::to_owned);
    for word in ["TIME-WAIT", "time_wait", "TimeWait", "TCP_TIME_WAIT"] {
        assert_eq!(shown(word).as_deref(), Some("TIME_WAIT"));
    }
    assert_eq!(shown("bound-inactive").as_deref(), Some("CLOSED"));
    for (words, expected) in [
        (&["explain", "tme-wait"][..], "'tme-wait' is not a TCP state\nhint: did you mean 'TIME_WAIT'?"),
        (&["explain", ""], "'' is not a TCP state"),
        (&["explain", "listen", "established"], "'established'"),
        (&["explain", "--format", "csv"], "invalid value 'csv' for --format: expected one of plain, json"),
        (
            &["explain", "--proc-root", "/x"],
            "'--proc-root' is not an option of tcpstates explain: it asks this host",
        ),
        (&["-a", "explain"], "--all is an option of the list"),
        (&[":80", "explain"], "':80' cannot come before 'explain'"),
    ] {
        let stderr = finish(tcpstates(words)).failed(2);
        assert!(stderr.contains(expected), "{words:?}: {stderr}");
    }
}

#[test]
fn what_could_not_be_seen_is_said() {
    let Some(zoo) = zoo() else { return };
    let (text, stderr) = zoo.namespace().run(&["explain", "closed", "--source", "procfs"]).noted();
    assert!(text.contains("None at this moment") && stderr.contains("/proc does not have"), "{stderr}");
}
