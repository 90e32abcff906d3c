//! Reads the address and port of `bind`.

use std::net::{IpAddr, Ipv6Addr};

use super::Refusal;
use crate::model::Family;
use crate::query::{Families, Target};

/// The families to try, of those that are wanted.
pub(super) fn families_of(target: &Target, wanted: Families) -> Result<Families, Refusal> {
    let own = match target.addr {
        None => return Ok(wanted),
        Some(IpAddr::V4(_)) => Family::Inet,
        Some(IpAddr::V6(_)) => Family::Inet6,
    };
    match wanted {
        Families::Only(other) if other != own => Err(Refusal::usage(match own {
            Family::Inet => "-6: the address to bind is an IPv4 one",
            Family::Inet6 => "-4: the address to bind is an IPv6 one",
        })),
        _ => Ok(Families::Only(own)),
    }
}

/// Reads `[ADDR:]PORT`; the error is what is wrong with it.
pub(super) fn read_target(word: &str) -> Result<Target, String> {
    if word.ends_with(']') {
        return Err("it has no port".to_owned());
    }
    let (addr, port) = word.rsplit_once(':').unwrap_or(("", word));
    let (addr, device) = match (addr, addr.strip_prefix('[').and_then(|addr| addr.strip_suffix(']'))) {
        ("" | "*", _) => (None, None),
        (_, Some(addr)) => read_ipv6(addr).map(|(addr, device)| (Some(addr), device))?,
        (_, None) => (Some(read_ipv4(addr)?), None),
    };
    Ok(Target { addr, device, port: read_port(port)? })
}

fn read_ipv4(word: &str) -> Result<IpAddr, String> {
    let why = if word.contains(':') {
        "an IPv6 address needs brackets: [::1]:80"
    } else {
        "names are not looked up"
    };
    word.parse().map(IpAddr::V4).map_err(|_| format!("'{word}' is no IPv4 address; {why}"))
}

/// What stands in brackets: a link-local address has its device behind it.
fn read_ipv6(word: &str) -> Result<(IpAddr, Option<String>), String> {
    let (text, device) = word.split_once('%').map_or((word, ""), |(addr, device)| (addr, device));
    let addr: Ipv6Addr = text.parse().map_err(|_| format!("'{text}' is no IPv6 address"))?;
    // ff02::1 is one of each device too (RFC 4291 section 2.7).
    let is_link_multicast = addr.segments()[0] & 0xff0f == 0xff02;
    match (addr.is_unicast_link_local(), device) {
        (true, "") => Err(format!("a link-local address needs its device: [{addr}%eth0]:80")),
        (false, "") => Ok((addr.to_canonical(), None)),
        (is_unicast, device) if is_unicast || is_link_multicast => Ok((addr.into(), Some(device.to_owned()))),
        _ => Err("only a link-local address has a device".to_owned()),
    }
}

fn read_port(word: &str) -> Result<u16, String> {
    match word.parse() {
        Ok(0) => Err("for port 0 the kernel would choose one".to_owned()),
        // A sign is no part of a number here.
        Ok(port) if word.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
        _ => Err(format!("'{word}' is no port number from 1 to 65535")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_stand_before_the_port() {
        let read = |word: &str| read_target(word).map(|Target { addr, device, port }| (addr, device, port));
        let addr = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        for (word, expected) in [
            ("80", (None, None, 80)),
            (":80", (None, None, 80)),
            ("*:80", (None, None, 80)),
            ("127.0.0.1:80", (addr("127.0.0.1"), None, 80)),
            ("[::1]:65535", (addr("::1"), None, 65535)),
            ("[::]:80", (addr("::"), None, 80)),
            ("[::ffff:10.0.0.1]:80", (addr("10.0.0.1"), None, 80)),
            ("[fe80::1%lo]:80", (addr("fe80::1"), Some("lo".to_owned()), 80)),
            ("[ff02::1%lo]:80", (addr("ff02::1"), Some("lo".to_owned()), 80)),
            ("[ff12::1%lo]:80", (addr("ff12::1"), Some("lo".to_owned()), 80)),
            ("[ff02::1]:80", (addr("ff02::1"), None, 80)),
        ] {
            assert_eq!(read(word), Ok(expected), "{word}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (word, why) in [
            ("", "'' is no port number from 1 to 65535"),
            ("0", "for port 0 the kernel would choose one"),
            ("65536", "'65536' is no port number from 1 to 65535"),
            ("+80", "'+80' is no port number from 1 to 65535"),
            ("http", "'http' is no port number from 1 to 65535"),
            ("10.0.0.1", "'10.0.0.1' is no port number from 1 to 65535"),
            ("localhost:80", "'localhost' is no IPv4 address; names are not looked up"),
            ("::1:80", "'::1' is no IPv4 address; an IPv6 address needs brackets: [::1]:80"),
            ("[::1]", "it has no port"),
            ("[10.0.0.1]:80", "'10.0.0.1' is no IPv6 address"),
            ("[fe80::1]:80", "a link-local address needs its device: [fe80::1%eth0]:80"),
            ("[ff0e::1%lo]:80", "only a link-local address has a device"),
            ("[::1%lo]:80", "only a link-local address has a device"),
        ] {
            assert_eq!(read_target(word), Err(why.to_owned()), "{word}");
        }
    }

    #[test]
    fn an_address_has_its_family() {
        let families = |word: &str, wanted| families_of(&read_target(word).unwrap(), wanted);
        let (v4, v6) = (Families::Only(Family::Inet), Families::Only(Family::Inet6));
        assert_eq!(families("80", Families::Both), Ok(Families::Both));
        assert_eq!(families("80", v6), Ok(v6));
        assert_eq!(families("127.0.0.1:80", Families::Both), Ok(v4));
        assert_eq!(families("[::1]:80", v6), Ok(v6));
        assert!(families("127.0.0.1:80", v6).is_err() && families("[::1]:80", v4).is_err());
    }
}
