//! `ADDR[/LEN][:PORT]` and `:PORT`: a term that one end of a socket must fit.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::model::Endpoint;

/// What one end of a socket is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointMatch {
    net: Option<Net>,
    port: Option<u16>,
}

/// An address and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Net {
    V4 { addr: u32, mask: u32 },
    V6 { addr: u128, mask: u128 },
}

/// What is wrong with a word that should be an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEndpoint {
    /// It does not even look like one.
    #[error("no address and no port")]
    NotAnEndpoint,
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

impl EndpointMatch {
    /// Whether this end of a socket fits. An IPv4 address fits v4-mapped ones too.
    pub fn matches(&self, end: &Endpoint) -> bool {
        self.port.is_none_or(|port| port == end.port) && self.net.is_none_or(|net| net.contains(end.addr))
    }
}

impl Net {
    fn new(addr: IpAddr, len: Option<&str>) -> Result<Self, BadEndpoint> {
        match addr {
            IpAddr::V4(addr) => {
                let mask = u32::MAX.checked_shl(32 - prefix_len(len, 32)?).unwrap_or(0);
                Ok(Self::V4 { addr: u32::from(addr) & mask, mask })
            }
            IpAddr::V6(addr) => {
                let mask = u128::MAX.checked_shl(128 - prefix_len(len, 128)?).unwrap_or(0);
                Ok(Self::V6 { addr: u128::from(addr) & mask, mask })
            }
        }
    }

    fn contains(self, other: IpAddr) -> bool {
        match (self, other) {
            (Self::V4 { addr, mask }, other) => match other.to_canonical() {
                IpAddr::V4(other) => u32::from(other) & mask == addr,
                IpAddr::V6(_) => false,
            },
            (Self::V6 { addr, mask }, IpAddr::V6(other)) => u128::from(other) & mask == addr,
            (Self::V6 { .. }, IpAddr::V4(_)) => false,
        }
    }
}

fn prefix_len(len: Option<&str>, max: u8) -> Result<u32, BadEndpoint> {
    let Some(len) = len else { return Ok(max.into()) };
    let bad = || BadEndpoint::Len { len: len.to_owned(), max };
    let bits: u8 = digits(len).ok_or_else(bad)?;
    if bits > max { Err(bad()) } else { Ok(bits.into()) }
}

/// A number of plain digits: `parse` alone would take a sign too.
fn digits<T: FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn port(text: &str) -> Result<u16, BadEndpoint> {
    digits(text).ok_or_else(|| BadEndpoint::Port(text.to_owned()))
}

/// `ADDR[/LEN]`; `*` and nothing at all are any address.
fn net(text: &str) -> Result<Option<Net>, BadEndpoint> {
    if text.is_empty() || text == "*" {
        return Ok(None);
    }
    let (addr, len) = text.split_once('/').map_or((text, None), |(addr, len)| (addr, Some(len)));
    if addr.contains('%') {
        return Err(BadEndpoint::Zone);
    }
    let addr = if let Ok(addr) = addr.parse::<Ipv4Addr>() {
        addr.into()
    } else {
        addr.parse::<Ipv6Addr>().map_err(|_| BadEndpoint::Addr(addr.to_owned()))?.into()
    };
    Net::new(addr, len).map(Some)
}

impl FromStr for EndpointMatch {
    type Err = BadEndpoint;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        if let Some(rest) = word.strip_prefix('[') {
            return bracketed(rest);
        }
        let colons = word.bytes().filter(|b| *b == b':').count();
        if !word.contains(['.', ':', '/', '*']) {
            return Err(BadEndpoint::NotAnEndpoint);
        }
        if colons > 1 {
            // Without brackets all of it is address; `ADDR/LEN:PORT` is what most people who err here mean.
            if word.split_once('/').is_some_and(|(_, len)| len.contains(':')) {
                return Err(BadEndpoint::Brackets);
            }
            return Ok(Self { net: net(word)?, port: None });
        }
        match word.rsplit_once(':') {
            Some((addr, number)) => Ok(Self { net: net(addr)?, port: Some(port(number)?) }),
            None => Ok(Self { net: net(word)?, port: None }),
        }
    }
}

/// What follows `[`: `ADDR]`, `ADDR]:PORT`, with `/LEN` on either side of the bracket.
fn bracketed(rest: &str) -> Result<EndpointMatch, BadEndpoint> {
    let (inside, outside) = rest.split_once(']').ok_or(BadEndpoint::Brackets)?;
    let (len, number) = match outside.split_once(':') {
        Some((len, number)) => (len, Some(number)),
        None => (outside, None),
    };
    if !(len.is_empty() || len.starts_with('/')) {
        return Err(BadEndpoint::Brackets);
    }
    let number = number.map(port).transpose()?;
    Ok(EndpointMatch { net: net(&format!("{inside}{len}"))?, port: number })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(addr: &str, port: u16) -> Endpoint {
        Endpoint::new(addr.parse().unwrap(), port)
    }

    fn fits(term: &str, addr: &str, port: u16) -> bool {
        term.parse::<EndpointMatch>().unwrap().matches(&end(addr, port))
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
        assert_eq!("2001:db8::/32:443".parse::<EndpointMatch>(), Err(BadEndpoint::Brackets));
        assert_eq!("[::1".parse::<EndpointMatch>(), Err(BadEndpoint::Brackets));
        assert_eq!("[::1]80".parse::<EndpointMatch>(), Err(BadEndpoint::Brackets));
    }

    #[test]
    fn the_edges_of_prefix_lengths() {
        assert!(fits("1.2.3.4/0", "9.9.9.9", 1));
        assert!(fits("1.2.3.4/32", "1.2.3.4", 1));
        assert!(fits("::/0", "ff02::1", 1));
        for bad in ["1.2.3.4/33", "::1/129", "1.2.3.4/", "1.2.3.4/+8", "::1/x"] {
            assert!(matches!(bad.parse::<EndpointMatch>(), Err(BadEndpoint::Len { .. })), "{bad}");
        }
    }

    #[test]
    fn what_is_no_endpoint() {
        assert_eq!("80".parse::<EndpointMatch>(), Err(BadEndpoint::NotAnEndpoint));
        assert_eq!("listen".parse::<EndpointMatch>(), Err(BadEndpoint::NotAnEndpoint));
        assert_eq!(":65536".parse::<EndpointMatch>(), Err(BadEndpoint::Port("65536".into())));
        assert_eq!("1.2.3:80".parse::<EndpointMatch>(), Err(BadEndpoint::Addr("1.2.3".into())));
        assert_eq!("fe80::1%eth0".parse::<EndpointMatch>(), Err(BadEndpoint::Zone));
    }
}
