//! Who listens on which port: `cargo run --example listening`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]

use tcpstates::{Error, Inspector, Selection, StateSet, TcpState};

fn main() -> Result<(), Error> {
    let selection = Selection::all().states(StateSet::of(TcpState::Listen)).holders();
    let snapshot = Inspector::new().snapshot(&selection)?;
    for row in snapshot.rows() {
        let name =
            row.holders.first().map_or("-".into(), |holder| holder.process.name.escape_ascii().to_string());
        println!("{:<6} {:<40} {name}", row.socket.local.port, row.socket.local.addr);
    }
    for gap in snapshot.gaps() {
        eprintln!("not seen: {gap}");
    }
    Ok(())
}
