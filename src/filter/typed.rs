//! `ADDR[/LEN][:PORT]` and `:PORT`, as typed, in all the forms that ss takes.
//!
//! Numbers are decimal, `0x` hexadecimal or, with a `0` before them, octal. An IPv4 address may lack its last parts,
//! which are 0 then: `127/8`, and `10.1` is 10.1.0.0. A prefix may be given by its mask, `10.0.0.0/255.0.0.0`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::endpoint::Net;
use crate::model::{v4_mask, v6_mask};

/// An endpoint as typed: a name may stand for the address, and for the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) host: TypedHost,
    pub(super) port: TypedPort,
    /// Only of an IPv4 socket.
    pub(super) inet_only: bool,
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
    /// `inet:::1`
    #[error("behind a family stands an address of that family")]
    Family,
    /// `%eth0`
    #[error("an address here has no '%DEVICE'")]
    Zone,
}

fn net(addr: IpAddr, len: Option<&str>) -> Result<Net, BadEndpoint> {
    match addr {
        IpAddr::V4(addr) => {
            let len = len.map_or(Ok(32), |len| mask_len(len).map_or_else(|| prefix_len(len, 32), Ok))?;
            Ok(Net::V4 { addr: u32::from(addr) & v4_mask(len), len })
        }
        IpAddr::V6(addr) => {
            let len = len.map_or(Ok(128), |len| prefix_len(len, 128))?;
            Ok(Net::V6 { addr: u128::from(addr) & v6_mask(len), len })
        }
    }
}

fn prefix_len(len: &str, max: u8) -> Result<u8, BadEndpoint> {
    number(len).filter(|bits| *bits <= max).ok_or_else(|| BadEndpoint::Len { len: len.to_owned(), max })
}

/// The length of a prefix that is given by its mask.
fn mask_len(mask: &str) -> Option<u8> {
    let mask = u32::from(mask.parse::<Ipv4Addr>().ok()?);
    let len = u8::try_from(mask.leading_ones()).ok()?;
    (v4_mask(len) == mask).then_some(len)
}

/// A number as C has it.
pub(super) fn number<T: TryFrom<u32>>(text: &str) -> Option<T> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    // `from_str_radix` would take a sign too.
    let number = if digits.starts_with('+') { None } else { u32::from_str_radix(digits, radix).ok() };
    number.and_then(|number| T::try_from(number).ok())
}

/// One to four numbers; the parts that lack are 0.
fn v4(text: &str) -> Option<Ipv4Addr> {
    let mut bytes = [0_u8; 4];
    for (at, part) in text.split('.').enumerate() {
        *bytes.get_mut(at)? = number(part)?;
    }
    Some(bytes.into())
}

/// A number of plain digits: `parse` alone would take a sign too.
pub(super) fn digits<T: FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A port's number, or the name of a service.
pub(super) fn port(text: &str) -> Result<TypedPort, BadEndpoint> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+');
    if let Some(number) = number(text) {
        return Ok(TypedPort::Number(number));
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) || text.is_empty() || !text.bytes().all(is_name) {
        return Err(BadEndpoint::Port(text.to_owned()));
    }
    Ok(TypedPort::Service(text.to_owned()))
}

/// `ADDR[/LEN]`, or a host's name; `*`, ss's words for it and nothing at all are any address.
fn host(text: &str) -> Result<TypedHost, BadEndpoint> {
    if matches!(text, "" | "*" | "any" | "all" | "default") {
        return Ok(TypedHost::Any);
    }
    let (addr, len) = text.split_once('/').map_or((text, None), |(addr, len)| (addr, Some(len)));
    if addr.contains('%') {
        return Err(BadEndpoint::Zone);
    }
    let parsed = v4(addr).map(IpAddr::from).or_else(|| addr.parse().ok().map(|addr: Ipv6Addr| addr.into()));
    match parsed {
        Some(addr) => net(addr, len).map(TypedHost::Net),
        None if len.is_none() && is_host_name(addr) => Ok(TypedHost::Name(addr.to_owned())),
        None => Err(BadEndpoint::Addr(addr.to_owned())),
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
        if let Some(rest) = word.strip_prefix("inet:") {
            return Self::from_str(rest)?.of_inet();
        }
        if let Some(rest) = word.strip_prefix("inet6:") {
            return Self::from_str(rest)?.of_inet6();
        }
        if let Some(rest) = word.strip_prefix('[') {
            return bracketed(rest);
        }
        if word.bytes().filter(|b| *b == b':').count() > 1 {
            // Without brackets all of it is address; `ADDR/LEN:PORT` is what most people who err here mean.
            if word.split_once('/').is_some_and(|(_, len)| len.contains(':')) {
                return Err(BadEndpoint::Brackets);
            }
            return Ok(Self { host: host(word)?, port: TypedPort::Any, inet_only: false });
        }
        match word.rsplit_once(':') {
            Some((addr, number)) => Ok(Self { host: host(addr)?, port: port(number)?, inet_only: false }),
            None => Ok(Self { host: host(word)?, port: TypedPort::Any, inet_only: false }),
        }
    }
}

