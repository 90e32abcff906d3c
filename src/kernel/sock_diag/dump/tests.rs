//! Dumps replayed from hand-made datagrams: failures, and how the dump handles them.

use std::io;
use std::ops::ControlFlow;

use super::dump;
use crate::kernel::sock_diag::{Datagrams, NetlinkError, Recording};
use crate::model::{Families, Order, Query};
use crate::model::{Gap, Sink, Socket, Source, StateSet, TcpState};

const DONE: u16 = 3;
const ERROR: u16 = 2;
const OVERRUN: u16 = 4;
const SOCKET: u16 = 20;
const INTERRUPTED: u16 = 0x10;

fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(16 + payload.len()).unwrap().to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend(payload);
    bytes
}

/// An established IPv4 socket with this cookie.
fn socket(cookie: u32) -> Vec<u8> {
    let mut payload = vec![0; 72];
    payload[0] = 2;
    payload[1] = 1;
    payload[44..48].copy_from_slice(&cookie.to_ne_bytes());
    message(SOCKET, 0, 1, &payload)
}

#[expect(clippy::unnecessary_wraps, reason = "an answer may be an error")]
fn sockets(cookies: impl IntoIterator<Item = u32>) -> io::Result<Vec<u8>> {
    Ok(cookies.into_iter().flat_map(socket).collect())
}

#[expect(clippy::unnecessary_wraps, reason = "an answer may be an error")]
fn end(kind: u16, errno: i32) -> io::Result<Vec<u8>> {
    Ok(message(kind, 0, 1, &(-errno).to_ne_bytes()))
}

fn failed(errno: i32) -> io::Result<Vec<u8>> {
    Err(io::Error::from_raw_os_error(errno))
}

const EINTR: i32 = 4;
const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const EINVAL: i32 = 22;
const ENOMEM: i32 = 12;
const ENOBUFS: i32 = 105;

#[derive(Default)]
struct Keeper {
    cookies: Vec<u64>,
    attempts: u32,
    /// After this many sockets, some have been written and cannot be taken back.
    written_after: Option<usize>,
    /// After this many sockets, no more are wanted.
    wanted: Option<usize>,
}

impl Sink for Keeper {
    fn begin(&mut self, _source: Source) {
        self.attempts += 1;
        self.cookies.clear();
    }

