//! Answers made by hand, as they are written.

use std::sync::Arc;

use super::*;
use crate::bind::{Facts, Occupant, Target};
use crate::model::{
    Endpoint, Family, Holder, OwnerNote, Process, Setting, Settings, Socket, Source, TcpState, Timer,
};

fn occupant(state: TcpState, addr: &str, pid: Option<u32>) -> Occupant {
    let local = Endpoint::new(addr.parse().unwrap(), 443);
    let family = if local.addr.is_ipv4() { Family::Inet } else { Family::Inet6 };
    let mut socket = Socket::new(family, state, local, Endpoint::unspecified(family));
    socket.inode = pid.map(u64::from);
    let process = |pid| Holder { process: Arc::new(Process::new(pid, b"ng\x1b[inx".as_slice())), fd: 3 };
    Occupant {
        holders: pid.map(process).into_iter().collect(),
        owner_note: OwnerNote::of(&socket),
        socket,
        device: None,
    }
}

fn time_wait(addr: &str, expires_ms: u32) -> Occupant {
    let mut left = occupant(TcpState::TimeWait, addr, None);
    left.socket.timer = Some(Timer::TimeWait { expires_ms });
    left
}

fn outgoing(addr: &str, peer: &str, pid: u32) -> Occupant {
    let mut connection = occupant(TcpState::Established, addr, Some(pid));
    connection.socket.peer = Endpoint::new(peer.parse().unwrap(), 5_432);
    connection
}

fn v6only(mut occupant: Occupant, v6only: bool) -> Occupant {
    occupant.socket.v6only = Some(v6only);
    occupant
}

/// The answer on port 443, the addresses with what came of them.
fn answer(tries: &[(&str, Verdict, Verdict)], occupants: Vec<Occupant>) -> Answer {
    let tries: Vec<_> = tries.iter().map(|(at, plain, reuse)| Try::made_up(at, *plain, *reuse)).collect();
    let addr = if let [only] = &tries[..] { Some(only.at.ip()) } else { None };
    let settings: Settings =
        [(Setting::UnprivilegedPortStart, "1024"), (Setting::LocalReservedPorts, "440-450")]
            .map(|(setting, text)| (setting, text.to_owned()))
            .into_iter()
            .collect();
    let facts = Facts::of(443, &settings);
    Answer::new(Target { addr, device: None, port: 443 }, tries, occupants, facts)
}

fn written(answer: &Answer, json: bool, width: usize) -> String {
    let mut out = Vec::new();
    let style = ReportStyle { json, color: false, width };
    let head = Head { source: Source::Netlink, taken_at: "2026-01-02T03:04:05.678Z" };
    write_answer(&mut out, style, &head, answer, &[]).unwrap();
    String::from_utf8(out).unwrap()
}

/// The last line of the text, which says what to do.
fn advice_on(tries: &[(&str, Verdict, Verdict)], occupants: Vec<Occupant>) -> String {
    written(&answer(tries, occupants), false, 500).lines().last().unwrap().trim().to_owned()
}

fn many() -> Answer {
    let mut other = occupant(TcpState::Listen, "192.0.2.1", None);
    other.owner_note = Some(OwnerNote::NotPermitted);
    other.device = Some("eth0".to_owned());
    let occupants = vec![
        occupant(TcpState::Listen, "0.0.0.0", Some(12)),
        v6only(occupant(TcpState::Listen, "::", Some(12)), true),
        v6only(occupant(TcpState::Close, "::", Some(13)), false),
        other,
        time_wait("127.0.0.1", 1_001),
        time_wait("127.0.0.1", 43_000),
        occupant(TcpState::Established, "::ffff:127.0.0.1", Some(14)),
        occupant(TcpState::Established, "2001:db8:1111:2222:3333:4444:5555:6666", Some(14)),
        outgoing("192.0.2.7", "198.51.100.1", 15),
        occupant(TcpState::SynRecv, "127.0.0.1", None),
        occupant(TcpState::LastAck, "127.0.0.1", None),
    ];
    answer(&[("0.0.0.0:443", Verdict::InUse, Verdict::InUse)], occupants)
}

#[test]
fn every_relation_has_its_words() {
    insta::assert_snapshot!("many_holders", written(&many(), false, 80));
    insta::assert_snapshot!("many_holders_json", written(&many(), true, 80));
}

#[test]
fn it_keeps_to_the_width() {
    for width in [60, 70, 80] {
        let text = written(&many(), false, width);
        let longest =
            text.lines().filter(|line| !line.contains("2001:db8")).map(|line| line.chars().count()).max();
        assert!(longest.unwrap() <= width, "{text}");
    }
}

