//! The numbers of a connection: `tcp_info`, and what comes with it.

use std::borrow::Cow;

use super::value::{Kind, Read, Value};
use super::{Field, Part};
use crate::model::{InfoNumber, Needs, Row, TcpInfo};

/// Defaults for this file's entries.
const OF_CONNECTION: Field = Field {
    word: "",
    others: &[],
    json: "",
    help: "",
    kind: Kind::Text,
    needs: Needs::TCP_INFO,
    part: Part::TcpInfo,
    read: Read::Any(|_| Value::Unknown),
};

/// `word [other words] key: kind, help;`, where the key is the kernel's name with its unit.
macro_rules! numbers {
    ($($word:literal [$($other:literal)*] $key:ident: $kind:expr, $help:literal;)*) => {
        &[$(Field {
            word: $word,
            others: &[$($other),*],
            json: concat!("tcp_info.", stringify!($key)),
            help: $help,
            kind: $kind,
            read: Read::Info(InfoNumber::$key),
            ..OF_CONNECTION
        }),*]
    };
}

const MICROS: Kind = Kind::Time(1);
const MILLIS: Kind = Kind::Time(1_000);

fn info<'a>(row: &Row<'a>, read: fn(&'a TcpInfo) -> Option<Value<'a>>) -> Option<Value<'a>> {
    row.socket.tcp_info().and_then(read)
}

/// The fields before the numbers, in JSON's order.
pub(super) static WORDS: &[Field] = &[
    Field {
        word: "congestion_control",
        others: &["cc"],
        json: "tcp_info.congestion_control",
        help: "the congestion control",
        read: Read::Any(|row| {
            let name =
                info(row, |info| Some(Value::Text(Cow::Borrowed(info.algorithm.as_ref()?.as_bytes()))));
            name.unwrap_or(Value::Absent)
        }),
        ..OF_CONNECTION
    },
    Field {
        word: "ca_state",
        json: "tcp_info.ca_state",
        help: "the state of loss recovery: open, disorder, cwr, recovery or loss",
        kind: Kind::Word(
            &["open", "disorder", "cwr", "recovery", "loss", "unknown"],
            "open, disorder, cwr, recovery or loss",
        ),
        read: Read::Word(|row| row.socket.tcp_info()?.ca_state()),
        ..OF_CONNECTION
    },
    Field {
        word: "options",
        json: "tcp_info.options",
        help: "the options in use",
        kind: Kind::List,
        read: Read::Any(|row| info(row, |info| Some(Value::Options(info))).unwrap_or(Value::Unknown)),
        ..OF_CONNECTION
    },
    Field {
        word: "snd_wscale",
        json: "tcp_info.snd_wscale",
        help: "the peer's window scale",
        kind: Kind::Number,
        read: Read::NumberOrAbsent(|row| Some(row.socket.tcp_info()?.wscale()?.0.into())),
        ..OF_CONNECTION
    },
    Field {
        word: "rcv_wscale",
        json: "tcp_info.rcv_wscale",
        help: "our window scale",
        kind: Kind::Number,
        read: Read::NumberOrAbsent(|row| Some(row.socket.tcp_info()?.wscale()?.1.into())),
        ..OF_CONNECTION
    },
    Field {
        word: "app_limited",
        json: "tcp_info.delivery_rate_app_limited",
        help: "whether the program sent less than the network could take when the delivery rate was measured",
        kind: Kind::Flag,
        read: Read::Any(|row| {
            info(row, |info| info.delivery_rate_app_limited().map(Value::Flag)).unwrap_or(Value::Unknown)
        }),
        ..OF_CONNECTION
    },
];