impl Typed {
    /// The same of IPv4 sockets only, and so of no v4-mapped address.
    fn of_inet(self) -> Result<Self, BadEndpoint> {
        match self.host {
            TypedHost::Any | TypedHost::Net(Net::V4 { .. }) => Ok(Self { inet_only: true, ..self }),
            TypedHost::Net(Net::V6 { .. }) | TypedHost::Name(_) => Err(BadEndpoint::Family),
        }
    }

    /// The same of IPv6 sockets only.
    fn of_inet6(self) -> Result<Self, BadEndpoint> {
        match self.host {
            TypedHost::Any => Ok(Self { host: TypedHost::Net(Net::ALL_V6), ..self }),
            TypedHost::Net(Net::V6 { .. }) => Ok(self),
            TypedHost::Net(Net::V4 { .. }) | TypedHost::Name(_) => Err(BadEndpoint::Family),
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
    Ok(Typed { host: host(&format!("{inside}{len}"))?, port, inet_only: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::EndpointMatch;
    use crate::model::Endpoint;

    fn end(addr: &str, port: u16) -> Endpoint {
        Endpoint::new(addr.parse().unwrap(), port)
    }

    fn fits(term: &str, addr: &str, port: u16) -> bool {
        let Typed { host, port: typed, .. } = term.parse().unwrap();
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
        for bad in
            ["1.2.3.4/33", "::1/129", "1.2.3.4/", "1.2.3.4/+8", "::1/x", "10/255.0.255.0", "::/255.0.0.0"]
        {
            assert!(matches!(bad.parse::<Typed>(), Err(BadEndpoint::Len { .. })), "{bad}");
        }
    }

    #[test]
    fn all_the_forms_of_ss() {
        assert!(fits("127/8", "127.9.9.9", 1) && !fits("127", "127.9.9.9", 1));
        assert!(fits("10.1", "10.1.0.0", 1) && fits("0x7f.1:0x50", "127.1.0.0", 80));
        assert!(fits("010.1:0120", "8.1.0.0", 80) && fits("[127/8]:80", "127.0.0.1", 80));
        assert!(fits("10.9.9.9/255.255.0.0", "10.9.1.1", 1) && !fits("10/255.255.0.0", "10.9.1.1", 1));
        assert!(fits("10.0.0.0/0x8", "10.1.1.1", 1));
        for any in ["any:80", "all:80", "default:80", "*:80", ":80", "[any]:80"] {
            assert!(fits(any, "::1", 80) && fits(any, "1.2.3.4", 80) && !fits(any, "::1", 81), "{any}");
        }
        assert!(fits("inet6:any:5", "::1", 5) && !fits("inet6:[::1]:80", "::1", 5));
        assert!(fits("inet:127/8:80", "127.0.0.1", 80) && fits("inet6:::1", "::1", 80));
    }

    #[test]
    fn what_is_no_endpoint() {
        assert_eq!(":65536".parse::<Typed>(), Err(BadEndpoint::Port("65536".into())));
        for bad in ["1.2.3.4.5", "1.2.256", "10.", "1..2", "08.1", "300", "+1.2", "0x.1"] {
            assert_eq!(bad.parse::<Typed>(), Err(BadEndpoint::Addr(bad.into())));
        }
        for bad in ["inet:[::1]:80", "inet6:127/8", "inet:host.example"] {
            assert_eq!(bad.parse::<Typed>(), Err(BadEndpoint::Family), "{bad}");
        }
        assert_eq!("fe80::1%eth0".parse::<Typed>(), Err(BadEndpoint::Zone));
    }
}
