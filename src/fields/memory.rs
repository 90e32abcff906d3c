//! The memory of a socket's buffers.

use super::value::{Kind, Read};
use super::{Field, Part};
use crate::model::Needs;

macro_rules! of_memory {
    ($(($word:literal, $key:ident, $kind:ident, $help:literal),)*) => {
        &[$(Field {
            word: $word,
            others: &[],
            json: concat!("memory.", stringify!($key)),
            help: $help,
            kind: Kind::$kind,
            needs: Needs::MEMORY,
            part: Part::Memory,
            // Some kernels report only part of these.
            read: Read::Number(|row| Option::<u32>::from(row.socket.memory()?.$key).map(u64::from)),
        }),*]
    };
}

/// The memory of the buffers.
pub static MEMORY: &[Field] = of_memory![
    ("rmem_alloc", rmem_alloc, Bytes, "memory of what was received and not read"),
    ("rcvbuf", rcvbuf, Bytes, "the limit of the receive buffer"),
    ("wmem_alloc", wmem_alloc, Bytes, "memory of what is on its way out"),
    ("sndbuf", sndbuf, Bytes, "the limit of the send buffer"),
    ("fwd_alloc", fwd_alloc, Bytes, "memory that is set aside and not used"),
    ("wmem_queued", wmem_queued, Bytes, "memory of all that is queued to be sent"),
    ("optmem", optmem, Bytes, "memory of options and filters"),
    ("memory_backlog", backlog, Bytes, "memory of packets that wait while a program has the socket locked"),
    ("drops", drops, Count, "segments that were dropped"),
];
