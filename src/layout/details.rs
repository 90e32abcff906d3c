//! The numbers of a connection and of its memory as text: `name:value` with units, what is zero left out.

use super::columns::{push_addr, push_fmt, push_text};
use super::text::span_us;
use crate::model::{Congestion, Memory, Row, TcpInfo};

/// Appends the memory of a socket's buffers, with a blank behind each part.
pub(super) fn push_memory(out: &mut Vec<u8>, row: &Row<'_>) {
    let Some(memory) = row.socket.memory() else { return };
    let Memory { rmem_alloc, rcvbuf, wmem_alloc, sndbuf, fwd_alloc, wmem_queued, optmem, backlog, drops } =
        *memory;
    push_fmt(
        out,
        format_args!(
            "rmem_alloc:{rmem_alloc}B rcvbuf:{rcvbuf}B wmem_alloc:{wmem_alloc}B sndbuf:{sndbuf}B \
             fwd_alloc:{fwd_alloc}B wmem_queued:{wmem_queued}B optmem:{optmem}B "
        ),
    );
    if let Some(backlog) = backlog {
        push_fmt(out, format_args!("backlog:{backlog}B "));
    }
    if let Some(drops) = drops {
        push_fmt(out, format_args!("drops:{drops} "));
    }
}

/// Appends a connection's numbers, with a blank behind each.
pub(super) fn push_tcp_info(out: &mut Vec<u8>, row: &Row<'_>) {
    let Some(info) = row.socket.tcp_info() else { return };
    if let Some(algorithm) = info.algorithm {
        push_text(out, algorithm.as_bytes());
        out.push(b' ');
    }
    if let Some(state) = info.ca_state() {
        push_fmt(out, format_args!("ca_state:{state} "));
    }
    let options: Vec<_> = info.option_names().collect();
    if !options.is_empty() {
        push_fmt(out, format_args!("options:{} ", options.join(",")));
    }
    if let Some((snd, rcv)) = info.wscale() {
        push_fmt(out, format_args!("wscale:{snd},{rcv} "));
    }
    info.each(|name, value| {
        if let Some(value) = value.filter(|value| *value != 0 && !is_unset(name, *value)) {
            push_quantity(out, name, value);
        }
    });
    if info.delivery_rate_app_limited() == Some(true) {
        out.extend_from_slice(b"app_limited ");
    }
    if let Some(congestion) = info.congestion {
        push_congestion(out, congestion);
    }
    push_above(out, info);
}

/// What works on top, and whose segments are signed with a key.
fn push_above(out: &mut Vec<u8>, info: &TcpInfo) {
    if let Some(ulp) = info.ulp.as_deref() {
        out.extend_from_slice(b"ulp:");
        push_text(out, ulp.name.as_bytes());
        out.push(b' ');
    }
    for (at, key) in info.md5keys.iter().flatten().enumerate() {
        out.extend_from_slice(if at == 0 { &b"md5keys:"[..] } else { b"," });
        push_addr(out, key.address);
        push_fmt(out, format_args!("/{}", key.prefix_length));
    }
    if info.md5keys.as_deref().is_some_and(|keys| !keys.is_empty()) {
        out.push(b' ');
    }
}

/// Whether this value stands for 'none' here: no pacing limit, no round trip measured, no threshold.
#[inline]
pub(super) fn is_unset(name: &str, value: u64) -> bool {
    const INFINITE_SSTHRESH: u64 = 0x7fff_ffff;
    match name {
        "pacing_rate_bytes_per_s" | "max_pacing_rate_bytes_per_s" => value == TcpInfo::UNLIMITED,
        // Before the first measurement; a measured round trip takes a microsecond at least.
        "rtt_us" => value == 0,
        "min_rtt_us" => value == u64::from(u32::MAX),
        "snd_ssthresh" => value >= INFINITE_SSTHRESH,
        _ => false,
    }
}

/// The unit is the end of the name.
fn push_quantity(out: &mut Vec<u8>, name: &str, value: u64) {
    if let Some(name) = name.strip_suffix("_us") {
        push_fmt(out, format_args!("{name}:{} ", span_us(value)));
    } else if let Some(name) = name.strip_suffix("_ms") {
        push_fmt(out, format_args!("{name}:{} ", span_us(value.saturating_mul(1_000))));
    } else if let Some(name) = name.strip_suffix("_bytes_per_s") {
        push_fmt(out, format_args!("{name}:{value}B/s "));
    } else if name.starts_with("bytes_") || name.ends_with("_bytes") {
        push_fmt(out, format_args!("{name}:{value}B "));
    } else {
        push_fmt(out, format_args!("{name}:{value} "));
    }
}

pub(super) fn push_congestion(out: &mut Vec<u8>, congestion: Congestion) {
    match congestion {
        Congestion::Vegas { rtt_us, min_rtt_us, .. } => {
            push_fmt(
                out,
                format_args!(
                    "vegas_rtt:{} vegas_min_rtt:{} ",
                    span_us(rtt_us.into()),
                    span_us(min_rtt_us.into())
                ),
            );
        }
        Congestion::Dctcp { enabled, ce_state, alpha, ab_ecn, ab_tot } => {
            push_fmt(
                out,
                format_args!(
                    "dctcp_enabled:{enabled} dctcp_ce_state:{ce_state} dctcp_alpha:{alpha} dctcp_ab_ecn:{ab_ecn}B \
                     dctcp_ab_tot:{ab_tot}B "
                ),
            );
        }
        Congestion::Bbr { bw_bytes_per_s, min_rtt_us, .. } => {
            push_fmt(
                out,
                format_args!("bbr_bw:{bw_bytes_per_s}B/s bbr_min_rtt:{} ", span_us(min_rtt_us.into())),
            );
        }
    }
}
