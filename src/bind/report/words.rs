//! The words of the answer. Names that other programs chose are escaped here.

use std::borrow::Cow;
use std::io;
use std::net::{IpAddr, Ipv6Addr};

use crate::bind::{Advice, Answer, Blocks, Idle, Judged, Leaves, Occupant, Overlap, Verdict};
use crate::layout::columns::appended;
use crate::layout::text::{capitalised, escaped, push_number};
use crate::model::{Dad, Holder, OwnerNote, TcpState};

/// The error's name in C, or its number if it is rare.
pub(super) fn error_name(verdict: Verdict) -> Option<Cow<'static, str>> {
    Some(match verdict {
        Verdict::Bound => return None,
        Verdict::InUse => "EADDRINUSE".into(),
        Verdict::Denied => "EACCES".into(),
        Verdict::Forbidden => "EPERM".into(),
        Verdict::NoSuchAddress => "EADDRNOTAVAIL".into(),
        Verdict::NoSuchFamily => "EAFNOSUPPORT".into(),
        Verdict::Other(number) => format!("errno {number}").into(),
    })
}

/// The C library's message for the error.
pub(super) fn error_message(verdict: Verdict) -> Option<String> {
    Some(match verdict {
        Verdict::Bound => return None,
        Verdict::InUse => "Address already in use".to_owned(),
        Verdict::Denied => "Permission denied".to_owned(),
        Verdict::Forbidden => "Operation not permitted".to_owned(),
        Verdict::NoSuchAddress => "Cannot assign requested address".to_owned(),
        Verdict::NoSuchFamily => "Address family not supported by protocol".to_owned(),
        Verdict::Other(number) => io::Error::from_raw_os_error(number).to_string(),
    })
}

/// Notes about the port's settings, and about what the host lacks.
pub(super) fn notes(answer: &Answer) -> Vec<String> {
    let mut notes = Vec::new();
    let Answer { target, facts, .. } = answer;
    let port = target.port;
    if let (Some(true), Some(start)) = (facts.privileged(port), facts.unprivileged_from) {
        notes.push(format!(
            "Port {port} is below net.ipv4.ip_unprivileged_port_start ({start}): to bind it takes CAP_NET_BIND_SERVICE."
        ));
    }
    if facts.reserved == Some(true) {
        notes.push(format!(
            "Port {port} is in net.ipv4.ip_local_reserved_ports: the kernel does not choose it by itself; a program \
             that asks for it may bind it."
        ));
    } else if facts.chosen_from == Some(true) {
        notes.push(format!(
            "Port {port} is in net.ipv4.ip_local_port_range: the kernel may choose it for any outgoing connection."
        ));
    }
    for tried in &answer.tries {
        if tried.plain == Verdict::NoSuchAddress {
            notes.push(no_address(tried.at.ip(), facts.dad));
        }
    }
    if answer.tries.iter().any(|tried| tried.at.ip() == Ipv6Addr::UNSPECIFIED && !tried.v6only) {
        notes.push(format!(
            "A socket bound to :: takes IPv4 too unless it sets IPV6_V6ONLY, and so it was tried; `bind -6 {port}` tries \
             IPv6 alone."
        ));
    }
    if answer.lacks_family() {
        let rest = if answer.tries.len() > 1 { ": only IPv4 counts" } else { "" };
        notes.push(format!("This host has no IPv6{rest}."));
    }
    notes
}

/// Why the address cannot be bound.
fn no_address(addr: IpAddr, dad: Option<Dad>) -> String {
    match dad {
        None => format!("This host does not have the address {addr}."),
        Some(Dad::Tentative) => format!(
            "This host has the address {addr}, but it is tentative: until duplicate address detection is over, nobody \
             may bind it."
        ),
        Some(Dad::Failed) => format!(
            "This host has the address {addr}, but nobody may bind it: duplicate address detection failed, since \
             another host has it too."
        ),
    }
}

