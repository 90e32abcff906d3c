//! Micro-benchmarks of what runs for each socket: the decoder, the /proc parser, and each streaming writer.
//!
//! `cargo bench --bench micro`; `cargo test` runs each once.

#![allow(clippy::expect_used, missing_docs, reason = "a tool for developers")]

use std::path::Path;

use divan::Bencher;
use divan::counter::ItemsCount;

use tcpstates::internals::kernel::procfs::line;
use tcpstates::internals::kernel::sock_diag::decode::Decoder;
use tcpstates::internals::layout::{Format, Parts, Style, listing};
use tcpstates::internals::model::{Endpoint, Family, Queues, Row, Socket, TcpState};

fn main() {
    divan::main();
}

/// A reply of a real dump with all that can be asked for: what stands behind its netlink header.
fn reply() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dumps/inet.dump");
    let dump = std::fs::read(path).expect("the recorded dump is there");
    Replies(&dump).max_by_key(|reply| reply.len()).expect("there are sockets").to_vec()
}

/// A dump's messages, without their headers.
struct Replies<'a>(&'a [u8]);

impl<'a> Iterator for Replies<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let len = u32::from_ne_bytes(*self.0.first_chunk()?) as usize;
        let payload = self.0.get(16..len)?;
        self.0 = self.0.get(len.next_multiple_of(4)..)?;
        Some(payload)
    }
}

fn socket() -> Socket {
    Socket {
        queues: Queues::Data { recv_q: 0, send_q: 1448 },
        uid: Some(1000),
        inode: Some(123_456),
        cookie: Some(654_321),
        ..Socket::new(
            Family::Inet,
            TcpState::Established,
            Endpoint::new([10, 20, 30, 40].into(), 443),
            Endpoint::new([198, 51, 100, 77].into(), 50_123),
        )
    }
}

fn ipv6_socket() -> Socket {
    let end = |text: &str, port| Endpoint::new(text.parse().expect("an address"), port);
    Socket {
        family: Family::Inet6,
        local: end("2001:db8::10", 443),
        peer: end("2001:db8:1:2::77", 50_123),
        ..socket()
    }
}

#[divan::bench]
fn decode(bencher: Bencher) {
    let mut decoder = Decoder::new();
    let reply = reply();
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench_local(move || decoder.decode(&reply).map(|socket| socket.state));
}

#[divan::bench]
fn parse_line(bencher: Bencher) {
    let text = b" 1234: 0100007F:1F90 0200007F:C3CB 01 00000000:00000000 00:00000000 00000000  1000        0 123456 1 \
        0000000000000000 20 4 30 10 -1";
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| line::parse(divan::black_box(text), Family::Inet));
}

#[divan::bench(args = ["plain", "netstat", "ss", "json", "ndjson", "csv"])]
fn write_ipv4(bencher: Bencher, format: &str) {
    write(bencher, format, &socket(), false);
}

#[divan::bench(args = ["plain", "netstat", "ss", "ndjson", "csv"])]
fn write_ipv6(bencher: Bencher, format: &str) {
    write(bencher, format, &ipv6_socket(), false);
}

#[divan::bench(args = ["plain", "ss", "ndjson", "csv"])]
fn write_with_info(bencher: Bencher, format: &str) {
    let mut decoder = Decoder::new();
    let socket = decoder.decode(&reply()).expect("it is a socket").clone();
    write(bencher, format, &socket, true);
}

fn write(bencher: Bencher, format: &str, socket: &Socket, tcp_info: bool) {
    let format = Format::WORDS.into_iter().find(|(word, _)| *word == format).expect("a format").1;
    let mut layout = listing(format, Style::new(Parts { tcp_info, ..Parts::default() }), &[]);
    let mut out = Vec::with_capacity(1 << 20);
    bencher.counter(ItemsCount::new(1_u32)).bench_local(move || {
        out.clear();
        layout.row(&mut out, &Row::bare(socket))
    });
}