#[test]
fn a_crowd_is_cut_and_says_so() {
    let crowd =
        (1..=20).map(|last| occupant(TcpState::Established, &format!("10.0.0.{last}"), Some(5))).collect();
    let answer = answer(&[("0.0.0.0:443", Verdict::InUse, Verdict::Bound)], crowd);
    let text = written(&answer, false, 80);
    assert_eq!(text.matches("ESTABLISHED").count(), 12, "{text}");
    assert!(text.contains("  and 8 more, which --json lists.\n"), "{text}");
    assert_eq!(written(&answer, true, 80).matches("ESTABLISHED").count(), 20);
}

#[test]
fn a_socket_that_systemd_holds_is_its_units() {
    let holder = |pid, name: &str| Holder { process: Arc::new(Process::new(pid, name.as_bytes())), fd: 3 };
    let listener = |addr, holders| Occupant { holders, ..occupant(TcpState::Listen, addr, Some(1)) };
    let on = |occupants| advice_on(&[("0.0.0.0:443", Verdict::InUse, Verdict::InUse)], occupants);
    let activated = || listener("0.0.0.0", vec![holder(1, "systemd"), holder(42, "sshd")]);
    assert_eq!(
        on(vec![activated()]),
        "Stop 42/sshd and the socket unit of 1/systemd (`systemctl list-sockets` names it), or take another port."
    );
    assert_eq!(
        on(vec![activated(), listener("127.0.0.1", vec![holder(7, "nginx")])]),
        "Stop 7/nginx, 42/sshd and the socket unit of 1/systemd (`systemctl list-sockets` names it), or take another port."
    );
    assert_eq!(
        on(vec![listener("0.0.0.0", vec![holder(700, "systemd")])]),
        "Stop the socket unit of 700/systemd (`systemctl --user list-sockets` names it), or take another port."
    );
}

#[test]
fn every_case_has_one_line_of_advice() {
    use Verdict::{Bound, Denied, Forbidden, InUse, NoSuchAddress, NoSuchFamily, Other};
    let v4 = |plain, reuse| [("0.0.0.0:443", plain, reuse)];
    let mut of_root = occupant(TcpState::Listen, "0.0.0.0", None);
    of_root.owner_note = Some(OwnerNote::NotPermitted);
    let mut with_hint = answer(&v4(InUse, InUse), vec![of_root.clone()]);
    with_hint.facts.to_see_holders = Some("root lacks CAP_SYS_PTRACE here".to_owned());
    let with_hint = written(&with_hint, false, 500).lines().last().unwrap().trim().to_owned();
    let mut of_nobody = occupant(TcpState::Listen, "0.0.0.0", None);
    of_nobody.owner_note = Some(OwnerNote::NotFound);
    let lines = [
        advice_on(&v4(Bound, Bound), Vec::new()),
        advice_on(&v4(InUse, Bound), vec![time_wait("127.0.0.1", 1)]),
        advice_on(&v4(InUse, Bound), vec![occupant(TcpState::Established, "127.0.0.1", Some(1))]),
        advice_on(&v4(InUse, InUse), vec![time_wait("127.0.0.1", 59_001)]),
        advice_on(&v4(InUse, InUse), vec![occupant(TcpState::LastAck, "127.0.0.1", None)]),
        advice_on(&v4(InUse, InUse), vec![occupant(TcpState::Listen, "0.0.0.0", Some(1))]),
        advice_on(&v4(InUse, InUse), vec![occupant(TcpState::Listen, "127.0.0.1", Some(1))]),
        advice_on(&v4(InUse, InUse), vec![occupant(TcpState::Close, "0.0.0.0", Some(1))]),
        advice_on(&v4(InUse, InUse), vec![of_root]),
        with_hint,
        advice_on(&v4(InUse, InUse), vec![of_nobody]),
        advice_on(&v4(InUse, InUse), Vec::new()),
        advice_on(&v4(Denied, Denied), Vec::new()),
        advice_on(&v4(Denied, Denied), vec![occupant(TcpState::Listen, "0.0.0.0", Some(1))]),
        advice_on(&v4(Denied, Denied), vec![occupant(TcpState::Close, "0.0.0.0", Some(1))]),
        advice_on(&v4(Denied, Denied), vec![v6only(occupant(TcpState::Listen, "::", Some(1)), true)]),
        advice_on(&v4(NoSuchAddress, NoSuchAddress), Vec::new()),
        advice_on(&[("[::]:443", NoSuchFamily, NoSuchFamily)], Vec::new()),
        advice_on(&v4(Forbidden, Forbidden), Vec::new()),
        advice_on(&v4(Other(22), Other(22)), Vec::new()),
    ];
    insta::assert_snapshot!("advice", lines.join("\n"));
}
