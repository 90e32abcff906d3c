//! What works on top of TCP, and MD5 keys, beside what ss says of the same sockets.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;

use socket2::{Domain, Protocol, Socket, Type};

use crate::support::document::Document;
use crate::support::{has, namespace, skip};

/// An MPTCP listener, a connection to it with unread data, and its accepted end.
fn mptcp(port: u16) -> std::io::Result<[Socket; 3]> {
    const IPPROTO_MPTCP: i32 = 262;
    let new = || Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::from(IPPROTO_MPTCP)));
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into();
    let (listener, client) = (new()?, new()?);
    listener.bind(&at)?;
    listener.listen(3)?;
    client.connect(&at)?;
    let (accepted, _) = listener.accept()?;
    client.send(&[b'x'; 600])?;
    Ok([listener, client, accepted])
}

/// A listener that takes signed segments from 127.0.0.1.
fn signed(port: u16) -> std::io::Result<Socket> {
    const TCP_MD5SIG: i32 = 14;
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // struct tcp_md5sig: sockaddr_storage, flags, prefix, the key's length, the interface, the key.
    let mut request = [0_u8; 128 + 8 + 80];
    request[..2].copy_from_slice(&2_u16.to_ne_bytes());
    request[4..8].copy_from_slice(&[127, 0, 0, 1]);
    request[130..132].copy_from_slice(&6_u16.to_ne_bytes());
    request[136..142].copy_from_slice(b"secret");
    let len = libc::socklen_t::try_from(request.len()).expect("it is short");
    #[expect(unsafe_code, reason = "no crate has this option")]
    // SAFETY: the kernel reads `len` bytes of an array that lives as long as the call.
    let done = unsafe {
        libc::setsockopt(listener.as_raw_fd(), libc::IPPROTO_TCP, TCP_MD5SIG, request.as_ptr().cast(), len)
    };
    if done != 0 {
        return Err(std::io::Error::last_os_error());
    }
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    listener.listen(3)?;
    Ok(listener)
}

/// The words of a listing that are about these, without the keys that some versions of ss print.
fn words(text: &str) -> Vec<String> {
    const ABOUT: [&str; 8] =
        ["tcp-ulp-", "flags:", "token:", "seq:", "sfseq:", "ssnoff:", "maplen:", "md5keys:"];
    let mut words: Vec<_> = text
        .split_whitespace()
        .filter(|word| ABOUT.iter().any(|about| word.starts_with(about)))
        .map(|word| word.split('=').next().unwrap_or_default().to_owned())
        .collect();
    words.sort();
    words
}

#[test]
fn mptcp_and_md5_keys_are_told_as_ss_does() {
    let Some(namespace) = namespace() else { return };
    let made = namespace.inside(|| mptcp(8600));
    let key = namespace.inside(|| signed(8601));
    if let Err(why) = &made {
        skip(&format!("no MPTCP here: {why}"));
    }
    if let Err(why) = &key {
        skip(&format!("no MD5 keys here: {why}"));
    }
    let (subflows, keys) = (if made.is_ok() { 3 } else { 0 }, usize::from(key.is_ok()));

    let ours = namespace.tcpstates(&["-f", "ss", "-tnaiO"]);
    let count = |text: &str, word: &str| text.matches(word).count();
    assert_eq!(
        (count(&ours, "tcp-ulp-mptcp"), count(&ours, "md5keys:127.0.0.1/32=")),
        (subflows, keys),
        "{ours}"
    );
    if has("ss") {
        assert_eq!(words(&ours), words(&namespace.other("ss", &["-tnaiO"])));
    }
    let json = namespace.tcpstates(&["-nai", "--json"]);
    assert_eq!(count(&json, r#""ulp":{"name":"mptcp""#), subflows);
    assert_eq!(count(&json, r#""md5keys":[{"address":"127.0.0.1","prefix_length":32}]"#), keys);
    let document = Document::of(&json);
    let ulps =
        document.sockets.iter().filter_map(|socket| socket.rest["tcp_info"]["ulp"]["mptcp"].as_object());
    let is_established = |subflow: &serde_json::Map<String, serde_json::Value>| {
        subflow["flags"].as_array().is_some_and(|flags| flags.iter().any(|flag| flag == "fully_established"))
    };
    assert!(ulps.clone().all(is_established));
    assert_eq!(ulps.count(), subflows.saturating_sub(1));
    let plain = namespace.tcpstates(&["-nai"]);
    assert_eq!((count(&plain, "ulp:mptcp"), count(&plain, "md5keys:127.0.0.1/32")), (subflows, keys));
    // Not asked for, not there.
    assert!(!namespace.tcpstates(&["-nae", "--json"]).contains("mptcp"));
    for text in [ours, json, plain] {
        assert!(!text.contains("secret"), "{text}");
    }
}
