//! `--connections`: a line for each that has ended.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use super::harness::{LOCALHOST, Trace, await_end, connected, listener, port, port_in, port_of};
use crate::support::namespace;

#[test]
fn they_are_told_whole() {
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let listener = listener(LOCALHOST);
        let filter = format!(":{}", port_of(&listener));
        let Some(mut trace) = Trace::by_tracepoints(&["--connections", &filter]) else { return };
        let (mut client, mut server) = connected(&listener, LOCALHOST);
        let client_port = port(&client);
        client.write_all(b"hallo").expect("it is connected");
        server.read_exact(&mut [0; 5]).expect("they come");
        drop(client);
        await_end(&server);
        drop(server);
        let mut ends = BTreeMap::new();
        while ends.len() < 2 {
            let end = trace.next().expect("it goes on");
            ends.insert(port_in(&end), end);
        }
        let (client, server) = (&ends[&client_port], &ends[&port_of(&listener)]);
        let gist = |end: &serde_json::Value| {
            ["closed_first", "ended", "bytes_sent", "bytes_received"]
                .map(|key| end[key].to_string())
                .join(" ")
        };
        // The server's FIN counts as a byte if it arrived before the kernel dropped the socket.
        let gist_of_client = gist(client);
        assert!(gist_of_client.starts_with("\"local\" \"orderly\" 5 "), "{gist_of_client}");
        assert!(client["bytes_received"].as_u64() <= Some(1), "{gist_of_client}");
        assert_eq!(gist(server), "\"peer\" \"orderly\" 0 5");
        let states = |end: &serde_json::Value| {
            let states = end["states"].as_array().expect("a list").iter();
            states
                .map(|state| state["state"].as_str().expect("a name").to_owned())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(states(client), "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT");
        assert_eq!(states(server), "SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK");
        trace.interrupt();
        assert_eq!(trace.status(), Some(0));
    });
}

#[test]
fn those_that_were_forgotten_are_counted() {
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let listener = listener(LOCALHOST);
        let filter = format!(":{}", port_of(&listener));
        let limit = ["--connections", "--max-sockets", "4", &filter];
        let Some(mut trace) = Trace::by_tracepoints(&limit) else { return };
        let connections: Vec<_> = (0..5).map(|_| connected(&listener, LOCALHOST)).collect();
        drop(connections);
        trace.interrupt();
        let mut told = String::new();
        trace.stderr.read_to_string(&mut told).expect("it can be read");
        assert!(
            told.contains(" connections were forgotten for want of room\nhint: --max-sockets N"),
            "{told}"
        );
        assert_eq!(trace.status(), Some(0));
    });
}
