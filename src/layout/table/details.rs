//! The numbers of a connection for people: the round trip, retransmissions, bytes and the last data first, with units.

use crate::fields::{Kind, named};
use crate::layout::details::{push_memory, push_tcp_info};
use crate::layout::text::{amount, span_us};
use crate::layout::{Parts, columns::appended};
use crate::model::Row;

/// The texts below a row, in order.
pub(super) fn details(row: &Row<'_>, parts: Parts, is_wide: bool) -> Vec<String> {
    let mut words = Vec::new();
    if parts.tcp_info && row.socket.tcp_info().is_some() {
        if is_wide {
            words.extend(split(&appended(|out| push_tcp_info(out, row))));
        } else {
            words.extend(numbers(row));
        }
    }
    if parts.memory {
        let memory = split(&appended(|out| push_memory(out, row)));
        words.extend(
            memory.into_iter().filter(|word| is_wide || !word.ends_with(":0B") && !word.ends_with(":0")),
        );
    }
    words
}

fn split(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The numbers that people look for; all others are in the wide table, in plain text and in JSON.
fn numbers(row: &Row<'_>) -> Vec<String> {
    let number = |word: &str| named(word).and_then(|field| Some((field, field.number(row)?)));
    let value = |word: &str| {
        number(word).filter(|(_, value)| *value != 0).map(|(field, value)| with_unit(field.kind, value))
    };
    let labelled = |label: &str, word: &str| value(word).map(|text| format!("{label} {text}"));
    let mut words = Vec::new();
    if let Some(rtt) = value("rtt") {
        let least = value("min_rtt").map(|least| format!(" (min {least})")).unwrap_or_default();
        words.push(format!("rtt {rtt}{least}"));
    }
    words.extend(number("retrans").map(|(_, count)| {
        let out_now = value("retrans_out").map(|now| format!(" ({now} now)")).unwrap_or_default();
        format!("retransmitted {count}{out_now}")
    }));
    words.extend(labelled("sent", "bytes_sent").or_else(|| labelled("acknowledged", "bytes_acked")));
    words.extend(labelled("received", "bytes_received"));
    words.extend(labelled("last sent", "last_data_sent").map(|text| text + " ago"));
    words.extend(labelled("last received", "last_data_recv").map(|text| text + " ago"));
    words.extend(labelled("unsent", "notsent"));
    words.extend(labelled("unacknowledged", "unacked"));
    words.extend(labelled("lost", "lost"));
    words.extend(labelled("delivery", "delivery_rate"));
    words.extend(
        row.socket
            .tcp_info()
            .and_then(|info| info.algorithm)
            .map(|name| crate::layout::text::escaped(name.as_bytes())),
    );
    words.extend(labelled("cwnd", "cwnd"));
    words.extend(labelled("mss", "mss"));
    words.extend(labelled("rto", "rto"));
    words.extend(labelled("waited for the peer's window", "rwnd_limited"));
    words.extend(labelled("waited for the send buffer", "sndbuf_limited"));
    words
}

fn with_unit(kind: Kind, value: u64) -> String {
    match kind {
        Kind::Time(micros) => span_us(value.saturating_mul(micros.into())),
        Kind::Bytes => amount(value),
        Kind::Rate => format!("{}/s", amount(value)),
        _ => value.to_string(),
    }
}