/// How the socket's address relates to the address that was tried.
pub(super) fn overlap(overlap: Overlap) -> &'static str {
    match overlap {
        Overlap::Same => "same address",
        Overlap::Wildcard => "wildcard",
        Overlap::DualStack => "dual-stack wildcard",
        Overlap::V6only => "v6only wildcard",
        Overlap::DualStackOrV6only => "IPv6 wildcard",
        Overlap::Within => "within the wildcard",
        Overlap::OtherAddress => "another address",
        Overlap::OtherFamily => "another family",
        Overlap::Ipv6Connection => "IPv6 of a socket that may take IPv4 too",
        Overlap::OtherInterface => "another interface",
        Overlap::HalfOpen => "goes with its listener",
    }
}

/// Whether the socket blocks the bind.
pub(super) fn blocks(judged: &Judged) -> &'static str {
    match (judged.blocks, judged.set_reuse, judged.overlaps) {
        (Blocks::No, ..) => "does not overlap",
        (Blocks::Yes, _, None) => "blocks if it overlaps",
        (Blocks::Yes, Some(false), _) => "blocks (SO_REUSEADDR was not set)",
        (Blocks::Yes, ..) => "blocks",
        (Blocks::UnlessReuse, _, None) => "blocks if it overlaps, unless it set SO_REUSEADDR",
        (Blocks::UnlessReuse, Some(true), _) => "blocks a plain bind only (SO_REUSEADDR was set)",
        (Blocks::UnlessReuse, ..) => "blocks unless it set SO_REUSEADDR",
    }
}

/// The processes that hold the socket, or why none does.
pub(super) fn owner(occupant: &Occupant) -> Option<String> {
    if !occupant.holders.is_empty() {
        let waits = occupant.owner_note == Some(OwnerNote::NotAccepted);
        return Some(format!(
            "{}{}",
            processes(&occupant.holders),
            if waits { " (not accepted)" } else { "" }
        ));
    }
    match occupant.owner_note? {
        // Their states already say so.
        OwnerNote::TimeWait | OwnerNote::HalfOpen => None,
        note => Some(note.to_string()),
    }
}

/// The most processes to name.
const FEW: usize = 3;

fn processes<'a>(holders: impl IntoIterator<Item = &'a Holder>) -> String {
    let mut each: Vec<_> = holders.into_iter().map(|Holder { process, .. }| process).collect();
    each.sort_by_key(|process| process.pid);
    each.dedup_by_key(|process| process.pid);
    let more = each.len().saturating_sub(FEW);
    let names: Vec<_> = each
        .into_iter()
        .take(FEW)
        .map(|process| format!("{}/{}", process.pid, escaped(&process.name)))
        .collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.join(", ") + &more
}

/// A time to wait, in whole seconds.
pub(super) fn seconds(leaves: Leaves) -> String {
    appended(|out| {
        if leaves.or_sooner {
            out.extend_from_slice(b"at most ");
        }
        push_number(out, leaves.in_ms.div_ceil(1000));
        out.extend_from_slice(b" s");
    })
}

