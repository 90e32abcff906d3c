//! Each rule's edges.

mod limits;

use super::samples::{Numbers, Sample, connection, end, holder, listener, socket};
use super::*;
use crate::model::{Gap, Setting, Socket, TcpState, Timer};

pub(super) fn judged(sample: Sample) -> Diagnosis {
    let thresholds = sample.thresholds;
    diagnose(&sample.evidence(), &thresholds)
}

/// Rules and severities.
pub(super) fn gist(sample: Sample) -> Vec<(&'static str, Severity)> {
    judged(sample).findings.iter().map(|finding| (finding.rule, finding.severity)).collect()
}

pub(super) fn fact(diagnosis: &Diagnosis, name: &str) -> Figure {
    let facts = diagnosis.findings.iter().flat_map(|finding| &finding.seen);
    facts.clone().find(|fact| fact.name == name).unwrap_or_else(|| panic!("no {name}")).value.clone()
}

use Severity::{Critical, Note, Warning};

#[test]
fn nothing_is_wrong_with_nothing() {
    let diagnosis = judged(Sample::default());
    assert_eq!((diagnosis.findings, diagnosis.unseen, diagnosis.sockets), (vec![], vec![], 0));
    assert_eq!(diagnosis.rules.len(), 13);
}

#[test]
fn what_could_not_be_seen_is_listed() {
    let mut evidence = Sample::default()
        .held(listener("::", 80, 0, None), &[])
        .held(socket(TcpState::Established, end("::1", 80), end("::1", 9)), &[holder(1, "x")])
        .evidence();
    evidence.gaps.push(Gap::ProcessesHidden { privileges: None });
    let unseen = diagnose(&evidence, &Thresholds::default()).unseen;
    assert!(unseen[0].contains("hidepid"), "{unseen:?}");
    for part in [
        "tcp_info is unknown for 1 connection;",
        "the backlog is unknown for 1 listener;",
        "the process is unknown for 1 socket;",
    ] {
        assert!(unseen.iter().any(|what| what.starts_with(part)), "{part}: {unseen:?}");
    }
    assert_eq!(unseen.len(), 4);
}

#[test]
fn close_wait_is_held_by_age_and_process() {
    let held = |ack, data| {
        let numbers = Numbers { last_ack_recv_ms: ack, last_data_recv_ms: data, ..Numbers::default() };
        connection(TcpState::CloseWait, "10.0.0.2", (5, 0), numbers)
    };
    let many = |count| Sample::default().sockets(count, &held(60_000, 90_000));
    assert_eq!(gist(Sample::default().socket(held(59_999, 90_000))), [], "it may have come just now");
    assert_eq!(gist(many(1)), [("close-wait", Note)]);
    assert_eq!(gist(many(9)), [("close-wait", Note)]);
    assert_eq!(gist(many(10)), [("close-wait", Warning)]);
    assert_eq!(gist(many(100)), [("close-wait", Critical)]);
    let diagnosis = judged(many(10));
    assert_eq!(
        (fact(&diagnosis, "age_at_least"), fact(&diagnosis, "unread")),
        (Figure::Millis(60_000), Figure::Bytes(40))
    );
    // A socket that two processes share counts for both; processes with exactly the same sockets are reported once.
    let shared =
        || Sample::default().held(held(60_000, 60_000), &[holder(1, "a"), holder(1, "a"), holder(2, "b")]);
    let once = judged(shared());
    assert_eq!(once.findings.len(), 1);
    let title = "process 1 and another one have not closed 1 connection that the peer has closed";
    assert_eq!(once.findings[0].title, title);
    let more = shared().held(held(60_000, 60_000), &[holder(2, "b")]);
    let titles: Vec<_> = judged(more).findings.into_iter().map(|finding| finding.title).collect();
    assert!(titles[0].starts_with("process 2 has not closed 2 "), "{titles:?}");
    assert!(titles[1].starts_with("process 1 has not closed 1 "), "{titles:?}");
    // A connection that waits to be accepted comes with the holders of its listener.
    let waits = judged(Sample::default().socket(Socket { inode: None, ..held(90_000, 90_000) }));
    assert_eq!(fact(&waits, "not_accepted"), Figure::Count(1));
}

