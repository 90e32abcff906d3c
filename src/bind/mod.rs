//! Why a port can't be bound.
//!
//! [`ask`](ask()) asks the kernel. Everything else is pure: how the sockets on that port relate to the address that was
//! tried (`overlap`), whether they block it (`judge`), and what to do (`advice`). The kernel's verdicts are the truth:
//! no statement about a socket contradicts them.

mod advice;
mod ask;
mod judge;
mod overlap;
mod report;

use std::net::SocketAddr;

use crate::model::{
    Dad, Family, Holder, OwnerNote, Row, Setting, Settings, Socket, TIME_WAIT_MS, TcpState, Timer,
};

pub(crate) use crate::kernel::try_bind::AskError;
pub(crate) use crate::model::Target;
pub(crate) use advice::Advice;
pub(crate) use ask::ask;
pub(crate) use judge::Blocks;
pub(crate) use overlap::Overlap;
pub(crate) use report::write_answer;

/// The kernel's answer to a bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It succeeded, and was released.
    Bound,
    /// `EADDRINUSE`
    InUse,
    /// `EACCES`
    Denied,
    /// `EPERM`: a rule forbids it, whatever the user's privileges.
    Forbidden,
    /// `EADDRNOTAVAIL`: the host does not have the address.
    NoSuchAddress,
    /// `EAFNOSUPPORT`: the host does not have the family.
    NoSuchFamily,
    /// Any other error, by its number.
    Other(i32),
}

/// One address that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Try {
    /// The address, with the device of a link-local one.
    pub at: SocketAddr,
    /// Whether it was an IPv6 socket for IPv6 only.
    pub v6only: bool,
    /// The kernel's answer.
    pub plain: Verdict,
    /// The kernel's answer with SO_REUSEADDR.
    pub reuse: Verdict,
}

impl Try {
    /// Made up for a test: an IPv6 socket is for IPv6 only.
    #[cfg(test)]
    pub(crate) fn made_up(at: &str, plain: Verdict, reuse: Verdict) -> Self {
        let at: SocketAddr = at.parse().unwrap();
        Self { at, v6only: at.is_ipv6(), plain, reuse }
    }

    /// The family of its socket.
    pub(crate) fn family(&self) -> Family {
        if self.at.is_ipv4() { Family::Inet } else { Family::Inet6 }
    }
}

/// A socket on the port, with the results of its look-ups.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Occupant {
    /// The socket.
    pub socket: Socket,
    /// The processes that hold it.
    pub holders: Vec<Holder>,
    /// Why no process holds it.
    pub owner_note: Option<OwnerNote>,
    /// The device that it is bound to.
    pub device: Option<String>,
}

impl From<&Row<'_>> for Occupant {
    fn from(row: &Row<'_>) -> Self {
        Self {
            socket: row.socket.clone(),
            holders: row.holders.to_vec(),
            owner_note: row.owner_note,
            device: row.interface.map(str::to_owned),
        }
    }
}

impl Occupant {
    /// When the kernel drops a closed connection, if it reports the time.
    pub(crate) fn leaves(&self) -> Option<Leaves> {
        let Some(Timer::TimeWait { expires_ms }) = self.socket.timer else { return None };
        let waits = self.socket.state == TcpState::FinWait2;
        let then = if waits { TIME_WAIT_MS } else { 0 };
        Some(Leaves { in_ms: expires_ms.saturating_add(then), or_sooner: waits })
    }
}

/// When a closed connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Leaves {
    /// After this many milliseconds.
    pub in_ms: u32,
    /// At the latest. An orphan in FIN_WAIT2 ends when its own time is over, but goes through the whole of TIME_WAIT if
    /// its peer closes before.
    pub or_sooner: bool,
}

/// A socket on the port, and its effect on a bind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    /// The socket.
    pub occupant: Occupant,
    /// How its address relates to the address that was tried.
    pub overlap: Overlap,
    /// Whether the addresses overlap; `None` if unknown.
    pub overlaps: Option<bool>,
    /// Whether it blocks the bind.
    pub blocks: Blocks,
    /// Whether it set SO_REUSEADDR, as far as the verdicts show: the kernel does not report the option.
    pub set_reuse: Option<bool>,
}

/// Whether the list of sockets includes those that are bound and idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Idle {
    /// It does.
    #[default]
    Seen,
    /// It was read from /proc, which lacks them.
    NotInProc,
    /// A kernel before Linux 6.8 does not list them.
    NotListed,
}

/// The host's settings for the port and the address; `None` if they could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The first port that anybody may bind (ip_unprivileged_port_start).
    pub unprivileged_from: Option<u64>,
    /// Whether it is in ip_local_reserved_ports: the kernel never chooses it.
    pub reserved: Option<bool>,
    /// Whether it is in ip_local_port_range: the kernel may choose it for any connection.
    pub chosen_from: Option<bool>,
    /// Why an address of this host cannot be bound.
    pub dad: Option<Dad>,
    /// Whether the list of sockets is complete.
    pub idle: Idle,
    /// A hint how to see the holders that are hidden, if there is a way.
    pub to_see_holders: Option<String>,
}

impl Facts {
    /// The settings that concern this port.
    pub(crate) fn of(port: u16, settings: &Settings) -> Self {
        let reserved =
            settings.reserved_ports().map(|ranges| ranges.iter().any(|range| range.contains(&port)));
        let chosen_from = settings.local_ports().map(|range| range.contains(&port));
        let unprivileged_from = settings.number(Setting::UnprivilegedPortStart);
        Self { unprivileged_from, reserved, chosen_from, ..Self::default() }
    }