/// What to do.
pub(super) fn advice(answer: &Answer) -> Option<String> {
    let held = answer.occupants.iter().any(|judged| judged.blocks != Blocks::No);
    Some(match &answer.advice {
        Advice::Nothing => return None,
        Advice::EnableFamily => "Bind an IPv4 address, or boot the kernel with IPv6.".to_owned(),
        Advice::UseOwnAddress => {
            "Bind an address that `ip address` shows, or 0.0.0.0; net.ipv4.ip_nonlocal_bind and \
             net.ipv6.ip_nonlocal_bind would allow others."
                .to_owned()
        }
        Advice::SettleAddress(Dad::Tentative) => {
            "Wait a second or two. A service that starts at boot can wait for network-online.target, or set \
             IPV6_FREEBIND, as net.ipv6.ip_nonlocal_bind does for all."
                .to_owned()
        }
        Advice::SettleAddress(Dad::Failed) => {
            "Take the address from the other host, or give this one another; then add it again.".to_owned()
        }
        Advice::GetPrivilege { unprivileged_from } => format!(
            "Run it as root or with CAP_NET_BIND_SERVICE, or take a port from {unprivileged_from} on{}.",
            if held { "; the port is also in use" } else { "" }
        ),
        Advice::AskPolicy => {
            "Look for a rule that forbids it: SELinux, AppArmor, Landlock, or a program on the cgroup."
                .to_owned()
        }
        Advice::MindError(_) if is_ipv6_multicast(answer) => {
            "Bind an address of this host: TCP has no multicast.".to_owned()
        }
        Advice::MindError(verdict) => {
            format!("The kernel says: {}.", error_message(*verdict).unwrap_or_default())
        }
        Advice::SetReuse { free_in: None } => "Set SO_REUSEADDR before the bind, as servers do.".to_owned(),
        Advice::SetReuse { free_in: Some(leaves) } => {
            format!("Set SO_REUSEADDR before the bind, as servers do; or wait {}.", seconds(*leaves))
        }
        Advice::StopListeners(these) | Advice::StopHolders(these) => stop(answer, these),
        Advice::Wait { free_in } => {
            let time = free_in.map_or_else(|| "until the remaining sockets are gone".to_owned(), seconds);
            format!(
                "Wait {time}. SO_REUSEADDR helps only if the remaining sockets had set it too: from the next start of \
                 this server on."
            )
        }
        Advice::LookAgain(idle) => look_again(*idle).to_owned(),
    })
}

/// The kernel refuses IPv6 multicast addresses with EINVAL.
fn is_ipv6_multicast(answer: &Answer) -> bool {
    answer.target.addr.is_some_and(|addr| addr.is_ipv6() && addr.is_multicast())
}

fn look_again(idle: Idle) -> &'static str {
    match idle {
        Idle::Seen => "Try again: the socket that blocked it is gone.",
        Idle::NotInProc => {
            "Try again: the socket that blocked it is gone, or is bound and idle, which /proc does not show."
        }
        Idle::NotListed => {
            "Try again: the socket that blocked it is gone, or is bound and idle, which kernels before Linux 6.8 do not show."
        }
    }
}

fn stop(answer: &Answer, these: &[usize]) -> String {
    let these: Vec<_> = these.iter().filter_map(|number| answer.occupants.get(*number)).collect();
    // If only single addresses are taken, other addresses are free.
    let narrow = these.iter().all(|judged| judged.overlap == Overlap::Within);
    let another = if narrow { "take another port or a single other address" } else { "take another port" };
    if these.iter().all(|judged| judged.occupant.holders.is_empty()) {
        let unseen = these.iter().any(|judged| judged.occupant.owner_note == Some(OwnerNote::NotPermitted));
        return match (&answer.facts.to_see_holders, unseen) {
            (Some(hint), true) => format!("{}, or see who holds it: {hint}.", capitalised(another)),
            (None, true) => format!("{}: not every process could be read.", capitalised(another)),
            (_, false) => {
                format!("{}: no visible process holds it.", capitalised(another))
            }
        };
    }
    let idle = these.iter().all(|judged| judged.occupant.socket.state.shown() == TcpState::Close);
    let why = if idle { ", which holds it idle" } else { "" };
    format!("Stop {}{why}, or {another}.", stopped(&these))
}

/// What to stop. systemd holds the sockets of socket units, and keeps listening if only the service is stopped.
fn stopped(these: &[&Judged]) -> String {
    let holders = || these.iter().flat_map(|judged| &judged.occupant.holders);
    let others = processes(holders().filter(|holder| !is_systemd(holder)));
    let unknown = these.iter().any(|judged| judged.occupant.holders.is_empty());
    let unit = holders().find(|holder| is_systemd(holder)).map(|Holder { process, .. }| {
        let of_user = if process.pid == 1 { "" } else { "--user " };
        format!("the socket unit of {}/systemd (`systemctl {of_user}list-sockets` names it)", process.pid)
    });
    let unknown = unknown.then(|| "the other holders".to_owned());
    let each = [Some(others).filter(|others| !others.is_empty()), unknown, unit];
    each.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

fn is_systemd(holder: &Holder) -> bool {
    *holder.process.name == *b"systemd"
}
