//! The kernel's settings and counters of the host.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident = $sysctl:literal,)*) => {
        /// A setting that matters to TCP, by its name for sysctl(8).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Setting {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Setting {
            /// All settings.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name, such as `net.ipv4.tcp_fin_timeout`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $sysctl,)*
                }
            }
        }
    };
}

settings! {
    /// Seconds that an orphaned FIN_WAIT2 is kept.
    FinTimeout = "net.ipv4.tcp_fin_timeout",
    /// How often a SYN is retransmitted, each time after twice the wait.
    SynRetries = "net.ipv4.tcp_syn_retries",
    /// How often a SYN is retransmitted before that, at intervals of one second.
    SynLinearTimeouts = "net.ipv4.tcp_syn_linear_timeouts",
    /// How often a SYN-ACK is retransmitted.
    SynackRetries = "net.ipv4.tcp_synack_retries",
    /// How often an orphan retransmits; 0 means 8.
    OrphanRetries = "net.ipv4.tcp_orphan_retries",
    /// How often a connection retransmits before the kernel gives it up.
    Retries2 = "net.ipv4.tcp_retries2",
    /// The longest time between two retransmissions, in milliseconds.
    RtoMaxMs = "net.ipv4.tcp_rto_max_ms",
    /// How many time-wait sockets there may be.
    MaxTwBuckets = "net.ipv4.tcp_max_tw_buckets",
    /// Whether a new connection may take a time-wait socket's ports: 0 no, 1 yes, 2 on loopback.
    TwReuse = "net.ipv4.tcp_tw_reuse",
    /// How old that time-wait socket must be, in milliseconds.
    TwReuseDelay = "net.ipv4.tcp_tw_reuse_delay",
    /// Whether a time-wait socket survives an RST.
    Rfc1337 = "net.ipv4.tcp_rfc1337",
    /// Whether connections use timestamps: 0 no, 1 and 2 yes.
    Timestamps = "net.ipv4.tcp_timestamps",
    /// How many half-open connections a listener may have.
    MaxSynBacklog = "net.ipv4.tcp_max_syn_backlog",
    /// The longest accept queue that a program gets.
    Somaxconn = "net.core.somaxconn",
    /// Whether SYN cookies are sent when the queue of half-open connections is full.
    Syncookies = "net.ipv4.tcp_syncookies",
    /// Whether a connection is reset if the accept queue is full.
    AbortOnOverflow = "net.ipv4.tcp_abort_on_overflow",
    /// Seconds of idleness before the first keepalive probe.
    KeepaliveTime = "net.ipv4.tcp_keepalive_time",
    /// Seconds between two probes.
    KeepaliveIntvl = "net.ipv4.tcp_keepalive_intvl",
    /// How many probes are sent.
    KeepaliveProbes = "net.ipv4.tcp_keepalive_probes",
    /// How many orphans there may be, on the whole host.
    MaxOrphans = "net.ipv4.tcp_max_orphans",
    /// The memory pages that TCP's buffers may take, on the whole host: below the first number the kernel sets no
    /// limit, above the second it grants little, above the third nothing.
    Mem = "net.ipv4.tcp_mem",
    /// The ports that the kernel chooses from.
    LocalPortRange = "net.ipv4.ip_local_port_range",
    /// Ports of that range that the kernel does not choose.
    LocalReservedPorts = "net.ipv4.ip_local_reserved_ports",
    /// The first port that anybody may bind.
    UnprivilegedPortStart = "net.ipv4.ip_unprivileged_port_start",
    /// Whether a bind may take an address that the host does not have.
    NonlocalBind = "net.ipv4.ip_nonlocal_bind",
    /// The same for IPv6.
    NonlocalBind6 = "net.ipv6.ip_nonlocal_bind",
    /// Whether an IPv6 socket is for IPv6 only unless the program sets otherwise.
    BindV6only = "net.ipv6.bindv6only",
    /// Whether the host's devices have no IPv6 addresses.
    DisableIpv6 = "net.ipv6.conf.all.disable_ipv6",
}

/// Why an IPv6 address of this host cannot be bound (duplicate address detection, RFC 4862 section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dad {
    /// This host is still asking whether another host has the address.
    Tentative,
    /// Another host has the address.
    Failed,
}

impl Dad {
    /// The word that `ip address` prints.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tentative => "tentative",
            Self::Failed => "dadfailed",
        }
    }
}

/// How long a socket is in TIME_WAIT (`TCP_TIMEWAIT_LEN` of include/net/tcp.h).
pub const TIME_WAIT_MS: u32 = 60_000;

