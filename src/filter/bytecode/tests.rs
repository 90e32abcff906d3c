//! The kernel's program against the evaluation here, over random expressions and sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::{code, compile, is_kernels};
use crate::filter::*;
use crate::model::{Endpoint, Family, Socket, TcpState};

fn parse(text: &str) -> Result<Filter, BadFilter> {
    Filter::parse(text, Dialect::Own)
}

fn run(program: &[u8], socket: &Socket) -> bool {
    run_with(program, socket, false)
}

/// The kernel's interpreter, from the text of `inet_diag_bc_run`: what a program says of a socket, whose port the kernel
/// chose or not.
fn run_with(mut program: &[u8], socket: &Socket, auto: bool) -> bool {
    let mut len = i64::try_from(program.len()).unwrap();
    while len > 0 {
        let (op, operand) = program.split_at(4);
        let (yes, no) = (i64::from(op[1]), i64::from(u16::from_ne_bytes([op[2], op[3]])));
        let port = || u16::from_ne_bytes([operand[2], operand[3]]);
        let word = |at: usize| u32::from_ne_bytes(operand[at..at + 4].try_into().unwrap());
        let holds = match op[0] {
            code::JMP => false,
            code::AUTO => auto,
            code::S_EQ => socket.local.port == port(),
            code::D_EQ => socket.peer.port == port(),
            code::S_GE => socket.local.port >= port(),
            code::S_LE => socket.local.port <= port(),
            code::D_GE => socket.peer.port >= port(),
            code::D_LE => socket.peer.port <= port(),
            code::DEV_COND => socket.interface == word(0),
            code::MARK_COND => socket.mark.unwrap_or(0) & word(4) == word(0),
            code::S_COND => host_fits(operand, &socket.local, socket.family),
            code::D_COND => host_fits(operand, &socket.peer, socket.family),
            other => panic!("operation {other}"),
        };
        let step = if holds { yes } else { no };
        assert!(step >= 4 && step % 4 == 0, "the kernel refuses such a program");
        len -= step;
        program = program.get(usize::try_from(step).unwrap()..).unwrap_or_default();
    }
    assert!(len == 0 || len == -4, "the kernel refuses such a program");
    len == 0
}

fn host_fits(operand: &[u8], end: &Endpoint, family: Family) -> bool {
    let (wanted, bits) = (operand[0], u32::from(operand[1]));
    let port = i32::from_ne_bytes(operand[4..8].try_into().unwrap());
    if port != -1 && port != i32::from(end.port) {
        return false;
    }
    let octets = match end.addr {
        IpAddr::V4(addr) => addr.octets().to_vec(),
        IpAddr::V6(addr) => addr.octets().to_vec(),
    };
    let own = if family == Family::Inet { 2 } else { 10 };
    let same_bits = |addr: &[u8], wanted: &[u8]| {
        (0..bits as usize).all(|bit| (addr[bit / 8] ^ wanted[bit / 8]) >> (7 - bit % 8) & 1 == 0)
    };
    if wanted != 0 && wanted != own {
        let is_mapped = own == 10 && wanted == 2 && octets[..10] == [0; 10] && octets[10..12] == [0xff; 2];
        return is_mapped && same_bits(&octets[12..], &operand[8..]);
    }
    bits == 0 || same_bits(&octets, &operand[8..])
}

/// Few addresses and ports, so that terms and sockets meet.
fn addrs() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (0_u8..4).prop_map(|last| Ipv4Addr::new(10, 0, 0, last).into()),
        (0_u16..4).prop_map(|last| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into()),
        (0_u8..4).prop_map(|last| Ipv4Addr::new(10, 0, 0, last).to_ipv6_mapped().into()),
    ]
}

fn sockets() -> impl Strategy<Value = Socket> {
    (addrs(), addrs(), 0_u16..4, 0_u16..4, 0_u32..3, 0_u32..4).prop_map(
        |(local, peer, sport, dport, device, mark)| {
            let v6 = |addr: IpAddr| match addr {
                IpAddr::V4(addr) => addr.to_ipv6_mapped().into(),
                other @ IpAddr::V6(_) => other,
            };
            // Both ends of a socket are of its family.
            let (family, local, peer) = if local.is_ipv4() && peer.is_ipv4() {
                (Family::Inet, local, peer)
            } else {
                (Family::Inet6, v6(local), v6(peer))
            };
            Socket {
                interface: device,
                mark: Some(mark),
                ..Socket::new(
                    family,
                    TcpState::Established,
                    Endpoint::new(local, sport),
                    Endpoint::new(peer, dport),
                )
            }
        },
    )
}