#[test]
fn the_fullest_queue_of_a_place_counts() {
    let queue = |pending, backlog| Sample::default().socket(listener("10.0.0.1", 80, pending, Some(backlog)));
    assert_eq!(gist(queue(74, 99)), []);
    assert_eq!(gist(queue(75, 99)), [("accept-queue", Warning)]);
    assert_eq!(gist(queue(99, 99)), [("accept-queue", Warning)], "it takes one more");
    assert_eq!(gist(queue(100, 99)), [("accept-queue", Critical)]);
    assert_eq!(gist(queue(0, 0)), []);
    assert_eq!(gist(queue(1, 0)), [("accept-queue", Critical)]);
    let shared = queue(3, 99).socket(listener("10.0.0.1", 80, 90, Some(99)));
    let diagnosis = judged(shared);
    assert_eq!(
        (fact(&diagnosis, "waiting"), fact(&diagnosis, "listening_sockets")),
        (Figure::Count(90), Figure::Count(2))
    );
    let most = judged(queue(4097, 4096));
    assert!(most.findings[0].advice.contains("as much as net.core.somaxconn = 4096 allows"));
}

#[test]
fn counters_are_a_note_unless_they_go_on() {
    for (name, rule, severity) in [
        ("ListenOverflows", "accept-queue", Critical),
        ("ListenDrops", "accept-queue", Critical),
        ("SyncookiesSent", "syn-recv", Warning),
        ("TCPReqQFullDrop", "syn-recv", Critical),
        ("TCPTimeWaitOverflow", "time-wait", Warning),
    ] {
        let sample = || Sample::default().counter("TcpExt", name, 5);
        assert_eq!(gist(sample()), [(rule, Note)]);
        assert_eq!(gist(sample().since(&[("TcpExt", name, 5)])), [], "{name} stands still");
        assert_eq!(gist(sample().since(&[("TcpExt", name, 3)])), [(rule, severity)]);
    }
}

