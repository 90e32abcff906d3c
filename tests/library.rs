//! The library as another program uses it: the examples, run beside real sockets.

use std::path::Path;

use tcpstates::{Inspector, Selection, Source, SourceChoice, StateSet, TcpState};

use crate::support::run::{command, finish};
use crate::support::{namespace, skip};

/// An example that Cargo built beside the program.
fn example(name: &str) -> Option<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_tcpstates"));
    let path = program.parent().expect("a folder").join("examples").join(name);
    if !path.exists() {
        skip(&format!("{name} is not built: `cargo test` without --test builds the examples"));
        return None;
    }
    Some(path.to_str().expect("a plain path").to_owned())
}

#[test]
fn who_listens_is_named() {
    let (Some(namespace), Some(example)) = (namespace(), example("listening")) else { return };
    namespace.inside(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("it can be bound");
        let port = listener.local_addr().expect("it has one").port();
        let shown = finish(command(&example)).quiet();
        let words: Vec<_> = shown.split_whitespace().collect();
        assert_eq!(words[..2], [port.to_string().as_str(), "127.0.0.1"], "{shown}");
        assert_eq!(words.len(), 3, "{shown}");
    });
}

#[test]
fn round_trip_times_come_longest_first() {
    let (Some(namespace), Some(example)) = (namespace(), example("slowest")) else { return };
    namespace.inside(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("it can be bound");
        let addr = listener.local_addr().expect("it has one");
        let ends: Vec<_> = (0..3).map(|_| std::net::TcpStream::connect(addr).expect("it accepts")).collect();
        let mut slowest = command(&example);
        slowest.args(["dport", "=", &format!(":{}", addr.port())]);
        let shown = finish(slowest).quiet();
        let times: Vec<u64> =
            shown.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
        assert_eq!(times.len(), ends.len(), "{shown}");
        assert!(times.is_sorted_by(|one, next| one >= next), "{shown}");
        assert!(shown.contains(&addr.to_string()), "{shown}");
    });
}

#[test]
fn an_answer_has_its_source_and_what_is_missing() {
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("it can be bound");
        let port = listener.local_addr().expect("it has one").port();
        let listening = Selection::all().states(StateSet::of(TcpState::Listen));
        let ports = |inspector: &Inspector, selection: &Selection| {
            let snapshot = inspector.snapshot(selection).expect("it answers");
            let ports: Vec<_> = snapshot.rows().map(|row| row.socket.local.port).collect();
            (snapshot.source(), ports, snapshot.gaps().to_vec())
        };
        let by_proc = Inspector::new().source(SourceChoice::Procfs);
        assert_eq!(ports(&Inspector::new(), &listening), (Source::Netlink, vec![port], vec![]));
        assert_eq!(ports(&by_proc, &listening), (Source::Procfs, vec![port], vec![]));
        let (_, _, gaps) = ports(&by_proc, &Selection::all().tcp_info());
        assert_eq!(gaps.len(), 1, "/proc has no connection numbers: {gaps:?}");
        let none = Selection::all().filter("state listen and sport = :1").expect("it is a filter");
        assert_eq!(ports(&Inspector::new(), &none).1, [0; 0]);
    });
}

#[test]
fn what_cannot_be_asked_is_an_error_that_names_it() {
    let unread = Selection::all().filter("sport = :http and bogus").expect_err("no such word");
    assert!(unread.to_string().contains("bogus"), "{unread}");
    let unanswered = Inspector::new()
        .source(SourceChoice::Procfs)
        .snapshot(&Selection::all().filter("autobound").expect("it is a filter"))
        .expect_err("only the kernel knows");
    assert!(unanswered.to_string().contains("autobound"), "{unanswered}");
}
