//! The part of a filter that the kernel can test on trace events (`events/GROUP/NAME/filter`), to record fewer.
//!
//! The text accepts at least the events that the filter asks for. A trace also needs the events of the peer's socket,
//! so either end may match. An unset field matches too: the kernel reports SYN_SENT before it chooses the local port,
//! and before 6.14 it reports a listener's new socket before it sets the peer. States are left out, because the time
//! in a state needs the previous event.

use std::net::Ipv4Addr;

use super::endpoint::Net;
use super::expr::{Expr, Term};
use super::lexer::Compare;

/// The kernel accepts filters of 199 comparisons and refuses those of 399.
const MOST: usize = 100;

/// A filter on events, in the kernel's language; `None` if all must be recorded.
pub fn compile(expr: &Expr) -> Option<String> {
    let parts: Vec<_> = expr.conjuncts().iter().filter_map(alternatives).collect();
    let is_short = parts.iter().map(Vec::len).sum::<usize>() <= MOST;
    let parts: Vec<_> = parts.iter().map(|part| format!("({})", part.join(" || "))).collect();
    Some(parts.join(" && ")).filter(|text| is_short && !text.is_empty())
}

/// Comparisons, at least one of which holds if the condition holds; `None` if the kernel cannot test the condition.
fn alternatives(part: &Expr) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut add = |expr: &Expr| {
        let Expr::Term(term) = expr else { return None };
        for comparison in comparisons(term)? {
            if !found.contains(&comparison) {
                found.push(comparison);
            }
        }
        Some(())
    };
    match part {
        Expr::Or(parts) => parts.iter().try_for_each(&mut add),
        one => add(one),
    }?;
    Some(found)
}

fn comparisons(term: &Term) -> Option<Vec<String>> {
    match term {
        Term::Port { compare, value, .. } => port(*compare, (*value).into()),
        Term::Endpoint { matcher, .. } => match matcher.parts() {
            (_, Some(wanted)) => port(Compare::Equal, wanted.into()),
            (Some(Net::V4 { addr, len: 32 }), None) => Some(address(addr.into())),
            _ => None,
        },
        _ => None,
    }
}

fn port(compare: Compare, value: u64) -> Option<Vec<String>> {
    let compare = match compare {
        Compare::Equal => "==",
        Compare::Less => "<",
        Compare::LessOrEqual => "<=",
        Compare::Greater => ">",
        Compare::GreaterOrEqual => ">=",
        Compare::NotEqual => return None,
    };
    let value = u16::try_from(value).ok()?;
    Some(vec![
        format!("sport {compare} {value}"),
        format!("dport {compare} {value}"),
        "sport == 0".to_owned(),
        "dport == 0".to_owned(),
    ])
}

/// The kernel compares the four bytes as one number. IPv6 sockets always pass: their addresses may be v4-mapped, and
/// their IPv4 fields do not show that reliably.
fn address(addr: Ipv4Addr) -> Vec<String> {
    let number = u32::from_ne_bytes(addr.octets());
    vec![
        "family == 10".to_owned(),
        format!("saddr == {number}"),
        format!("daddr == {number}"),
        "saddr == 0".to_owned(),
        "daddr == 0".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Dialect, Filter};

    fn compiled(text: &str) -> Option<String> {
        compile(&Filter::parse(text, Dialect::Own).unwrap().expr)
    }

    #[test]
    fn ports_are_compared_at_either_end_and_may_be_unset() {
        let port = "(sport == 443 || dport == 443 || sport == 0 || dport == 0)";
        for text in [":443", "dport = 443", "sport = 443", "dst 10.0.0.1:443", "sport = 443 or dport = 443"] {
            assert_eq!(compiled(text).as_deref(), Some(port), "{text}");
        }
        let below = compiled("sport <= 1024 and rtt > 5").unwrap();
        assert_eq!(below, "(sport <= 1024 || dport <= 1024 || sport == 0 || dport == 0)");
    }

    #[test]
    fn an_address_is_compared_for_ipv4_only() {
        let number = u32::from_ne_bytes([127, 0, 0, 1]);
        let addr = format!("saddr == {number} || daddr == {number} || saddr == 0 || daddr == 0");
        assert_eq!(compiled("dst 127.0.0.1").unwrap(), format!("(family == 10 || {addr})"));
        let both = compiled("src 127.0.0.1 and dport = 80").unwrap();
        let port = "sport == 80 || dport == 80 || sport == 0 || dport == 0";
        assert_eq!(both, format!("(family == 10 || {addr}) && ({port})"));
    }

    #[test]
    fn what_the_kernel_cannot_test_is_let_through() {
        for text in [
            "",
            "not :443",
            "sport != 443",
            "dst 10.0.0.0/8",
            "dst [::1]",
            "state established",
            "state established or :443",
            "(dport = 443 and dst 10.0.0.1) or dport = 80",
        ] {
            assert_eq!(compiled(text), None, "{text}");
        }
        let many: Vec<_> = (1..=200).map(|port| format!("dport = {port}")).collect();
        assert_eq!(compiled(&many.join(" or ")), None);
    }
}
