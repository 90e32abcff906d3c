//! Made-up events, and the transitions that they are joined to.

use super::super::pending::PORT_WAIT;
use super::*;
use crate::model::{Endpoint, Family, Segment, Trigger as Cause};
use TcpState::{Close, CloseWait, Established, FinWait1, FinWait2, LastAck, Listen, SynRecv, SynSent};

fn ends(local_port: u16) -> Ends {
    let end = |port| Endpoint::new([127, 0, 0, 1].into(), port);
    Ends { family: Family::Inet, local: end(local_port), peer: end(80) }
}

fn event(at: Nanos, kind: EventKind) -> Event {
    Event { at, thread: 0, cpu: 0, in_interrupt: true, kind }
}

fn state(at: Nanos, socket: u64, (old, new): (TcpState, TcpState), port: u16) -> Event {
    event(at, EventKind::State { socket, old: old.kernel(), new: new.kernel(), ends: ends(port) })
}

fn reported(connections: &mut Connections, overdue: Nanos) -> Vec<StateChange> {
    std::iter::from_fn(|| connections.next(Horizon { complete: Nanos::MAX, overdue })).collect()
}

#[test]
fn a_port_comes_with_the_next_event() {
    let mut connections = Connections::new(10);
    connections.take(&state(10, 1, (Close, SynSent), 0));
    connections.take(&state(15, 2, (CloseWait, LastAck), 7));
    assert!(reported(&mut connections, 11).is_empty(), "later transitions wait too");
    connections.take(&state(30, 1, (SynSent, Established), 4000));
    let changes = reported(&mut connections, 11);
    let gist: Vec<_> = changes.iter().map(|change| (change.at, change.local.port, change.in_old)).collect();
    assert_eq!(gist, [(10, 4000, None), (15, 7, None), (30, 4000, Some(20))]);
    assert_eq!(changes[0].connection, changes[2].connection);
}

#[test]
fn a_servers_new_socket_gets_its_peer_from_the_next_event() {
    let mut connections = Connections::new(10);
    let mut child = state(10, 1, (Listen, SynRecv), 80);
    let EventKind::State { ends: Ends { local, peer, .. }, .. } = &mut child.kind else {
        panic!("not a state event")
    };
    (local.addr, *peer) = ([0, 0, 0, 0].into(), Endpoint::unspecified(Family::Inet));
    connections.take(&child);
    assert!(reported(&mut connections, 9).is_empty() && connections.opened.is_empty());
    connections.take(&state(11, 1, (SynRecv, Established), 80));
    let changes = reported(&mut connections, 9);
    assert_eq!((changes[0].ends(), changes[1].ends()), (ends(80), ends(80)));
    assert_eq!(connections.opened, [(ends(80), 10, SynRecv)]);
    connections.take(&child);
    assert_eq!(reported(&mut connections, 10).len(), 1, "nothing waits for ever");
}

#[test]
fn an_event_outweighs_the_answer_about_the_port() {
    let until = |time| Horizon { complete: time, overdue: time };
    let mut connections = Connections::new(10);
    connections.take(&state(10, 1, (Close, SynSent), 0));
    for pending in connections.pending.with_status(Status::LacksPort) {
        (pending.change.local.port, pending.status) = (4001, Status::PortAsked(20));
    }
    assert_eq!(connections.next(until(19)), None, "an older event may still come");
    connections.take(&state(19, 1, (SynSent, Established), 4000));
    assert_eq!(connections.next(until(19)).map(|change| change.local.port), Some(4000));
}

#[test]
fn nothing_waits_for_ever() {
    let mut connections = Connections::new(10);
    connections.take(&state(10, 1, (Close, SynSent), 0));
    assert_eq!(reported(&mut connections, 10 + PORT_WAIT)[0].local.port, 0);
    connections.take(&state(12, 1, (Close, SynSent), 0));
    for pending in connections.pending.with_status(Status::LacksPort) {
        pending.status = Status::PortAsked(15);
    }
    assert_eq!(connections.next(Horizon { complete: 15, overdue: 0 }).map(|change| change.at), Some(12));
    connections.take(&state(20, 2, (FinWait2, Close), 4000));
    let changes = reported(&mut connections, 20);
    assert_eq!((changes[0].new, changes[0].meaning), (None, Meaning::HandedOver));
}

