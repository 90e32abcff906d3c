//! Parses the address and port of `bind`: an endpoint as in a filter, with further checks that binding needs.

use std::net::IpAddr;

use crate::filter::{OneEnd, OneHost, OnePort, one_end};
use crate::model::{Families, Family};
use crate::session::Refusal;

/// The families to try, out of those that the user wants.
pub(super) fn families_of(target: &OneEnd, wanted: Families) -> Result<Families, Refusal> {
    let own = match target.host {
        OneHost::Any | OneHost::Name(_) => return Ok(wanted),
        OneHost::Addr(IpAddr::V4(_)) => Family::Inet,
        OneHost::Addr(IpAddr::V6(_)) => Family::Inet6,
    };
    match wanted {
        Families::Only(other) if other != own => Err(Refusal::usage(match own {
            Family::Inet => "-6: the address to bind is an IPv4 one",
            Family::Inet6 => "-4: the address to bind is an IPv6 one",
        })),
        _ => Ok(Families::Only(own)),
    }
}

/// Parses `[ADDR:]PORT`; the error says what is wrong.
pub(super) fn read_target(word: &str) -> Result<OneEnd, String> {
    let bare_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let mut target = match one_end(word) {
        // A name alone, such as `http`, is a port.
        Ok(OneEnd { host: OneHost::Name(name), device: None, port: None }) if word.bytes().all(bare_name) => {
            OneEnd { host: OneHost::Any, device: None, port: Some(OnePort::Service(name)) }
        }
        other => other.map_err(|why| why.to_string())?,
    };
    match target.port {
        None => return Err("it has no port".to_owned()),
        Some(OnePort::Number(0)) => return Err("for port 0 the kernel would choose one".to_owned()),
        Some(_) => {}
    }
    check_device(&target)?;
    if let OneHost::Addr(addr) = &mut target.host {
        *addr = addr.to_canonical();
    }
    Ok(target)
}

/// A link-local address needs a device; no other address may have one here.
fn check_device(target: &OneEnd) -> Result<(), String> {
    let (is_unicast, is_multicast) = match target.host {
        OneHost::Addr(IpAddr::V6(addr)) => {
            // A multicast address such as ff02::1 is link-local too (RFC 4291 section 2.7).
            (addr.is_unicast_link_local(), addr.segments()[0] & 0xff0f == 0xff02)
        }
        _ => (false, false),
    };
    match (&target.host, &target.device) {
        (OneHost::Addr(addr), None) if is_unicast => {
            Err(format!("a link-local address needs its device: [{addr}%eth0]:80"))
        }
        (_, Some(device)) if !is_unicast && !is_multicast => {
            Err(format!("only a link-local address is bound with its device: leave '%{device}' out"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_stand_before_the_port() {
        let read = |word: &str| read_target(word).map(|OneEnd { host, device, port }| (host, device, port));
        let addr = |text: &str| OneHost::Addr(text.parse::<IpAddr>().unwrap());
        let name = |text: &str| OneHost::Name(text.to_owned());
        let on = |device: &str| Some(device.to_owned());
        for (word, host, device, port) in [
            ("80", OneHost::Any, None, 80),
            (":80", OneHost::Any, None, 80),
            ("*:80", OneHost::Any, None, 80),
            ("127.0.0.1:80", addr("127.0.0.1"), None, 80),
            ("[::1]:65535", addr("::1"), None, 65535),
            ("[::]:80", addr("::"), None, 80),
            (":::80", addr("::"), None, 80),
            ("::1:80", addr("::1"), None, 80),
            ("2001:db8::5:443", addr("2001:db8::5"), None, 443),
            ("[::ffff:10.0.0.1]:80", addr("10.0.0.1"), None, 80),
            ("[fe80::1%lo]:80", addr("fe80::1"), on("lo"), 80),
            ("[fe80::1]%lo:80", addr("fe80::1"), on("lo"), 80),
            ("fe80::1%lo:80", addr("fe80::1"), on("lo"), 80),
            ("[ff02::1%lo]:80", addr("ff02::1"), on("lo"), 80),
            ("[ff12::1%lo]:80", addr("ff12::1"), on("lo"), 80),
            ("[ff02::1]:80", addr("ff02::1"), None, 80),
            ("localhost:80", name("localhost"), None, 80),
        ] {
            assert_eq!(read(word), Ok((host, device, Some(OnePort::Number(port)))), "{word}");
        }
        for (word, host) in
            [("http", OneHost::Any), ("*:http", OneHost::Any), ("127.0.0.1:http", addr("127.0.0.1"))]
        {
            assert_eq!(read(word), Ok((host, None, Some(OnePort::Service("http".to_owned())))), "{word}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (word, why) in [
            ("", "'' is not a port number from 0 to 65535"),
            ("0", "for port 0 the kernel would choose one"),
            ("65536", "'65536' is not a port number from 0 to 65535"),
            ("+80", "'+80' is not a numeric IPv4 or IPv6 address"),
            ("10.0.0.1", "it has no port"),
            ("0.0.0.0:*", "it has no port"),
            ("10.0.0.0/8:80", "'10.0.0.0/8:80' is more than one address"),
            ("[::1]", "it has no port"),
            ("[::1", "an IPv6 address with a port is written [ADDR]:PORT"),
            ("[fe80::1]:80", "a link-local address needs its device: [fe80::1%eth0]:80"),
            ("[ff0e::1%lo]:80", "only a link-local address is bound with its device: leave '%lo' out"),
            ("[::1%lo]:80", "only a link-local address is bound with its device: leave '%lo' out"),
            ("127.0.0.1%lo:80", "only a link-local address is bound with its device: leave '%lo' out"),
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
        assert_eq!(families("localhost:80", v6), Ok(v6));
        assert!(families("127.0.0.1:80", v6).is_err() && families("[::1]:80", v4).is_err());
    }
}