fn terms() -> impl Strategy<Value = String> {
    let compare = prop_oneof![Just("="), Just("!="), Just("<"), Just("<="), Just(">"), Just(">=")];
    let equal = prop_oneof![Just("="), Just("!=")];
    prop_oneof![
        (prop_oneof![Just("sport"), Just("dport"), Just("port")], compare, 0_u16..4)
            .prop_map(|(word, compare, port)| format!("{word} {compare} {port}")),
        (
            prop_oneof![Just("src"), Just("dst"), Just("addr")],
            equal,
            addrs(),
            0_u8..=32,
            proptest::option::of(0_u16..4)
        )
            .prop_map(|(word, equal, addr, len, port)| {
                let (open, close, len) = if addr.is_ipv6() { ("[", "]", len * 4) } else { ("", "", len) };
                let port = port.map(|port| format!(":{port}")).unwrap_or_default();
                format!("{word} {equal} {open}{addr}{close}/{len}{port}")
            }),
        (0_u32..3).prop_map(|device| format!("dev = {device}")),
        (0_u32..4, 0_u32..4).prop_map(|(mark, mask)| format!("fwmark = {mark}/{mask}")),
    ]
}

fn expressions() -> impl Strategy<Value = String> {
    expressions_of(terms())
}

fn with_autobound() -> impl Strategy<Value = String> {
    expressions_of(prop_oneof![4 => terms(), 1 => Just("autobound".to_owned())])
}

/// The kernel chooses from two of the ports.
struct Ports;

impl Names for Ports {
    fn host(&mut self, _: &str) -> Vec<IpAddr> {
        Vec::new()
    }
    fn service(&mut self, _: &str) -> Option<u16> {
        None
    }
    fn user(&mut self, _: &str) -> Option<u32> {
        None
    }
    fn device(&mut self, _: &str) -> Option<u32> {
        None
    }
    fn ephemeral_ports(&mut self) -> (u16, u16) {
        (2, 3)
    }
    fn cgroup(&mut self, _: &str) -> Result<Option<u64>, String> {
        Ok(None)
    }
}

fn expressions_of(terms: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    terms.prop_recursive(5, 40, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| format!("not ({part})")),
            proptest::collection::vec(inner.clone(), 1..4)
                .prop_map(|parts| format!("({})", parts.join(") and ("))),
            proptest::collection::vec(inner, 1..4).prop_map(|parts| format!("({})", parts.join(" or "))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_kernels_program_and_the_evaluation_agree(text in expressions(), socket in sockets()) {
        let expr = parse(&text).unwrap().expr;
        prop_assert!(is_kernels(&expr));
        let here = expr.evaluate(&Row::bare(&socket), Needs::NOTHING);
        let program = compile(&expr).unwrap();
        prop_assert_eq!(Some(run(&program.bytes, &socket)), here, "{}", text);
    }

    #[test]
    fn a_filter_and_its_opposite_part_all_sockets(
        text in with_autobound(), socket in sockets(), auto: bool, asks_kernel: bool,
    ) {
        let has_auto = text.contains("autobound");
        let takes = |text: &str| {
            let expr = parse(text).unwrap().resolve(&mut Ports).unwrap().expr;
            // Without the kernel's word autobound can't be judged, and the command refuses it.
            let program = compile(&expr).filter(|_| asks_kernel || has_auto);
            program.is_none_or(|program| run_with(&program.bytes, &socket, auto))
                && expr.evaluate(&Row::bare(&socket), Needs::NOTHING) != Some(false)
        };
        prop_assert_eq!(takes(&text), !takes(&format!("not ({text})")), "{}", text);
    }

    #[test]
    fn each_socket_is_in_one_half(mut socket in sockets(), middle in 0_u16..4) {
        let takes = |socket: &Socket| bytecode::halves(middle).map(|program| run(&program, socket));
        let above = socket.peer.port > 0 && socket.local.port.max(socket.peer.port) > middle;
        prop_assert_eq!(takes(&socket), [!above, above]);
        socket.peer.port = 0;
        prop_assert_eq!(takes(&socket), [true, false], "listeners have a table of their own");
    }

    #[test]
    fn what_is_shown_reads_the_same(text in expressions(), socket in sockets()) {
        let first = parse(&text).unwrap().expr;
        let second = parse(&first.to_string()).unwrap().expr;
        let row = Row::bare(&socket);
        prop_assert_eq!(first.evaluate(&row, Needs::NOTHING), second.evaluate(&row, Needs::NOTHING));
    }
}
