//! The edges of the rules about limits.

use super::{fact, gist, judged};
use crate::diagnose::Severity::{Critical, Warning};
use crate::diagnose::samples::{Sample, end, socket};
use crate::diagnose::*;
use crate::model::{Descriptors, Endpoint, Family, Setting, Socket, TcpState, Timer};

#[test]
fn orphans_near_their_limit() {
    let orphans = |count| gist(Sample::default().counter("TCP", "orphan", count));
    assert_eq!(orphans(79), []);
    assert_eq!(orphans(80), [("orphans", Warning)]);
    assert_eq!(orphans(100), [("orphans", Critical)]);
    let closing =
        Socket { inode: None, ..socket(TcpState::LastAck, end("10.0.0.1", 80), end("10.0.0.2", 9)) };
    let held = Socket { inode: Some(3), ..closing.clone() };
    let diagnosis = judged(Sample::default().counter("TCP", "orphan", 90).socket(closing).socket(held));
    assert_eq!(fact(&diagnosis, "last_ack_here"), Figure::Count(1));
}

#[test]
fn memory_near_its_limit() {
    let memory = |pages| gist(Sample::default().counter("TCP", "mem", pages));
    assert_eq!(memory(199), []);
    assert_eq!(memory(200), [("tcp-memory", Warning)], "from the pressure on");
    assert_eq!(memory(400), [("tcp-memory", Critical)]);
    let wide =
        |pages| gist(Sample::default().setting(Setting::Mem, "1 399 400").counter("TCP", "mem", pages));
    assert_eq!(wide(319), []);
    assert_eq!(wide(320), [("tcp-memory", Warning)], "or from the percentage on");
}

#[test]
fn limits_of_the_whole_host_are_said_once_to_be_hidden() {
    let hidden = Sample::default().without(Setting::Mem).without(Setting::MaxOrphans);
    let unseen = judged(hidden.counter("TCP", "orphan", u64::MAX)).unseen;
    assert_eq!(unseen.len(), 1, "{unseen:?}");
    assert!(
        unseen[0].contains("hidden in a network namespace); limited rules: tcp-memory, orphans"),
        "{unseen:?}"
    );
    let other = judged(Sample::default().without(Setting::MaxTwBuckets)).unseen;
    assert_eq!(other, ["unavailable here: net.ipv4.tcp_max_tw_buckets; limited rule: time-wait"]);
}

#[test]
fn ports_are_counted_by_way() {
    let connection = |port, to: &str| socket(TcpState::Established, end("10.0.0.1", port), end(to, 443));
    let ports = |range: std::ops::Range<u16>, to: &'static str| range.map(move |port| connection(port, to));
    let taken = |sockets: &mut dyn Iterator<Item = Socket>| sockets.fold(Sample::default(), Sample::socket);
    assert_eq!(gist(taken(&mut ports(40000..40007, "10.0.0.2"))), []);
    assert_eq!(gist(taken(&mut ports(40000..40008, "10.0.0.2"))), [("local-ports", Warning)]);
    assert_eq!(gist(taken(&mut ports(40000..40010, "10.0.0.2"))), [("local-ports", Critical)]);
    let two = &mut ports(40000..40007, "10.0.0.2").chain(ports(40000..40007, "10.0.0.3"));
    assert_eq!(gist(taken(two)), [], "each way has all the ports");
    let mapped = &mut ports(40000..40004, "10.0.0.2").chain((40004..40008).map(|port| {
        let (local, peer) = (end("::ffff:10.0.0.1", port), end("::ffff:10.0.0.2", 443));
        socket(TcpState::Established, local, peer)
    }));
    assert_eq!(gist(taken(mapped)), [("local-ports", Warning)], "a v4-mapped connection takes an IPv4 port");
    // Ports outside the range do not count.
    assert_eq!(gist(taken(&mut ports(50000..50010, "10.0.0.2"))), []);
}

#[test]
fn reserved_and_bound_ports_are_no_ones() {
    let ways = |reserved: &str, taken: u16| {
        (40000..40000 + taken)
            .map(|port| socket(TcpState::Established, end("10.0.0.1", port), end("10.0.0.2", 443)))
            .fold(Sample::default().setting(Setting::LocalReservedPorts, reserved), Sample::socket)
    };
    assert_eq!(gist(ways("", 5)), []);
    assert_eq!(gist(ways("40008-40009,1-3", 7)), [("local-ports", Warning)]);
    assert_eq!(gist(ways("40005-40009", 5)), [("local-ports", Critical)]);
    let bound = |sample: Sample, port| {
        sample.socket(socket(TcpState::Close, end("0.0.0.0", port), Endpoint::unspecified(Family::Inet)))
    };
    assert_eq!(gist(bound(bound(ways("", 8), 40008), 40009)), [("local-ports", Critical)]);
    assert_eq!(gist(bound(ways("40009", 8), 40009)), [("local-ports", Warning)], "it was away already");
}

