//! Made-up snapshots, notices between them, and what is reported.

use super::*;
use crate::model::{Details, Endpoint, Family, TcpInfo};
use TcpState::{Close, Established, FinWait1, FinWait2, LastAck, Listen, SynSent, TimeWait};

fn socket(cookie: u64, port: u16, state: TcpState) -> Socket {
    let end = |port| Endpoint::new([127, 0, 0, 1].into(), port);
    let peer = if port < 100 { Endpoint::unspecified(Family::Inet) } else { end(80) };
    Socket { cookie: Some(cookie), ..Socket::new(Family::Inet, state, end(port), peer) }
}

/// The notice of a destroyed socket.
fn notice(cookie: u64, port: u16) -> Socket {
    let tcp_info = Some(TcpInfo::from_bytes(&[0; 280]));
    let details = Some(Box::new(Details { tcp_info, memory: None }));
    Socket { details, ..socket(cookie, port, Close) }
}

/// The reports of one snapshot: `PORT OLD NEW #CONNECTION` for a transition, `gone #CONNECTION` for a destroyed
/// socket.
fn taken(comparison: &mut Comparison, notices: &[Socket], sockets: &[Socket]) -> Vec<String> {
    let now = comparison.now + 100_000_000;
    comparison.begin_snapshot(now, Wall::default());
    for socket in notices {
        comparison.notice(socket);
    }
    comparison.begin(Source::Netlink);
    for socket in sockets {
        let _ = comparison.take(&Row::bare(socket));
    }
    let mut reported = Vec::new();
    comparison.end(true, &mut |what| {
        reported.push(match what {
            Observation::Change(change, _) => {
                let new = change.new.unwrap();
                format!("{} {} {new} #{}", change.local.port, change.old, change.connection)
            }
            Observation::Destroyed { connection, .. } => format!("gone #{connection}"),
        });
    });
    reported
}

#[test]
fn a_socket_that_is_only_bound_has_no_transition() {
    let mut comparison = Comparison::new(10);
    let bound = socket(1, 50, Close);
    assert_eq!(taken(&mut comparison, &[], &[]), [""; 0]);
    assert_eq!(taken(&mut comparison, &[], std::slice::from_ref(&bound)), [""; 0]);
    assert_eq!(taken(&mut comparison, &[], &[socket(1, 50, Listen)]), ["50 CLOSED LISTEN #1"]);
    assert_eq!(taken(&mut comparison, &[], &[]), ["50 LISTEN CLOSED #1"]);
    assert_eq!(taken(&mut comparison, &[], &[bound]), [""; 0]);
    assert_eq!(taken(&mut comparison, &[], &[]), [""; 0]);
}

#[test]
fn a_notice_joins_its_connection_before_or_after_the_minisocket() {
    let (established, time_wait) = (socket(1, 4000, Established), socket(2, 4000, TimeWait));
    // The notice comes first, and the minisocket has another cookie.
    let mut comparison = Comparison::new(10);
    taken(&mut comparison, &[], std::slice::from_ref(&established));
    let reported = taken(&mut comparison, &[notice(1, 4000)], std::slice::from_ref(&time_wait));
    assert_eq!(reported, ["4000 ESTABLISHED TIME_WAIT #1", "gone #1"]);
    // It comes later.
    let mut comparison = Comparison::new(10);
    taken(&mut comparison, &[], &[established]);
    let reported = taken(&mut comparison, &[], std::slice::from_ref(&time_wait));
    assert_eq!(reported, ["4000 ESTABLISHED TIME_WAIT #1"]);
    assert_eq!(taken(&mut comparison, &[notice(1, 4000)], std::slice::from_ref(&time_wait)), ["gone #1"]);
    // No snapshot had the socket: still one connection.
    for (first, second) in [(vec![notice(1, 4000)], vec![]), (vec![], vec![notice(1, 4000)])] {
        let mut comparison = Comparison::new(10);
        taken(&mut comparison, &[], &[]);
        let mut reported = taken(&mut comparison, &first, std::slice::from_ref(&time_wait));
        reported.extend(taken(&mut comparison, &second, std::slice::from_ref(&time_wait)));
        assert_eq!(reported, ["4000 CLOSED TIME_WAIT #1", "gone #1"]);
    }
}

#[test]
fn a_notice_may_come_after_the_snapshot_that_lacks_its_socket() {
    let mut comparison = Comparison::new(10);
    taken(&mut comparison, &[], &[socket(1, 4000, Established)]);
    assert_eq!(taken(&mut comparison, &[], &[]), ["4000 ESTABLISHED CLOSED #1"]);
    // However late the next snapshot is.
    comparison.now += 10 * NOTICE_WAIT;
    assert_eq!(taken(&mut comparison, &[notice(1, 4000)], &[]), ["gone #1"]);
    // The next notice with this address pair is of another connection.
    assert_eq!(taken(&mut comparison, &[notice(3, 4000)], &[]), ["4000 CLOSED CLOSED #2", "gone #2"]);
    // Two notices in one interval are two connections.
    let reported = taken(&mut comparison, &[notice(4, 4000), notice(5, 4000)], &[]);
    assert_eq!(reported, ["4000 CLOSED CLOSED #3", "4000 CLOSED CLOSED #4", "gone #3", "gone #4"]);
    // A lost notice is not awaited for ever.
    taken(&mut comparison, &[], &[socket(6, 4000, Established)]);
    taken(&mut comparison, &[], &[]);
    comparison.now += NOTICE_WAIT;
    taken(&mut comparison, &[], &[]);
    assert_eq!(taken(&mut comparison, &[notice(7, 4000)], &[]), ["4000 CLOSED CLOSED #6", "gone #6"]);
}

#[test]
fn over_the_limit_nothing_is_invented() {
    let listeners = [1, 2, 3, 4, 5].map(|number: u16| socket(number.into(), number, Listen));
    let mut comparison = Comparison::new(3);
    for _ in 0..5 {
        assert_eq!(taken(&mut comparison, &[], &listeners), [""; 0]);
        assert_eq!(comparison.dropped, 2, "each counts once");
    }
    // Two go, and two that existed all the time are remembered instead.
    let reported = taken(&mut comparison, &[], &listeners[2..]);
    let mut closed: Vec<_> = reported.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    closed.sort_unstable();
    assert_eq!(closed, ["LISTEN CLOSED #1", "LISTEN CLOSED #2"]);
    // All are remembered now, so new ones are reported again.
    assert_eq!(taken(&mut comparison, &[], &listeners[3..]), ["3 LISTEN CLOSED #3"]);
    let reported =
        taken(&mut comparison, &[], &[listeners[3].clone(), listeners[4].clone(), socket(9, 9, Listen)]);
    assert_eq!(reported, ["9 CLOSED LISTEN #6"]);
    // A notice over the limit is counted.
    assert_eq!(taken(&mut comparison, &[notice(8, 4000)], &[socket(9, 9, Listen)]).len(), 2);
    assert_eq!(comparison.dropped, 3);
}

#[test]
fn unseen_steps_are_not_guessed() {
    assert_eq!(meaning(Established, TimeWait), Meaning::StepsMissed);
    assert_eq!(meaning(Established, Close), Meaning::StepsMissed);
    assert_eq!(meaning(SynSent, Close), Meaning::WhyUnseen);
    assert_eq!(meaning(Close, Close), Meaning::BetweenSnapshots);
    assert!(
        meaning(LastAck, Close).transition().is_some() && meaning(FinWait2, TimeWait).transition().is_some()
    );
    assert!(meaning(Established, FinWait1).transition().is_some());
}