/// The numbers of `tcp_info`.
pub static NUMBERS: &[Field] = numbers![
    "retransmits" [] retransmits: Kind::Number, "retransmission timeouts in a row without an acknowledgement";
    "probes" [] probes: Kind::Number, "probes in a row without an answer";
    "backoff" [] backoff: Kind::Number, "how often the timeout was doubled";
    "rto" [] rto_us: MICROS, "the retransmission timeout";
    "ato" [] ato_us: MICROS, "the timeout of a delayed acknowledgement";
    "mss" ["snd_mss"] snd_mss: Kind::Number, "the largest segment that is sent, in bytes";
    "rcv_mss" ["rcvmss"] rcv_mss: Kind::Number, "the estimated size of received segments, in bytes";
    "unacked" [] unacked: Kind::Count, "segments that are not acknowledged";
    "sacked" [] sacked: Kind::Count, "unacknowledged segments that the peer has received (SACK)";
    "lost" [] lost: Kind::Count, "unacknowledged segments that are taken for lost";
    "retrans_out" [] retrans: Kind::Count,
        "unacknowledged segments that were sent again; `retrans` counts all that ever were";
    "fackets" [] fackets: Kind::Count, "no longer used by the kernel";
    "last_data_sent" ["lastsnd"] last_data_sent_ms: MILLIS, "since data was sent last, or since it began";
    "last_data_recv" ["lastrcv"] last_data_recv_ms: MILLIS, "since data was received last, or since it began";
    "last_ack_recv" ["lastack"] last_ack_recv_ms: MILLIS, "since an acknowledgement was received last";
    "pmtu" [] pmtu: Kind::Number, "the largest packet of the path, in bytes";
    "rcv_ssthresh" [] rcv_ssthresh: Kind::Number, "how far the receive window may grow, in bytes";
    "rtt" ["srtt"] rtt_us: MICROS, "the round-trip time";
    "rttvar" [] rttvar_us: MICROS, "how much the round-trip time varies";
    "ssthresh" ["snd_ssthresh"] snd_ssthresh: Kind::Number, "the threshold of slow start, in segments";
    "cwnd" ["snd_cwnd"] snd_cwnd: Kind::Number, "the congestion window, in segments";
    "advmss" [] advmss: Kind::Number, "the largest segment that we announced, in bytes";
    "reordering" [] reordering: Kind::Number, "by how many segments the order may be mixed";
    "rcv_rtt" [] rcv_rtt_us: MICROS, "the round-trip time by what is received";
    "rcv_space" [] rcv_space: Kind::Number, "the space for what is received, in bytes";
    "retrans" ["total_retrans"] total_retrans: Kind::Count, "segments sent again, in all";
    "pacing_rate" [] pacing_rate_bytes_per_s: Kind::Rate, "the pace at which segments leave";
    "max_pacing_rate" [] max_pacing_rate_bytes_per_s: Kind::Rate, "the limit of the pace, where a program has set one";
    "bytes_acked" [] bytes_acked: Kind::Bytes, "bytes that the peer acknowledged";
    "bytes_received" [] bytes_received: Kind::Bytes, "bytes received";
    "segs_out" ["segs_sent"] segs_out: Kind::Count, "segments sent";
    "segs_in" ["segs_received"] segs_in: Kind::Count, "segments received";
    "notsent" ["notsent_bytes"] notsent_bytes: Kind::Bytes, "bytes that wait to be sent for the first time";
    "min_rtt" ["minrtt"] min_rtt_us: MICROS, "the shortest round-trip time";
    "data_segs_in" [] data_segs_in: Kind::Count, "segments received with data";
    "data_segs_out" [] data_segs_out: Kind::Count, "segments sent with data";
    "delivery_rate" [] delivery_rate_bytes_per_s: Kind::Rate, "how fast data reached the peer";
    "busy_time" ["busy"] busy_time_us: MICROS, "how long data was on its way, in all";
    "rwnd_limited" [] rwnd_limited_us: MICROS, "how long the peer's window was the limit, in all";
    "sndbuf_limited" [] sndbuf_limited_us: MICROS, "how long the send buffer was the limit, in all";
    "delivered" [] delivered: Kind::Count, "segments that reached the peer";
    "delivered_ce" [] delivered_ce: Kind::Count, "segments that reached the peer with a mark of congestion (CE)";
    "bytes_sent" [] bytes_sent: Kind::Bytes, "bytes sent, those sent again too";
    "bytes_retrans" [] bytes_retrans: Kind::Bytes, "bytes sent again";
    "dsack_dups" [] dsack_dups: Kind::Count, "segments that the peer received twice";
    "reord_seen" [] reord_seen: Kind::Count, "how often segments came out of order";
    "rcv_ooopack" [] rcv_ooopack: Kind::Count, "segments received out of order";
    "snd_wnd" [] snd_wnd: Kind::Number, "the peer's window, in bytes";
    "rcv_wnd" [] rcv_wnd: Kind::Number, "our window, in bytes";
    "rehash" [] rehash: Kind::Count, "how often another path was tried";
    "total_rto" [] total_rto: Kind::Count, "retransmission timeouts";
    "total_rto_recoveries" [] total_rto_recoveries: Kind::Count, "recoveries from retransmission timeouts";
    "total_rto_time" [] total_rto_time_ms: MILLIS, "the time spent in those recoveries";
    "received_ce" [] received_ce: Kind::Count, "segments received with a mark of congestion";
    "delivered_e1_bytes" [] delivered_e1_bytes: Kind::Bytes, "bytes that reached the peer as ECT(1)";
    "delivered_e0_bytes" [] delivered_e0_bytes: Kind::Bytes, "bytes that reached the peer as ECT(0)";
    "delivered_ce_bytes" [] delivered_ce_bytes: Kind::Bytes, "bytes that reached the peer with a mark of congestion";
    "received_e1_bytes" [] received_e1_bytes: Kind::Bytes, "bytes received as ECT(1)";
    "received_e0_bytes" [] received_e0_bytes: Kind::Bytes, "bytes received as ECT(0)";
    "received_ce_bytes" [] received_ce_bytes: Kind::Bytes, "bytes received with a mark of congestion";
];

/// The fields after the numbers.
pub(super) static ABOVE: &[Field] = &[
    Field {
        word: "congestion",
        json: "tcp_info.congestion",
        help: "the congestion control's own numbers, where it has any",
        kind: Kind::List,
        read: Read::Any(|row| {
            info(row, |info| info.congestion.map(Value::Congestion)).unwrap_or(Value::Absent)
        }),
        ..OF_CONNECTION
    },
    Field {
        word: "ulp",
        json: "tcp_info.ulp",
        help: "the upper layer protocol: tls or mptcp",
        read: Read::Any(|row| info(row, |info| info.ulp.as_deref().map(Value::Ulp)).unwrap_or(Value::Absent)),
        ..OF_CONNECTION
    },
    Field {
        word: "md5keys",
        json: "tcp_info.md5keys",
        help: "the peers whose segments are signed with a key",
        kind: Kind::List,
        read: Read::Any(|row| {
            info(row, |info| info.md5keys.as_deref().map(Value::Md5Keys)).unwrap_or(Value::Absent)
        }),
        ..OF_CONNECTION
    },
];
