//! The connections with the longest round-trip time: `cargo run --example slowest -- dport = :443`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]

use tcpstates::{Error, Inspector, Selection, TcpInfo};

fn main() -> Result<(), Error> {
    let filter = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let snapshot = Inspector::new().snapshot(&Selection::all().filter(&filter)?.tcp_info())?;
    let rtt = |row: &tcpstates::Row<'_>| row.socket.tcp_info().and_then(TcpInfo::rtt_us);
    let mut rows: Vec<_> = snapshot.rows().filter_map(|row| Some((rtt(&row)?, row))).collect();
    rows.sort_by_key(|(rtt, _)| std::cmp::Reverse(*rtt));
    for (rtt, row) in rows.iter().take(10) {
        println!("{rtt:>9} µs  {}:{}", row.socket.peer.addr, row.socket.peer.port);
    }
    for gap in snapshot.gaps() {
        eprintln!("not seen: {gap}");
    }
    Ok(())
}