#[test]
fn half_open_connections_belong_to_the_listener_that_is_nearest() {
    let half_open = |local: &str| {
        let (local, peer) = (end(local, 80), end("192.0.2.9", 5));
        Socket { inode: None, ..socket(TcpState::SynRecv, local, peer) }
    };
    let sample = |count| {
        Sample::default()
            .socket(listener("0.0.0.0", 80, 0, Some(30)))
            .socket(listener("10.0.0.1", 80, 0, Some(500)))
            .sockets(count, &half_open("10.0.0.1"))
            .sockets(count, &half_open("10.0.0.2"))
    };
    let listeners = |diagnosis: &Diagnosis| {
        let text = |finding: &Finding| match &finding.seen[0].value {
            Figure::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        let of_rule = diagnosis.findings.iter().filter(|finding| finding.rule == "syn-recv");
        let mut all: Vec<_> = of_rule.map(|finding| (text(finding), finding.severity)).collect();
        all.sort();
        all
    };
    assert_eq!(listeners(&judged(sample(19))), []);
    let (all, very) = ("0.0.0.0:80".to_owned(), "10.0.0.1:80".to_owned());
    assert_eq!(listeners(&judged(sample(20))), [(all.clone(), Warning), (very.clone(), Warning)]);
    assert_eq!(fact(&judged(sample(30)), "room_for"), Figure::Count(31), "it takes one more");
    let dropping = |count| sample(count).setting(Setting::Syncookies, "0");
    assert_eq!(listeners(&judged(dropping(31))), [(all.clone(), Critical), (very.clone(), Warning)]);
    // Without cookies there is less room, whatever the backlog: three quarters of 100.
    assert_eq!(listeners(&judged(dropping(76))), [(all, Critical), (very, Critical)]);
    assert_eq!(
        fact(&judged(sample(20)), "source_nets"),
        Figure::Nets(vec![(Net { addr: "192.0.2.0".parse().unwrap(), len: 24 }, 20)])
    );
}

#[test]
fn a_short_queue_of_half_open_connections_is_full_with_few() {
    let half_open = |count| {
        let socket = socket(TcpState::SynRecv, end("10.0.0.1", 80), end("192.0.2.9", 5));
        let sample = Sample::default().socket(listener("10.0.0.1", 80, 0, Some(4)));
        sample.sockets(count, &Socket { inode: None, ..socket })
    };
    let dropping = |count| half_open(count).setting(Setting::Syncookies, "0");
    assert_eq!(gist(dropping(4)), [], "one more finds a place");
    assert_eq!(gist(dropping(5)), [("syn-recv", Critical)]);
    assert_eq!(gist(half_open(5)), [("syn-recv", Warning)], "there are cookies");
    // A kernel that compares by `>=` has dropped one by then.
    assert_eq!(gist(dropping(4).counter("TcpExt", "TCPReqQFullDrop", 1)), [("syn-recv", Critical)]);
    assert_eq!(gist(dropping(5).since(&[])), [("syn-recv", Warning)], "nothing met it meanwhile");
}

#[test]
fn what_is_counted_is_not_hidden_by_a_lesser_finding() {
    let filled = |name| {
        let sample = Sample::default().socket(listener("10.0.0.1", 80, 75, Some(99)));
        sample.counter("TcpExt", name, 5)
    };
    let since = |name| gist(filled(name).since(&[("TcpExt", name, 3)]));
    assert_eq!(since("ListenOverflows"), [("accept-queue", Critical), ("accept-queue", Warning)]);
    assert_eq!(gist(filled("ListenOverflows")), [("accept-queue", Warning)], "it has the counters");
    let half_open =
        Socket { inode: None, ..socket(TcpState::SynRecv, end("10.0.0.1", 80), end("192.0.2.9", 5)) };
    let piled = filled("TCPReqQFullDrop").sockets(20, &half_open).since(&[("TcpExt", "TCPReqQFullDrop", 3)]);
    let found = [("syn-recv", Critical), ("accept-queue", Warning), ("syn-recv", Warning)];
    assert_eq!(gist(piled), found);
}

#[test]
fn a_full_queue_that_nothing_met_has_cost_nothing_yet() {
    let full = || {
        Sample::default().socket(listener("10.0.0.1", 80, 1, Some(0))).counter("TcpExt", "ListenOverflows", 5)
    };
    assert_eq!(gist(full()), [("accept-queue", Critical)]);
    assert_eq!(gist(full().since(&[("TcpExt", "ListenOverflows", 5)])), [("accept-queue", Warning)]);
    assert_eq!(gist(full().since(&[("TcpExt", "ListenOverflows", 4)])), [("accept-queue", Critical)]);
}

#[test]
fn accept_is_blamed_for_overflows_alone() {
    let dropped = |others: u64| {
        let sample = Sample::default().counter("TcpExt", "TCPReqQFullDrop", 5);
        let sample = sample.counter("TcpExt", "ListenDrops", 5 + others);
        sample.since(&[("TcpExt", "TCPReqQFullDrop", 0), ("TcpExt", "ListenDrops", 0)])
    };
    assert_eq!(gist(dropped(0)), [("syn-recv", Critical)]);
    let diagnosis = judged(dropped(2));
    assert_eq!(diagnosis.findings.len(), 2);
    let others = &diagnosis.findings[0];
    assert_eq!((others.rule, others.severity), ("accept-queue", Critical));
    assert!(!others.advice.contains("accept()"), "{}", others.advice);
}

#[test]
fn a_syn_is_stuck_after_retries() {
    let syn = |retransmits| Socket {
        timer: Some(Timer::Retransmit { expires_ms: 9, retransmits }),
        ..socket(TcpState::SynSent, end("10.0.0.1", 40001), end("10.0.0.2", 443))
    };
    assert_eq!(gist(Sample::default().socket(syn(1))), []);
    let diagnosis = judged(Sample::default().socket(syn(2)).socket(syn(5)));
    assert_eq!(fact(&diagnosis, "most_retries"), Figure::Count(5));
    let peer = Peer { addr: "10.0.0.2".parse().unwrap(), port: Some(443) };
    assert_eq!(fact(&diagnosis, "peers"), Figure::Peers(vec![(peer, 2)]));
}

#[test]
fn stalls_are_by_age() {
    let numbers = |millis| Numbers {
        last_data_recv_ms: millis,
        last_data_sent_ms: millis,
        snd_wnd: 1,
        ..Numbers::default()
    };
    let unread = |millis, recv_q| connection(TcpState::Established, "10.0.0.2", (recv_q, 0), numbers(millis));
    assert_eq!(gist(Sample::default().socket(unread(29_999, 1))), []);
    assert_eq!(gist(Sample::default().socket(unread(90_000, 0))), [], "it is idle");
    assert_eq!(gist(Sample::default().socket(unread(30_000, 1))), [("program-not-reading", Warning)]);
    let waits = judged(Sample::default().socket(Socket { inode: None, ..unread(30_000, 1) }));
    assert_eq!(fact(&waits, "not_accepted"), Figure::Count(1));
    let unsent = |millis, snd_wnd| {
        let numbers = Numbers { snd_wnd, ..numbers(millis) };
        connection(TcpState::FinWait1, "10.0.0.2", (0, 9), numbers)
    };
    assert_eq!(gist(Sample::default().socket(unsent(90_000, 1))), [], "it is lost, not closed out");
    assert_eq!(gist(Sample::default().socket(unsent(29_999, 0))), []);
    assert_eq!(gist(Sample::default().socket(unsent(30_000, 0))), [("peer-not-reading", Warning)]);
    let probed = Socket { timer: Some(Timer::Probe0 { expires_ms: 1, probes: 0 }), ..unsent(30_000, 1) };
    assert_eq!(gist(Sample::default().socket(probed)), [("peer-not-reading", Warning)]);
}

#[test]
fn retransmission_needs_enough_segments_of_a_peer() {
    let sent = |peer, again, segments| {
        let numbers = Numbers {
            total_retrans: again,
            data_segs_out: segments,
            snd_wnd: 9,
            retrans: 1,
            ..Numbers::default()
        };
        connection(TcpState::Established, peer, (0, 0), numbers)
    };
    assert_eq!(gist(Sample::default().socket(sent("10.0.0.2", 99, 99))), []);
    assert_eq!(gist(Sample::default().socket(sent("10.0.0.2", 4, 100))), []);
    assert_eq!(gist(Sample::default().socket(sent("10.0.0.2", 5, 100))), [("retransmission", Warning)]);
    let shared = Sample::default().socket(sent("10.0.0.2", 9, 50)).socket(sent("::ffff:10.0.0.2", 1, 50));
    assert_eq!(gist(shared), [("retransmission", Warning)], "one peer by two families");
    let syns = Sample::default().socket(sent("10.0.0.2", 99, 0)).socket(sent("10.0.0.2", 0, 100));
    assert_eq!(gist(syns), [], "SYNs are no data");
    let apart = Sample::default().socket(sent("10.0.0.2", 9, 50)).socket(sent("10.0.0.3", 1, 50));
    assert_eq!(gist(apart), []);
}

#[test]
fn retransmission_that_is_over_is_a_note() {
    let sent = |again, segments, retrans| Socket {
        cookie: Some(5),
        ..connection(
            TcpState::Established,
            "10.0.0.2",
            (0, 0),
            Numbers { total_retrans: again, data_segs_out: segments, retrans, ..Numbers::default() },
        )
    };
    let now = |again, segments, retrans| Sample::default().socket(sent(again, segments, retrans));
    assert_eq!(gist(now(9, 100, 1)), [("retransmission", Warning)]);
    assert_eq!(gist(now(9, 100, 0)), [("retransmission", Note)], "all is acknowledged");
    let since = |again, segments| now(9, 1000, 0).earlier(vec![sent(again, segments, 0)]);
    assert_eq!(gist(since(9, 900)), []);
    assert_eq!(gist(since(4, 900)), [("retransmission", Warning)], "within the interval it is enough");
    assert_eq!(gist(since(4, 901)), [], "it is not judged by 99 segments");
    let lately = |again| now(50, 1000, 0).earlier(vec![sent(again, 990, 0)]);
    assert_eq!(gist(lately(50)), [("retransmission", Note)]);
    assert_eq!(gist(lately(49)), [("retransmission", Warning)], "it goes on");
    let between = now(50, 1000, 1).earlier(vec![sent(50, 1000, 1)]);
    assert_eq!(gist(between), [("retransmission", Warning)], "the next try is still to come");
    assert_eq!(gist(now(9, 100, 0).earlier(vec![])), [("retransmission", Warning)], "it is new");
}

#[test]
fn what_is_not_read_within_the_interval_has_been_waiting_so_long() {
    let received = |bytes_received, recv_q| Socket {
        cookie: Some(5),
        ..connection(
            TcpState::Established,
            "10.0.0.2",
            (recv_q, 0),
            Numbers { bytes_received, ..Numbers::default() },
        )
    };
    let found = |before, now, stall_age| {
        let mut sample = Sample::default().earlier(vec![before]);
        sample.thresholds = sample.thresholds.with(Threshold::StallAge, stall_age);
        gist(sample.socket(now))
    };
    let stuck = [("program-not-reading", Warning)];
    assert_eq!(found(received(100, 10), received(150, 60), 2), stuck);
    assert_eq!(found(received(100, 10), received(150, 60), 3), [], "the interval is shorter");
    assert_eq!(found(received(100, 10), received(150, 59), 2), [], "a byte was read");
    assert_eq!(found(received(100, 0), received(150, 50), 2), [], "there was nothing to read then");
    let other = Socket { cookie: Some(6), ..received(100, 10) };
    assert_eq!(found(other, received(150, 60), 2), [], "it is another connection");
}

#[test]
fn retransmission_of_the_host_is_of_the_interval() {
    let now = || Sample::default().counter("Tcp", "OutSegs", 1095).counter("Tcp", "RetransSegs", 1000);
    assert_eq!(gist(now()), []);
    let since = |again| now().since(&[("Tcp", "OutSegs", 1000), ("Tcp", "RetransSegs", again)]);
    assert_eq!(gist(since(996)), []);
    assert_eq!(gist(since(995)), [("retransmission", Warning)]);
}

#[test]
fn twins_are_of_a_port() {
    let only6 = |port| Socket { v6only: Some(true), ..listener("::", port, 0, Some(9)) };
    let any4 = |port| listener("0.0.0.0", port, 0, Some(9));
    let sample = Sample::default;
    assert_eq!(gist(sample().socket(listener("::", 80, 0, Some(9)))), [], "dual-stack");
    assert_eq!(gist(sample().socket(only6(80)).socket(any4(80))), []);
    assert_eq!(
        gist(sample().socket(only6(80)).socket(any4(81))),
        [("one-family", Note), ("one-family", Note)]
    );
    assert_eq!(gist(sample().socket(listener("127.0.0.1", 80, 0, Some(9)))), []);
    let unknown = Socket { v6only: None, ..only6(80) };
    assert_eq!(gist(sample().socket(unknown)), []);
    assert_eq!(gist(sample().without(Setting::BindV6only).socket(any4(80))), [], "there is no IPv6");
    assert_eq!(gist(sample().setting(Setting::DisableIpv6, "1").socket(any4(80))), [], "nor here");
}

#[test]
fn one_listener_of_a_port_is_enough_for_both_families() {
    let both = || listener("::", 80, 0, Some(9));
    let only6 = || Socket { v6only: Some(true), ..both() };
    for order in [[both(), only6()], [only6(), both()]] {
        assert_eq!(gist(order.into_iter().fold(Sample::default(), Sample::socket)), []);
    }
}

#[test]
fn listeners_on_some_addresses_are_not_denied() {
    let title = |addr| {
        let sample = Sample::default().socket(listener("0.0.0.0", 80, 0, Some(9)));
        judged(sample.socket(listener(addr, 80, 0, Some(9)))).findings[0].title.clone()
    };
    assert_eq!(title("127.0.0.2"), "1 port listens on all IPv4 addresses and on no IPv6 one");
    assert_eq!(title("::ffff:127.0.0.2"), "1 port listens on all IPv4 addresses and on no IPv6 one");
    assert_eq!(title("::1"), "1 port listens on all IPv4 addresses and not on all IPv6 ones");
}

#[test]
fn a_new_attempt_forgets_all_but_what_is_looked_for() {
    use crate::model::{Consumer as _, Row, Source};
    let full = || {
        (40000..40010)
            .map(|port| socket(TcpState::Established, end("10.0.0.1", port), end("10.0.0.2", 443)))
            .fold(Sample::default().socket(listener("0.0.0.0", 80, 9, Some(1))), Sample::socket)
    };
    let mut evidence = full().evidence();
    evidence.seen.begin(Source::Netlink);
    let thresholds = Thresholds::default();
    let empty = diagnose(&evidence, &thresholds);
    assert_eq!((empty.findings, empty.sockets), (vec![], 0));
    for port in 40000..40010 {
        let socket = socket(TcpState::Established, end("10.0.0.1", port), end("10.0.0.2", 443));
        let _ = evidence.seen.take(&Row::bare(&socket));
    }
    assert_eq!(diagnose(&evidence, &thresholds).findings.len(), 1, "the range is known still");
}

#[test]
fn the_most_severe_comes_first() {
    let sample = Sample::default()
        .socket(listener("0.0.0.0", 81, 0, Some(9)))
        .counter("TCP", "orphan", 85)
        .counter("TCP", "mem", 400);
    assert_eq!(gist(sample), [("tcp-memory", Critical), ("orphans", Warning), ("one-family", Note)]);
}
