//! Made-up closed sockets, and what the kernel keeps in their place.

use super::super::clues::Clues;
use super::lookup::TimeWaitStart;
use super::*;
use crate::model::{Endpoint, Family};

fn ends() -> Ends {
    let end = |port| Endpoint::new([127, 0, 0, 1].into(), port);
    Ends { family: Family::Inet, local: end(4000), peer: end(80) }
}

fn handed_over(old: TcpState) -> PendingChange {
    let Ends { family, local, peer } = ends();
    let change = StateChange {
        at: 10,
        connection: 1,
        family,
        local,
        peer,
        old,
        new: Some(TcpState::Close),
        in_old: Some(2),
        on_cpu: None,
        meaning: Meaning::Unlisted,
    };
    PendingChange { socket: 1, change, status: Status::LacksReset, clues: Clues::default(), since: Some(8) }
}

#[test]
fn an_rst_in_place_of_an_orphan_ends_it() {
    let mut minisockets = Minisockets::new(9, 100);
    let mut changes = Vec::new();
    for (reset, old) in [(9, TcpState::FinWait2), (15, TcpState::Closing), (15, TcpState::FinWait2)] {
        minisockets.reset_sent(&ends(), reset);
        minisockets.end_by_reset(&mut handed_over(old), &mut |change| changes.push(change));
    }
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!((change.at, change.in_old), (15, Some(7)));
    assert_eq!(change.meaning.transition().map(|way| way.event), Some(Trigger::Abort));
}

#[test]
fn whose_rst_ended_an_orphan_depends_on_the_kernels_events() {
    for (sees_resets, text) in [(true, "RST received"), (false, "cut by an RST")] {
        let mut minisockets = Minisockets::new(9, 100);
        minisockets.sees_resets = sees_resets;
        let change = handed_over(TcpState::FinWait2).change;
        let orphan = Orphan { change, since: Some(8), left: 1_000, reset: None };
        let meaning = minisockets.end_of(&orphan, 50).meaning.text();
        assert!(meaning.starts_with(text), "{meaning}");
    }
}

#[test]
fn an_orphan_that_is_gone_waits_for_the_rst_that_may_have_ended_it() {
    let mut minisockets = Minisockets::new(9, 100);
    let change = handed_over(TcpState::FinWait2).change;
    let orphan = Orphan { change, since: Some(8), left: 1_000, reset: None };
    minisockets.gone.insert(ends(), (50, orphan));
    assert_eq!(minisockets.known_until(), 50);
    let mut changes = Vec::new();
    minisockets.end_orphans(49, &mut |change| changes.push(change));
    minisockets.reset_sent(&ends(), 45);
    minisockets.end_orphans(50, &mut |change| changes.push(change));
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(change.meaning.transition().map(|way| (change.at, way.event)), Some((45, Trigger::Abort)));
    assert_eq!(minisockets.known_until(), Nanos::MAX);
}

#[test]
fn a_time_wait_began_when_the_peer_closed_or_as_its_timer_shows() {
    let change = handed_over(TcpState::FinWait2).change;
    let begun = TimeWaitStart { earliest: 20, latest: 28, left: 60 };
    let closed = |at| Closings::from_iter([(ends().swapped(), at)]);
    assert_eq!(begun.at(&change, 50, &closed(24)), 24);
    assert_eq!(begun.at(&change, 50, &closed(5)), 10, "the FIN came with the last acknowledgement");
    assert_eq!(begun.at(&change, 50, &Closings::default()), 28);
    let at_once = TimeWaitStart { earliest: 9, ..begun };
    assert_eq!(at_once.at(&change, 50, &Closings::default()), 10);
}

#[test]
fn a_new_connection_takes_the_place_of_a_time_wait() {
    let mut minisockets = Minisockets::new(9, 100);
    minisockets.watch_time_wait(20, &handed_over(TcpState::FinWait2).change, 60);
    let change = minisockets.replace_time_wait(&ends(), 30, TcpState::SynRecv).unwrap();
    assert_eq!((change.old, change.new), (TcpState::TimeWait, Some(TcpState::SynRecv)));
    assert_eq!((change.at, change.in_old), (30, Some(20)));
    assert_eq!(minisockets.replace_time_wait(&ends(), 40, TcpState::SynRecv), None, "the TIME_WAIT is gone");
}