/// Parses `32768\t60999`, the form of ip_local_port_range.
pub fn port_range(text: &str) -> Option<(u16, u16)> {
    let mut ends = text.split_whitespace().map(str::parse);
    Some((ends.next()?.ok()?, ends.next()?.ok()?))
}

/// Parses `8080` or `9000-9010`.
fn reserved(item: &str) -> Option<RangeInclusive<u16>> {
    let item = item.trim();
    let (first, last) = item.split_once('-').unwrap_or((item, item));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

/// The current values in this network namespace. Kernels differ in the settings that they have, and a namespace lacks
/// those of the whole host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<Setting, String>);

impl Settings {
    /// The value as the kernel writes it, in one line.
    pub fn text(&self, setting: Setting) -> Option<&str> {
        self.0.get(&setting).map(String::as_str)
    }

    /// The numbers in the value; most settings have one.
    pub fn numbers(&self, setting: Setting) -> Vec<u64> {
        self.text(setting)
            .unwrap_or_default()
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect()
    }

    /// The ports that the kernel chooses from; `None` if unknown.
    pub fn local_ports(&self) -> Option<RangeInclusive<u16>> {
        let (first, last) = port_range(self.text(Setting::LocalPortRange)?)?;
        Some(first..=last)
    }

    /// The ports of that range that the kernel does not choose; `None` if unknown.
    pub fn reserved_ports(&self) -> Option<Vec<RangeInclusive<u16>>> {
        Some(self.text(Setting::LocalReservedPorts)?.split(',').filter_map(reserved).collect())
    }

    /// How old a time-wait socket must be for tcp_tw_reuse, in milliseconds.
    pub fn tw_reuse_delay_ms(&self) -> u64 {
        /// The delay on kernels that have no setting for it.
        const FIXED: u64 = 1000;
        self.number(Setting::TwReuseDelay).unwrap_or(FIXED)
    }

    /// The setting's first or only number.
    pub fn number(&self, setting: Setting) -> Option<u64> {
        self.numbers(setting).first().copied()
    }
}

impl FromIterator<(Setting, String)> for Settings {
    fn from_iter<I: IntoIterator<Item = (Setting, String)>>(settings: I) -> Self {
        Self(settings.into_iter().collect())
    }
}

/// Counters and gauges by group and name, both the kernel's: `TcpExt` `ListenOverflows` of /proc/net/netstat, `Tcp`
/// `RetransSegs` of /proc/net/snmp, `TCP` `orphan` of /proc/net/sockstat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<(String, String), u64>);

impl Counters {
    /// The count; `None` where this kernel has no such counter.
    pub fn count(&self, group: &str, name: &str) -> Option<u64> {
        // A look-up by borrowed parts of the key would need a type of its own.
        self.0.get(&(group.to_owned(), name.to_owned())).copied()
    }

    /// Whether there are no counters.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<((String, String), u64)> for Counters {
    fn from_iter<I: IntoIterator<Item = ((String, String), u64)>>(counters: I) -> Self {
        Self(counters.into_iter().collect())
    }
}

impl Extend<((String, String), u64)> for Counters {
    fn extend<I: IntoIterator<Item = ((String, String), u64)>>(&mut self, counters: I) {
        self.0.extend(counters);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_lines_of_numbers() {
        let settings: Settings = [
            (Setting::Mem, "1\t2\t3".to_owned()),
            (Setting::LocalReservedPorts, "8080,9000-9010".to_owned()),
        ]
        .into_iter()
        .collect();
        assert_eq!(settings.numbers(Setting::Mem), [1, 2, 3]);
        assert_eq!(settings.number(Setting::FinTimeout), None);
        assert_eq!(settings.text(Setting::LocalReservedPorts), Some("8080,9000-9010"));
    }

    #[test]
    fn ports_are_ranges() {
        assert_eq!(port_range("32768\t60999\n"), Some((32768, 60999)));
        assert_eq!(port_range("1024 65535"), Some((1024, 65535)));
        assert_eq!(port_range("none"), None);
        let settings: Settings =
            [(Setting::LocalReservedPorts, "8080, 9000-9010,x".to_owned())].into_iter().collect();
        assert_eq!(settings.reserved_ports(), Some(vec![8080..=8080, 9000..=9010]));
        assert_eq!((settings.local_ports(), settings.tw_reuse_delay_ms()), (None, 1000));
        assert_eq!(Settings::default().reserved_ports(), None);
    }

    #[test]
    fn no_setting_is_there_twice() {
        for (at, setting) in Setting::ALL.iter().enumerate() {
            assert!(Setting::ALL[..at].iter().all(|other| other.name() != setting.name()));
        }
    }
}
