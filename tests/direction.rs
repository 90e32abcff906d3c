//! Who began a connection, and since when it is there.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::support::namespace;
use crate::support::namespace::Namespace;

/// What one end of the connection shows in these columns.
fn shown(namespace: &Namespace, columns: &str, end: &str) -> String {
    namespace.tcpstates(&["-naH", "--columns", columns, end, "state", "established"]).trim_end().to_owned()
}

#[test]
fn a_connection_comes_in_where_a_listener_has_its_port() {
    let Some(namespace) = namespace() else { return };
    // At a dual-stack listener an IPv4 connection is an IPv6 socket.
    let listener = namespace.inside(|| TcpListener::bind("[::]:7000").expect("it can listen"));
    let _client = namespace.inside(|| TcpStream::connect("127.0.0.1:7000").expect("it can connect"));
    let _server = listener.accept().expect("it comes");
    for source in ["netlink", "procfs"] {
        let lines = |filter: &str| {
            let text = namespace.tcpstates(&["-naH", "--source", source, "--columns", "local-port", filter]);
            text.split_whitespace().map(|port| port == "7000").collect::<Vec<_>>()
        };
        assert_eq!(lines("direction = in"), [true], "{source}");
        assert_eq!(lines("direction = out"), [false], "{source}");
        assert_eq!(lines("direction = listen"), [true], "{source}");
        assert_eq!(lines("not direction = in and state established"), [false], "{source}");
    }
    let counts = namespace.tcpstates(&["-n", "--count-by", "direction", "state", "established"]);
    assert_eq!(counts, "in 1\nout 1\n");
    let by_holder = namespace.tcpstates(&["-n", "--count-by", "direction,program", "direction = in"]);
    assert!(by_holder.starts_with("in ") && by_holder.ends_with(" 1\n"), "{by_holder}");
    drop(listener);
    assert_eq!(shown(&namespace, "direction", "sport = 7000"), "out", "what is gone can't be known");
}

#[test]
fn the_age_is_known_until_data_went_both_ways() {
    let Some(namespace) = namespace() else { return };
    let listener = namespace.inside(|| TcpListener::bind("127.0.0.1:7000").expect("it can listen"));
    let before = Instant::now();
    let mut client = namespace.inside(|| TcpStream::connect("127.0.0.1:7000").expect("it can connect"));
    let begun = Instant::now();
    let (mut server, _) = listener.accept().expect("it comes");
    let age_of = |end: &str| {
        let csv = namespace.tcpstates(&["-nH", "--ndjson", "-i", end, "state", "established"]);
        let row: serde_json::Value = serde_json::from_str(&csv).unwrap();
        let info = &row["tcp_info"];
        let shown = shown(&namespace, "age", end);
        (shown, info["data_segs_in"].as_u64(), info["data_segs_out"].as_u64())
    };
    // A step of the kernel's clock is 10 ms at most.
    let step = Duration::from_millis(10);
    let check = |end: &str| {
        let earliest = begun.elapsed();
        let (shown, ..) = age_of(end);
        let latest = before.elapsed() + step;
        let millis: f64 = match shown.strip_suffix("ms") {
            Some(millis) => millis.parse().unwrap(),
            None => shown.strip_suffix('s').expect("it has a unit").parse::<f64>().unwrap() * 1_000.0,
        };
        let age = Duration::from_secs_f64(millis / 1_000.0);
        assert!(age + step >= earliest && age <= latest, "{end}: {age:?} within {earliest:?} and {latest:?}");
    };
    check("sport = 7000");
    check("dport = 7000");
    client.write_all(b"x").expect("it can be sent");
    server.read_exact(&mut [0]).expect("it comes");
    check("sport = 7000");
    check("dport = 7000");
    server.write_all(b"y").expect("it can be sent");
    client.read_exact(&mut [0]).expect("it comes");
    assert_eq!(age_of("sport = 7000"), ("-".to_owned(), Some(1), Some(1)));
}
