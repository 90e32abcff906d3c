//! A filter as the kernel's `INET_DIAG_REQ_BYTECODE` (`inet_diag_bc_run` in net/ipv4/inet_diag.c).
//!
//! The kernel runs a program from its start. If an operation's condition holds, the next operation follows; if not,
//! the kernel jumps `no` bytes ahead. A jump exactly to the end accepts the socket; 4 bytes past the end rejects it.

use super::endpoint::Net;
use super::expr::{Device, End, Expr, Term};
use super::lexer::Compare;

/// The operations, by the kernel's numbers.
pub mod code {
    /// Always jumps to `no`.
    pub const JMP: u8 = 1;
    /// Local port at least.
    pub const S_GE: u8 = 2;
    /// Local port at most.
    pub const S_LE: u8 = 3;
    /// Peer's port at least.
    pub const D_GE: u8 = 4;
    /// Peer's port at most.
    pub const D_LE: u8 = 5;
    /// The kernel chose the local port.
    pub const AUTO: u8 = 6;
    /// Local address and port.
    pub const S_COND: u8 = 7;
    /// Peer's address and port.
    pub const D_COND: u8 = 8;
    /// The device.
    pub const DEV_COND: u8 = 9;
    /// The mark; needs CAP_NET_ADMIN.
    pub const MARK_COND: u8 = 10;
    /// Local port (Linux 5.16).
    pub const S_EQ: u8 = 11;
    /// Peer's port (Linux 5.16).
    pub const D_EQ: u8 = 12;
    /// The cgroup (Linux 5.9).
    pub const CGROUP_COND: u8 = 13;
}

/// An operation's own length.
const OP: usize = 4;
/// Longer programs are not sent: `no` has 16 bits, and the kernel's check takes time quadratic in the length.
const LONGEST: usize = 16 * 1024;

/// The part of a filter that the kernel can evaluate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The bytes of the attribute.
    pub bytes: Vec<u8>,
    /// The condition that the bytes express.
    pub expr: Expr,
}

/// Compiles those parts of the outermost `and` that the kernel can evaluate completely.
pub fn compile(expr: &Expr) -> Option<Program> {
    let mut bytes = Vec::new();
    let mut taken = Vec::new();
    for part in expr.conjuncts() {
        let Some(code) = assemble(part) else { continue };
        if bytes.len() + code.len() > LONGEST {
            continue;
        }
        bytes = and(bytes, code);
        taken.push(part.clone());
    }
    if taken.is_empty() {
        return None;
    }
    let expr = if taken.len() == 1 { taken.remove(0) } else { Expr::And(taken) };
    Some(Program { bytes, expr })
}

/// Two programs that divide all sockets: the second accepts connections whose local or peer port is above `middle`,
/// the first all other sockets, including those without a peer.
pub fn halves(middle: u16) -> [Vec<u8>; 2] {
    let port = |end, compare, value| Expr::Term(Term::Port { end, compare, value });
    let above = |end| port(end, Compare::Greater, middle);
    let is_upper = Expr::And(vec![
        port(End::Peer, Compare::GreaterOrEqual, 1),
        Expr::Or(vec![above(End::Local), above(End::Peer)]),
    ]);
    [is_upper.clone().negated(), is_upper].map(|expr| assemble(&expr).unwrap_or_default())
}

/// Whether the kernel can evaluate all of it.
pub fn is_kernels(expr: &Expr) -> bool {
    assemble(expr).is_some()
}

fn assemble(expr: &Expr) -> Option<Vec<u8>> {
    match expr {
        Expr::Term(term) => term_code(term),
        Expr::Not(inner) => assemble(inner).map(not),
        Expr::And(parts) => parts.iter().try_fold(Vec::new(), |code, part| short(and(code, assemble(part)?))),
        Expr::Or(parts) => {
            let (first, rest) = parts.split_first()?;
            rest.iter().try_fold(assemble(first)?, |code, part| short(or(code, assemble(part)?)))
        }
    }
    .and_then(short)
}

/// The program, if it is short enough to be sent. Checked at each step: `and` rewrites the whole first program.
fn short(code: Vec<u8>) -> Option<Vec<u8>> {
    (code.len() <= LONGEST).then_some(code)
}

/// Jumps of the first program that reject are extended past the second.
fn and(mut first: Vec<u8>, second: Vec<u8>) -> Vec<u8> {
    let (end, more) = (first.len(), second.len());
    let mut at = 0;
    while let Some(op) = first.get_mut(at..at + OP) {
        let no = usize::from(u16::from_ne_bytes([op[2], op[3]]));
        if at + no == end + OP {
            op[2..].copy_from_slice(&narrow(no + more).to_ne_bytes());
        }
        at += usize::from(op[1]).max(OP);
    }
    first.extend(second);
    first
}

