//! Fields that the kernel does not report, derived from those that it does.

use super::value::{Kind, Read, Value};
use super::{Field, Part};
use crate::model::{Direction, Needs, Row, TcpState};

pub(super) static CONCLUDED: &[Field] = &[
    Field {
        word: "direction",
        others: &["dir"],
        json: "direction",
        help: "in (a listener of this host has the local port), out (none has) or listen",
        kind: Kind::Word(&["in", "out", "listen"], "in, out or listen"),
        needs: Needs::DIRECTION,
        part: Part::Chosen,
        read: Read::Word(|row| row.direction.map(Direction::word)),
    },
    Field {
        word: "age",
        others: &[],
        json: "age_ms",
        help: "the time since the connection was established; not known once data has gone both ways",
        kind: Kind::Time(1_000),
        needs: Needs::TCP_INFO,
        part: Part::Chosen,
        read: Read::Any(|row| age_ms(row).map_or(Value::Unknown, |age| Value::Number(age.into()))),
    },
];

/// The kernel keeps no creation time. Its times since data was last sent and last received both start with the
/// connection: while one direction has had no data segment, that direction's time is the connection's age.
fn age_ms(row: &Row<'_>) -> Option<u32> {
    let is_begun = !matches!(
        row.socket.state.shown(),
        TcpState::Listen | TcpState::SynSent | TcpState::SynRecv | TcpState::Close
    );
    let info = row.socket.tcp_info().filter(|_| is_begun)?;
    match (info.data_segs_out()?, info.data_segs_in()?) {
        (0, _) => info.last_data_sent_ms(),
        (_, 0) => info.last_data_recv_ms(),
        _ => None,
    }
}
