//! `struct tcp_info`: the numbers of one connection.

use super::{Md5Key, Ulp};

/// The kernel's `struct tcp_info` as far as the kernel sent it, and data from attributes of their own.
///
/// Kernels differ in how much they send: older ones send less, later ones more. Every field is read by its place, and
/// is `None` if the kernel's struct ends before it. Names are the kernel's without `tcpi_`, with the unit appended if
/// the name does not show it.
#[derive(Clone, PartialEq)]
pub struct TcpInfo {
    raw: [u8; TcpInfo::KNOWN_LEN],
    len: u16,
    /// The congestion control algorithm's name.
    pub algorithm: Option<Algorithm>,
    /// The algorithm's own numbers.
    pub congestion: Option<Congestion>,
    /// The upper layer protocol.
    pub ulp: Option<Box<Ulp>>,
    /// The peers whose segments are signed with a key.
    pub md5keys: Option<Box<[Md5Key]>>,
}

/// A congestion control algorithm's name: at most 15 bytes and no NUL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Algorithm([u8; 16]);

/// The numbers that some congestion control algorithms report (include/uapi/linux/inet_diag.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Congestion {
    /// `struct tcpvegas_info`
    Vegas {
        /// Whether the algorithm is active.
        enabled: bool,
        /// Round trips counted.
        rtt_count: u32,
        /// The last round trip.
        rtt_us: u32,
        /// The shortest round trip.
        min_rtt_us: u32,
    },
    /// `struct tcp_dctcp_info`
    Dctcp {
        /// False when it fell back to Reno.
        enabled: bool,
        /// Whether the last segment was marked.
        ce_state: u16,
        /// The share of marked bytes, of 1024.
        alpha: u32,
        /// Bytes acknowledged with a mark.
        ab_ecn: u32,
        /// Bytes acknowledged.
        ab_tot: u32,
    },
    /// `struct tcp_bbr_info`
    Bbr {
        /// The estimated bandwidth.
        bw_bytes_per_s: u64,
        /// The shortest round trip.
        min_rtt_us: u32,
        /// The pacing gain, of 256.
        pacing_gain: u32,
        /// The window's gain, of 256.
        cwnd_gain: u32,
    },
}

impl Congestion {
    /// The algorithm's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vegas { .. } => "vegas",
            Self::Dctcp { .. } => "dctcp",
            Self::Bbr { .. } => "bbr",
        }
    }
}

/// Calls `$use! { name: type = offset (first to last), … }` with the whole table of numeric fields, in the kernel's
/// order. Values from the first to the last in brackets mean that there is no number: no limit, nothing measured
/// (include/uapi/linux/tcp.h). The accessors, the JSON and the CSV columns are all made from it.
macro_rules! with_tcp_info_fields {
    ($use:ident) => {
        $use! {
            retransmits: u8 = 2,
            probes: u8 = 3,
            backoff: u8 = 4,
            rto_us: u32 = 8 (0 to 0),
            ato_us: u32 = 12,
            snd_mss: u32 = 16,
            rcv_mss: u32 = 20,
            unacked: u32 = 24,
            sacked: u32 = 28,
            lost: u32 = 32,
            retrans: u32 = 36,
            fackets: u32 = 40,
            last_data_sent_ms: u32 = 44,
            last_data_recv_ms: u32 = 52,
            last_ack_recv_ms: u32 = 56,
            pmtu: u32 = 60,
            rcv_ssthresh: u32 = 64,
            rtt_us: u32 = 68 (0 to 0),
            rttvar_us: u32 = 72,
            snd_ssthresh: u32 = 76 (0x7fff_ffff to u64::MAX),
            snd_cwnd: u32 = 80,
            advmss: u32 = 84,
            reordering: u32 = 88,
            rcv_rtt_us: u32 = 92,
            rcv_space: u32 = 96,
            total_retrans: u32 = 100,
            pacing_rate_bytes_per_s: u64 = 104 (0xffff_ffff_ffff_ffff to u64::MAX),
            max_pacing_rate_bytes_per_s: u64 = 112 (0xffff_ffff_ffff_ffff to u64::MAX),
            bytes_acked: u64 = 120,
            bytes_received: u64 = 128,
            segs_out: u32 = 136,
            segs_in: u32 = 140,
            notsent_bytes: u32 = 144,
            min_rtt_us: u32 = 148 (0xffff_ffff to 0xffff_ffff),
            data_segs_in: u32 = 152,
            data_segs_out: u32 = 156,
            delivery_rate_bytes_per_s: u64 = 160,
            busy_time_us: u64 = 168,
            rwnd_limited_us: u64 = 176,
            sndbuf_limited_us: u64 = 184,
            delivered: u32 = 192,
            delivered_ce: u32 = 196,
            bytes_sent: u64 = 200,
            bytes_retrans: u64 = 208,
            dsack_dups: u32 = 216,
            reord_seen: u32 = 220,
            rcv_ooopack: u32 = 224,
            snd_wnd: u32 = 228,
            rcv_wnd: u32 = 232,
            rehash: u32 = 236,
            total_rto: u16 = 240,
            total_rto_recoveries: u16 = 242,
            total_rto_time_ms: u32 = 244,
            received_ce: u32 = 248,
            delivered_e1_bytes: u32 = 252,
            delivered_e0_bytes: u32 = 256,
            delivered_ce_bytes: u32 = 260,
            received_e1_bytes: u32 = 264,
            received_e0_bytes: u32 = 268,
            received_ce_bytes: u32 = 272,
        }
    };
}
pub(crate) use with_tcp_info_fields;