#[test]
fn an_address_that_is_used_again_is_another_connection() {
    let mut connections = Connections::new(10);
    connections.take(&state(10, 1, (Listen, SynRecv), 80));
    connections.take(&state(11, 1, (SynRecv, Established), 80));
    connections.take(&state(12, 1, (Established, Close), 80));
    connections.take(&event(13, EventKind::Destroyed { socket: 1, cookie: None }));
    connections.take(&state(20, 1, (Listen, SynRecv), 80));
    let changes = reported(&mut connections, 13);
    let spans: Vec<_> = changes.iter().map(|change| change.in_old).collect();
    // The child was never in LISTEN, and its time in SYN_RECV means nothing.
    assert_eq!(spans, [None, None, Some(1), None]);
    assert_ne!(changes[0].connection, changes[3].connection);
}

#[test]
fn after_a_loss_durations_are_unknown() {
    let mut connections = Connections::new(10);
    connections.take(&state(10, 1, (SynSent, Established), 4000));
    connections.take(&state(30, 1, (CloseWait, LastAck), 4000));
    assert_eq!(reported(&mut connections, 0)[1].in_old, None);
}

#[test]
fn a_state_that_is_set_again_is_no_transition() {
    let mut connections = Connections::new(10);
    connections.take(&state(10, 1, (TcpState::FinWait1, FinWait2), 4000));
    connections.take(&state(20, 1, (FinWait2, FinWait2), 4000));
    connections.take(&state(30, 1, (FinWait2, Close), 4000));
    let changes = reported(&mut connections, 30);
    assert_eq!((changes.len(), changes[1].in_old), (2, Some(20)));
}

#[test]
fn events_before_and_after_give_the_reason_of_a_close() {
    let cause = |events: &[Event]| {
        let mut connections = Connections::new(10);
        for event in events {
            connections.take(event);
        }
        let changes = reported(&mut connections, 0);
        changes.first().and_then(|change| change.meaning.transition()).map(|way| way.event)
    };
    let closes = state(10, 1, (Established, Close), 4000);
    let error = |at| event(at, EventKind::Error { errno: libc::ETIMEDOUT, ends: ends(4000) });
    let other = event(9, EventKind::Error { errno: libc::ETIMEDOUT, ends: ends(4001) });
    let received = event(9, EventKind::ResetReceived { socket: 1 });
    let sent = event(11, EventKind::ResetSent { socket: 1, ends: None });
    let destroyed = event(12, EventKind::Destroyed { socket: 1, cookie: None });
    assert_eq!(cause(&[received, closes]), Some(Cause::Received(Segment::Rst)));
    assert_eq!(cause(&[closes]), None, "the reason may still come");
    assert_eq!(cause(&[closes, sent]), Some(Cause::Abort));
    assert_eq!(cause(&[closes, error(11)]), Some(Cause::GaveUp));
    assert_eq!(cause(&[error(9), closes]), Some(Cause::GaveUp));
    assert_eq!(
        cause(&[received, state(10, 1, (FinWait1, Close), 4000)]),
        None,
        "the RST may be one that is sent"
    );
    assert_eq!(cause(&[received, state(10, 1, (FinWait1, Close), 4000), sent]), Some(Cause::Abort));
    let ends_well = state(10, 1, (LastAck, Close), 4000);
    assert_eq!(cause(&[other, ends_well, destroyed]), Some(Cause::AckOfFin), "another socket's error");
}

#[test]
fn a_fin_without_an_answer_in_time_was_given_up() {
    let cause = |closed_at| {
        let mut connections = Connections::new(10);
        connections.take(&state(1_000, 1, (CloseWait, LastAck), 4000));
        connections.take(&event(1_200, EventKind::SentAgain { socket: 1 }));
        connections.take(&event(1_600, EventKind::SentAgain { socket: 1 }));
        connections.take(&state(closed_at, 1, (LastAck, Close), 4000));
        reported(&mut connections, Nanos::MAX)[1].meaning.transition().map(|way| way.event)
    };
    assert_eq!(cause(1_700), Some(Cause::AckOfFin));
    assert_eq!(cause(2_400), Some(Cause::GaveUp), "it would have been retransmitted again");
}

#[test]
fn a_connect_without_a_free_port_says_so() {
    let mut connections = Connections::new(10);
    connections.take(&state(10, 1, (Close, SynSent), 0));
    connections.take(&state(11, 1, (SynSent, Close), 0));
    let changes = reported(&mut connections, 0);
    assert_eq!((changes.len(), changes[1].meaning), (2, Meaning::NoPort), "no port will come");
}