    /// Whether binding the port needs a privilege.
    pub(crate) fn privileged(&self, port: u16) -> Option<bool> {
        self.unprivileged_from.map(|start| u64::from(port) < start)
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// The address and port to bind.
    pub target: Target,
    /// The binds that were tried.
    pub tries: Vec<Try>,
    /// The sockets on the port; those that block come first.
    pub occupants: Vec<Judged>,
    /// The host's settings for it.
    pub facts: Facts,
    /// What to do.
    pub advice: Advice,
}

impl Answer {
    /// Combines the facts into an answer.
    pub(crate) fn new(target: Target, tries: Vec<Try>, occupants: Vec<Occupant>, facts: Facts) -> Self {
        let mut occupants = judge::judge(&tries, occupants, facts.idle == Idle::Seen);
        occupants.sort_by_key(|judged| judged.blocks);
        let advice = Advice::on(target.port, &tries, &occupants, &facts);
        Self { target, tries, occupants, facts, advice }
    }

    /// Whether the cause may be gone in a moment: no lasting socket explains the verdict. Another run of this program
    /// holds the port for some microseconds by a socket that is bound and idle.
    pub(crate) fn may_pass(&self) -> bool {
        let stays = |judged: &Judged| {
            judged.blocks != Blocks::No && judged.occupant.socket.state.shown() != TcpState::Close
        };
        self.tries.iter().any(|tried| tried.plain == Verdict::InUse) && !self.occupants.iter().any(stays)
    }

    /// Whether a plain bind succeeds in every family that this host has.
    pub(crate) fn can_bind(&self) -> bool {
        can_bind(&self.tries)
    }

    /// Whether the host lacks a family that was tried.
    pub(crate) fn lacks_family(&self) -> bool {
        self.tries.iter().any(|tried| tried.plain == Verdict::NoSuchFamily)
    }
}

/// A family that the host lacks counts only if it has no other.
fn that_count(tries: &[Try]) -> impl Iterator<Item = &Try> {
    let some_family = tries.iter().any(|tried| tried.plain != Verdict::NoSuchFamily);
    tries.iter().filter(move |tried| !some_family || tried.plain != Verdict::NoSuchFamily)
}

fn can_bind(tries: &[Try]) -> bool {
    that_count(tries).all(|tried| tried.plain == Verdict::Bound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Endpoint;

    fn facts(port: u16, settings: &[(Setting, &str)]) -> Facts {
        Facts::of(port, &settings.iter().map(|(setting, text)| (*setting, (*text).to_owned())).collect())
    }

    #[test]
    fn the_settings_say_something_of_a_port() {
        let settings = [
            (Setting::UnprivilegedPortStart, "1024"),
            (Setting::LocalReservedPorts, "9000-9010,8080"),
            (Setting::LocalPortRange, "9000\t9005"),
        ];
        let said = |port| {
            let facts = facts(port, &settings);
            (facts.privileged(port), facts.reserved, facts.chosen_from)
        };
        assert_eq!(said(1023), (Some(true), Some(false), Some(false)));
        assert_eq!(said(1024), (Some(false), Some(false), Some(false)));
        assert_eq!(said(8080), (Some(false), Some(true), Some(false)));
        assert_eq!(said(9000), (Some(false), Some(true), Some(true)));
        assert_eq!(said(9010), (Some(false), Some(true), Some(false)));
        assert_eq!(said(9011), (Some(false), Some(false), Some(false)));
        assert_eq!(facts(80, &[]), Facts::default());
        assert_eq!(facts(80, &[(Setting::LocalReservedPorts, "")]).reserved, Some(false));
    }

    #[test]
    fn only_what_is_bound_and_idle_may_pass() {
        let at = |state, port| {
            let local = Endpoint::new([127, 0, 0, 1].into(), 80);
            let peer = Endpoint::new([127, 0, 0, 1].into(), port);
            let socket = Socket::new(Family::Inet, state, local, peer);
            Occupant { socket, holders: Vec::new(), owner_note: None, device: None }
        };
        let may_pass = |at: &str, plain, occupants| {
            let target = Target { addr: None, device: None, port: 80 };
            let tries = vec![Try::made_up(at, plain, Verdict::InUse)];
            Answer::new(target, tries, occupants, Facts::default()).may_pass()
        };
        let in_use = Verdict::InUse;
        assert!(may_pass("127.0.0.1:80", in_use, vec![]));
        assert!(may_pass("127.0.0.1:80", in_use, vec![at(TcpState::Close, 0)]));
        assert!(!may_pass("127.0.0.1:80", in_use, vec![at(TcpState::Listen, 0)]));
        assert!(!may_pass("127.0.0.1:80", in_use, vec![at(TcpState::Close, 0), at(TcpState::TimeWait, 9)]));
        assert!(
            may_pass("10.0.0.1:80", in_use, vec![at(TcpState::Established, 9)]),
            "it is of another address"
        );
        assert!(!may_pass("127.0.0.1:80", Verdict::Denied, vec![]));
    }

    #[test]
    fn a_family_that_is_not_there_does_not_count() {
        let tried = |at: &str, plain| Try::made_up(at, plain, plain);
        let v4 = |plain| tried("0.0.0.0:80", plain);
        let no_v6 = tried("[::]:80", Verdict::NoSuchFamily);
        assert!(can_bind(&[v4(Verdict::Bound), no_v6]));
        assert!(!can_bind(&[v4(Verdict::InUse), no_v6]));
        assert!(!can_bind(&[no_v6]));
        assert!(!can_bind(&[v4(Verdict::Bound), tried("[::]:80", Verdict::Other(22))]));
    }
}
