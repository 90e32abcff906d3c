//! `ADDR[/LEN][%DEVICE][:PORT]` and `:PORT`, as typed or pasted, in all the forms that ss takes, and in those that ss,
//! netstat and this program print.
//!
//! Numbers are decimal, hexadecimal after `0x`, or octal after `0`. Missing last parts of an IPv4 address are 0:
//! `127/8`, and `10.1` is 10.1.0.0. A prefix may be given by its mask, `10.0.0.0/255.0.0.0`.
//!
//! netstat prints an IPv6 address and port without brackets, `:::80` and `fe80::1:8080`. If the whole word is also an
//! address, such as `::1:80`, it is read as an address, as in ss; [`Typed::of_netstat`] is the other reading.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::endpoint::Net;
use crate::model::{v4_mask, v6_mask};

/// An endpoint as typed: a name may stand for the address, and for the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) host: TypedHost,
    /// The device that stands behind `%`.
    pub(super) device: Option<String>,
    pub(super) port: TypedPort,
    /// Matches IPv4 sockets only.
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

/// An address and port, typed where exactly one of each is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneEnd {
    /// The address.
    pub host: OneHost,
    /// The device that stands behind `%`.
    pub device: Option<String>,
    /// The port; `None` where none was typed, or `*`.
    pub port: Option<OnePort>,
}

/// One address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OneHost {
    /// No address, or `*`.
    Any,
    /// By number.
    Addr(IpAddr),
    /// By name.
    Name(String),
}

/// One port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnePort {
    /// By number.
    Number(u16),
    /// By the service's name.
    Service(String),
}

/// Why a word is not an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEndpoint {
    /// The part behind the last colon.
    #[error("'{0}' is not a port number from 0 to 65535")]
    Port(String),
    /// The part before it.
    #[error("'{0}' is not a numeric IPv4 or IPv6 address")]
    Addr(String),
    /// The part behind the slash.
    #[error("'{len}' is not a prefix length from 0 to {max}")]
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
    #[error("expected an address of that family")]
    Family,
    /// `fe80::1%`
    #[error("expected the name of a device after '%'")]
    Device,
    /// `10.0.0.0/8` where one address is wanted.
    #[error("'{0}' is more than one address")]
    Prefix(String),
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

/// The prefix length of a mask.
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

/// One to four numbers; missing parts are 0.
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

/// A port's number, `*` for any, or the name of a service.
pub(super) fn port(text: &str) -> Result<TypedPort, BadEndpoint> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+');
    if let Some(number) = number(text) {
        return Ok(TypedPort::Number(number));
    }
    if text == "*" {
        return Ok(TypedPort::Any);
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
    let parsed = v4(addr).map(IpAddr::from).or_else(|| addr.parse().ok().map(|addr: Ipv6Addr| addr.into()));
    match parsed {
        Some(addr) => net(addr, len).map(TypedHost::Net),
        None if len.is_none() && is_host_name(addr) => Ok(TypedHost::Name(addr.to_owned())),
        None => Err(BadEndpoint::Addr(addr.to_owned())),
    }
}

/// The part before `%`, and the device after it.
fn split_device(text: &str) -> Result<(&str, Option<String>), BadEndpoint> {
    match text.split_once('%') {
        None => Ok((text, None)),
        Some((_, "")) => Err(BadEndpoint::Device),
        Some((addr, device)) => Ok((addr, Some(device.to_owned()))),
    }
}

/// Labels of letters, digits, `-` and `_`; the last has a letter, so that a mistyped address is not a host name.
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
        // A device's name has no colon.
        let (before, behind) = word.split_once('%').map_or((word, None), |(addr, rest)| (addr, Some(rest)));
        let colons = before.bytes().filter(|b| *b == b':').count();
        match (behind, word.rsplit_once(':')) {
            (Some(behind), _) => {
                let (device, number) = behind.split_once(':').map_or((behind, None), |(d, p)| (d, Some(p)));
                Self::new(&format!("{before}%{device}"), number)
            }
            (None, Some((addr, number))) if colons == 1 => Self::new(addr, Some(number)),
            (None, _) if colons > 1 => Self::without_brackets(word),
            (None, _) => Self::new(word, None),
        }
    }
}

impl Typed {
    /// `ADDR[/LEN][%DEVICE]` and what stands behind the colon.
    fn new(addr: &str, number: Option<&str>) -> Result<Self, BadEndpoint> {
        let (addr, device) = split_device(addr)?;
        let port = number.map_or(Ok(TypedPort::Any), port)?;
        Ok(Self { host: host(addr)?, device, port, inet_only: false })
    }

    /// An IPv6 address without brackets: the whole word or, if that is not an address, the word less a port at its
    /// end.
    fn without_brackets(word: &str) -> Result<Self, BadEndpoint> {
        match Self::new(word, None) {
            Ok(typed) => Ok(typed),
            Err(why) => Self::of_netstat(word).ok_or_else(|| {
                // Most people who get this wrong mean `ADDR/LEN:PORT`.
                let is_prefix = word.split_once('/').is_some_and(|(_, len)| len.contains(':'));
                if is_prefix { BadEndpoint::Brackets } else { why }
            }),
        }
    }

    /// An IPv6 address and, after its last colon, a port in plain digits, as netstat prints them.
    pub(super) fn of_netstat(word: &str) -> Option<Self> {
        let (addr, number) = word.rsplit_once(':')?;
        let addr: Ipv6Addr = addr.parse().ok()?;
        let port = if number.starts_with('0') { None } else { port(number).ok() }?;
        Some(Self {
            host: TypedHost::Net(net(addr.into(), None).ok()?),
            device: None,
            port,
            inet_only: false,
        })
    }

