//! `tcp_info` as ss prints it.

use crate::layout::columns::{push_addr, push_fmt, push_text};
use crate::model::{Congestion, Queues, Subflow, TcpInfo, Tls};

/// The slow-start threshold that the kernel reports before it has set one.
const NO_SSTHRESH: u32 = 0xffff;
/// The initial retransmission timeout of old kernels, which ss does not show.
const OLD_INITIAL_RTO_US: u32 = 3_000_000;
/// Vegas's 'no round trip yet'.
const NO_RTT: u32 = 0x7fff_ffff;

/// Appends the fields, each with a blank before it; most are left out where they are zero.
pub(super) fn push(out: &mut Vec<u8>, info: &TcpInfo, queues: Queues, options: bool, numeric: bool) {
    let mut line = Line { out, numeric };
    if options {
        line.options(info);
    }
    if let Some(algorithm) = info.algorithm {
        line.out.push(b' ');
        push_text(line.out, algorithm.as_bytes());
    }
    line.timing(info);
    line.segments(info);
    if let Some(congestion) = info.congestion {
        line.congestion(congestion);
    }
    line.rates(info);
    line.losses(info, queues);
    line.receiving(info);
    line.above(info);
}

struct Line<'a> {
    out: &'a mut Vec<u8>,
    numeric: bool,
}

