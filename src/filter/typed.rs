//! `ADDR[/LEN][:PORT]` and `:PORT`, as typed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::endpoint::{Net, v4_mask, v6_mask};

/// An endpoint as typed: a name may stand for the address, and for the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) host: TypedHost,
    pub(super) port: TypedPort,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TypedHost {
    Any,
    Net(Net),
    Name(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TypedPort {
    Any,
    Number(u16),
    Service(String),
}

/// What is wrong with a word that should be an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEndpoint {
    /// The part behind the last colon.
    #[error("'{0}' is no port number from 0 to 65535")]
    Port(String),
    /// The part before it.
    #[error("'{0}' is no numeric IPv4 or IPv6 address")]
    Addr(String),
    /// The part behind the slash.
    #[error("'{len}' is no prefix length from 0 to {max}")]
    Len {
        /// As typed.
        len: String,
        /// 32 or 128.
        max: u8,
    },
    /// `[` without `]`, or something else than `:PORT` behind it.
    #[error("an IPv6 address with a port is written [ADDR]:PORT")]
    Brackets,
    /// `%eth0`
    #[error("an address here has no '%DEVICE'")]
    Zone,
}

fn net(addr: IpAddr, len: Option<&str>) -> Result<Net, BadEndpoint> {
    match addr {
        IpAddr::V4(addr) => {
            let len = prefix_len(len, 32)?;
            Ok(Net::V4 { addr: u32::from(addr) & v4_mask(len), len })
        }
        IpAddr::V6(addr) => {
            let len = prefix_len(len, 128)?;
            Ok(Net::V6 { addr: u128::from(addr) & v6_mask(len), len })
        }
    }
}

fn prefix_len(len: Option<&str>, max: u8) -> Result<u8, BadEndpoint> {
    let Some(len) = len else { return Ok(max) };
    digits(len).filter(|bits| *bits <= max).ok_or_else(|| BadEndpoint::Len { len: len.to_owned(), max })
}

/// A number of plain digits: `parse` alone would take a sign too.
pub(super) fn digits<T: FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A port's number, or the name of a service.
pub(super) fn port(text: &str) -> Result<TypedPort, BadEndpoint> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+');
    if let Some(number) = digits(text) {
        return Ok(TypedPort::Number(number));
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) || text.is_empty() || !text.bytes().all(is_name) {
        return Err(BadEndpoint::Port(text.to_owned()));
    }
    Ok(TypedPort::Service(text.to_owned()))
}

/// `ADDR[/LEN]`, or a host's name; `*` and nothing at all are any address.
fn host(text: &str) -> Result<TypedHost, BadEndpoint> {
    if text.is_empty() || text == "*" {
        return Ok(TypedHost::Any);
    }
    let (addr, len) = text.split_once('/').map_or((text, None), |(addr, len)| (addr, Some(len)));
    if addr.contains('%') {
        return Err(BadEndpoint::Zone);
    }
    let parsed =
        addr.parse::<Ipv4Addr>().map(IpAddr::from).or_else(|_| addr.parse::<Ipv6Addr>().map(IpAddr::from));
    match parsed {
        Ok(addr) => net(addr, len).map(TypedHost::Net),
        Err(_) if len.is_none() && is_host_name(addr) => Ok(TypedHost::Name(addr.to_owned())),
        Err(_) => Err(BadEndpoint::Addr(addr.to_owned())),
    }
}

/// Labels of letters, digits and hyphens; the last one is no number, so that a mistyped address is none.
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    let last = text.rsplit('.').next().unwrap_or_default();
    text.split('.').all(is_label) && last.contains(|c: char| c.is_ascii_alphabetic())
}

impl FromStr for Typed {
    type Err = BadEndpoint;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        if let Some(rest) = word.strip_prefix('[') {
            return bracketed(rest);
        }
        if word.bytes().filter(|b| *b == b':').count() > 1 {
            // Without brackets all of it is address; `ADDR/LEN:PORT` is what most people who err here mean.
            if word.split_once('/').is_some_and(|(_, len)| len.contains(':')) {
                return Err(BadEndpoint::Brackets);
            }
            return Ok(Self { host: host(word)?, port: TypedPort::Any });
        }
        match word.rsplit_once(':') {
            Some((addr, number)) => Ok(Self { host: host(addr)?, port: port(number)? }),
            None => Ok(Self { host: host(word)?, port: TypedPort::Any }),
        }
    }
}