/// The place of a number in `struct tcp_info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InfoNumber {
    offset: u16,
    size: u8,
    /// Whether the number means the same for a listener.
    of_listeners: bool,
    /// The first and last of the values that mean that there is no number.
    none: (u64, u64),
}

/// A number as the struct has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// This kernel's struct does not have the number.
    Absent,
    /// The number means nothing here, or its value means that there is none.
    Unknown,
    /// The number.
    Number(u64),
}

impl InfoNumber {
    /// `snd_cwnd`, `reordering` and the two pacing rates.
    const OF_LISTENERS: [u16; 4] = [80, 88, 104, 112];

    const fn new(offset: u16, size: usize, none: (u64, u64)) -> Self {
        let [a, b, c, d] = Self::OF_LISTENERS;
        let of_listeners = offset == a || offset == b || offset == c || offset == d;
        // The struct's numbers have at most 8 bytes.
        Self { offset, size: size.to_le_bytes()[0], of_listeners, none }
    }
}

macro_rules! accessors {
    ($($name:ident: $ty:ty = $offset:literal $(($first:literal to $last:expr))?,)*) => {
        #[allow(non_upper_case_globals, missing_docs, reason = "they are called as the fields are")]
        impl InfoNumber {
            $(pub const $name: Self = Self::new($offset, size_of::<$ty>(), accessors!(@none $($first, $last)?));)*
        }

        impl TcpInfo {
            /// The names of all numeric fields, in the kernel's order.
            pub const FIELDS: &'static [&'static str] = &[$(stringify!($name)),*];

            $(
                #[doc = concat!("`tcp_info` at byte ", stringify!($offset), "; `None` where the kernel's ends before, or of a \
                    listener if it means nothing there.")]
                pub fn $name(&self) -> Option<$ty> {
                    self.field($offset).map(<$ty>::from_ne_bytes)
                }
            )*

            /// Calls `visit` with each numeric field's name and value, in the kernel's order.
            pub fn each(&self, mut visit: impl FnMut(&'static str, Option<u64>)) {
                $(visit(stringify!($name), self.$name().map(u64::from));)*
            }
        }
    };
    // The first is above the last, so the range is empty.
    (@none) => { (1, 0) };
    (@none $first:literal, $last:expr) => { ($first, $last) };
}
with_tcp_info_fields!(accessors);

impl TcpInfo {
    /// The length up to which this program knows the fields.
    pub const KNOWN_LEN: usize = 280;

    /// The value of the pacing rates if no rate is set.
    pub const UNLIMITED: u64 = u64::MAX;

