//! The numbers of a connection and of its memory as text: `name:value` with units; zeros are left out.

use super::columns::{push_addr, push_fmt, push_text};
use super::text::span_us;
use crate::fields::{self, Field, Kind};
use crate::model::{Congestion, Row, TcpInfo};

/// Appends the memory of a socket's buffers, with a blank behind each part.
pub(super) fn push_memory(out: &mut Vec<u8>, row: &Row<'_>) {
    for field in fields::MEMORY {
        if let Some(value) = field.number(row) {
            push_quantity(out, field, value);
        }
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
    for field in fields::NUMBERS {
        if let Some(value) = field.number(row).filter(|value| *value != 0) {
            push_quantity(out, field, value);
        }
    }
    if info.delivery_rate_app_limited() == Some(true) {
        out.extend_from_slice(b"app_limited ");
    }
    if let Some(congestion) = info.congestion {
        push_congestion(out, congestion);
    }
    push_above(out, info);
}

/// Appends the upper-layer protocol, and the peers whose segments are signed with a key.
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

/// Appends `name:value` with its unit; the name is JSON's key without the unit.
fn push_quantity(out: &mut Vec<u8>, field: &Field, value: u64) {
    let key = field.key();
    let without = |unit| key.strip_suffix(unit).unwrap_or(key);
    match field.kind {
        Kind::Time(1) => push_fmt(out, format_args!("{}:{} ", without("_us"), span_us(value))),
        Kind::Time(micros) => {
            let span = span_us(value.saturating_mul(micros.into()));
            push_fmt(out, format_args!("{}:{span} ", without("_ms")));
        }
        Kind::Rate => push_fmt(out, format_args!("{}:{value}B/s ", without("_bytes_per_s"))),
        Kind::Bytes => push_fmt(out, format_args!("{key}:{value}B ")),
        _ => push_fmt(out, format_args!("{key}:{value} ")),
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