    /// The same endpoint for IPv4 sockets only, so that v4-mapped addresses do not match.
    fn of_inet(self) -> Result<Self, BadEndpoint> {
        match self.host {
            TypedHost::Any | TypedHost::Net(Net::V4 { .. }) => Ok(Self { inet_only: true, ..self }),
            TypedHost::Net(Net::V6 { .. }) | TypedHost::Name(_) => Err(BadEndpoint::Family),
        }
    }

    /// The same endpoint for IPv6 sockets only.
    fn of_inet6(self) -> Result<Self, BadEndpoint> {
        match self.host {
            TypedHost::Any => Ok(Self { host: TypedHost::Net(Net::ALL_V6), ..self }),
            TypedHost::Net(Net::V6 { .. }) => Ok(self),
            TypedHost::Net(Net::V4 { .. }) | TypedHost::Name(_) => Err(BadEndpoint::Family),
        }
    }
}

/// What follows `[`: `ADDR]`, `ADDR]:PORT`, with `/LEN` and `%DEVICE` on either side of the bracket.
fn bracketed(rest: &str) -> Result<Typed, BadEndpoint> {
    let (inside, outside) = rest.split_once(']').ok_or(BadEndpoint::Brackets)?;
    let (more, number) = match outside.split_once(':') {
        Some((more, number)) => (more, Some(number)),
        None => (outside, None),
    };
    if !(more.is_empty() || more.starts_with(['/', '%'])) {
        return Err(BadEndpoint::Brackets);
    }
    // Prefix and device may come in either order: the part before `%` is the address with its length.
    let (addr, device) = inside.split_once('%').map_or((inside, ""), |(addr, device)| (addr, device));
    let whole = if device.is_empty() { format!("{inside}{more}") } else { format!("{addr}{more}%{device}") };
    Typed::new(&whole, number)
}

/// One address and port, as bind() takes them. The port is required, so `::1:80` means port 80 of ::1.
pub fn one_end(word: &str) -> Result<OneEnd, BadEndpoint> {
    let bare = word.bytes().all(|byte| byte.is_ascii_digit());
    let typed = match Typed::of_netstat(word) {
        Some(typed) => typed,
        // A port alone.
        None if bare => Typed::new("", Some(word))?,
        None => word.parse()?,
    };
    let host = match typed.host {
        TypedHost::Any => OneHost::Any,
        TypedHost::Name(name) => OneHost::Name(name),
        TypedHost::Net(net) => OneHost::Addr(net.only().ok_or_else(|| BadEndpoint::Prefix(word.to_owned()))?),
    };
    let port = match typed.port {
        TypedPort::Any => None,
        TypedPort::Number(number) => Some(OnePort::Number(number)),
        TypedPort::Service(name) => Some(OnePort::Service(name)),
    };
    Ok(OneEnd { host, device: typed.device, port })
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
    fn a_device_may_stand_behind_the_address() {
        for (text, addr, device, port) in [
            ("[fe80::1%v0]:80", "fe80::1", "v0", Some(80)),
            ("[fe80::1]%v0:80", "fe80::1", "v0", Some(80)),
            ("fe80::1%v0:80", "fe80::1", "v0", Some(80)),
            ("fe80::1%v0", "fe80::1", "v0", None),
            ("[fe80::1%v0]:*", "fe80::1", "v0", None),
            ("127.0.0.53%lo:53", "127.0.0.53", "lo", Some(53)),
            ("0.0.0.0%eth0:*", "0.0.0.0", "eth0", None),
        ] {
            let end = one_end(text).unwrap();
            let expected = OneEnd {
                host: OneHost::Addr(addr.parse().unwrap()),
                device: Some(device.to_owned()),
                port: port.map(OnePort::Number),
            };
            assert_eq!(end, expected, "{text}");
        }
        let Typed { host, device, port, .. } = "*%eth0:80".parse().unwrap();
        assert_eq!((host, device.as_deref(), port), (TypedHost::Any, Some("eth0"), TypedPort::Number(80)));
        let net = Net::V6 { addr: 0xfe80 << 112, len: 64 };
        for text in ["[fe80::/64%v0]:80", "[fe80::%v0]/64:80", "[fe80::]/64%v0:80"] {
            let typed: Typed = text.parse().unwrap();
            assert_eq!((typed.host, typed.device.as_deref()), (TypedHost::Net(net), Some("v0")), "{text}");
        }
    }

    #[test]
    fn netstat_prints_no_brackets() {
        assert!(fits(":::80", "::", 80) && !fits(":::80", "::1", 80) && !fits(":::80", "0.0.0.0", 80));
        assert!(fits(":::*", "::", 5) && fits("0.0.0.0:*", "0.0.0.0", 0));
        assert!(fits("fe80::1:21700", "fe80::1", 21700));
        assert!(fits("::ffff:10.0.0.1:80", "::ffff:10.0.0.1", 80));
        let other = Typed::of_netstat("::1:80").unwrap();
        assert_eq!(other.port, TypedPort::Number(80));
        assert_eq!(Typed::of_netstat("::1"), None);
        assert_eq!(Typed::of_netstat("10.0.0.1:80"), None);
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
        for bad in ["fe80::1%", "[fe80::1%]:80", "10.0.0.1%:80", "[fe80::1]%:80"] {
            assert_eq!(bad.parse::<Typed>(), Err(BadEndpoint::Device), "{bad}");
        }
    }
}