/// A socket that the first program accepts jumps over the second; a rejected socket enters the second.
fn or(mut first: Vec<u8>, second: Vec<u8>) -> Vec<u8> {
    first.extend(op(code::JMP, OP, OP + second.len()));
    first.extend(second);
    first
}

/// A socket that the program accepts reaches the appended jump, which rejects it; a rejected socket skips the jump.
fn not(mut code: Vec<u8>) -> Vec<u8> {
    code.extend(op(code::JMP, OP, 2 * OP));
    code
}

fn op(code: u8, yes: usize, no: usize) -> [u8; OP] {
    let [low, high] = narrow(no).to_ne_bytes();
    [code, u8::try_from(yes).unwrap_or(u8::MAX), low, high]
}

/// Lossless: programs are at most `LONGEST` bytes long.
fn narrow(no: usize) -> u16 {
    u16::try_from(no).unwrap_or(u16::MAX)
}

/// An operation with its operand behind it.
fn with_operand(code: u8, operand: &[u8]) -> Vec<u8> {
    let len = OP + operand.len();
    let mut bytes = op(code, len, len + OP).to_vec();
    bytes.extend(operand);
    bytes
}

fn term_code(term: &Term) -> Option<Vec<u8>> {
    match term {
        Term::Endpoint { end, matcher } => {
            let (net, port) = matcher.parts();
            Some(either(*end, |end| host_code(end, net, port)))
        }
        Term::Port { end, compare, value } => Some(either(*end, |end| port_code(end, *compare, *value))),
        Term::Device(Device::Index(index)) => Some(with_operand(code::DEV_COND, &index.to_ne_bytes())),
        Term::Mark { value, mask } => {
            Some(with_operand(code::MARK_COND, &[value.to_ne_bytes(), mask.to_ne_bytes()].concat()))
        }
        Term::Cgroup { id: Some(id), .. } => Some(with_operand(code::CGROUP_COND, &id.to_ne_bytes())),
        Term::Autobound { range } => {
            let auto = op(code::AUTO, OP, 2 * OP).to_vec();
            let Some((first, last)) = *range else { return Some(auto) };
            let port = |compare, port| port_code(End::Local, compare, port);
            let in_range = and(port(Compare::GreaterOrEqual, first), port(Compare::LessOrEqual, last));
            Some(and(auto, in_range))
        }
        _ => None,
    }
}

fn either(end: End, code: impl Fn(End) -> Vec<u8>) -> Vec<u8> {
    match end {
        End::Either => or(code(End::Local), code(End::Peer)),
        one => code(one),
    }
}

fn port_code(end: End, compare: Compare, port: u16) -> Vec<u8> {
    let local = end == End::Local;
    let (equal, at_least, at_most) =
        if local { (code::S_EQ, code::S_GE, code::S_LE) } else { (code::D_EQ, code::D_GE, code::D_LE) };
    // The second operation's `no` holds the port.
    let simple = |code| [op(code, 2 * OP, 3 * OP), op(0, 0, usize::from(port))].concat();
    match compare {
        Compare::Equal => simple(equal),
        Compare::NotEqual => not(simple(equal)),
        Compare::GreaterOrEqual => simple(at_least),
        Compare::LessOrEqual => simple(at_most),
        Compare::Less => not(simple(at_least)),
        Compare::Greater => not(simple(at_most)),
    }
}

/// `struct inet_diag_hostcond`: family, prefix length, two bytes of padding, port (-1 for any), address.
fn host_code(end: End, net: Option<Net>, port: Option<u16>) -> Vec<u8> {
    const AF_UNSPEC: u8 = 0;
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;
    let code = if end == End::Local { code::S_COND } else { code::D_COND };
    let (family, len, addr) = match net {
        None => (AF_UNSPEC, 0, Vec::new()),
        Some(Net::V4 { addr, len }) => (AF_INET, len, addr.to_be_bytes().to_vec()),
        Some(Net::V6 { addr, len }) => (AF_INET6, len, addr.to_be_bytes().to_vec()),
    };
    let port = port.map_or(-1, i32::from);
    let mut operand = vec![family, len, 0, 0];
    operand.extend(port.to_ne_bytes());
    operand.extend(addr);
    with_operand(code, &operand)
}

#[cfg(test)]
mod tests;
