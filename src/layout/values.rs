//! The values of fields as people read them.

use super::columns::{
    End, appended, appended_or_none, are_of_listener, push_addr, push_endpoint, push_fmt, push_holders,
    push_netstat_timer, push_port, push_text,
};
use super::details::push_congestion;
use super::text::{escaped, push_number, span_us};
use crate::fields::{Field, Kind, OfHolder, Read, Value};
use crate::model::{Holder, Row};

/// The text of a field for a row; `None` where nothing is known.
pub(super) fn text_of(field: &Field, row: &Row<'_>) -> Option<String> {
    let socket = row.socket;
    match (field.kind, field.read) {
        (Kind::Endpoint(end), _) => Some(appended(|out| push_endpoint(out, row, end))),
        (Kind::Port(End::Peer), _) if !socket.has_peer() => None,
        (Kind::Port(end), _) => Some(appended(|out| push_port(out, end.of(socket).port, end.service(row)))),
        (Kind::Timer, _) => socket.timer.map(|timer| appended(|out| push_netstat_timer(out, Some(&timer)))),
        (Kind::Processes(end), _) => appended_or_none(|out| push_holders(out, row, end, false)),
        (kind, Read::Holders(read)) => {
            let text = of_each(row.holders, kind, read)?;
            Some(if are_of_listener(row, End::Local) { format!("({text})") } else { text })
        }
        (kind, Read::PeerHolders(read)) => of_each(row.peer_holders, kind, read),
        (kind, of_row) => value_text(kind, &of_row.of_row(row)?),
    }
}

/// Appends the text of a field for a row; nothing where nothing is known. Numbers and names are written directly.
pub(super) fn push_text_of(out: &mut Vec<u8>, field: &Field, row: &Row<'_>) {
    match (field.kind, field.read.of_row(row)) {
        (Kind::Number | Kind::Large | Kind::User, Some(Value::Number(number))) => push_number(out, number),
        (Kind::User, Some(Value::User(None, uid))) => push_number(out, uid),
        (Kind::Cgroup, Some(Value::Text(name))) => push_text(out, &name),
        (_, Some(Value::Absent | Value::Unknown)) => {}
        _ => out.extend_from_slice(text_of(field, row).unwrap_or_default().as_bytes()),
    }
}

/// The texts of the descriptors and processes that hold a socket, once each.
fn of_each(holders: &[Holder], kind: Kind, read: OfHolder) -> Option<String> {
    let mut texts: Vec<String> = Vec::new();
    for holder in holders {
        let text = value_text(kind, &read(holder)).unwrap_or_else(|| "-".to_owned());
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    (!texts.is_empty()).then(|| texts.join(","))
}

/// The text of a value; `None` where it is not known.
pub(super) fn value_text(kind: Kind, value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Absent | Value::Unknown => return None,
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => match kind {
            Kind::Time(micros) => span_us(number.saturating_mul(micros.into())),
            Kind::Mark => format!("{number:#x}"),
            _ => number.to_string(),
        },
        Value::Text(text) => escaped(text),
        Value::Word(word) => (*word).to_owned(),
        Value::State(state) => state.to_string(),
        Value::Address(addr) => appended(|out| push_addr(out, *addr)),
        Value::Endpoint(end) => appended(|out| push_addr(out, end.addr)),
        Value::User(name, uid) => name.map_or_else(|| uid.to_string(), |name| escaped(name.as_bytes())),
        Value::Note(note) => note.to_string(),
        Value::Options(info) => info.option_names().collect::<Vec<_>>().join(","),
        Value::Congestion(congestion) => {
            appended(|out| push_congestion(out, *congestion)).trim_end().to_owned()
        }
        Value::Ulp(ulp) => escaped(ulp.name.as_bytes()),
        Value::Md5Keys(keys) => {
            let keys = keys.iter().map(|key| {
                appended(|out| {
                    push_addr(out, key.address);
                    push_fmt(out, format_args!("/{}", key.prefix_length));
                })
            });
            keys.collect::<Vec<_>>().join(",")
        }
    })
}