impl Line<'_> {
    /// `name:value`, unless it is zero or missing.
    fn count(&mut self, name: &str, value: Option<impl Into<u64>>) {
        if let Some(value) = value.map(Into::into).filter(|value| *value != 0) {
            push_fmt(self.out, format_args!(" {name}:{value}"));
        }
    }

    /// Microseconds shown as milliseconds.
    fn millis(&mut self, name: &str, micros: Option<u32>) {
        if let Some(micros) = micros.filter(|micros| *micros != 0) {
            push_fmt(self.out, format_args!(" {name}:{}", g(f64::from(micros) / 1000.0, 6)));
        }
    }

    fn options(&mut self, info: &TcpInfo) {
        const SHOWN: [(u8, &str); 6] =
            [(1, "ts"), (64, "usec_ts"), (2, "sack"), (8, "ecn"), (16, "ecnseen"), (32, "fastopen")];
        for (_, name) in SHOWN.into_iter().filter(|(bit, _)| info.options() & bit != 0) {
            push_fmt(self.out, format_args!(" {name}"));
        }
    }

    fn timing(&mut self, info: &TcpInfo) {
        if let Some((snd, rcv)) = info.wscale() {
            push_fmt(self.out, format_args!(" wscale:{snd},{rcv}"));
        }
        self.millis("rto", info.rto_us().filter(|rto| *rto != OLD_INITIAL_RTO_US));
        self.count("backoff", info.backoff());
        if let Some(rtt) = info.rtt_us().filter(|rtt| *rtt != 0) {
            let var = info.rttvar_us().unwrap_or(0);
            let (rtt, var) = (g(f64::from(rtt) / 1000.0, 6), g(f64::from(var) / 1000.0, 6));
            push_fmt(self.out, format_args!(" rtt:{rtt}/{var}"));
        }
        self.millis("ato", info.ato_us());
    }

    fn segments(&mut self, info: &TcpInfo) {
        self.count("mss", info.snd_mss());
        self.count("pmtu", info.pmtu());
        self.count("rcvmss", info.rcv_mss());
        self.count("advmss", info.advmss());
        self.count("cwnd", info.snd_cwnd());
        self.count("ssthresh", info.snd_ssthresh().filter(|threshold| *threshold < NO_SSTHRESH));
        self.count("bytes_sent", info.bytes_sent());
        self.count("bytes_retrans", info.bytes_retrans());
        self.count("bytes_acked", info.bytes_acked());
        self.count("bytes_received", info.bytes_received());
        self.count("segs_out", info.segs_out());
        self.count("segs_in", info.segs_in());
        self.count("data_segs_out", info.data_segs_out());
        self.count("data_segs_in", info.data_segs_in());
    }

    fn congestion(&mut self, congestion: Congestion) {
        match congestion {
            Congestion::Vegas { .. } => {}
            Congestion::Dctcp { enabled: false, .. } => self.out.extend_from_slice(b" dctcp:fallback_mode"),
            Congestion::Dctcp { ce_state, alpha, ab_ecn, ab_tot, .. } => push_fmt(
                self.out,
                format_args!(" dctcp:(ce_state:{ce_state},alpha:{alpha},ab_ecn:{ab_ecn},ab_tot:{ab_tot})"),
            ),
            Congestion::Bbr { bw_bytes_per_s, min_rtt_us, pacing_gain, cwnd_gain } => {
                let bw = self.bits_per_s(bits(bw_bytes_per_s));
                let mrtt = g(f64::from(min_rtt_us) / 1000.0, 6);
                push_fmt(self.out, format_args!(" bbr:(bw:{bw},mrtt:{mrtt}"));
                for (name, gain) in [("pacing_gain", pacing_gain), ("cwnd_gain", cwnd_gain)] {
                    if gain != 0 {
                        push_fmt(self.out, format_args!(",{name}:{}", g(f64::from(gain) / 256.0, 6)));
                    }
                }
                self.out.push(b')');
            }
        }
    }

    fn rates(&mut self, info: &TcpInfo) {
        if let Some(send) = send_rate(info) {
            let send = self.bits_per_s(send);
            push_fmt(self.out, format_args!(" send {send}"));
        }
        self.count("lastsnd", info.last_data_sent_ms());
        self.count("lastrcv", info.last_data_recv_ms());
        self.count("lastack", info.last_ack_recv_ms());
        let limited = |rate: Option<u64>| rate.filter(|rate| !matches!(*rate, 0 | TcpInfo::UNLIMITED));
        if let Some(rate) = limited(info.pacing_rate_bytes_per_s()) {
            let rate = self.bits_per_s(bits(rate));
            push_fmt(self.out, format_args!(" pacing_rate {rate}"));
            if let Some(max) = limited(info.max_pacing_rate_bytes_per_s()) {
                let max = self.bits_per_s(bits(max));
                push_fmt(self.out, format_args!("/{max}"));
            }
        }
        if let Some(rate) = info.delivery_rate_bytes_per_s().filter(|rate| *rate != 0) {
            let rate = self.bits_per_s(bits(rate));
            push_fmt(self.out, format_args!(" delivery_rate {rate}"));
        }
        self.count("delivered", info.delivered());
        self.count("delivered_ce", info.delivered_ce());
        if info.delivery_rate_app_limited() == Some(true) {
            self.out.extend_from_slice(b" app_limited");
        }
        self.busy(info);
    }

    fn busy(&mut self, info: &TcpInfo) {
        let Some(busy) = info.busy_time_us().filter(|busy| *busy != 0) else { return };
        push_fmt(self.out, format_args!(" busy:{}ms", busy / 1000));
        for (name, part) in
            [("rwnd_limited", info.rwnd_limited_us()), ("sndbuf_limited", info.sndbuf_limited_us())]
        {
            if let Some(part) = part.filter(|part| *part != 0) {
                let percent = 100.0 * float(part) / float(busy);
                push_fmt(self.out, format_args!(" {name}:{}ms({percent:.1}%)", part / 1000));
            }
        }
    }

    fn losses(&mut self, info: &TcpInfo, queues: Queues) {
        // For a listener, the kernel reports the accept queue in this field.
        self.count("unacked", info.unacked().or(queues.accept_queue()));
        let (now, total) = (info.retrans().unwrap_or(0), info.total_retrans().unwrap_or(0));
        if now != 0 || total != 0 {
            push_fmt(self.out, format_args!(" retrans:{now}/{total}"));
        }
        self.count("lost", info.lost());
        self.count("sacked", info.sacked());
        self.count("dsack_dups", info.dsack_dups());
        self.count("fackets", info.fackets());
        // Every connection starts with 3.
        if let Some(reordering) = info.reordering().filter(|reordering| *reordering != 3) {
            push_fmt(self.out, format_args!(" reordering:{reordering}"));
        }
        self.count("reord_seen", info.reord_seen());
    }

    fn receiving(&mut self, info: &TcpInfo) {
        self.millis("rcv_rtt", info.rcv_rtt_us());
        self.count("rcv_space", info.rcv_space());
        self.count("rcv_ssthresh", info.rcv_ssthresh());
        self.count("notsent", info.notsent_bytes());
        self.millis("minrtt", info.min_rtt_us().filter(|rtt| *rtt != u32::MAX));
        self.count("rcv_ooopack", info.rcv_ooopack());
        self.count("snd_wnd", info.snd_wnd());
        self.count("rcv_wnd", info.rcv_wnd());
        self.count("rehash", info.rehash());
    }

    /// MD5 keys, of which ss prints only the peers (as of 6.1 without secrets), and the upper-layer protocol.
    fn above(&mut self, info: &TcpInfo) {
        for (at, key) in info.md5keys.iter().flatten().enumerate() {
            self.out.extend_from_slice(if at == 0 { &b" md5keys:"[..] } else { b"," });
            push_addr(self.out, key.address);
            push_fmt(self.out, format_args!("/{}=", key.prefix_length));
        }
        let Some(ulp) = info.ulp.as_deref() else { return };
        self.out.extend_from_slice(b" tcp-ulp-");
        push_text(self.out, ulp.name.as_bytes());
        if let Some(tls) = &ulp.tls {
            self.tls(tls);
        }
        if let Some(subflow) = &ulp.mptcp {
            self.subflow(subflow);
        }
    }

    fn tls(&mut self, tls: &Tls) {
        let conf = |conf: Option<u16>| conf.map(|conf| (Tls::conf_name(conf), conf));
        let version = tls.version.map(|number| (tls.version_name(), number));
        let cipher = tls.cipher.map(|number| (tls.cipher_name(), number));
        let parts = [
            ("version", version),
            ("cipher", cipher),
            ("rxconf", conf(tls.rx_conf)),
            ("txconf", conf(tls.tx_conf)),
        ];
        for (name, value) in parts {
            match value {
                Some((Some(word), _)) => push_fmt(self.out, format_args!(" {name}: {word}")),
                Some((None, number)) => push_fmt(self.out, format_args!(" {name}: unknown({number})")),
                None => {}
            }
        }
    }

    fn subflow(&mut self, subflow: &Subflow) {
        let letters: String = subflow.flags().map(|(letter, _)| letter).collect();
        if !letters.is_empty() {
            push_fmt(self.out, format_args!(" flags:{letters}"));
        }
        let ((remote, remote_id), (local, local_id)) = (subflow.remote, subflow.local);
        push_fmt(self.out, format_args!(" token:{remote:04x}(id:{remote_id})/{local:04x}(id:{local_id})"));
        let Subflow { map_seq, map_subflow_seq, ssn_offset, map_data_len, .. } = *subflow;
        push_fmt(
            self.out,
            format_args!(
                " seq:{map_seq:x} sfseq:{map_subflow_seq:x} ssnoff:{ssn_offset:x} maplen:{map_data_len:x}"
            ),
        );
    }

    fn bits_per_s(&self, rate: f64) -> String {
        const UNITS: [(f64, &str); 4] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
        if self.numeric {
            return format!("{rate:.0}bps");
        }
        match UNITS.into_iter().find(|(unit, _)| rate >= *unit) {
            Some((unit, name)) => format!("{}{name}bps", g(rate / unit, 3)),
            None => format!("{}bps", g(rate, 6)),
        }
    }
}

