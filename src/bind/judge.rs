//! Whether a socket blocks a bind, by the kernel's rules and consistent with its verdicts.
//!
//! Without SO_REUSEPORT, which is never tried, a socket whose address overlaps lets a bind through in one case only:
//! both set SO_REUSEADDR, and it is not in LISTEN (`inet_bind_conflict`).

use super::overlap::{Overlap, overlap};
use super::{Judged, Occupant, Try, Verdict};
use crate::model::TcpState;

/// Whether a socket blocks; the blocking ones sort first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Blocks {
    /// It blocks, with SO_REUSEADDR too.
    Yes,
    /// It blocks a bind without SO_REUSEADDR; with the option too, unless the socket set it itself.
    UnlessReuse,
    /// It does not overlap.
    No,
}

impl Blocks {
    /// The word in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::UnlessReuse => "unless_it_set_reuse_address",
            Self::No => "no",
        }
    }
}

/// One occupant beside one try.
#[derive(Clone, Copy)]
struct Beside {
    overlap: Overlap,
    overlaps: Option<bool>,
    listens: bool,
    set_reuse: Option<bool>,
}

/// Judges each socket. If the list is complete, one of them must be what blocks.
pub(super) fn judge(tries: &[Try], occupants: Vec<Occupant>, are_all: bool) -> Vec<Judged> {
    let tables: Vec<Vec<Beside>> = tries.iter().map(|tried| beside(tried, &occupants, are_all)).collect();
    let of =
        |number: usize| tables.iter().filter_map(move |table| table.get(number)).copied().collect::<Vec<_>>();
    occupants.into_iter().enumerate().map(|(number, occupant)| sum_up(occupant, &of(number))).collect()
}

/// How all of them relate to one try, decided by its verdicts.
fn beside(tried: &Try, occupants: &[Occupant], are_all: bool) -> Vec<Beside> {
    let mut table: Vec<Beside> = occupants
        .iter()
        .map(|Occupant { socket, .. }| {
            let (overlap, overlaps) = overlap(tried, socket);
            Beside { overlap, overlaps, listens: socket.state == TcpState::Listen, set_reuse: None }
        })
        .collect();
    match tried.plain {
        // The bind succeeded, so no socket blocks, whatever its address: it came later, or is in a VRF.
        Verdict::Bound => table.iter_mut().for_each(|one| one.overlaps = Some(false)),
        Verdict::InUse => settle(&mut table, tried.reuse, are_all),
        _ => {}
    }
    table
}

/// Something blocks. A socket whose overlap is unknown overlaps if nothing else can be the cause.
fn settle(table: &mut [Beside], reuse: Verdict, are_all: bool) {
    let mut possible: Vec<_> = table.iter_mut().filter(|one| one.overlaps != Some(false)).collect();
    if let ([only], true) = (&mut possible[..], are_all) {
        only.overlaps = Some(true);
        // A listener explains the verdict.
        only.set_reuse = (reuse == Verdict::InUse && !only.listens).then_some(false);
    }
    if reuse == Verdict::Bound {
        for one in possible.into_iter().filter(|one| one.overlaps == Some(true)) {
            one.set_reuse = Some(true);
        }
    }
}

