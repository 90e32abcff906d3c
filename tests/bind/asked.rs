//! The program asked, beside real binds.
//!
//! While another test starts a program, that has copies of all sockets for a moment: one that was closed may still be
//! there. So what is compared is compared again until it is the same, for a while.

use std::net::{IpAddr, SocketAddr};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::support::namespace::Namespace;
use crate::support::run::Finished;

/// What a real bind does, for IPv6 only or as the host has it: nothing, or the error's number.
fn really(at: SocketAddr, v6only: bool, reuse: bool) -> Option<i32> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, None).expect("a socket can be had");
    if at.is_ipv6() && v6only {
        socket.set_only_v6(true).expect("it can be set");
    }
    socket.set_reuse_address(reuse).expect("it can be set");
    socket.bind(&at.into()).err().map(|error| error.raw_os_error().expect("the kernel's"))
}

/// The answer as JSON, and the status.
pub(super) fn asked(namespace: &Namespace, args: &[&str]) -> (Value, i32) {
    let args = [&["bind", "--json"], args].concat();
    let Finished { status, stdout, stderr, .. } = namespace.run(&args);
    let told = stderr.lines().next().unwrap_or_default();
    let known = ["permission denied", "IPV6_V6ONLY"];
    assert!(told.is_empty() || known.iter().any(|end| told.ends_with(end)), "{args:?}: {stderr}");
    (
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {stdout}")),
        status.unwrap(),
    )
}

/// Arguments of `bind` for a port, and the addresses that they mean.
pub(super) type Target = (Vec<String>, Vec<SocketAddr>);

pub(super) fn target(words: &[&str], addresses: &[&str], port: u16) -> Target {
    let at = |addr: &&str| SocketAddr::new(addr.parse().unwrap(), port);
    (
        words.iter().map(|word| word.replace("{}", &port.to_string())).collect(),
        addresses.iter().map(at).collect(),
    )
}

pub(super) fn targets(port: u16) -> [Target; 7] {
    [
        target(&["{}"], &["0.0.0.0", "::"], port),
        target(&["-4", "*:{}"], &["0.0.0.0"], port),
        target(&["-6", ":{}"], &["::"], port),
        target(&["127.0.0.1:{}"], &["127.0.0.1"], port),
        target(&["127.0.0.3:{}"], &["127.0.0.3"], port),
        target(&["[::1]:{}"], &["::1"], port),
        target(&["[::]:{}"], &["::"], port),
    ]
}

pub(super) fn error_number(name: &Value) -> Option<i32> {
    Some(match name.as_str()? {
        "EADDRINUSE" => libc::EADDRINUSE,
        "EACCES" => libc::EACCES,
        "EADDRNOTAVAIL" => libc::EADDRNOTAVAIL,
        other => panic!("{other}"),
    })
}

/// Until it holds, for a while.
#[track_caller]
pub(super) fn eventually<T>(holds: impl Fn() -> anyhow::Result<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        match holds() {
            Ok(value) => return value,
            Err(error) if Instant::now() > deadline => panic!("{error:#}"),
            Err(_) => sleep(Duration::from_millis(5)),
        }
    }
}

/// Each try: address, SO_REUSEADDR, error.
pub(super) fn told(answer: &Value) -> Vec<(IpAddr, bool, Option<i32>)> {
    let one = |tried: &Value| {
        let addr: IpAddr = tried["address"].as_str().unwrap().parse().unwrap();
        let error = error_number(&tried["error"]);
        assert_eq!(tried["ok"], error.is_none());
        assert_eq!(tried["message"].is_null(), error.is_none());
        assert_eq!(tried["family"], if addr.is_ipv4() { "inet" } else { "inet6" });
        (addr, tried["reuse_address"].as_bool().unwrap(), error)
    };
    answer["tries"].as_array().unwrap().iter().map(one).collect()
}

/// What a real bind does to each of these addresses.
pub(super) fn found(addresses: &[SocketAddr], v6only: bool) -> Vec<(IpAddr, bool, Option<i32>)> {
    let both = |at: &SocketAddr| [false, true].map(|reuse| (at.ip(), reuse, really(*at, v6only, reuse)));
    addresses.iter().flat_map(both).collect()
}

/// Asks, and compares each try and the status with real binds. The answer, and whether a plain bind fails.
pub(super) fn compared(
    namespace: &Namespace,
    words: &[String],
    addresses: &[SocketAddr],
) -> anyhow::Result<(Value, bool)> {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let (answer, status) = asked(namespace, &words);
    // What names no address is tried for each family alone.
    let v6only = answer["address"].is_null();
    let (told, real) = (told(&answer), namespace.inside(|| found(addresses, v6only)));
    ensure!(told == real, "{words:?}: {told:?}, really {real:?}");
    let fails = real.iter().any(|(_, reuse, error)| !reuse && error.is_some());
    assert_eq!((answer["can_bind"].as_bool(), status), (Some(!fails), i32::from(fails)), "{words:?}");
    Ok((answer, fails))
}

/// The holders that block.
pub(super) fn in_the_way(answer: &Value) -> Vec<&Value> {
    answer["holders"].as_array().unwrap().iter().filter(|holder| holder["blocks"] != "no").collect()
}
