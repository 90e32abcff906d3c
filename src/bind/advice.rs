//! What to do, depending on what blocks the bind.

use super::{Blocks, Facts, Idle, Judged, Leaves, Try, Verdict, can_bind, that_count};
use crate::model::{Dad, TcpState};

/// What to do. A number is an occupant's place in the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Advice {
    /// The port is free.
    Nothing,
    /// The host does not have the family.
    EnableFamily,
    /// The host does not have the address.
    UseOwnAddress,
    /// The host has the address but cannot use it, now or ever (duplicate address detection).
    SettleAddress(Dad),
    /// Binding a port below this one needs a privilege.
    GetPrivilege {
        /// The first port that needs none.
        unprivileged_from: u64,
    },
    /// A policy forbids it: a security module, or a BPF program on the cgroup.
    AskPolicy,
    /// The kernel refuses it for another reason.
    MindError(Verdict),
    /// The bind succeeds with SO_REUSEADDR.
    SetReuse {
        /// If only closed connections block: when the last of them ends.
        free_in: Option<Leaves>,
    },
    /// These sockets listen.
    StopListeners(Vec<usize>),
    /// Programs hold these sockets, which do not listen.
    StopHolders(Vec<usize>),
    /// Closed connections block; their sockets did not set SO_REUSEADDR.
    Wait {
        /// When the last of them ends, if the kernel reports it.
        free_in: Option<Leaves>,
    },
    /// No socket was seen that blocks.
    LookAgain(Idle),
}

impl Advice {
    /// The advice that helps most.
    pub(super) fn on(port: u16, tries: &[Try], occupants: &[Judged], facts: &Facts) -> Self {
        if can_bind(tries) {
            return Self::Nothing;
        }
        let refused: Vec<_> = that_count(tries).filter(|tried| tried.plain != Verdict::Bound).collect();
        // An error other than EADDRINUSE says more, so it comes first.
        let plain = refused.iter().map(|tried| tried.plain);
        match plain.clone().find(|verdict| *verdict != Verdict::InUse) {
            Some(Verdict::NoSuchFamily) => Self::EnableFamily,
            Some(Verdict::NoSuchAddress) => facts.dad.map_or(Self::UseOwnAddress, Self::SettleAddress),
            Some(Verdict::Denied) => match facts.unprivileged_from {
                Some(unprivileged_from) if u64::from(port) < unprivileged_from => {
                    Self::GetPrivilege { unprivileged_from }
                }
                _ => Self::AskPolicy,
            },
            Some(Verdict::Forbidden) => Self::AskPolicy,
            Some(other) => Self::MindError(other),
            None if refused.iter().all(|tried| tried.reuse == Verdict::Bound) => {
                Self::SetReuse { free_in: last(in_the_way(occupants).map(|(_, judged)| judged)) }
            }
            None => on_holders(occupants, facts.idle),
        }
    }
}

/// What to do about sockets that block a bind with SO_REUSEADDR too.
fn on_holders(occupants: &[Judged], idle: Idle) -> Advice {
    let blocking: Vec<_> =
        in_the_way(occupants).filter(|(_, judged)| judged.set_reuse != Some(true)).collect();
    let those = |which: &dyn Fn(&Judged) -> bool| -> Vec<usize> {
        blocking.iter().filter(|(_, judged)| which(judged)).map(|(number, _)| *number).collect()
    };
    let listening = those(&|judged| judged.occupant.socket.state == TcpState::Listen);
    if !listening.is_empty() {
        return Advice::StopListeners(listening);
    }
    let held = those(&|judged| judged.occupant.socket.inode.is_some());
    if !held.is_empty() {
        return Advice::StopHolders(held);
    }
    if blocking.is_empty() {
        return Advice::LookAgain(idle);
    }
    Advice::Wait { free_in: last(blocking.iter().map(|(_, judged)| *judged)) }
}

fn in_the_way(occupants: &[Judged]) -> impl Iterator<Item = (usize, &Judged)> {
    occupants.iter().enumerate().filter(|(_, judged)| judged.blocks != Blocks::No)
}