/// The rate that the congestion window allows: one window per round trip.
fn send_rate(info: &TcpInfo) -> Option<f64> {
    let mut rtt = info.rtt_us()?;
    if let Some(Congestion::Vegas { enabled: true, rtt_us, .. }) = info.congestion
        && !matches!(rtt_us, 0 | NO_RTT)
    {
        rtt = rtt_us;
    }
    let (window, mss) = (info.snd_cwnd()?, info.snd_mss()?);
    (rtt != 0 && window != 0 && mss != 0)
        .then(|| f64::from(window) * f64::from(mss) * 8_000_000.0 / f64::from(rtt))
}

fn bits(bytes: u64) -> f64 {
    float(bytes) * 8.0
}

#[expect(clippy::cast_precision_loss, reason = "these numbers are shown with few digits")]
fn float(number: u64) -> f64 {
    number as f64
}

/// C's `%g`: `digits` significant digits, no trailing zeros, an exponent for very large or small numbers.
fn g(number: f64, digits: usize) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{number:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let after_point = i32::try_from(digits).unwrap_or(6) - 1 - exponent;
    if exponent < -4 || after_point < 0 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs());
    }
    without_zeros(&format!("{number:.*}", usize::try_from(after_point).unwrap_or(0))).to_owned()
}

fn without_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_c_prints_them() {
        for (number, text) in [
            (0.0, "0"),
            (0.003, "0.003"),
            (200.0, "200"),
            (21.512, "21.512"),
            (12_345.678, "12345.7"),
            (999_999.6, "1e+06"),
            (1_234_567.0, "1.23457e+06"),
            (0.000_012, "1.2e-05"),
            (2.886_718_75, "2.88672"),
        ] {
            assert_eq!(g(number, 6), text);
        }
        assert_eq!(g(12.34, 3), "12.3");
        assert_eq!(g(123.4, 3), "123");
    }

    #[test]
    fn fields_that_are_zero_are_left_out() {
        let mut bytes = [0; 240];
        bytes[88..92].copy_from_slice(&3_u32.to_ne_bytes());
        bytes[80..84].copy_from_slice(&10_u32.to_ne_bytes());
        let mut out = Vec::new();
        push(&mut out, &TcpInfo::from_bytes(&bytes), Queues::Data { recv_q: 0, send_q: 0 }, true, true);
        assert_eq!(out, b" cwnd:10");
    }
}