    fn can_begin_again(&self) -> bool {
        self.written_after.is_none_or(|limit| self.cookies.len() < limit)
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        self.cookies.push(socket.cookie.unwrap_or(0));
        if self.wanted.is_some_and(|limit| self.cookies.len() >= limit) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

type Answers = Vec<io::Result<Vec<u8>>>;

/// One conversation after the other; the query is for one family, so each has one walk.
fn replay(keeper: &mut Keeper, conversations: Vec<Answers>) -> Result<Vec<Gap>, NetlinkError> {
    replay_of(keeper, &all(Families::Only(crate::model::Family::Inet)), false, conversations)
}

/// The first two conversations are two halves that run in parallel.
fn replay_halves(keeper: &mut Keeper, conversations: Vec<Answers>) -> Result<Vec<Gap>, NetlinkError> {
    replay_of(keeper, &all(Families::Both), true, conversations)
}

fn all(families: Families) -> Query {
    Query::new(families, StateSet::ALL)
}

fn replay_of(
    keeper: &mut Keeper,
    query: &Query,
    in_halves: bool,
    conversations: Vec<Answers>,
) -> Result<Vec<Gap>, NetlinkError> {
    // Only the kernel evaluates the programs.
    let halves = [vec![0; 4], vec![0; 4]];
    let mut conversations = conversations.into_iter();
    let mut connect = || {
        let answers = conversations.next().expect("no more conversations than expected");
        Ok(Box::new(Recording::new(answers)) as Box<dyn Datagrams + Send>)
    };
    let gaps = dump(query, in_halves.then_some(&halves), &mut connect, keeper);
    assert_eq!(conversations.count(), 0, "conversations that were not held");
    gaps
}

#[test]
fn a_whole_dump() {
    let mut keeper = Keeper::default();
    let gaps = replay(&mut keeper, vec![vec![sockets(1..=3), sockets(4..=5), end(DONE, 0)]]).unwrap();
    assert_eq!((keeper.cookies, gaps), (vec![1, 2, 3, 4, 5], vec![]));
}

#[test]
fn sockets_that_come_twice_are_told_once() {
    let mut keeper = Keeper::default();
    replay(&mut keeper, vec![vec![sockets(1..=3), sockets(2..=5), end(DONE, 0)]]).unwrap();
    assert_eq!(keeper.cookies, [1, 2, 3, 4, 5]);
}

#[test]
fn a_dump_that_broke_off_begins_again_while_nothing_is_written() {
    for broken in [
        vec![sockets(1..=3), failed(ENOBUFS)],
        vec![sockets(1..=3), end(DONE, EINTR)],
        vec![sockets(1..=3), end(ERROR, ENOBUFS)],
        vec![sockets(1..=3), Ok(vec![0; 40])],
        vec![sockets(1..=400)],
        vec![sockets(1..=3), Ok(vec![])],
        vec![sockets(1..=3), Ok(message(OVERRUN, 0, 1, &[]))],
        vec![Ok([socket(1), message(SOCKET, INTERRUPTED, 1, &socket(2)[16..])].concat()), end(DONE, 0)],
    ] {
        let mut keeper = Keeper::default();
        let gaps = replay(&mut keeper, vec![broken, vec![sockets(1..=4), end(DONE, 0)]]).unwrap();
        assert_eq!((keeper.cookies, keeper.attempts, gaps), (vec![1, 2, 3, 4], 2, vec![]));
    }
}

#[test]
fn after_something_is_written_it_ends_with_a_gap() {
    let mut keeper = Keeper { written_after: Some(2), ..Keeper::default() };
    let gaps = replay(&mut keeper, vec![vec![sockets(1..=3), failed(ENOBUFS)]]).unwrap();
    assert_eq!(keeper.cookies, [1, 2, 3]);
    assert!(matches!(gaps.as_slice(), [Gap::DumpInterrupted { .. }]), "{gaps:?}");
}

#[test]
fn three_restarts_are_the_most() {
    let broken = || vec![sockets(1..=3), failed(ENOBUFS)];
    let mut keeper = Keeper::default();
    let gaps = replay(&mut keeper, vec![broken(), broken(), broken(), broken()]).unwrap();
    assert_eq!((keeper.cookies, keeper.attempts), (vec![1, 2, 3], 4));
    assert!(matches!(gaps.as_slice(), [Gap::DumpInterrupted { .. }]), "{gaps:?}");

    let nothing = || vec![failed(ENOBUFS)];
    let error = replay(&mut Keeper::default(), vec![nothing(), nothing(), nothing(), nothing()]).unwrap_err();
    assert!(matches!(error, NetlinkError::BrokeOff { tries: 4, .. }), "{error}");
    assert!(!error.means_unavailable());
}

#[test]
fn a_dump_that_came_to_its_end_is_no_error_though_nothing_fits() {
    let changed = || vec![Ok(message(DONE, INTERRUPTED, 1, &[0; 4]))];
    let mut keeper = Keeper::default();
    let gaps = replay(&mut keeper, vec![changed(), changed(), changed(), changed()]).unwrap();
    assert!(matches!(gaps.as_slice(), [Gap::DumpInterrupted { .. }]), "{gaps:?}");
}

#[test]
fn a_refusal_is_an_error_by_its_number() {
    for (errno, unavailable) in [(EPERM, true), (ENOENT, true), (EINVAL, true), (ENOMEM, false)] {
        for kind in [DONE, ERROR] {
            let error = replay(&mut Keeper::default(), vec![vec![end(kind, errno)]]).unwrap_err();
            assert_eq!(error.means_unavailable(), unavailable, "{error}");
        }
    }
}

#[test]
fn a_kernel_without_the_mixed_request_is_asked_for_each_family() {
    let second = message(DONE, 0, 2, &[0; 4]);
    let conversations = vec![vec![end(ERROR, EINVAL)], vec![sockets(1..=2), end(DONE, 0), Ok(second)]];
    let mut keeper = Keeper::default();
    let gaps = replay_of(&mut keeper, &all(Families::Both), false, conversations).unwrap();
    assert_eq!((keeper.cookies, gaps), (vec![1, 2], vec![]));
}

#[test]
fn replies_to_other_requests_are_passed_over() {
    let mut stray = socket(99);
    stray[8..12].copy_from_slice(&77_u32.to_ne_bytes());
    let mut keeper = Keeper::default();
    replay(&mut keeper, vec![vec![Ok(stray), sockets([1]), end(DONE, 0)]]).unwrap();
    assert_eq!(keeper.cookies, [1]);
}

#[test]
fn replies_that_are_no_socket_are_counted() {
    let bad = || Ok(message(SOCKET, 0, 1, &[2, 1, 0, 0]));
    let mut keeper = Keeper::default();
    let gaps = replay(&mut keeper, vec![vec![bad(), sockets([1]), bad(), end(DONE, 0)]]).unwrap();
    assert_eq!(keeper.cookies, [1]);
    assert!(matches!(gaps.as_slice(), [Gap::Undecodable { messages: 2, .. }]), "{gaps:?}");
}

#[test]
fn a_sink_that_wants_no_more_ends_it() {
    let mut keeper = Keeper { wanted: Some(2), ..Keeper::default() };
    let gaps = replay(&mut keeper, vec![vec![sockets(1..=9)]]).unwrap();
    assert_eq!((keeper.cookies, gaps), (vec![1, 2], vec![]));
}

#[test]
fn states_that_were_not_asked_for_are_left_out() {
    let query = Query::new(Families::Only(crate::model::Family::Inet), StateSet::of(TcpState::Listen));
    let mut keeper = Keeper::default();
    let mut connect =
        || Ok(Box::new(Recording::new([sockets(1..=3), end(DONE, 0)])) as Box<dyn Datagrams + Send>);
    dump(&query, None, &mut connect, &mut keeper).unwrap();
    assert_eq!(keeper.cookies, [0; 0]);
}

/// The same socket while it was just bound.
#[expect(clippy::unnecessary_wraps, reason = "an answer may be an error")]
fn bound(cookie: u32) -> io::Result<Vec<u8>> {
    let mut bytes = socket(cookie);
    bytes[17] = 7;
    Ok(bytes)
}

fn sorted(keeper: Keeper) -> Vec<u64> {
    let mut cookies = keeper.cookies;
    cookies.sort_unstable();
    cookies
}

#[test]
fn two_halves_are_one_list() {
    let mut keeper = Keeper::default();
    let lower = vec![bound(1), sockets(2..=300), sockets(301..=400), end(DONE, 0)];
    let upper = vec![sockets(1001..=1300), sockets(1299..=1500), end(DONE, 0)];
    assert_eq!(replay_halves(&mut keeper, vec![lower, upper]).unwrap(), vec![]);
    assert_eq!(sorted(keeper), (1..=400).chain(1001..=1500).collect::<Vec<_>>());
}

#[test]
fn a_bound_socket_that_connects_meanwhile_is_in_one_half_only() {
    // Which half comes first is chance.
    for _ in 0..100 {
        let mut keeper = Keeper::default();
        let lower = vec![bound(1), bound(1002), sockets([2]), end(DONE, 0)];
        let upper = vec![sockets([1001]), sockets([1002]), sockets([1]), end(DONE, 0)];
        replay_halves(&mut keeper, vec![lower, upper]).unwrap();
        assert_eq!(sorted(keeper), [1, 2, 1001, 1002]);
    }
}

#[test]
fn a_half_that_breaks_off_begins_again_with_the_other() {
    let mut keeper = Keeper::default();
    let broken = vec![sockets(1001..=1100), failed(ENOBUFS)];
    let whole = || vec![sockets(1..=3), end(DONE, 0)];
    let upper = vec![sockets(1001..=1200), end(DONE, 0)];
    let gaps = replay_halves(&mut keeper, vec![whole(), broken, whole(), upper]).unwrap();
    assert_eq!((sorted(keeper), gaps), ((1..=3).chain(1001..=1200).collect(), vec![]));
}

#[test]
fn a_kernel_that_does_not_take_halves_is_asked_for_the_whole() {
    let mut keeper = Keeper::default();
    let refused = || vec![end(ERROR, EINVAL)];
    let whole = vec![sockets(1..=9), end(DONE, 0)];
    let gaps = replay_halves(&mut keeper, vec![refused(), refused(), whole]).unwrap();
    assert_eq!((keeper.cookies, gaps), ((1..=9).collect(), vec![]));
}

fn replay_in_order(keeper: &mut Keeper, conversations: Vec<Answers>) -> Result<Vec<Gap>, NetlinkError> {
    let query = Query { order: Order::Ipv4First, ..Query::new(Families::Both, StateSet::ALL) };
    replay_of(keeper, &query, true, conversations)
}

#[test]
fn families_that_are_read_at_once_come_one_behind_the_other() {
    let mut keeper = Keeper::default();
    let first =
        (0..20_u32).map(|time| sockets(1 + time * 10..11 + time * 10)).chain([end(DONE, 0)]).collect();
    let second = vec![sockets(1001..=1003), end(DONE, 0)];
    replay_in_order(&mut keeper, vec![first, second]).unwrap();
    assert_eq!(keeper.cookies, (1..=200).chain(1001..=1003).collect::<Vec<_>>());

    let mut keeper = Keeper { wanted: Some(2), ..Keeper::default() };
    replay_in_order(&mut keeper, vec![vec![sockets(1..=9)], vec![sockets(1001..=1003), end(DONE, 0)]])
        .unwrap();
    assert_eq!(keeper.cookies, [1, 2]);

    let mut keeper = Keeper { written_after: Some(1), ..Keeper::default() };
    let broken = vec![sockets(1001..=1003), failed(ENOBUFS)];
    let gaps = replay_in_order(&mut keeper, vec![vec![sockets(1..=9), end(DONE, 0)], broken]).unwrap();
    let came = keeper.cookies.iter().filter(|cookie| **cookie > 1000).count();
    assert_eq!((came, gaps.len()), (3, 1), "what came is kept, and it is said that it is not all");
}

#[test]
fn both_halves_end_when_no_more_is_wanted() {
    let mut keeper = Keeper { wanted: Some(5), ..Keeper::default() };
    let half = || (1..=40).map(|_| sockets(1..=3)).chain([end(DONE, 0)]).collect();
    replay_halves(&mut keeper, vec![half(), half()]).unwrap();
    assert_eq!(keeper.cookies.len(), 5);
}