/// When the last of these ends; `None` if there is none, or one does not end by itself in a known time.
fn last<'a>(these: impl Iterator<Item = &'a Judged>) -> Option<Leaves> {
    let times: Option<Vec<_>> = these.map(|judged| judged.occupant.leaves()).collect();
    times?.into_iter().max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bind::{Occupant, Overlap};
    use crate::model::{Endpoint, Family, Socket, Timer};

    fn judged(state: TcpState, inode: Option<u64>, expires_ms: Option<u32>, blocks: Blocks) -> Judged {
        let local = Endpoint::new("10.0.0.1".parse().unwrap(), 80);
        let socket = Socket {
            inode,
            timer: expires_ms.map(|expires_ms| Timer::TimeWait { expires_ms }),
            ..Socket::new(Family::Inet, state, local, Endpoint::unspecified(Family::Inet))
        };
        Judged {
            occupant: Occupant { socket, holders: Vec::new(), owner_note: None, device: None },
            overlap: Overlap::Within,
            overlaps: Some(blocks != Blocks::No),
            blocks,
            set_reuse: None,
        }
    }

    fn advice(plain: Verdict, reuse: Verdict, occupants: &[Judged]) -> Advice {
        let facts = Facts { unprivileged_from: Some(81), ..Facts::default() };
        Advice::on(80, &[Try::made_up("0.0.0.0:80", plain, reuse)], occupants, &facts)
    }

    #[test]
    fn a_verdict_that_is_not_about_holders_comes_first() {
        let listener = [judged(TcpState::Listen, Some(1), None, Blocks::Yes)];
        let on = |verdict| advice(verdict, verdict, &listener);
        assert_eq!(on(Verdict::Bound), Advice::Nothing);
        assert_eq!(on(Verdict::NoSuchAddress), Advice::UseOwnAddress);
        assert_eq!(on(Verdict::NoSuchFamily), Advice::EnableFamily);
        assert_eq!(on(Verdict::Denied), Advice::GetPrivilege { unprivileged_from: 81 });
        assert_eq!(on(Verdict::Forbidden), Advice::AskPolicy);
        assert_eq!(on(Verdict::Other(22)), Advice::MindError(Verdict::Other(22)));
        let denied = [Try::made_up("0.0.0.0:80", Verdict::Denied, Verdict::Denied)];
        assert_eq!(Advice::on(81, &denied, &[], &Facts::default()), Advice::AskPolicy);
        let at = [Try::made_up("[fd00::1]:80", Verdict::NoSuchAddress, Verdict::NoSuchAddress)];
        let facts = Facts { dad: Some(Dad::Tentative), ..Facts::default() };
        assert_eq!(Advice::on(80, &at, &[], &facts), Advice::SettleAddress(Dad::Tentative));
    }

    #[test]
    fn who_listens_comes_before_who_does_not_and_what_is_left() {
        let on = |occupants: &[Judged]| advice(Verdict::InUse, Verdict::InUse, occupants);
        let listener = judged(TcpState::Listen, Some(1), None, Blocks::Yes);
        let idle = judged(TcpState::Close, Some(2), None, Blocks::UnlessReuse);
        let left = judged(TcpState::TimeWait, None, Some(9), Blocks::UnlessReuse);
        let later = judged(TcpState::TimeWait, None, Some(10), Blocks::UnlessReuse);
        let orphan = judged(TcpState::LastAck, None, None, Blocks::UnlessReuse);
        let other = judged(TcpState::Listen, Some(3), None, Blocks::No);
        let each = [&listener, &idle, &left, &other];
        assert_eq!(on(&each.map(Clone::clone)), Advice::StopListeners(vec![0]));
        assert_eq!(on(&[left.clone(), idle, other.clone()]), Advice::StopHolders(vec![1]));
        let wait = |in_ms, or_sooner| Advice::Wait { free_in: Some(Leaves { in_ms, or_sooner }) };
        assert_eq!(on(&[later, left.clone()]), wait(10, false));
        assert_eq!(on(&[left.clone(), orphan]), Advice::Wait { free_in: None });
        // It enters TIME_WAIT if its peer closes.
        let waiting = judged(TcpState::FinWait2, None, Some(9), Blocks::UnlessReuse);
        assert_eq!(on(&[waiting, left.clone()]), wait(60_009, true));
        assert_eq!(on(&[other]), Advice::LookAgain(Idle::Seen));
        let reuse = advice(Verdict::InUse, Verdict::Bound, &[left]);
        assert_eq!(reuse, Advice::SetReuse { free_in: Some(Leaves { in_ms: 9, or_sooner: false }) });
    }
}