    /// Takes the bytes of the kernel's attribute, of any length.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut info = Self::default();
        info.fill(bytes);
        info
    }

    /// Replaces the bytes by another attribute's, and clears the data from other attributes.
    pub fn fill(&mut self, bytes: &[u8]) {
        self.set(bytes);
        self.algorithm = None;
        self.congestion = None;
        self.ulp = None;
        self.md5keys = None;
    }

    /// Replaces the bytes; data from attributes of their own stays.
    pub fn set(&mut self, bytes: &[u8]) {
        let len = bytes.len().min(Self::KNOWN_LEN);
        self.raw[..len].copy_from_slice(&bytes[..len]);
        // A later kernel may send more than this program knows: the rest is ignored.
        self.len = u16::try_from(len).unwrap_or(0);
    }

    /// The round-trip time; `None` before the first measurement, while the kernel reports 0.
    pub fn measured_rtt_us(&self) -> Option<u32> {
        self.rtt_us().filter(|rtt| *rtt != 0)
    }

    /// `tcpi_options`: timestamps 1, SACK 2, window scaling 4, ECN 8, ECN seen 16, data in the SYN 32,
    /// microsecond timestamps 64.
    pub fn options(&self) -> u8 {
        self.at(5).map_or(0, u8::from_ne_bytes)
    }

    /// The names of the options in use.
    pub fn option_names(&self) -> impl Iterator<Item = &'static str> {
        const NAMES: [&str; 7] =
            ["timestamps", "sack", "wscale", "ecn", "ecn_seen", "syn_data", "usec_timestamps"];
        let options = self.options();
        NAMES.into_iter().enumerate().filter(move |(bit, _)| options >> bit & 1 == 1).map(|(_, name)| name)
    }

    /// The state of loss recovery, by the kernel's names (`enum tcp_ca_state`).
    pub fn ca_state(&self) -> Option<&'static str> {
        const NAMES: [&str; 5] = ["open", "disorder", "cwr", "recovery", "loss"];
        let state = self.field(1).map(u8::from_ne_bytes)?;
        Some(NAMES.get(usize::from(state)).copied().unwrap_or("unknown"))
    }

    /// The window scales, ours and the peer's; `None` if scaling is not in use.
    pub fn wscale(&self) -> Option<(u8, u8)> {
        let [byte] = self.at(6)?;
        // Two bit fields: the first is in the low half on a little-endian machine, in the high half on a big-endian.
        let (low, high) = (byte & 0xf, byte >> 4);
        let scales = if cfg!(target_endian = "little") { (low, high) } else { (high, low) };
        (self.options() & 4 != 0).then_some(scales)
    }

    /// Whether the delivery rate was limited by the program rather than by the network.
    pub fn delivery_rate_app_limited(&self) -> Option<bool> {
        let [byte] = self.field(7)?;
        Some(if cfg!(target_endian = "little") { byte & 1 } else { byte >> 7 } == 1)
    }

    /// Whether the socket listens (`tcpi_state`). For a listener the kernel fills in only four fields, and puts the
    /// length and the limit of its accept queue where a connection has `unacked` and `sacked` (`tcp_get_info` in
    /// net/ipv4/tcp.c). The rest is zero, and would look like measured values.
    #[inline]
    fn is_listeners(&self) -> bool {
        const TCP_LISTEN: u8 = 10;
        self.raw[0] == TCP_LISTEN
    }

    /// Whether the kernel's struct has this number, whatever it means there.
    #[inline]
    pub fn has(&self, number: InfoNumber) -> bool {
        number.offset + u16::from(number.size) <= self.len
    }

    /// Reads a number.
    #[inline]
    pub fn reading(&self, number: InfoNumber) -> Reading {
        match self.number(number) {
            Some(value) if !(number.none.0..=number.none.1).contains(&value) => Reading::Number(value),
            None if !self.has(number) => Reading::Absent,
            _ => Reading::Unknown,
        }
    }

    /// The number, if the struct has it and it means what its name says.
    #[inline]
    fn number(&self, number: InfoNumber) -> Option<u64> {
        if !self.has(number) || (self.is_listeners() && !number.of_listeners) {
            return None;
        }
        // Eight bytes from the offset; the number is the first `size` of them.
        let offset = usize::from(number.offset);
        let bytes: [u8; 8] = self.raw.get(offset..offset + 8)?.try_into().ok()?;
        let surplus = 64 - 8 * u32::from(number.size);
        let shifted = if cfg!(target_endian = "little") {
            u64::from_ne_bytes(bytes) << surplus
        } else {
            u64::from_ne_bytes(bytes)
        };
        Some(shifted >> surplus)
    }

    /// The bytes at this place, if they mean what the field's name says.
    #[inline]
    fn field<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        let of_listeners = InfoNumber::OF_LISTENERS.iter().any(|listeners| usize::from(*listeners) == offset);
        if self.is_listeners() && !of_listeners { None } else { self.at(offset) }
    }

    /// The bytes at this place, where the kernel's struct reaches that far.
    #[inline]
    fn at<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.raw.get(..usize::from(self.len))?.get(offset..offset + N)?.try_into().ok()
    }
}

