//! Reads this host's settings and counters. They are this network namespace's, except for those that the kernel keeps
//! for all namespaces together.

use std::io;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::thread::available_parallelism;

use crate::kernel::files::read_text;
use crate::model::{Counters, Dad, Gap, Setting, Settings, port_range};

/// Below this many sockets one walk is so short that a second thread costs more than it saves.
const MANY: u64 = 10_000;

/// Whether two threads should read the sockets in parallel: this network namespace has many sockets, and more than one
/// thread can run at once.
pub(super) fn is_large() -> bool {
    let stat = |name| read_text(format!("/proc/thread-self/net/{name}")).unwrap_or_default();
    available_parallelism().is_ok_and(|threads| threads.get() > 1)
        && count(&stat("sockstat")) + count(&stat("sockstat6")) >= MANY
}

/// Adds up the numbers that are this namespace's own, `inuse` and `tw`, in `TCP: inuse 12 orphan 0 tw 3 alloc 14 mem 0`
/// and `TCP6: inuse 4`.
fn count(sockstat: &str) -> u64 {
    let of_tcp = |(group, name): &(String, String)| {
        matches!(group.as_str(), "TCP" | "TCP6") && matches!(name.as_str(), "inuse" | "tw")
    };
    in_lines(sockstat).iter().filter(|(key, _)| of_tcp(key)).map(|(_, number)| number).sum()
}

/// The first and last port of the range that the kernel chooses from; `None` if it cannot be read.
pub fn local_ports() -> Option<(u16, u16)> {
    port_range(&read(Setting::LocalPortRange).ok()?)
}

fn path(setting: Setting) -> PathBuf {
    PathBuf::from("/proc/sys").join(setting.name().replace('.', "/"))
}

fn read(setting: Setting) -> io::Result<String> {
    read_text(path(setting))
}