/// All tries together: a socket that blocks one of them blocks.
fn sum_up(occupant: Occupant, beside: &[Beside]) -> Judged {
    let by = |overlaps| beside.iter().find(move |one| one.overlaps == overlaps);
    let reported = by(Some(true)).or(by(None)).or(beside.first()).copied();
    let (overlap, overlaps) =
        reported.map_or((Overlap::OtherAddress, Some(false)), |one| (one.overlap, one.overlaps));
    let set = |value| beside.iter().any(|one| one.set_reuse == Some(value)).then_some(value);
    let set_reuse = set(false).or(set(true));
    let listens = occupant.socket.state == TcpState::Listen;
    let blocks = match overlaps {
        Some(false) => Blocks::No,
        _ if listens || set_reuse == Some(false) => Blocks::Yes,
        _ => Blocks::UnlessReuse,
    };
    Judged { occupant, overlap, overlaps, blocks, set_reuse }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, Family, Socket};

    fn occupant(family: Family, state: TcpState, addr: &str, v6only: Option<bool>) -> Occupant {
        let local = Endpoint::new(addr.parse().unwrap(), 80);
        let socket = Socket { v6only, ..Socket::new(family, state, local, Endpoint::unspecified(family)) };
        Occupant { socket, holders: Vec::new(), owner_note: None, device: None }
    }

    fn inet(state: TcpState, addr: &str) -> Occupant {
        occupant(Family::Inet, state, addr, None)
    }

    /// For each socket: whether it overlaps, whether it blocks, whether it set the option.
    fn said(
        tries: &[Try],
        occupants: Vec<Occupant>,
        are_all: bool,
    ) -> Vec<(Option<bool>, Blocks, Option<bool>)> {
        judge(tries, occupants, are_all)
            .into_iter()
            .map(|judged| (judged.overlaps, judged.blocks, judged.set_reuse))
            .collect()
    }

    const NO: (Option<bool>, Blocks, Option<bool>) = (Some(false), Blocks::No, None);

    #[test]
    fn a_listener_blocks_and_hides_what_the_others_set() {
        let tries = [Try::made_up("0.0.0.0:80", Verdict::InUse, Verdict::InUse)];
        let occupants = vec![
            inet(TcpState::Listen, "0.0.0.0"),
            inet(TcpState::Established, "10.0.0.1"),
            inet(TcpState::SynRecv, "10.0.0.1"),
        ];
        assert_eq!(
            said(&tries, occupants, true),
            [(Some(true), Blocks::Yes, None), (Some(true), Blocks::UnlessReuse, None), NO]
        );
    }

    #[test]
    fn the_verdicts_show_whether_the_option_was_set() {
        let left = || vec![inet(TcpState::TimeWait, "10.0.0.1")];
        let reuse = |verdict| [Try::made_up("0.0.0.0:80", Verdict::InUse, verdict)];
        let set = [(Some(true), Blocks::UnlessReuse, Some(true))];
        assert_eq!(said(&reuse(Verdict::Bound), left(), true), set);
        assert_eq!(said(&reuse(Verdict::InUse), left(), true), [(Some(true), Blocks::Yes, Some(false))]);
        // Either may be the socket that did not set the option.
        let two = [left(), left()].concat();
        let unknown = (Some(true), Blocks::UnlessReuse, None);
        assert_eq!(said(&reuse(Verdict::InUse), two, true), [unknown, unknown]);
        // So may a socket that was not seen.
        assert_eq!(said(&reuse(Verdict::InUse), left(), false), [unknown]);
    }

    #[test]
    fn nothing_that_is_said_gainsays_the_kernel() {
        let free = [Try::made_up("0.0.0.0:80", Verdict::Bound, Verdict::Bound)];
        assert_eq!(said(&free, vec![inet(TcpState::Listen, "0.0.0.0")], true), [NO]);
    }

    #[test]
    fn what_nobody_tells_follows_from_the_verdicts() {
        let wildcard = || occupant(Family::Inet6, TcpState::Listen, "::", None);
        let v4 = |plain| [Try::made_up("0.0.0.0:80", plain, plain)];
        assert_eq!(said(&v4(Verdict::Bound), vec![wildcard()], true), [NO]);
        assert_eq!(said(&v4(Verdict::InUse), vec![wildcard()], true), [(Some(true), Blocks::Yes, None)]);
        assert_eq!(said(&v4(Verdict::InUse), vec![wildcard()], false), [(None, Blocks::Yes, None)]);
        assert_eq!(
            said(&v4(Verdict::InUse), vec![wildcard(), inet(TcpState::Listen, "0.0.0.0")], true),
            [(None, Blocks::Yes, None), (Some(true), Blocks::Yes, None)]
        );
    }

    #[test]
    fn what_blocks_one_family_blocks() {
        let tries = [
            Try::made_up("0.0.0.0:80", Verdict::Bound, Verdict::Bound),
            Try::made_up("[::]:80", Verdict::InUse, Verdict::InUse),
        ];
        let judged = judge(&tries, vec![occupant(Family::Inet6, TcpState::Listen, "::", Some(true))], true);
        assert_eq!((judged[0].overlap, judged[0].blocks), (Overlap::V6only, Blocks::Yes));
    }

    #[test]
    fn without_a_privilege_the_rules_alone_tell() {
        let tries = [Try::made_up("0.0.0.0:80", Verdict::Denied, Verdict::Denied)];
        assert_eq!(
            said(&tries, vec![inet(TcpState::Listen, "0.0.0.0")], true),
            [(Some(true), Blocks::Yes, None)]
        );
    }
}