impl Default for TcpInfo {
    fn default() -> Self {
        Self {
            raw: [0; Self::KNOWN_LEN],
            len: 0,
            algorithm: None,
            congestion: None,
            ulp: None,
            md5keys: None,
        }
    }
}

impl std::fmt::Debug for TcpInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut map = f.debug_map();
        self.each(|name, value| {
            if let Some(value) = value {
                map.entry(&name, &value);
            }
        });
        map.entry(&"algorithm", &self.algorithm).entry(&"congestion", &self.congestion);
        map.entry(&"ulp", &self.ulp).entry(&"md5keys", &self.md5keys).finish()
    }
}

impl Algorithm {
    /// The bytes up to the first NUL, 15 at most.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut name = [0; 16];
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len()).min(15);
        name[..end].copy_from_slice(&bytes[..end]);
        Self(name)
    }

    /// The name's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(self.0.len());
        &self.0[..end]
    }
}

impl std::fmt::Debug for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_structs_are_read_as_far_as_they_go() {
        let mut bytes = vec![0; 72];
        bytes[68..72].copy_from_slice(&1234_u32.to_ne_bytes());
        let info = TcpInfo::from_bytes(&bytes);
        assert_eq!(info.rtt_us(), Some(1234));
        assert_eq!(info.rttvar_us(), None);
        assert_eq!(TcpInfo::from_bytes(&bytes[..71]).rtt_us(), None);
        assert_eq!(TcpInfo::from_bytes(&[]).rtt_us(), None);
    }

    #[test]
    fn long_structs_lose_nothing_that_is_known() {
        let info = TcpInfo::from_bytes(&[0xff; 4096]);
        assert_eq!(info.received_ce_bytes(), Some(u32::MAX));
        assert_eq!(info.pacing_rate_bytes_per_s(), Some(TcpInfo::UNLIMITED));
    }

    #[test]
    fn a_listener_has_what_the_kernel_fills_in_for_one() {
        let mut bytes = [7; 280];
        bytes[0] = 10;
        let listener = TcpInfo::from_bytes(&bytes);
        let mut known = Vec::new();
        listener.each(|name, value| known.extend(value.map(|_| name)));
        let filled = ["snd_cwnd", "reordering", "pacing_rate_bytes_per_s", "max_pacing_rate_bytes_per_s"];
        known.sort_unstable_by_key(|name| filled.iter().position(|filled| filled == name));
        assert_eq!(known, filled);
        assert_eq!((listener.ca_state(), listener.delivery_rate_app_limited()), (None, None));
        assert!(
            listener.has(InfoNumber::rtt_us) && !TcpInfo::from_bytes(&bytes[..71]).has(InfoNumber::rtt_us)
        );
        bytes[0] = 1;
        assert!(TcpInfo::from_bytes(&bytes).rtt_us().is_some());
    }

    #[test]
    fn a_shorter_struct_after_a_longer_one_leaves_nothing_behind() {
        let mut info = TcpInfo::from_bytes(&[0xff; 280]);
        info.fill(&[0; 8]);
        assert_eq!(info.rto_us(), None);
    }

    #[test]
    fn options_have_names() {
        let mut bytes = [0; 104];
        bytes[5] = 0b0100_0111;
        bytes[6] = if cfg!(target_endian = "little") { 0xa7 } else { 0x7a };
        let info = TcpInfo::from_bytes(&bytes);
        let names: Vec<_> = info.option_names().collect();
        assert_eq!(names, ["timestamps", "sack", "wscale", "usec_timestamps"]);
        assert_eq!(info.wscale(), Some((7, 10)));
        assert_eq!(info.ca_state(), Some("open"));
    }

    #[test]
    fn names_end_at_the_first_nul() {
        assert_eq!(Algorithm::from_bytes(b"bbr\0junk").as_bytes(), b"bbr");
        assert_eq!(Algorithm::from_bytes(b"a-name-of-more-than-16-bytes").as_bytes(), b"a-name-of-more-");
    }
}