/// Reads the settings that matter to TCP; those that this kernel or namespace lacks are left out.
pub fn settings() -> (Settings, Vec<Gap>) {
    let mut gaps = Vec::new();
    let mut known = |setting: &Setting| match read(*setting) {
        Ok(text) => Some((*setting, text.trim_end().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            gaps.push(unreadable(&path(*setting).display().to_string(), &error));
            None
        }
    };
    let settings: Settings = Setting::ALL.iter().filter_map(&mut known).collect();
    if settings == Settings::default() && gaps.is_empty() {
        gaps.push(unreadable("/proc/sys/net", &io::ErrorKind::NotFound.into()));
    }
    (settings, gaps)
}

/// Reads the counters of TCP.
pub fn counters() -> (Counters, Vec<Gap>) {
    let mut counters = Counters::default();
    let mut gaps = Vec::new();
    for file in ["snmp", "netstat", "sockstat", "sockstat6"] {
        let parse = if file.starts_with("sockstat") { in_lines } else { in_pairs };
        // Not /proc/net, which shows the main thread's namespace.
        let path = format!("/proc/thread-self/net/{file}");
        match read_text(&path) {
            Ok(text) => counters.extend(parse(&text)),
            // A kernel without IPv6.
            Err(error) if file == "sockstat6" && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => gaps.push(unreadable(&path, &error)),
        }
    }
    (counters, gaps)
}

/// Whether the kernel lists sockets that are bound and idle: from Linux 6.8 on.
pub fn lists_idle() -> bool {
    version(&release()) >= Some((6, 8))
}

/// The kernel's release, such as `6.8.0-31-generic`; empty if /proc lacks it.
pub(crate) fn release() -> String {
    read_text("/proc/sys/kernel/osrelease").unwrap_or_default().trim_end().to_owned()
}

/// The first two numbers of a release such as `6.8.0-31-generic`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Why an IPv6 address of this host cannot be bound, if duplicate address detection forbids it; on any device if
/// `device` is 0.
pub fn dad(addr: Ipv6Addr, device: u32) -> Result<Option<Dad>, Gap> {
    let path = "/proc/thread-self/net/if_inet6";
    match read_text(path) {
        Ok(text) => Ok(dad_in(&text, addr, device)),
        // A kernel without IPv6.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// `fe800000000000000000000000000099 03 40 20 c8 eth0`: address, device, prefix, scope and flags, in hexadecimal.
fn dad_in(text: &str, addr: Ipv6Addr, device: u32) -> Option<Dad> {
    const IFA_F_DADFAILED: u8 = 0x08;
    const IFA_F_TENTATIVE: u8 = 0x40;
    let addr = format!("{:032x}", u128::from(addr));
    text.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [its_addr, its_device, _, _, flags, _] = fields[..] else { return None };
        let its_device = u32::from_str_radix(its_device, 16).ok()?;
        if its_addr != addr || (device != 0 && device != its_device) {
            return None;
        }
        // An address that failed is marked as tentative too.
        match u8::from_str_radix(flags, 16).ok()? {
            flags if flags & IFA_F_DADFAILED != 0 => Some(Dad::Failed),
            flags if flags & IFA_F_TENTATIVE != 0 => Some(Dad::Tentative),
            _ => None,
        }
    })
}

fn unreadable(path: &str, error: &io::Error) -> Gap {
    Gap::Unreadable { path: path.to_owned(), reason: error.to_string() }
}

/// Counters by group and name.
type Counted = Vec<((String, String), u64)>;

/// A line of names and one of numbers, both with the group before them: `TcpExt: TW TWKilled` and `TcpExt: 3 0`.
fn in_pairs(text: &str) -> Counted {
    let lines: Vec<_> = text.lines().filter_map(|line| line.split_once(": ")).collect();
    let mut counted = Vec::new();
    for pair in lines.chunks_exact(2) {
        let [(group, names), (same, numbers)] = pair else { continue };
        if group == same {
            let each = names.split_whitespace().zip(numbers.split_whitespace());
            counted.extend(each.filter_map(|(name, number)| entry(group, name, number)));
        }
    }
    counted
}

/// The group, then names and numbers in turn: `TCP: inuse 12 orphan 0`.
fn in_lines(text: &str) -> Counted {
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    lines
        .flat_map(|(group, rest)| {
            let words: Vec<_> = rest.split_whitespace().collect();
            let pairs = words.chunks_exact(2).filter_map(|pair| entry(group, pair[0], pair[1]));
            pairs.collect::<Vec<_>>()
        })
        .collect()
}

/// `None` for a negative number: it means that there is no limit, and counts nothing.
fn entry(group: &str, name: &str, number: &str) -> Option<((String, String), u64)> {
    Some(((group.to_owned(), name.to_owned()), number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_stand_in_two_lines_or_in_turn() {
        let text = "Ip: Forwarding\nIp: 1\nTcp: RtoMin MaxConn InSegs\nTcp: 200 -1 7\nTcpExt: TW\nbroken\n";
        let counters: Counters = in_pairs(text).into_iter().chain(in_lines("TCP: inuse 5 mem\n")).collect();
        assert_eq!(counters.count("Tcp", "InSegs"), Some(7));
        assert_eq!(counters.count("Tcp", "MaxConn"), None);
        assert_eq!(counters.count("TCP", "inuse"), Some(5));
        assert_eq!(counters.count("TcpExt", "TW"), None);
    }

    #[test]
    fn this_host_has_settings_and_counters() {
        let (settings, gaps) = settings();
        assert!(settings.number(Setting::FinTimeout).is_some() && gaps.is_empty(), "{gaps:?}");
        let (counters, gaps) = counters();
        assert!(counters.count("TcpExt", "ListenOverflows").is_some() && gaps.is_empty(), "{gaps:?}");
        assert!(counters.count("Tcp", "RetransSegs").is_some() && counters.count("TCP", "inuse").is_some());
    }

    #[test]
    fn a_release_begins_with_its_version() {
        for (release, expected) in [
            ("6.8.0-31-generic\n", Some((6, 8))),
            ("6.10-rc1", Some((6, 10))),
            ("5.14.0-427.el9.x86_64", Some((5, 14))),
            ("7.0+", Some((7, 0))),
            ("", None),
            ("next", None),
        ] {
            assert_eq!(version(release), expected, "{release}");
        }
        assert!(version("5.19") < Some((6, 8)) && version("6.10") >= Some((6, 8)));
    }

    #[test]
    fn flags_say_what_duplicate_address_detection_found() {
        let text = "20010db8000600000000000000000001 03 40 00 c0 one\n\
                    fe800000000000000000000000000099 03 40 20 c8      one\n\
                    fe800000000000000000000000000099 02 40 20 82      two\n\
                    00000000000000000000000000000001 01 80 10 80       lo\nbroken\n";
        let of = |addr: &str, device| dad_in(text, addr.parse().unwrap(), device);
        assert_eq!(of("2001:db8:6::1", 0), Some(Dad::Tentative));
        assert_eq!(of("fe80::99", 3), Some(Dad::Failed));
        assert_eq!(of("fe80::99", 2), None);
        assert_eq!(of("::1", 0), None);
        assert_eq!(of("2001:db8:6::2", 0), None);
    }

    #[test]
    fn sockets_of_both_families_count() {
        let text = "sockets: used 9\nTCP: inuse 12 orphan 7 tw 3 alloc 14 mem 0\nUDP: inuse 5 mem 0\n";
        assert_eq!(count(text), 15);
        assert_eq!(count("TCP6: inuse 4\nUDP6: inuse 9\n"), 4);
        assert_eq!(count(""), 0);
    }
}