#[test]
fn ports_that_a_program_binds_serve_one_destination() {
    let sample = |taken: u16, ways: u16| {
        let to = |port| end("10.0.0.2", 9300 + port % ways);
        (40000..40000 + taken)
            .map(|port| socket(TcpState::Established, end("10.0.0.1", port), to(port)))
            .fold(Sample::default(), Sample::socket)
    };
    assert_eq!(gist(sample(7, 4)), []);
    assert_eq!(gist(sample(8, 4)), [("local-ports", Warning)]);
    let diagnosis = judged(sample(10, 4));
    let finding = &diagnosis.findings[0];
    assert_eq!((diagnosis.findings.len(), finding.severity), (1, Critical));
    assert!(finding.advice.contains("IP_BIND_ADDRESS_NO_PORT"), "{}", finding.advice);
    // If one route uses as many ports, only the route is reported.
    let way = judged(sample(10, 1)).findings;
    assert!(way.len() == 1 && way[0].title.contains("to 10.0.0.2:9300"), "{way:?}");
    let elsewhere = socket(TcpState::Established, end("10.0.0.3", 40009), end("10.0.0.2", 443));
    assert_eq!(gist(sample(7, 4).socket(elsewhere)), [], "each address has all the ports");
}

#[test]
fn what_comes_in_takes_no_ports() {
    use super::samples::listener;
    let servers = (40000..40004).fold(Sample::default(), |sample, port| {
        let came = socket(TcpState::Established, end("10.0.0.1", port), end("10.0.0.2", 9200));
        sample
            .socket(listener("0.0.0.0", port, 0, Some(9)))
            .socket(listener("::", port, 0, Some(9)))
            .socket(came)
    });
    assert_eq!(gist(servers.setting(Setting::LocalPortRange, "40000 40005")), []);
}

#[test]
fn time_wait_takes_ports_as_tcp_tw_reuse_says() {
    let waiting = |to: &str, age: u32| {
        (40000..40010)
            .map(|port| Socket {
                inode: None,
                timer: Some(Timer::TimeWait { expires_ms: 60_000 - age }),
                ..socket(TcpState::TimeWait, end("10.0.0.1", port), end(to, 443))
            })
            .fold(Sample::default(), Sample::socket)
    };
    let full = [("local-ports", Critical)];
    assert_eq!(gist(waiting("10.0.0.2", 5000)), full, "2 is for loopback");
    assert_eq!(gist(waiting("127.0.0.1", 5000)), []);
    assert_eq!(gist(waiting("127.0.0.1", 1000)), full, "too young");
    // The peer may not have used timestamps.
    assert_eq!(
        gist(waiting("10.0.0.2", 5000).setting(Setting::TwReuse, "1")),
        [("local-ports", Severity::Note)]
    );
    let plain = |setting| waiting("127.0.0.1", 5000).setting(Setting::TwReuse, setting);
    assert_eq!(gist(plain("1")), []);
    assert_eq!(gist(plain("1").setting(Setting::Timestamps, "0")), full, "there are none");
    assert_eq!(gist(plain("2").setting(Setting::Timestamps, "0")), full);
    assert_eq!(gist(waiting("127.0.0.1", 5000).setting(Setting::TwReuse, "0")), full);
}

#[test]
fn an_orphaned_fin_wait2_may_be_a_time_wait_record() {
    let record = |state| Socket {
        inode: None,
        timer: Some(Timer::TimeWait { expires_ms: 9 }),
        ..socket(state, end("10.0.0.1", 80), end("10.0.0.2", 9))
    };
    let records = |count| {
        let sample = Sample::default().sockets(count, &record(TcpState::FinWait2));
        gist(sample.sockets(40, &record(TcpState::TimeWait)))
    };
    assert_eq!(records(39), []);
    assert_eq!(records(40), [("time-wait", Warning)]);
}

#[test]
fn descriptors_matter_where_sockets_are_the_cause() {
    let judged = |open, sockets| {
        let connection = socket(TcpState::Established, end("10.0.0.1", 80), end("10.0.0.2", 9));
        let mut evidence = Sample::default().sockets(sockets, &connection).evidence();
        evidence.descriptors.push(Descriptors { pid: 7, open, limit: 100 });
        let findings = diagnose(&evidence, &Thresholds::default()).findings;
        findings.into_iter().map(|finding| (finding.rule, finding.severity)).collect::<Vec<_>>()
    };
    assert_eq!(judged(79, 79), []);
    assert_eq!(judged(80, 39), [], "they are files");
    assert_eq!(judged(80, 40), [("descriptors", Warning)]);
    assert_eq!(judged(100, 90), [("descriptors", Critical)]);
}