#[test]
fn missing_transitions_are_counted() {
    let mut connections = Connections::new(10);
    connections.take(&state(10, 1, (SynSent, Established), 4000));
    connections.take(&state(20, 1, (Established, FinWait1), 4000));
    assert_eq!(connections.unseen, 0);
    connections.take(&state(30, 1, (FinWait2, Close), 4000));
    assert_eq!(connections.unseen, 1, "it left FIN_WAIT1 unseen");
    connections.take(&state(40, 1, (Listen, SynRecv), 80));
    assert_eq!(connections.unseen, 1, "a new child may have a closed socket's address");
    connections.take(&state(50, 1, (Close, SynSent), 80));
    assert_eq!(connections.unseen, 2, "its closing is missing");
}

#[test]
fn events_that_the_filter_may_drop_are_not_counted_as_missing() {
    let mut connections = Connections::new(10);
    connections.is_filtered = true;
    // The port that the kernel chose later did not pass the filter.
    connections.take(&state(10, 1, (Close, SynSent), 0));
    connections.take(&state(20, 1, (Close, SynSent), 0));
    assert_eq!(connections.unseen, 0);
    connections.take(&state(30, 1, (SynSent, Established), 4000));
    connections.take(&state(40, 1, (Close, SynSent), 0));
    assert_eq!(connections.unseen, 1, "all of these are recorded");
}

#[test]
fn a_servers_socket_is_created_at_the_last_ack() {
    let mut connections = Connections::new(10);
    connections.take(&state(10, 1, (Listen, SynRecv), 80));
    connections.take(&state(11, 2, (SynSent, SynRecv), 80));
    let meanings: Vec<_> = reported(&mut connections, 0).iter().map(|change| change.meaning.text()).collect();
    assert!(
        meanings[0].starts_with("Linux creates the socket now: at the handshake's last ACK"),
        "{meanings:?}"
    );
    assert!(meanings[1].starts_with("SYN received"), "{meanings:?}");
}

#[test]
fn how_long_a_socket_was_closed_is_unknown() {
    let mut connections = Connections::new(10);
    connections.take(&state(10, 1, (Established, Close), 4000));
    connections.take(&state(20, 1, (Close, SynSent), 4001));
    assert_eq!(reported(&mut connections, 20)[1].in_old, None, "the address may have been another socket's");
}

#[test]
fn a_transition_without_an_event_is_put_in_time_order() {
    let mut connections = Connections::new(10);
    connections.take(&state(10, 1, (SynSent, Established), 4000));
    connections.take(&state(30, 1, (Established, FinWait1), 4000));
    let first = reported(&mut connections, 0)[0];
    connections.take(&state(40, 1, (FinWait1, FinWait2), 4000));
    for at in [50, 35] {
        connections.pending.insert(StateChange { at, ..first });
    }
    let until = Horizon { complete: 45, overdue: 0 };
    let changes: Vec<_> = std::iter::from_fn(|| connections.next(until)).map(|change| change.at).collect();
    assert_eq!(changes, [35, 40], "before 50 something may still come");
}

#[test]
fn the_longest_idle_is_forgotten_and_counted() {
    let mut connections = Connections::new(2);
    for socket in 1..=3 {
        connections.take(&state(socket * 10, socket, (Close, SynSent), 4000));
        // The first has another event, so the second is idle longest.
        if socket == 2 {
            connections.take(&state(25, 1, (SynSent, Established), 4000));
        }
    }
    assert_eq!((connections.live.len(), connections.dropped), (2, 1));
    assert!(connections.live.contains_key(&1) && !connections.live.contains_key(&2));
}

#[test]
fn a_closed_socket_is_forgotten_once_its_closing_is_reported() {
    let mut connections = Connections::new(10);
    connections.take(&state(10, 1, (Established, Close), 80));
    connections.take(&state(11, 2, (Established, FinWait1), 81));
    assert_eq!(connections.live.len(), 2, "a reset may follow");
    assert_eq!(reported(&mut connections, 11).len(), 2);
    assert_eq!(connections.live.keys().copied().collect::<Vec<_>>(), [2]);
    // If its destruction is traced, it is kept until then: that event has the cookie.
    connections.destroyed = Some(Vec::new());
    connections.take(&state(12, 3, (Established, Close), 82));
    assert_eq!(reported(&mut connections, 12).len(), 1);
    connections.take(&event(13, EventKind::Destroyed { socket: 3, cookie: Some(7) }));
    assert_eq!(connections.destroyed.as_ref().map(Vec::len), Some(1));
}
