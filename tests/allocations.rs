//! From the kernel's bytes to a written row nothing is allocated, however many sockets there are.

use std::ops::ControlFlow;

use tcpstates::internals::kernel::procfs::line;
use tcpstates::internals::kernel::sock_diag::{Datagrams, Recording, dump};
use tcpstates::internals::layout::{Format, Listing, Parts, Style, listing};
use tcpstates::internals::model::{Families, Family, Query, Row, Sink, Socket, Source, StateSet};

use crate::support::dumps::{messages, recording};

/// Writes each socket into the same memory.
struct Writer {
    layout: Box<dyn Listing>,
    out: Vec<u8>,
    rows: u64,
}

impl Writer {
    fn new(format: Format, parts: Parts) -> Self {
        Self { layout: listing(format, Style::new(parts), &[]), out: Vec::with_capacity(1 << 16), rows: 0 }
    }
}

impl Sink for Writer {
    fn begin(&mut self, _source: Source) {}

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        self.out.clear();
        self.layout.row(&mut self.out, &Row::bare(socket)).expect("it is memory");
        self.rows += 1;
        ControlFlow::Continue(())
    }
}

/// A recorded dump, so many times over in one conversation; each time its sockets have other cookies.
fn repeated(name: &str, times: u32) -> Vec<std::io::Result<Vec<u8>>> {
    let bytes = std::fs::read(recording(name)).expect("the recorded dump is there");
    let sockets = messages(&bytes);
    let mut answers: Vec<_> = (0..times)
        .map(|time| {
            let with_cookie = |message: &[u8]| {
                let mut message = message.to_vec();
                message[8..12].copy_from_slice(&1_u32.to_ne_bytes());
                // The upper half of the cookie, after the header and 48 bytes.
                message[16 + 48..16 + 52].copy_from_slice(&(time + 1).to_ne_bytes());
                message
            };
            Ok(sockets.iter().copied().flat_map(with_cookie).collect())
        })
        .collect();
    let mut done = vec![20, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    done.extend([0; 4]);
    answers.push(Ok(done));
    answers
}

/// How many allocations a dump of a recording takes, and how many rows come of it.
fn allocations(family: Family, format: Format, parts: Parts, times: u32) -> (u64, u64) {
    let mut writer = Writer::new(format, parts);
    let mut conversations = Some(repeated(family.name(), times));
    let mut connect = || {
        let answers = conversations.take().expect("one conversation is enough");
        Ok(Box::new(Recording::new(answers)) as Box<dyn Datagrams + Send>)
    };
    let query = Query::new(Families::Only(family), StateSet::ALL);
    let info = allocation_counter::measure(|| {
        dump(&query, None, &mut connect, &mut writer).expect("it is a whole dump");
    });
    (info.count_total, writer.rows)
}

#[test]
fn none_for_a_socket_of_a_dump() {
    let info = Parts { tcp_info: true, ..Parts::default() };
    let streams = [Format::Plain, Format::Netstat, Format::Ss, Format::Json, Format::Ndjson, Format::Csv];
    let cases = streams.map(|format| (format, Parts::default())).into_iter();
    for (format, parts) in cases.chain([(Format::Ndjson, info), (Format::Csv, info)]) {
        for family in [Family::Inet, Family::Inet6] {
            let (few, rows) = allocations(family, format, parts, 10);
            let (many, more_rows) = allocations(family, format, parts, 110);
            assert!(rows > 50 && more_rows == rows * 11, "{format:?}: {rows} and {more_rows} rows");
            // Bound sockets are remembered; everything else reuses the same memory.
            assert!(many - few < 20, "{format:?} {}: {few}, {many}", family.name());
        }
    }
}

#[test]
fn none_for_a_line_of_proc() {
    let text = b"   0: 0100007F:1389 00000000:0000 0A 00000000:00000001 00:00000000 00000000  1000        0 6266 1 0 100";
    let info = allocation_counter::measure(|| {
        for _ in 0..100 {
            line::parse(text, Family::Inet).expect("it is a line");
        }
    });
    assert_eq!(info.count_total, 0);
}