/// What follows `[`: `ADDR]`, `ADDR]:PORT`, with `/LEN` on either side of the bracket.
fn bracketed(rest: &str) -> Result<Typed, BadEndpoint> {
    let (inside, outside) = rest.split_once(']').ok_or(BadEndpoint::Brackets)?;
    let (len, number) = match outside.split_once(':') {
        Some((len, number)) => (len, Some(number)),
        None => (outside, None),
    };
    if !(len.is_empty() || len.starts_with('/')) {
        return Err(BadEndpoint::Brackets);
    }
    let port = number.map_or(Ok(TypedPort::Any), port)?;
    Ok(Typed { host: host(&format!("{inside}{len}"))?, port })
}

#[cfg(test)]
mod tests {
    use super::super::endpoint::EndpointMatch;
    use super::*;
    use crate::model::Endpoint;

    fn end(addr: &str, port: u16) -> Endpoint {
        Endpoint::new(addr.parse().unwrap(), port)
    }

    fn fits(term: &str, addr: &str, port: u16) -> bool {
        let Typed { host, port: typed } = term.parse().unwrap();
        let net = match host {
            TypedHost::Any => None,
            TypedHost::Net(net) => Some(net),
            TypedHost::Name(name) => panic!("{name} is a name"),
        };
        let number = match typed {
            TypedPort::Any => None,
            TypedPort::Number(number) => Some(number),
            TypedPort::Service(name) => panic!("{name} is a service"),
        };
        EndpointMatch::new(net, number).matches(&end(addr, port))
    }

    #[test]
    fn ipv4_terms_fit_mapped_addresses() {
        assert!(fits("10.0.0.0/8", "::ffff:10.1.2.3", 1));
        assert!(!fits("10.0.0.0/8", "::ffff:11.1.2.3", 1));
        assert!(!fits("0.0.0.0/0", "2001:db8::1", 1));
        assert!(!fits("::/0", "10.0.0.1", 1));
    }

    #[test]
    fn ipv6_needs_brackets_for_a_port() {
        assert!(fits("::1", "::1", 9));
        assert!(fits("[::1]:80", "::1", 80));
        assert!(!fits("[::1]:80", "::1", 81));
        assert!(fits("[2001:db8::]/32:443", "2001:db8:5::1", 443));
        assert!(fits("[2001:db8::/32]:443", "2001:db8:5::1", 443));
        // All of it is address, as in ss.
        assert!(fits("::1:80", "::1:80", 5));
        assert_eq!("2001:db8::/32:443".parse::<Typed>(), Err(BadEndpoint::Brackets));
        assert_eq!("[::1".parse::<Typed>(), Err(BadEndpoint::Brackets));
        assert_eq!("[::1]80".parse::<Typed>(), Err(BadEndpoint::Brackets));
    }

    #[test]
    fn the_edges_of_prefix_lengths() {
        assert!(fits("1.2.3.4/0", "9.9.9.9", 1));
        assert!(fits("1.2.3.4/32", "1.2.3.4", 1));
        assert!(fits("::/0", "ff02::1", 1));
        for bad in ["1.2.3.4/33", "::1/129", "1.2.3.4/", "1.2.3.4/+8", "::1/x"] {
            assert!(matches!(bad.parse::<Typed>(), Err(BadEndpoint::Len { .. })), "{bad}");
        }
    }

    #[test]
    fn what_is_no_endpoint() {
        assert_eq!(":65536".parse::<Typed>(), Err(BadEndpoint::Port("65536".into())));
        assert_eq!("1.2.3:80".parse::<Typed>(), Err(BadEndpoint::Addr("1.2.3".into())));
        assert_eq!("fe80::1%eth0".parse::<Typed>(), Err(BadEndpoint::Zone));
    }
}
