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
    // One that waits to be accepted is its listener's process's.
    let is_held = |s: &Specimen| s.inode.is_some() || s.state == "ESTABLISHED";
    let of_pid = |s: &Specimen| if is_held(s) { pid.clone() } else { "-".to_owned() };
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
fn a_filter_about_holders_counts_what_it_lists() {
    let Some(zoo) = zoo() else { return };
    let pid = std::process::id().to_string();
    for words in [
        format!("pid = {pid} or sport > 8005"),
        format!("not pid = {pid} and dport > 7001"),
        format!("( pid = {pid} and state listen ) or ( process = nosuch* ) or state time-wait"),
        "not process = integ* or recvq = 123".to_owned(),
    ] {
        let words: Vec<_> = words.split(' ').collect();
        for source in ["netlink", "procfs"] {
            let run = |args: &[&str]| {
                zoo.namespace().tcpstates(&[&["--source", source, "-n"], args, words.as_slice()].concat())
            };
            let listed = run(&["-H"]).lines().count();
            let counted = |text: String| -> usize {
                text.lines().map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
            };
            assert!(listed > 2, "{words:?}");
            assert_eq!(counted(run(&["-s"])), listed, "{words:?} {source}");
            assert_eq!(counted(run(&["--count-by", "pid,state"])), listed, "{words:?} {source}");
        }
    }
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
fn what_changes_meanwhile() {
    let Some(zoo) = zoo() else { return };
    // Ports of its own for each: a child of another test may have a copy of a socket for a while.
    for (source, port) in [("netlink", 4001), ("procfs", 4011)] {
        let namespace = zoo.namespace();
        let listen = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).expect("it can listen");
        let (stays, goes) = namespace.inside(|| (listen(port), listen(port + 1)));
        let client =
            namespace.inside(|| std::net::TcpStream::connect(("127.0.0.1", port)).expect("it can connect"));
        let server = stays.accept().expect("it is accepted").0;
        let process = namespace.inside(|| {
            let args = ["--diff", "3", "--count-by", "local-port,state", "--json", "--source", source];
            tcpstates(&args).stdout(std::process::Stdio::piped()).spawn().expect("it runs")
        });
        // Well after its first snapshot, and well before its second.
        std::thread::sleep(std::time::Duration::from_secs(1));
        drop(goes);
        let comes = namespace.inside(|| listen(port + 2));
        server.shutdown(std::net::Shutdown::Write).expect("it can be shut down");
        let output = process.wait_with_output().expect("it ends");
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let of_port = |port: u16| {
            let changes = document["changes"].as_array().expect("a list").iter();
            let one = |name: &str| {
                let of_port = changes.clone().filter(|change| change["local_port"] == port);
                of_port.map(|change| change[name].as_u64().unwrap()).sum::<u64>()
            };
            (one("opened"), one("closed"), one("changed"))
        };
        assert_eq!((of_port(port + 1), of_port(port + 2)), ((0, 1, 0), (1, 0, 0)), "{source}: {document}");
        // The server's end is in FIN_WAIT2 now, and the client's in CLOSE_WAIT.
        let client_port = client.local_addr().expect("it has one").port();
        assert_eq!((of_port(port), of_port(client_port)), ((0, 0, 1), (0, 0, 1)), "{source}: {document}");
        assert_eq!(document["total"]["opened"], 1, "{source}: {document}");
        let before = namespace.tcpstates(&["--diff", "0.01", "--count-by", "process", "--source", source]);
        assert_eq!(before, "", "{source}: nothing changes");
        drop((stays, comes, client, server));
    }
}

#[test]
fn what_can_not_be_counted() {
    for (args, message) in [
        (
            &["--count-by", "size"][..],
            "--count-by: 'size' is not a field\nhint: --count-by help lists them\n",
        ),
        (&["--count-by", "state", "-f", "ss"], "--count-by: the ss layout has no such table"),
        (&["--count-by", "state", "--sort", "pid"], "--sort cannot be combined with --count-by"),
        (&["--count-by", "peer-net/24,peer-net/16"], "--count-by: 'peer-net' is given twice"),
        (&["--count-by", "state", "--columns", "state"], "--columns: counts have their own"),
        (&["--diff", "1", "-s"], "--summary cannot be combined with --diff"),
        (&["--diff", "soon"], "invalid value 'soon' for --diff: expected seconds (0.001"),
        (&["--count-by", "proces"], "--count-by: 'proces' is not a field\nhint: did you mean 'process'?\n"),
        (&["--sum", "recv-q"], "--sum adds up the numbers of groups\nhint: --count-by makes them\n"),
        (&["--count-by", "state", "--sum", "rtt"], "--sum: rtt of several sockets can't be added up\n"),
        (&["--diff", "1", "--sum", "recv-q"], "--sum cannot be combined with --diff"),
        (&["--count-by", "state", "-s"], "--summary cannot be combined with --count-by"),
    ] {
        let stderr = finish(tcpstates(args)).failed(2);
        assert!(stderr.starts_with(&format!("tcpstates: {message}")), "{stderr}");
    }
    let stderr = finish(tcpstates(&["--count-by", "state,iface", "--source", "procfs"])).failed(1);
    assert_eq!(stderr, "tcpstates: '--count-by iface' needs data that /proc does not have\n");
}
